"""Rows that one message holds for a while: the right to write a version, or to post an event."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from shared.adapters.table import Key, Table, Values
from shared.core.errors import Retry

BUSY = timedelta(seconds=5)
"""Until a message comes again that found a row of its own with another."""


def take(table: Table, key: Key, holder: str, now: datetime, lasting: timedelta) -> tuple[Values | None, str | None]:
    """Become the holder of a row; give what was there, and the new ETag: ``None`` where that is another's.

    What is held ends by itself, and the same holder may go on with it. A row of other values is nobody's to take.
    """
    mine = _holding(holder, now + lasting)
    etag = table.write(key, mine, None)  # nearly always there is no row
    if etag:
        return None, etag
    values, etag = table.read(key)
    return values, None if _anothers(values, holder, now) else table.write(key, mine, etag)


@dataclass(slots=True)
class Claim:
    """The right to write a version. Ends by itself after its time, for when its holder was killed."""

    _table: Table
    _key: Key
    _holder: str
    _lasting: timedelta
    _etag: str

    def __enter__(self) -> Self:
        return self

    def keep(self, now: datetime) -> None:
        """Make sure of it just before a write: reading a long history may have taken longer than it lasts.

        :raises Retry: when it had ended, and another has it now.
        """
        etag = self._table.write(self._key, _holding(self._holder, now + self._lasting), self._etag)
        if etag is None:
            raise Retry("the claim ended before the write", after=BUSY)
        self._etag = etag

    def __exit__(self, *_: object) -> None:
        self._table.delete(self._key, self._etag)


def _holding(holder: str, until: datetime) -> Values:
    return {"holder": holder, "until": until.isoformat()}


def _anothers(values: Values | None, holder: str, now: datetime) -> bool:
    if values is None or "holder" not in values:
        return values is not None
    return values["holder"] != holder and datetime.fromisoformat(values["until"]) > now
