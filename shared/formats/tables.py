"""What a status lists: regions, changes or versions, as rows of a table, the most interesting ones first."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.formats.texts import line, names, spanned

_LONGEST_CELL = 500
_MOST_NAMES = 6

_INTEREST = ("Failed", "Unknown", "Replicating", "Requested", "Waiting", "Skipped", "Completed")
"""The states of regions, in the order in which people want to see them."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    :param share: of the width.
    """

    title: str
    share: int


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table.

    :param note: the reason of its state, which stands in the table's column of notes or behind all cells.
    :param bad: whether it is to be seen at first sight.
    """

    cells: tuple[str, ...]
    note: str = ""
    bad: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under titles.

    :param noted: the column that a note belongs to.
    """

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    noted: int = 0


_REGIONS = (Column("Region", 8), Column("State", 8), Column("Replicas", 4))
_KEPT = (Column("Region", 2), Column("Kept, because", 5))
_CHANGES = (Column("Version", 3), Column("Region", 5), Column("What", 10))
_PRUNES = (Column("Version", 3), Column("Freed", 3), Column("Regions", 9))


def table(data: Mapping[str, Any]) -> Table | None:
    """Give the table of a status; ``None`` for one that lists nothing."""
    if data.get("regions"):
        return Table(_REGIONS, tuple(_region(each) for each in _sorted(data["regions"])), noted=1)
    if data.get("regionsKept"):
        return Table(_KEPT, tuple(_row(each["name"], each["reason"]) for each in data["regionsKept"]))
    if data.get("changes"):
        return Table(_CHANGES, tuple(_change(each) for each in data["changes"]), noted=2)
    if data.get("prunes"):
        return Table(_PRUNES, tuple(_prune(each) for each in data["prunes"]))
    return None


def interest(state: str) -> tuple[int, str]:
    """Say where a state stands among others; one that we do not know comes right after what failed."""
    return (_INTEREST.index(state) if state in _INTEREST else 1), state


def freed(data: Mapping[str, Any]) -> str:
    """Say what a prune frees, at most: snapshots share what is equal. The price was given without a currency."""
    if not data.get("gibFreed"):
        return ""
    saving = data.get("monthlySaving")
    return f"up to {data['gibFreed']} GiB" + ("" if saving is None else f", about {saving:,.2f} a month")


def _sorted(regions: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(regions, key=lambda region: interest(str(region["state"])))


def _row(*cells: object, note: object = "", bad: bool = False) -> Row:
    return Row(tuple(line(cell, _LONGEST_CELL) for cell in cells), line(note, _LONGEST_CELL), bad)


def _region(region: Mapping[str, Any]) -> Row:
    state, seconds, progress = region["state"], region.get("seconds"), region.get("progress")
    how = ""
    if state == "Completed":
        how = f" in {spanned(seconds)}" if seconds else ""
    elif progress not in (None, 0, 100):
        how = f" {progress} %"
    return _row(
        region["name"],
        f"{state}{how}",
        region.get("replicas") or "",
        note=region.get("reason") or "",
        bad=state == "Failed",
    )


def _change(change: Mapping[str, Any]) -> Row:
    return _row(change["version"], change["region"], change["action"], note=change["reason"])


def _prune(prune: Mapping[str, Any]) -> Row:
    kept = [f"{each['name']} ({each['reason']})" for each in prune.get("regionsKept", ())]
    left = names(prune.get("regionsRemoved", ()), _MOST_NAMES, prune.get("regionsRemovedCut", 0))
    stays = names(kept, _MOST_NAMES, prune.get("regionsKeptCut", 0))
    told = [f"left {left or 'no region'}", *([f"kept in {stays}"] if stays else [])]
    return _row(prune["version"], f"{prune.get('gibFreed', 0)} GiB", "; ".join(told))
