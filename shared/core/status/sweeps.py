"""The last sweep, as people are told of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class SweptGallery:
    """A gallery in a sweep.

    :param definitions: for how many image definitions a pass was asked.
    :param fault: why it could not be swept; empty when it was.
    """

    gallery: str
    definitions: int
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Sweep:
    """A sweep: when, and what it asked for."""

    at: datetime
    galleries: tuple[SweptGallery, ...]

    @property
    def definitions(self) -> int:
        """For how many image definitions a pass was asked."""
        return sum(each.definitions for each in self.galleries)

    @property
    def faults(self) -> tuple[SweptGallery, ...]:
        """The galleries that could not be swept."""
        return tuple(each for each in self.galleries if each.fault)

    def to_json(self) -> dict[str, Any]:
        """Give the stored form."""
        return {
            "at": self.at.isoformat(),
            "galleries": [[each.gallery, each.definitions, each.fault] for each in self.galleries],
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read the stored form."""
        return cls(datetime.fromisoformat(stored["at"]), tuple(SweptGallery(*each) for each in stored["galleries"]))
