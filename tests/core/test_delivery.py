from datetime import timedelta
from http import HTTPStatus

import pytest

from shared.core.delivery import Verdict, pause, verdict

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
    assert set(pauses[8:]) == {timedelta(hours=4)}


def test_a_try_that_cannot_be_waits_like_the_first():
    """A number of tries that no message of ours has still gives a pause, the first one."""
    assert pause(-(2**40)) == pause(0)
