"""The table and the queues fail for a while: what is lost, what is told twice, and what comes of it.

The SDKs pause between their own tries; here that moves the clock, and nobody waits.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from unittest.mock import patch

import pytest
from azure.core.exceptions import AzureError, ServiceRequestError, ServiceResponseError
from azure.core.pipeline.transport import HttpTransport

from local.azure import Fault
from local.outage import Call, Trouble, answering, unanswered, unreachable
from tests.flows.clockwork import HOME, PAUSE, Clockwork, published, shortfalls
from tests.flows.world import THREE

pytestmark = [pytest.mark.flow, pytest.mark.timeout(3600)]

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
STRIDE = int(os.environ.get("STORAGE_TROUBLE_STRIDE", "71"))  # 1 begins at every call, and takes minutes
_OUTPACED = answering(412, "UpdateConditionNotSatisfied")
TABLE_TROUBLES = {
    "unreachable": unreachable,
    "busy": answering(503, "ServerBusy"),
    "broken": answering(500, "InternalError"),
    "outpaced": _OUTPACED,
}


def _refused(_act: Callable[[], Any]) -> Any:
    """Trouble: what the adapter of the queues raises when storage cannot be reached."""
    raise ServiceRequestError("no connection")


def _done_unanswered(act: Callable[[], Any]) -> Any:
    """Trouble: the same when the answer of storage gets lost."""
    act()
    raise ServiceResponseError("no answer")


def _of_table(call: Call) -> bool:
    return "/rollouts(" in call.path or call.path.endswith(("/rollouts", "/Tables"))


def _guarded(call: Call) -> bool:
    return _of_table(call) and call.guarded


def _of_queues(call: Call) -> bool:
    return call.host == "queue"


def _puts(call: Call) -> bool:
    return _of_queues(call) and call.method == "POST"


def _posts(call: Call) -> bool:
    return call.path.startswith("/chat/")


def _puts_poison(call: Call) -> bool:
    return _puts(call) and "-poison/" in call.path


class Spell:
    """A spell of trouble: for calls of one kind, from the n-th call of the app on, for a while."""

    def __init__(self, app: Clockwork, kind: Callable[[Call], bool], length: timedelta, *, at: int = 0) -> None:
        self._app, self._kind, self._length, self._at = app, kind, length, at
        self._began: datetime | None = None
        self.met: list[int] = []

    def __call__(self, call: Call) -> bool:
        number = len(self._app.outside.calls)
        if not self._kind(call) or number < self._at:
            return False
        self._began = self._began or self._app.clock.at
        if self._app.clock.at >= self._began + self._length:
            return False
        self.met.append(number)
        return True

    @property
    def hid_a_post(self) -> bool:
        """Whether it began after a webhook took a status, and before that was recorded."""
        calls = self._app.outside.calls
        number = self.met[0] if self.met else 0
        return "'delivery'" in calls[number - 1].path and any(map(_posts, calls[max(number - 3, 0) : number - 1]))


@contextmanager
def _scene(storage: str) -> Iterator[Clockwork]:
    """Give the scene; what an SDK would sleep passes on its clock."""
    with published(storage) as app:

        def sleep(_transport: HttpTransport, seconds: float) -> None:
            assert seconds <= 5, "an SDK would sleep in a handler"
            app.clock.at += seconds * SECOND

        with patch.object(HttpTransport, "sleep", sleep):
            yield app


def _live(app: Clockwork, length: timedelta = 12 * HOUR) -> None:
    app.surely(lambda: app.event("1.0.3"))
    app.run(length, handle=app.deliver)


@pytest.fixture
def starts(storage: str) -> range:
    """The calls at which trouble begins: spread over all that the app makes."""
    with _scene(storage) as app:
        _live(app)
        assert shortfalls(app) == []
        return range(1, len(app.outside.calls) + 1, STRIDE)


def _try(storage: str, kind: Callable[[Call], bool], trouble: Trouble, length: timedelta, at: int) -> list[str]:
    """Say what does not hold after a spell of trouble."""
    with _scene(storage) as app:
        spell = Spell(app, kind, length, at=at)
        app.outside.trouble(spell, trouble)
        _live(app)
        return [f"from call {at}: {fault}" for fault in shortfalls(app, posts=spell.hid_a_post)]


@pytest.mark.parametrize("name", TABLE_TROUBLES)
def test_a_minute_without_the_table(storage: str, starts: range, name: str) -> None:
    """A minute in which the table cannot be reached, is busy, broken, or written by others first: nothing is lost,
    poisoned, written again or told twice (but where it hid that a status was posted), and all goes on by itself.
    """
    kind = _guarded if name == "outpaced" else _of_table
    tries = [_try(storage, kind, TABLE_TROUBLES[name], MINUTE, at) for at in starts]
    assert [fault for faults in tries for fault in faults] == []


@pytest.mark.parametrize("kind", [_puts, _of_queues])
def test_a_minute_without_the_queues(storage: str, starts: range, kind: Callable[[Call], bool]) -> None:
    """A minute in which no message can be put, or no queue be reached at all: nothing is lost or told twice."""
    tries = [_try(storage, kind, _refused, MINUTE, at) for at in starts]
    assert [fault for faults in tries for fault in faults] == []


def test_lost_answers(storage: str, starts: range) -> None:
    """A call that was done and whose answer gets lost is no different from one that was answered."""
    for at in starts:
        with _scene(storage) as app:
            now = partial(_is_at, app, at)
            app.outside.trouble(lambda call, now=now: now() and _of_queues(call), _done_unanswered)
            app.outside.trouble(lambda _, now=now: now(), unanswered)
            _live(app)
            assert shortfalls(app, posts=1) == []


def _is_at(app: Clockwork, number: int) -> bool:
    return len(app.outside.calls) == number


def test_a_look_that_must_wait_is_made(storage: str) -> None:
    """A look that Azure throttles is made later; it does not end the looks."""
    with _scene(storage) as app:
        app.surely(lambda: app.event("1.0.3"))
        app.run(HOUR, handle=app.deliver, until=lambda: app.events("rollout.started"))
        fault = Fault("GET", "versions/1.0.3", 429, "TooManyRequests", "later", retry_after=30, times=1)
        app.azure.set_behaviour(faults=[fault])
        app.run(12 * HOUR, handle=app.deliver)
        assert shortfalls(app) == []


def test_a_look_that_cannot_be_put_is_put_again(storage: str) -> None:
    """When the first look at a rollout cannot be put, the message that wanted it puts it when it comes again."""
    with _scene(storage) as app:
        spell = Spell(app, lambda call: call.path == "/watch/messages", SECOND)
        app.outside.trouble(spell, _refused)
        _live(app)
        assert spell.met
        assert shortfalls(app) == []


def test_a_status_is_posted_once_when_its_record_is_outpaced(storage: str) -> None:
    """A status that a webhook took is not posted again because its record was written to by others."""
    with _scene(storage) as app:
        app.outside.trouble(Spell(app, lambda call: _guarded(call) and "'delivery'" in call.path, MINUTE), _OUTPACED)
        _live(app)
        assert shortfalls(app) == []


def test_unknown_failures_are_for_the_host(storage: str) -> None:
    """A stage that fails for an unknown reason raises: the host tries again after its pause, and counts the tries."""
    with _scene(storage) as app:
        app.event("1.0.3")
        app.outside.trouble(_of_table, answering(403, "AuthorizationFailure"))
        (message,) = app.queues.due()
        app.deliver(message)
        (again,) = app.queues.waiting
        assert isinstance(app.faults[-1], AzureError)
        assert (again.name, again.tries, again.due - app.clock.at) == (message.name, 1, PAUSE)


@pytest.mark.parametrize("at", [5, 40, 100])
def test_a_long_time_without_the_table(storage: str, at: int) -> None:
    """A table that is away for twenty minutes is waited for: no message is given up for that."""
    assert _try(storage, _of_table, unreachable, 20 * MINUTE, at) == []


@pytest.mark.parametrize("at", [5, 40, 100])
def test_trouble_that_nobody_knows(storage: str, at: int) -> None:
    """When a trouble that is not known to pass lasts for longer than the tries of a message, each message that is given
    up is kept and told of, and the next sweep brings the gallery to where it belongs.
    """
    with _scene(storage) as app:
        app.outside.trouble(Spell(app, _of_table, 20 * MINUTE, at=at), answering(403, "AuthorizationFailure"))
        _live(app, 2 * HOUR)
        buried = [call.path.split("-poison")[0][1:] for call in app.outside.calls if _puts_poison(call)]
        kept = [json.loads(row["values"]) for row in json.loads(app.rows()) if row["PartitionKey"] == "dead-letters"]
        told = [event["data"]["queue"] for event in app.events("dead-lettered")]
        assert buried
        assert sorted(letter["queue"] for letter in kept) == sorted(buried)
        others = [each["queue"] for each in kept if "1-json" not in each["body"]]  # its own webhook is left out
        assert sorted(told) == sorted(others)

        app.sweep()
        app.run(12 * HOUR, handle=app.deliver)
        assert app.complete_in("1.0.3", THREE)
        assert all(app.complete_in(number, [HOME]) for number in ("1.0.1", "1.0.2"))
        assert len(app.writes()) == 3
        ids = [event["id"] for event in app.events()]
        assert len(ids) == len(set(ids))
        assert not app.queues.waiting


def test_a_poison_queue_that_takes_nothing(storage: str) -> None:
    """A message that cannot be handled, and for an hour not be buried either, is not lost: it is kept and told of."""
    with _scene(storage) as app:
        app.outside.trouble(Spell(app, _puts_poison, HOUR), _refused)
        app.queues.put_text("watch", "nonsense")
        app.run(50 * MINUTE, handle=app.deliver)
        assert [message.text for message in app.queues.waiting] == ["nonsense"]
        app.run(2 * HOUR, handle=app.deliver)
        (letter,) = app.events()
        assert letter["data"]["queue"] == "watch"
        assert "nonsense" in app.rows()
        assert not app.queues.waiting
