"""The one table that the bench prints."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from bench.results import Clock, Line

_MARKS = {True: ("met", "green"), False: ("MISSED", "red"), None: ("-", "dim")}
_WHOLE_FROM = 100


def table(lines: Sequence[Line]) -> Table:
    """Draw every line: what was measured, against what, and whether its target is met."""
    drawn = Table(title="Bench", title_justify="left")
    for column in ("row", "case", "measured", "figure", "floor", "ratio", "target", "met"):
        drawn.add_column(column, justify="right" if column in ("figure", "floor", "ratio") else "left", overflow="fold")
    drawn.add_column("beside it", overflow="fold")
    before = ""
    for line in lines:
        if before and line.row != before:
            drawn.add_section()
        drawn.add_row(line.row if line.row != before else "", *_cells(line))
        before = line.row
    return drawn


def _cells(line: Line) -> list[Text | str]:
    mark, style = _MARKS[line.met]
    floor = f"{number(line.floor)}\n{line.floor_is}" if line.floor is not None else line.floor_is
    beside = [f"{name} {number(value)}" for name, value in line.figures.items()]
    clock = [f"{line.clock} time"] if line.clock is Clock.SIMULATED else []
    words = "; ".join([*clock, *beside, *([line.note] if line.note else [])])
    return [
        Text(line.case),
        Text(line.measured),
        number(line.figure),
        floor,
        number(line.ratio),
        Text(line.target),
        Text(mark, style=style),
        Text(words),
    ]


def number(value: float | None) -> str:
    """Write a number short: whole ones and large ones without a fraction."""
    if value is None:
        return "-"
    if value == round(value) or abs(value) >= _WHOLE_FROM:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) >= 1 else f"{value:.3f}"
