"""The plan for people: a table in a terminal, plain aligned lines elsewhere, and what it comes to."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from shared.core.names import ImageId
from shared.core.plan import Action
from shared.core.policy import Mode
from shared.formats.plan_rows import Planned, Report, Row

_SIGNS = {Action.ADD: "+ ", Action.REMOVE: "- ", Action.SIZE: "~ "}
_STYLES = {
    Action.ADD: "green",
    Action.REMOVE: "red",
    Action.SIZE: "yellow",
    Action.WAIT: "cyan",
    Action.SKIP: "magenta",
    Action.KEEP: "",
}
_HEAD = ("version", "region", "action", "replicas", "reason")


def show(report: Report, console: Console, *, everything: bool = False) -> None:
    """Print a plan.

    :param everything: also what is as it should be.
    """
    rows = [row for row in report.rows if everything or not row.line.settled]
    if console.is_terminal:
        console.print(picture(report, rows))
        return
    for line in (*_aligned(rows), *([""] if rows else []), *_words(report)):
        console.print(line.rstrip(), markup=False, highlight=False, soft_wrap=True)


def picture(report: Report, rows: Sequence[Row]) -> RenderableType:
    """Give what a terminal shows: a version's name stands at its first region only."""
    words = Text("\n".join(_words(report)))
    if not rows:
        return words
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for name in _HEAD:
        table.add_column(name, no_wrap=name in ("region", "action", "replicas"), overflow="fold")
    several = len({each.plan.image.gallery for each in report.definitions}) > 1
    for image, group in groupby(rows, key=lambda row: row.image):
        for version, some in groupby(group, key=lambda row: row.each.version.number):
            _add(table, list(some), f"{_name(image, several=several)} {version}")
        table.add_row()
    return Group(table, words)


def _add(table: Table, rows: Sequence[Row], name: str) -> None:
    for number, row in enumerate(rows):
        style = _STYLES[row.line.action]
        table.add_row(Text(name if number == 0 else ""), *(Text(cell, style=style) for cell in _cells(row)))


def _aligned(rows: Sequence[Row]) -> Iterator[str]:
    """Give a line for each row, with all that it takes to find it by grep; nothing is ever wrapped."""
    named = [(f"{_name(row.image, several=True)} {row.each.version.number}", *_cells(row)) for row in rows]
    lines = [_HEAD, *named] if rows else []
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    for line in lines:
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))


def _cells(row: Row) -> tuple[str, ...]:
    line = row.line
    replicas = str(row.after) if row.before == row.after else f"{row.before} -> {row.after}"
    return line.region, f"{_SIGNS.get(line.action, '  ')}{line.action}", replicas, line.reason


def _name(image: ImageId, *, several: bool) -> str:
    """Name an image definition, with its gallery where there may be several."""
    return f"{image.gallery.gallery}/{image.image}" if several else str(image.image)


def _words(report: Report) -> list[str]:
    """Say what people should know, and what it all comes to, last."""
    said = [line for each in report.definitions for line in _remarks(each)]
    return [*report.notes, *said, _sum(report)]


def _remarks(each: Planned) -> Iterator[str]:
    plan, name = each.plan, each.plan.image.image
    if plan.withdrawn and plan.newest:
        yield f"{name}: {plan.withdrawn}; {plan.newest.number} is the newest again."
    for warning in plan.warnings:
        yield f"{name}: {warning}."
    if plan.capped:
        yield f"{name}: {_count(plan.capped, 'more version')} would be pruned by later passes."
    if each.mode is Mode.OBSERVE and not plan.empty:
        yield f"{name}: MODE is observe; the app reports this, and writes nothing."


def _sum(report: Report) -> str:
    totals = report.totals
    seen = f"{_count(totals['versions'], 'version')} of {_count(totals['definitions'], 'image definition')}"
    waiting = f" {_count(totals['regionsWaiting'], 'region')} will change later." if totals["regionsWaiting"] else ""
    if not report.changes:
        return f"Nothing to do: {seen}.{waiting}"
    kinds = (("regionsAdded", "added"), ("regionsRemoved", "removed"), ("regionsSized", "with other replicas"))
    sizes = (("gibAdded", "more"), ("gibFreed", "less"))
    what = ", ".join(f"{_count(totals[key], 'region')} {verb}" for key, verb in kinds if totals[key])
    size = " and ".join(f"at most {totals[key]} GiB {verb}" for key, verb in sizes if totals[key])
    return f"{_count(totals['writes'], 'write')}: {what}{size and '; '}{size}. {seen}.{waiting}"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
