from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Semaphore

import pytest

from shared.adapters.together import Together

_MANY = 10
_AGES = 10  # seconds


class Thing:
    """What is read: it knows how many have come for it, because who comes looks it up."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.reads = 0
        self._fault = fault
        self._come, self._begun, self._let = Semaphore(0), Semaphore(0), Semaphore(0)

    def __hash__(self) -> int:
        self._come.release()
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    def read(self) -> int:
        """Read, when it is let; give the number of the read."""
        self.reads += 1
        number = self.reads
        self._begun.release()
        assert self._let.acquire(timeout=_AGES)
        if self._fault:
            raise self._fault
        return number

    def let(self, reads: int = 1) -> None:
        """Let reads end."""
        self._let.release(reads)

    def has_come(self, many: int) -> None:
        """Wait until so many more have come."""
        for _ in range(many):
            assert self._come.acquire(timeout=_AGES)

    def is_read(self) -> None:
        """Wait until one more reads."""
        assert self._begun.acquire(timeout=_AGES)


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """Threads that ask."""
    with ThreadPoolExecutor(2 * _MANY) as pool:
        yield pool


def _one_reads_and_many_wait(
    together: Together, thing: Thing, threads: ThreadPoolExecutor
) -> tuple[Future[int], list[Future[int]]]:
    first = threads.submit(together.read, thing, thing.read)
    thing.is_read()
    thing.has_come(1)
    others = [threads.submit(together.read, thing, thing.read) for _ in range(_MANY)]
    thing.has_come(_MANY)
    return first, others


def test_those_who_wait_share_a_read(threads: ThreadPoolExecutor) -> None:
    """Many who ask while one reads share the next read; the one under way began before they asked."""
    together, thing = Together(), Thing()
    first, others = _one_reads_and_many_wait(together, thing, threads)
    assert thing.reads == 1
    thing.let(2)
    assert first.result(_AGES) == 1
    assert {each.result(_AGES) for each in others} == {2}


def test_who_comes_later_reads_later(threads: ThreadPoolExecutor) -> None:
    """Who asks while the shared read is under way gets the one after it."""
    together, thing = Together(), Thing()
    _, others = _one_reads_and_many_wait(together, thing, threads)
    thing.let()
    thing.is_read()
    late = threads.submit(together.read, thing, thing.read)
    thing.has_come(1)
    thing.let(2)
    assert {each.result(_AGES) for each in others} == {2}
    assert late.result(_AGES) == 3


def test_nothing_is_kept(threads: ThreadPoolExecutor) -> None:
    """When nobody waits, each ask is a read: nothing is remembered."""
    together, thing = Together(), Thing()
    thing.let(3)
    assert [threads.submit(together.read, thing, thing.read).result(_AGES) for _ in range(3)] == [1, 2, 3]


def test_a_failure_is_shared_too(threads: ThreadPoolExecutor) -> None:
    """When a read fails, it fails for all who share it, nobody waits for ever, and the next ask is a read again."""
    together, thing = Together(), Thing(fault=OSError("away"))
    first, others = _one_reads_and_many_wait(together, thing, threads)
    thing.let(3)
    for each in (first, *others):
        with pytest.raises(OSError, match="away"):
            each.result(_AGES)
    with pytest.raises(OSError, match="away"):
        together.read(thing, thing.read)
    assert thing.reads == 3


def test_one_thing_does_not_wait_for_another(threads: ThreadPoolExecutor) -> None:
    """Reads of different things are under way at the same time."""
    together, slow, quick = Together(), Thing(), Thing()
    first = threads.submit(together.read, slow, slow.read)
    slow.is_read()
    quick.let()
    assert together.read(quick, quick.read) == 1
    slow.let()
    assert first.result(_AGES) == 1
