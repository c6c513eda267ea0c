"""Messages that nobody could handle, kept in the table until somebody puts them back."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from shared.adapters.keys import DEAD_LETTERS, TABLE
from shared.adapters.table import Key, Table
from shared.core.messages import Queue
from shared.core.status import DeadLetter

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

    from shared.settings import Storage

MOST_READ = 1_000
"""Dead letters of a queue that are read: as many as the service gives at once (documented).

Of a queue that has more, some are not seen, whatever their times, until others were put back.
"""


class DeadLetters:
    """Messages that nobody could handle."""

    def __init__(self, storage: "Storage", credential: "TokenCredential | None") -> None:
        self._table = Table(TABLE, storage, credential, remembers=0)

    def keep(self, letter: DeadLetter) -> None:
        """Keep a message. One that is kept twice is there once, as it was first."""
        values = {"queue": letter.queue, "body": letter.body, "reason": letter.reason, "at": letter.at.isoformat()}
        self._table.change(_key(letter.queue, letter.name), lambda before: before or values)

    def find(self, *, most: int, queue: str = "", oldest: bool = False) -> list[DeadLetter]:
        """Read those of one queue or all: so many, the last ones first.

        Their keys say nothing of their times, so that all are read, up to :data:`MOST_READ` of a queue.

        :param oldest: whether to give the oldest ones first instead.
        """
        found = self._of(queue)
        if not queue and len(found) == MOST_READ:  # there may be more; one queue is not to hide the others
            found = [letter for each in Queue for letter in self._of(each)]
        return sorted(found, key=lambda letter: letter.at, reverse=not oldest)[:most]

    def one(self, queue: str, name: str) -> DeadLetter | None:
        """Read one of them."""
        values, _ = self._table.read(_key(queue, name))
        return _letter(f"{queue}|{name}", values) if values else None

    def forget(self, letter: DeadLetter) -> None:
        """Forget a message that was put back."""
        self._table.delete(_key(letter.queue, letter.name))

    def _of(self, queue: str) -> list[DeadLetter]:
        prefix = f"{queue}|" if queue else ""
        found = self._table.find(DEAD_LETTERS, prefix, most=MOST_READ)
        return [_letter(f"{prefix}{key}", values) for key, values in found.items()]


def _key(queue: str, name: str) -> Key:
    return DEAD_LETTERS, f"{queue}|{name}"


def _letter(key: str, values: Mapping[str, Any]) -> DeadLetter:
    at = datetime.fromisoformat(values["at"])
    return DeadLetter(values["queue"], key.partition("|")[2], values["body"], values["reason"], at)
