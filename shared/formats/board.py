"""What stands on the page: which image definitions are asked for, in which order, and how many at a time."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Self

from shared.core.names import ImageId
from shared.core.status import (
    DeadLetter,
    DefinitionStatus,
    Level,
    Place,
    Sweep,
    Versions,
    VersionSeen,
    level,
    troubles,
)
from shared.formats.question import Question

PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class Entry:
    """An image definition on the page.

    :param versions: what it opens to, once it was read.
    """

    status: DefinitionStatus
    level: Level
    troubles: tuple[str, ...]
    versions: Versions | None = None
    opened: bool = False

    @classmethod
    def of(cls, status: DefinitionStatus) -> Self:
        """Say what an image definition wants of people."""
        return cls(status, level(status), troubles(status))

    @property
    def handle(self) -> str:
        """A short name for it, that may stand in an address."""
        return f"d{sha256(str(self.status.image).casefold().encode()).hexdigest()[:12]}"

    @property
    def order(self) -> tuple[int, str]:
        """What needs attention comes first, then what runs, then the rest, each by name."""
        return list(Level).index(self.level), str(self.status.image).casefold()

    @property
    def columns(self) -> tuple[str, ...]:
        """The regions of its versions: those of the newest as the policy names them, then the others."""
        rows = self.versions.rows if self.versions else ()
        named = [place.region for place in self.status.places]
        return tuple(dict.fromkeys((*named, *sorted(place.region for row in rows for place in row.places))))

    def cell(self, row: VersionSeen, region: str) -> Place | None:
        """Say how a version stands in a region; ``None`` where it is not."""
        return next((place for place in row.places if place.region == region), None)

    def opening(self, versions: Versions | None) -> Self:
        """Open it: the versions stand as the last pass saw them, the newest as it was last seen."""
        fresh = versions and versions.standing(self.status.newest, self.status.places)
        return replace(self, versions=fresh, opened=True)


@dataclass(frozen=True, slots=True)
class Board:
    """What stands on the page.

    :param counts: how many image definitions that were asked for are in which state.
    :param total: how many there are in the state that was asked for.
    :param letters: messages that nobody could handle, the last ones first.
    :param more_letters: whether there are more of them.
    """

    now: datetime
    question: Question
    entries: tuple[Entry, ...]
    counts: Mapping[Level, int]
    total: int
    galleries: tuple[str, ...]
    sweep: Sweep | None = None
    letters: tuple[DeadLetter, ...] = ()
    more_letters: bool = False

    @classmethod
    def of(cls, question: Question, statuses: Iterable[DefinitionStatus], now: datetime) -> Self:
        """Choose what was asked for, of all image definitions."""
        entries = [Entry.of(status) for status in statuses]
        asked = [entry for entry in entries if question.names(entry.status.image)]
        there = sorted((entry for entry in asked if question.state in (None, entry.level)), key=lambda each: each.order)
        first = (question.page - 1) * PER_PAGE
        galleries = {str(entry.status.image.gallery.gallery) for entry in entries}
        counts = Counter(entry.level for entry in asked)
        shown_now = tuple(there[first : first + PER_PAGE])
        return cls(now, question, shown_now, counts, len(there), tuple(sorted(galleries, key=str.casefold)))

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return max(-(-self.total // PER_PAGE), 1)

    @property
    def to_open(self) -> tuple[Entry, ...]:
        """The entries that are open, and whose versions are to be read."""
        wanted = self.question.opened
        return tuple(each for each in self.entries if self.question.definition or each.handle in wanted)

    def opening(self, versions: Mapping[ImageId, Versions | None]) -> Self:
        """Open entries with what was read for them."""
        opened = (
            each.opening(versions[each.status.image]) if each.status.image in versions else each
            for each in self.entries
        )
        return replace(self, entries=tuple(opened))
