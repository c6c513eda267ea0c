import json
from dataclasses import dataclass, field
from datetime import datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.core.turn import GATHER, Turn
from tests.core import strategies
from tests.core.build import MINUTE, NOW, SECOND

HELD = Turn("first", NOW + 2 * MINUTE)
SHARED = Turn("first", NOW + 2 * MINUTE, others=True)
GATHERING = Turn(gathers=NOW + GATHER)
LATE = NOW + GATHER + MINUTE


@given(st.builds(Turn, st.text(), st.none() | strategies.moments, st.booleans(), st.none() | strategies.moments))
def test_json_round_trip(turn):
    """Whose turn it is, is read from what was stored of it as it was."""
    assert Turn.from_json(json.loads(json.dumps(turn.to_json()))) == turn


@pytest.mark.parametrize(
    ("before", "ticket", "gathered", "at", "after"),
    [
        pytest.param(Turn(), "first", False, NOW, HELD, id="nobody has it"),
        pytest.param(HELD, "second", False, NOW, SHARED, id="another has it"),
        pytest.param(SHARED, "third", False, NOW, SHARED, id="another has it, and others came"),
        pytest.param(HELD, "second", True, NOW, HELD, id="another has it, and the gathered one comes"),
        pytest.param(SHARED, "second", True, NOW, SHARED, id="another has it still, and the gathered one comes"),
        pytest.param(SHARED, "first", False, NOW, HELD, id="it is delivered again"),
        pytest.param(HELD, "it", False, NOW + 2 * MINUTE, Turn("it", NOW + 4 * MINUTE), id="its holder is dead"),
        pytest.param(GATHERING, "it", False, NOW, GATHERING, id="the next one gathers"),
        pytest.param(GATHERING, "it", True, NOW, Turn("it", NOW + 2 * MINUTE), id="the gathered one begins"),
        pytest.param(GATHERING, "it", False, NOW + MINUTE, GATHERING, id="the next one is a little late"),
        pytest.param(
            GATHERING,
            "it",
            False,
            NOW + MINUTE + GATHER,
            Turn("it", NOW + 3 * MINUTE + GATHER),
            id="it is long overdue",
        ),
    ],
)
def test_arrive(before, ticket, gathered, at, after):
    """A message has the turn when nobody else has it and nothing gathers; else it is left to another."""
    assert before.arrive(ticket, at, gathered=gathered) == after


@pytest.mark.parametrize(
    ("before", "gathers", "after"),
    [
        pytest.param(HELD, None, Turn(), id="nobody came"),
        pytest.param(SHARED, None, SHARED, id="others came"),
        pytest.param(SHARED, NOW + GATHER, GATHERING, id="others came, and their pass was asked for"),
        pytest.param(Turn("other", NOW), None, Turn("other", NOW), id="another has it now"),
        pytest.param(GATHERING, NOW + MINUTE, GATHERING, id="it was taken and given up since"),
    ],
)
def test_leave(before, gathers, after):
    """A turn ends when nobody is left without a pass."""
    assert before.leave("first", gathers) == after


@dataclass
class Work:
    """A message that is being handled.

    :param steps: what is done already: its pass has ended, and the message with the next one was put.
    """

    ticket: str
    gathered: bool
    steps: int = 0
    due: datetime | None = None


@dataclass
class Queue:
    """Messages of one image definition, handled in steps that fall between each other in any order.

    :param passes: when each pass began, by the count of steps.
    :param left: when each message that was left to another ended.
    """

    turn: Turn = field(default_factory=Turn)
    now: int = 0
    waiting: list[tuple[str, bool]] = field(default_factory=list)
    at_work: list[Work] = field(default_factory=list)
    passes: list[int] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    put: int = 0

    def publish(self, *, gathered: bool = False) -> None:
        """Put a message."""
        self.put += 1
        self.waiting.append((f"message {self.put}", gathered))

    def take(self, which: int) -> None:
        """Deliver a message: it begins a pass, ends, or waits if it is the one with the passes of others."""
        ticket, gathered = self.waiting.pop(which % len(self.waiting))
        self.turn = self.turn.arrive(ticket, self._time(), gathered=gathered)
        if self.turn.holder == ticket:
            self.passes.append(self.now)
            self.at_work.append(Work(ticket, gathered))
        elif gathered:
            self.waiting.append((ticket, gathered))
        else:
            self.left.append(self.now)

    def end(self, which: int) -> None:
        """Make a step towards the end of a pass; where others came, theirs is put before that is remembered."""
        index = which % len(self.at_work)
        work = self.at_work[index]
        if work.steps == 0:
            self.turn = self.turn.leave(work.ticket)
            over = self.turn.holder != work.ticket
        elif work.steps == 1:
            self.publish(gathered=True)
            work.due, over = self._time() + GATHER, False
        else:
            self.turn, over = self.turn.leave(work.ticket, work.due), True
        work.steps += 1
        if over:
            self.at_work.pop(index)

    def kill(self, which: int) -> None:
        """Kill who is at work; its message is delivered again."""
        work = self.at_work.pop(which % len(self.at_work))
        self.waiting.append((work.ticket, work.gathered))

    def _time(self):
        return NOW + self.now * SECOND


steps = st.tuples(st.sampled_from(["publish", "take", "end", "kill", "wait"]), st.integers(0, 5))


@given(st.lists(steps, max_size=80))
@example([(what, 0) for what in ("publish", "take", "publish", "take", "end", "end", "take", "end")])
def test_nobody_is_left_without_a_pass(played):
    """However messages come and die, after each that was left to another a pass begins."""
    queue = Queue()
    for what, which in played:
        queue.now += 30 if what == "wait" else 1
        _play(queue, what, which)
    passes = len(queue.passes)
    while queue.at_work or queue.waiting:
        queue.now += 1
        _play(queue, "end" if queue.at_work else "take", 0)
    assert len(queue.passes) <= passes + len(queue.left) + len(played)
    assert not queue.left or queue.passes[-1] > queue.left[-1]


def _play(queue, what, which):
    if what == "publish":
        queue.publish()
    elif what == "take" and queue.waiting:
        queue.take(which)
    elif what == "end" and queue.at_work:
        queue.end(which)
    elif what == "kill" and queue.at_work:
        queue.kill(which)


def test_many_share_few():
    """Of many that come while one has a pass, and while the next gathers, one more has a pass."""
    queue = Queue()
    for _ in range(100):
        queue.publish()
    for _ in range(50):
        queue.take(0)
    for _ in range(3):
        queue.end(0)
    queue.now += 1
    for _ in range(50):
        queue.take(0)
    assert len(queue.waiting) == 1
    queue.take(0)
    assert len(queue.passes) == 2
