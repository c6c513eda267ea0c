"""What was posted, and to whom: so that an event is posted to a receiver once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shared.adapters.claims import BUSY, take
from shared.adapters.keys import DELIVERY, TABLE
from shared.adapters.table import Key, Table
from shared.core.errors import Retry

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

    from shared.settings import Storage


class Deliveries:
    """What is remembered of events and their receivers.

    :param unrecorded: what this process has posted, and could not record yet.
    """

    def __init__(self, storage: "Storage", credential: "TokenCredential | None", unrecorded: set[Key]) -> None:
        self._table = Table(TABLE, storage, credential, remembers=0)
        self._unrecorded = unrecorded

    def begin(self, event: str, webhook: str, holder: str, *, now: datetime, lasting: timedelta) -> "Delivery | None":
        """Become the one who posts an event to a webhook; ``None`` when it was posted already.

        :raises Retry: while another holder is at it.
        """
        key = (DELIVERY, f"{event}|{webhook}")
        if key in self._unrecorded:
            self._record(key, now)
            return None
        before, etag = take(self._table, key, holder, now, lasting)
        if before and before.get("posted"):
            return None
        if etag is None:
            raise Retry("another message is posting it", after=BUSY)
        return Delivery(self._table, key, etag, self._record)

    def _record(self, key: Key, now: datetime) -> None:
        """Record a post. Until the table has it, this process knows: what comes again is not posted again."""
        self._unrecorded.add(key)
        self._table.put(key, {"posted": now.isoformat()})
        self._unrecorded.discard(key)


class Delivery:
    """The posting of one event to one webhook."""

    def __init__(self, table: Table, key: Key, etag: str, record: Callable[[Key, datetime], None]) -> None:
        self._table, self._key, self._etag, self._record = table, key, etag, record

    def posted(self, now: datetime) -> None:
        """Remember that it was posted."""
        self._record(self._key, now)

    def again(self) -> None:
        """Let it be posted again, unless another took over meanwhile."""
        self._table.delete(self._key, self._etag)
