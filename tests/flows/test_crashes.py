"""The process is killed at every call to the outside, before it is sent and after it was answered.

A few of each kind in every run; ``CRASHES=all`` takes all, ``CRASHES=random`` a hundred lives that end twice (from the
seed ``CRASHES_SEED``), which take minutes.
"""

import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import cycle

import pytest

from local.outage import Call, Moment
from tests.flows.clockwork import Clockwork, published, shortfalls

pytestmark = [pytest.mark.flow, pytest.mark.timeout(3600)]

HOUR = timedelta(hours=1)
WHICH = os.environ.get("CRASHES", "some")
SEED = int(os.environ.get("CRASHES_SEED", "20260302"))
LIVES = 100


@dataclass(frozen=True)
class Kill:
    """A kill: at the n-th call of a life."""

    number: int
    moment: Moment

    def __str__(self) -> str:
        return f"{self.moment} call {self.number}"


@dataclass(frozen=True)
class Death:
    """A kill that happened, and the calls up to it, of all lives."""

    kill: Kill
    calls: Sequence[Call]

    @property
    def forgot_a_post(self) -> bool:
        """Whether it came after a webhook took a status, and before that was recorded."""
        since = next((at for at in range(1, len(self.calls) + 1) if _posts(self.calls[-at])), None)
        if since is None:
            return False
        after = [_records(call) for call in self.calls[len(self.calls) - since + 1 :]]
        if not after:
            return self.kill.moment is Moment.AFTER
        return not any(after[:-1]) and not (after[-1] and self.kill.moment is Moment.AFTER)

    def __str__(self) -> str:
        return f"killed {self.kill}, {self.calls[-1]}"


def _posts(call: Call) -> bool:
    return call.path.startswith("/chat/")


def _records(call: Call) -> bool:
    return call.method == "PUT" and "'delivery'" in call.path


def _live(app: Clockwork, *kills: Kill) -> list[Death]:
    """Tell the app of 1.0.3 and let it work, life after life, until all is quiet."""
    left, deaths = list(kills), list[Death]()

    def live() -> None:
        if left:
            app.outside.kill_at(left[0].number, left[0].moment)

    def die() -> None:
        deaths.append(Death(left.pop(0), tuple(app.outside.calls)))
        live()

    app.on_start = die
    live()
    app.surely(lambda: app.event("1.0.3"))
    app.run(12 * HOUR, handle=app.deliver)
    app.outside.revive()  # a kill that did not come any more will not come now
    return deaths


def _still_moves(app: Clockwork) -> list[str]:
    """Say what a sweep still does when all should be done."""
    before = len(app.writes()), len(app.events())
    app.sweep()
    app.run(HOUR, handle=app.deliver)
    return [] if before == (len(app.writes()), len(app.events())) else ["a sweep found something to do"]


def _try(storage: str, *kills: Kill) -> list[str]:
    """Say what does not hold after these kills."""
    with published(storage) as app:
        deaths = _live(app, *kills)
        again = sum(death.forgot_a_post for death in deaths)
        broken = [*shortfalls(app, writes=len(deaths), posts=again), *_still_moves(app)]
        broken += [f"failed: {fault!r}" for fault in app.faults]
        broken += ["nobody was killed"] if not deaths else []
        return [f"{'; '.join(map(str, deaths))}: not so: {each}" for each in broken]


@pytest.fixture
def calls(storage: str) -> list[Call]:
    """The calls of a life that nobody ends; the one before it has made the table, which no later one does again."""
    for _ in range(2):
        with published(storage) as app:
            _live(app)
            found = list(app.outside.calls)
            assert shortfalls(app) == []  # this looks into the table, which is no call of that life
    return found


def _all(calls: Sequence[Call]) -> Iterator[Kill]:
    return (Kill(number, moment) for number in range(1, len(calls) + 1) for moment in Moment)


def _some(calls: Sequence[Call]) -> Iterator[Kill]:
    """Give one call of each kind, the middle one, before and after in turn; both for writes and posts."""
    places: dict[tuple[str, str], list[int]] = {}
    for number, call in enumerate(calls, 1):
        places.setdefault((call.method, _service(call)), []).append(number)
    turn = cycle(Moment)
    for (method, service), numbers in places.items():
        moments = list(Moment) if method == "PATCH" or service == "chat" else [next(turn)]
        yield from (Kill(numbers[len(numbers) // 2], moment) for moment in moments)


def _service(call: Call) -> str:
    rooms = {"chat": "/chat/", "compute": "Microsoft.Compute/", "graph": "Microsoft.ResourceGraph/"}
    return next((name for name, part in rooms.items() if part in call.path), call.host)


@pytest.mark.skipif(WHICH == "random", reason="the random ones are asked for")
def test_killed_at_a_call(storage: str, calls: Sequence[Call]) -> None:
    """Wherever it is killed, it converges by itself: no region is lost, no write is made that is not needed, each
    announcement is made once (twice with one id where the kill fell between a post and its record), nothing is left.
    """
    kills = _all(calls) if WHICH == "all" else _some(calls)
    assert [fault for kill in kills for fault in _try(storage, kill)] == []


@pytest.mark.skipif(WHICH != "random", reason="takes minutes: CRASHES=random")
def test_killed_twice(storage: str, calls: Sequence[Call]) -> None:
    """Killed at one call and, in its next life, at another, it converges just the same."""
    dice = random.Random(SEED)  # noqa: S311  nothing is kept secret by it
    moments, last = list(Moment), len(calls)
    firsts = [dice.randint(1, last) for _ in range(LIVES)]
    lives = [(first, dice.randint(1, last - first + 20)) for first in firsts]
    faults = [_try(storage, *(Kill(number, dice.choice(moments)) for number in life)) for life in lives]
    assert [fault for found in faults for fault in found] == []
