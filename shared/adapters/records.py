"""What is recorded for people to look at, in the table ``rollouts``: how image definitions stand, and sweeps.

Passes, looks and prunes write it; the page reads it, and asks Azure nothing.
"""

import base64
import json
import zlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from shared.adapters.keys import STATUS, SWEEP, TABLE, VERSIONS, partition
from shared.adapters.table import Table, Values
from shared.core.errors import Malformed
from shared.core.names import GalleryId, ImageId
from shared.core.status import DefinitionStatus, Sweep, Versions

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

    from shared.settings import Storage

_REMEMBERS = 500
"""Rows that a process has in memory; those with the versions of a definition can be long."""

_UNREADABLE = (KeyError, TypeError, ValueError, Malformed, zlib.error)
"""What a row raises that another release of the app wrote. It counts as no row: the next pass writes it anew."""


class Records:
    """What is recorded for people to look at."""

    def __init__(self, storage: "Storage", credential: "TokenCredential | None") -> None:
        self._table = Table(TABLE, storage, credential, remembers=_REMEMBERS)

    def statuses(self, gallery: GalleryId) -> list[DefinitionStatus]:
        """Read how the image definitions of a gallery stand, as many as there are."""
        found = self._table.find(STATUS, partition(f"{gallery}/images/"))
        return [status for values in found.values() if (status := _read(DefinitionStatus.from_json, values))]

    def change(
        self, image: ImageId, change: Callable[[DefinitionStatus | None], DefinitionStatus | None]
    ) -> DefinitionStatus | None:
        """Change how an image definition stands; ``change`` may be called more than once. ``None`` changes nothing."""

        def apply(values: Values | None) -> Values | None:
            changed = change(_read(DefinitionStatus.from_json, values))
            return changed.to_json() if changed else None

        return _read(DefinitionStatus.from_json, self._table.change((STATUS, partition(image)), apply))

    def versions(self, image: ImageId) -> Versions | None:
        """Read how the versions of an image definition stand."""
        values, _ = self._table.read((VERSIONS, partition(image)))
        return _read(_unpacked, values)

    def keep_versions(self, image: ImageId, versions: Versions) -> None:
        """Record how the versions of an image definition stand."""
        self._table.put((VERSIONS, partition(image)), _packed(versions))

    def change_versions(self, image: ImageId, change: Callable[[Versions], Versions]) -> None:
        """Change how the versions of an image definition stand, where that is recorded."""

        def apply(values: Values | None) -> Values | None:
            versions = _read(_unpacked, values)
            return _packed(change(versions)) if versions else None

        self._table.change((VERSIONS, partition(image)), apply)

    def forget(self, image: ImageId) -> None:
        """Forget an image definition that is gone."""
        for kind in (VERSIONS, STATUS):
            self._table.delete((kind, partition(image)))

    def sweep(self) -> Sweep | None:
        """Read what the last sweep asked for."""
        values, _ = self._table.read(SWEEP)
        return _read(Sweep.from_json, values)

    def keep_sweep(self, sweep: Sweep) -> None:
        """Record a sweep."""
        self._table.put(SWEEP, sweep.to_json())


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
