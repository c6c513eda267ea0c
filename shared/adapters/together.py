"""Reads that wait together: many messages about one thing ask Azure once, and nobody gets an answer older than the ask.

While a read is under way, whoever asks for the same waits for the next one, because the one under way may have seen the
world as it was before. So however many ask at a time, two reads answer them all.
"""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, cast


@dataclass(slots=True)
class _Line:
    """Those who want to read one thing.

    :param reading: the read that is under way.
    :param waiting: the read after it, which the first who came since then will make for all.
    """

    reading: Future[Any] | None = None
    waiting: Future[Any] | None = None


@dataclass(slots=True)
class Together:
    """Shares reads among the threads of this process."""

    _lines: dict[Hashable, _Line] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read[T](self, what: Hashable, ask: Callable[[], T]) -> T:
        """Read something, or wait for a read of it that begins after this call. Raises what ``ask`` raised, to all."""
        with self._lock:
            line = self._lines.setdefault(what, _Line())
            before, shared, mine = line.reading, line.waiting, Future[T]()
            if shared is None and before is None:
                line.reading = mine
            elif shared is None:
                line.waiting = mine
        if shared is not None:
            return cast("T", shared.result())  # the same question has the same kind of answer
        if before is not None:
            self._await_turn(line, before)
        return self._lead(what, line, mine, ask)

    def _await_turn(self, line: _Line, before: Future[Any]) -> None:
        """Wait until the read under way has ended, and be the one that is."""
        before.exception()
        with self._lock:
            line.reading, line.waiting = line.waiting, None

    def _lead[T](self, what: Hashable, line: _Line, mine: Future[T], ask: Callable[[], T]) -> T:
        """Read for all who wait for this read."""
        try:
            mine.set_result(ask())
        except BaseException as fault:  # noqa: BLE001  whatever it is, nobody may be left waiting
            mine.set_exception(fault)
        with self._lock:
            if line.reading is mine:
                line.reading = None
            if line.reading is None and line.waiting is None:
                self._lines.pop(what, None)
        return mine.result()
