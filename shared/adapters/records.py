"""What is recorded for people to look at, in the table ``rollouts``: how image definitions stand, sweeps, dead letters.

Passes, looks and prunes write it; the page reads it, and asks Azure nothing.
"""

import base64
import json
import zlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from shared.adapters.rollouts import DEAD_LETTERS, TABLE, partition
from shared.adapters.table import Key, Table, Values
from shared.core.errors import Malformed
from shared.core.messages import Queue
from shared.core.names import GalleryId, ImageId
from shared.core.status import DeadLetter, DefinitionStatus, Sweep, Versions

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

    from shared.settings import Storage

_REMEMBERS = 500
"""Rows that a process has in memory; those with the versions of a definition can be long."""

_STATUS, _VERSIONS, _SWEEP = "status", "versions", ("sweep", "last")
MOST_READ = 1_000
"""Dead letters of a queue that are read: as many as the service gives at once (documented).

Of a queue that has more, some are not seen, whatever their times, until others were put back.
"""

_UNREADABLE = (KeyError, TypeError, ValueError, Malformed, zlib.error)
"""What a row raises that another release of the app wrote. It counts as no row: the next pass writes it anew."""


class Records:
    """What is recorded for people to look at."""

    def __init__(self, storage: "Storage", credential: "TokenCredential | None") -> None:
        self._table = Table(TABLE, storage, credential, remembers=_REMEMBERS)

    def statuses(self, gallery: GalleryId) -> list[DefinitionStatus]:
        """Read how the image definitions of a gallery stand, as many as there are."""
        found = self._table.find(_STATUS, partition(f"{gallery}/images/"))
        return [status for values in found.values() if (status := _read(DefinitionStatus.from_json, values))]

    def change(
        self, image: ImageId, change: Callable[[DefinitionStatus | None], DefinitionStatus | None]
    ) -> DefinitionStatus | None:
        """Change how an image definition stands; ``change`` may be called more than once. ``None`` changes nothing."""

        def apply(values: Values | None) -> Values | None:
            changed = change(_read(DefinitionStatus.from_json, values))
            return changed.to_json() if changed else None

        return _read(DefinitionStatus.from_json, self._table.change((_STATUS, partition(image)), apply))

    def versions(self, image: ImageId) -> Versions | None:
        """Read how the versions of an image definition stand."""
        values, _ = self._table.read((_VERSIONS, partition(image)))
        return _read(_unpacked, values)

    def keep_versions(self, image: ImageId, versions: Versions) -> None:
        """Record how the versions of an image definition stand."""
        self._table.put((_VERSIONS, partition(image)), _packed(versions))

    def change_versions(self, image: ImageId, change: Callable[[Versions], Versions]) -> None:
        """Change how the versions of an image definition stand, where that is recorded."""

        def apply(values: Values | None) -> Values | None:
            versions = _read(_unpacked, values)
            return _packed(change(versions)) if versions else None

        self._table.change((_VERSIONS, partition(image)), apply)

    def forget(self, image: ImageId) -> None:
        """Forget an image definition that is gone."""
        for kind in (_VERSIONS, _STATUS):
            self._table.delete((kind, partition(image)))

    def sweep(self) -> Sweep | None:
        """Read what the last sweep asked for."""
        values, _ = self._table.read(_SWEEP)
        return _read(Sweep.from_json, values)

    def keep_sweep(self, sweep: Sweep) -> None:
        """Record a sweep."""
        self._table.put(_SWEEP, sweep.to_json())

    def dead_letters(self, *, most: int, queue: str = "", oldest: bool = False) -> list[DeadLetter]:
        """Read messages that nobody could handle, of one queue or all: so many, the last ones first.

        Their keys say nothing of their times, so that all are read, up to :data:`MOST_READ` of a queue.

        :param oldest: whether to give the oldest ones first instead.
        """
        found = self._letters(queue)
        if not queue and len(found) == MOST_READ:  # there may be more; one queue is not to hide the others
            found = [letter for each in Queue for letter in self._letters(each)]
        return sorted(found, key=lambda letter: letter.at, reverse=not oldest)[:most]

    def _letters(self, queue: str) -> list[DeadLetter]:
        prefix = f"{queue}|" if queue else ""
        found = self._table.find(DEAD_LETTERS, prefix, most=MOST_READ)
        return [_letter(f"{prefix}{key}", values) for key, values in found.items()]

    def dead_letter(self, queue: str, name: str) -> DeadLetter | None:
        """Read one of them."""
        values, _ = self._table.read(_letter_key(queue, name))
        return _letter(f"{queue}|{name}", values) if values else None

    def forget_dead_letter(self, letter: DeadLetter) -> None:
        """Forget a message that was put back."""
        self._table.delete(_letter_key(letter.queue, letter.name))


def _letter_key(queue: str, name: str) -> Key:
    return DEAD_LETTERS, f"{queue}|{name}"


def _letter(key: str, values: Mapping[str, Any]) -> DeadLetter:
    at = datetime.fromisoformat(values["at"])
    return DeadLetter(values["queue"], key.partition("|")[2], values["body"], values["reason"], at)


def _packed(versions: Versions) -> Values:
    """Give a value that hundreds of versions in tens of regions fit into: a row holds 1 MiB (documented)."""
    packed = zlib.compress(json.dumps(versions.to_json(), separators=(",", ":")).encode())
    return {"zlib": base64.b85encode(packed).decode()}


def _unpacked(values: Mapping[str, Any]) -> Versions:
    return Versions.from_json(json.loads(zlib.decompress(base64.b85decode(values["zlib"]))))


def _read[T](read: Callable[[Any], T], values: Values | None) -> T | None:
    if values is None:
        return None
    try:
        return read(values)
    except _UNREADABLE:
        return None
