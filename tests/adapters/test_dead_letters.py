from unittest.mock import patch

import pytest

from local.outage import Outside
from shared.adapters import dead_letters as adapter
from shared.adapters.dead_letters import DeadLetters
from shared.adapters.table import Table
from shared.core.messages import Queue
from shared.core.status import DeadLetter
from shared.settings import Storage
from tests.core.build import MINUTE, NOW


@pytest.fixture
def letters(storage: str) -> DeadLetters:
    """The adapter, on an account where nothing is yet."""
    return DeadLetters(Storage(storage), None)


def _letter(queue: str, name: str, at: int = 0, *, body: str = "body", reason: str = "no idea") -> DeadLetter:
    return DeadLetter(queue, name, body, reason, NOW + at * MINUTE)


def _names(found: list[DeadLetter]) -> list[str]:
    return [letter.name for letter in found]


def test_where_nothing_was_kept(letters: DeadLetters) -> None:
    """Before anything was kept there is nothing to read."""
    assert letters.find(most=3) == []
    assert letters.one("prune", "1") is None


def test_a_dead_letter_is_kept_once(letters: DeadLetters, storage: str) -> None:
    """A message that is kept twice under one name is there once, as it was first; another name is another.

    Its row looks as it always did: what an earlier release kept is found by a later one.
    """
    first = _letter("watch", "message-1", body='{"schema":1,"url":"ä/\\\\#?"}')
    others = [_letter("watch", "message-2", 2), _letter("prune", "message-1", 3)]
    for letter in (first, _letter("watch", "message-1", 1, reason="no idea either"), *others):
        letters.keep(letter)
    assert letters.find(most=9) == [*reversed(others), first]
    assert Table("rollouts", Storage(storage), None).read(("dead-letters", "watch|message-1"))[0] == {
        "queue": "watch",
        "body": first.body,
        "reason": "no idea",
        "at": NOW.isoformat(),
    }


def test_a_long_dead_letter_is_kept(letters: DeadLetters) -> None:
    """The largest message that a queue takes is kept whole, whatever it is made of."""
    bodies = [letter * (48 * 1024 // len(letter.encode())) for letter in ("x", "ä", '"', "\x01", "😀")]
    for number, body in enumerate(bodies):
        letters.keep(_letter("watch", f"message-{number}", body=body, reason=""))
    assert {letter.body for letter in letters.find(most=9)} == set(bodies)


def test_dead_letters_are_found_and_forgotten(letters: DeadLetters) -> None:
    """Dead letters are read of one queue or all, the last ones first, no more than asked for; put back, one is gone."""
    for at, (queue, name) in enumerate([("prune", "a"), ("watch", "b"), ("prune", "c|d"), ("prune2", "e")]):
        letters.keep(_letter(queue, name, at))
    assert _names(letters.find(most=9)) == ["e", "c|d", "b", "a"]
    assert _names(letters.find(most=9, queue="prune")) == ["c|d", "a"]
    assert len(letters.find(most=2)) == 2
    assert letters.one("prune", "c|d") == _letter("prune", "c|d", 2)
    letters.forget(_letter("prune", "c|d"))
    assert _names(letters.find(most=9, queue="prune")) == ["a"]


def test_of_many_dead_letters_the_last(letters: DeadLetters) -> None:
    """Of more dead letters than are asked for those are given that came last, or first, whatever their keys are."""
    for at, (queue, name) in enumerate([("watch", "z"), ("notify", "y"), ("notify", "x"), ("watch", "a")]):
        letters.keep(_letter(queue, name, at))
    assert _names(letters.find(most=2)) == ["a", "x"]
    assert _names(letters.find(most=1, queue="watch")) == ["a"]
    assert _names(letters.find(most=3, oldest=True)) == ["z", "y", "x"]
    assert _names(letters.find(most=1, queue="notify", oldest=True)) == ["y"]


def test_dead_letters_of_one_queue_leave_those_of_others(letters: DeadLetters) -> None:
    """A queue with more dead letters than can be read at once does not hide those of the other queues."""
    for at in range(5):
        letters.keep(_letter("notify", f"n{at}", -at))
    for at, queue in enumerate(("watch", "prune")):
        letters.keep(_letter(queue, f"{queue}-1", at))
    with patch.object(adapter, "MOST_READ", 3), Outside() as outside:
        found = letters.find(most=9)
        assert [(letter.queue, letter.name) for letter in found[:2]] == [("prune", "prune-1"), ("watch", "watch-1")]
        assert [letter.queue for letter in found[2:]] == ["notify"] * 3
        assert len(outside.calls) == 1 + len(Queue)
    with Outside() as outside:
        assert len(letters.find(most=9)) == 7
        assert len(outside.calls) == 1
