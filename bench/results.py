"""What a row gives, and how it is kept in a file."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any


class Clock(StrEnum):
    """What a figure's seconds are: those of this machine, or those of a clock that is moved by hand."""

    REAL = "real"
    SIMULATED = "simulated"
    NONE = "counted"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table.

    :param row: the row's name, as `--only` takes it.
    :param measured: what was measured, with its unit.
    :param figure: the figure that is held against the floor; the median where there are several runs.
    :param floor: what it is held against, in the same unit; ``None`` where there is none.
    :param floor_is: what the floor is.
    :param ratio: how they compare; ``None`` where there is no floor.
    :param target: what is aimed at, in words; empty where nothing is.
    :param met: whether it is met; ``None`` where nothing is aimed at, or nothing could be measured.
    :param figures: all else that was measured, by name and unit.
    :param runs: every run's figure, in order.
    """

    row: str
    case: str
    measured: str
    figure: float | None
    floor: float | None = None
    floor_is: str = ""
    ratio: float | None = None
    target: str = ""
    met: bool | None = None
    figures: Mapping[str, float] = field(default_factory=dict)
    runs: Sequence[float] = ()
    clock: Clock = Clock.REAL
    note: str = ""


@dataclass(frozen=True, slots=True)
class Results:
    """All lines of one run of the bench. `load` is the machine's load average before and after."""

    began: datetime
    seconds: float
    quick: bool
    load: Mapping[str, Sequence[float]]
    lines: Sequence[Line]

    def document(self) -> Mapping[str, Any]:
        """Give the JSON that `docs/performance.md` describes."""
        return {
            "schema": 1,
            "began": self.began.astimezone(UTC).isoformat(timespec="seconds"),
            "seconds": round(self.seconds, 1),
            "quick": self.quick,
            "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "load": dict(self.load)},
            "lines": [_rounded(asdict(line)) for line in self.lines],
        }

    def write(self, path: Path) -> None:
        """Write them to a file."""
        path.write_text(json.dumps(self.document(), indent=2) + "\n")


_DIGITS = 4


def _rounded(value: Any) -> Any:
    """Round numbers: more digits would only say that nobody measures twice the same."""
    match value:
        case float():
            return round(value, _DIGITS)
        case dict():
            return {key: _rounded(each) for key, each in value.items()}
        case list() | tuple():
            return [_rounded(each) for each in value]
        case _:
            return value
