from datetime import timedelta
from http import HTTPStatus

import pytest

from shared.core.delivery import Verdict, pause, verdict, wait
from tests.core.build import DAY, HOUR, MINUTE
from tests.core.statuses import STATUSES

POSTED, AGAIN, REFUSED = Verdict.POSTED, Verdict.AGAIN, Verdict.REFUSED

TABLE = {
    100: REFUSED,
    101: REFUSED,
    102: REFUSED,
    103: REFUSED,
    200: POSTED,
    201: POSTED,
    202: POSTED,
    203: POSTED,
    204: POSTED,
    205: POSTED,
    206: POSTED,
    207: POSTED,
    208: POSTED,
    226: POSTED,
    300: REFUSED,
    301: REFUSED,
    302: REFUSED,
    303: REFUSED,
    304: REFUSED,
    305: REFUSED,
    307: REFUSED,
    308: REFUSED,
    400: REFUSED,
    401: REFUSED,
    402: REFUSED,
    403: REFUSED,
    404: REFUSED,
    405: REFUSED,
    406: REFUSED,
    407: REFUSED,
    408: AGAIN,
    409: REFUSED,
    410: REFUSED,
    411: REFUSED,
    412: REFUSED,
    413: REFUSED,
    414: REFUSED,
    415: REFUSED,
    416: REFUSED,
    417: REFUSED,
    418: REFUSED,
    421: REFUSED,
    422: REFUSED,
    423: REFUSED,
    424: REFUSED,
    425: AGAIN,
    426: REFUSED,
    428: REFUSED,
    429: AGAIN,
    431: REFUSED,
    451: REFUSED,
    500: AGAIN,
    501: AGAIN,
    502: AGAIN,
    503: AGAIN,
    504: AGAIN,
    505: AGAIN,
    506: AGAIN,
    507: AGAIN,
    508: AGAIN,
    510: AGAIN,
    511: AGAIN,
}
NOT_IN_THE_STANDARD = {0: AGAIN, 99: REFUSED, 299: POSTED, 399: REFUSED, 499: REFUSED, 520: AGAIN, 599: AGAIN}


def test_the_shared_table():
    """The table that all kinds of receivers are tried with says of every status what the table above says."""
    assert {status: STATUSES[status] for status in TABLE} == TABLE
    assert list(STATUSES) == list(range(100, 600))
    assert [status for status in STATUSES if verdict(status) is not STATUSES[status]] == []


def test_table_is_whole():
    """The table below names every HTTP status that there is."""
    assert set(TABLE) == {status.value for status in HTTPStatus}


@pytest.mark.parametrize(("status", "expected"), (TABLE | NOT_IN_THE_STANDARD).items())
def test_verdict(status, expected):
    """Only what says "later" is tried again; what says "never" is not."""
    assert verdict(status) is expected


def test_pauses():
    """The pauses grow from seconds to hours, and stay there."""
    pauses = [pause(attempt) for attempt in range(30)]
    assert pauses == sorted(pauses)
    assert pauses[0] == timedelta(seconds=5)
    assert set(pauses[11:]) == {timedelta(hours=7)}


def _waits(day: timedelta, asked: timedelta | None = None) -> list[timedelta]:
    """Give all waits of a status that is never taken."""
    waits: list[timedelta] = []
    while (length := wait(len(waits), asked, day - sum(waits, timedelta()))) is not None:
        waits.append(length)
    return waits


def test_a_day_of_tries():
    """A status is tried over a whole day, the last time at its end, with a dozen pauses that grow."""
    waits = _waits(DAY)
    assert sum(waits, timedelta()) == DAY
    assert waits[:-1] == sorted(waits[:-1])
    assert sum(waits[:-1], timedelta()) > 0.95 * DAY
    assert len(waits) == 13


@pytest.mark.parametrize("asked", [timedelta(0), timedelta(seconds=1), MINUTE, HOUR, 5 * HOUR, 3 * DAY, 10**5 * DAY])
def test_who_asks_to_be_left_alone(asked):
    """A try comes no sooner than the receiver asked for, but for a last one at the end; and no oftener than else."""
    waits = _waits(DAY, asked)
    assert sum(waits, timedelta()) == DAY
    assert all(length >= asked for length in waits[:-1])
    assert len(waits) <= 13


@pytest.mark.parametrize("left", [timedelta(0), -HOUR])
def test_giving_up(left):
    """When its day is over, a status is given up, whatever the receiver asks for."""
    assert wait(0, None, left) is None
    assert wait(0, DAY, left) is None


def test_a_try_that_cannot_be_waits_like_the_first():
    """A number of tries that no message of ours has still gives a pause, the first one."""
    assert pause(-(2**40)) == pause(0)
