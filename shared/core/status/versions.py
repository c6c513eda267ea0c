"""The versions of an image definition and their regions, as the last pass saw them: what a definition opens to."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from shared.core.plan import Plan, VersionPlan
from shared.core.policy import Mode
from shared.core.status.places import Place, places
from shared.core.text import plain
from shared.core.times import iso, moment

_MOST = 200


@dataclass(frozen=True, slots=True)
class VersionSeen:
    """A version, and how it stands in each of its regions.

    :param role: what it counts for (:class:`shared.core.plan.Role`).
    :param state: what Azure says of it as a whole.
    :param reason: why it is left alone, for one that is.
    """

    version: str
    role: str
    state: str
    home: str
    published: datetime | None
    reason: str
    places: tuple[Place, ...]

    @classmethod
    def seen(cls, plan: VersionPlan, *, asks: bool) -> Self:
        """Say how a version stands, by the plan for it."""
        version = plan.version
        return cls(
            version.number.name,
            plan.role.value,
            version.state.value,
            version.home,
            version.published,
            plain(plan.reason),
            places(plan, asks=asks),
        )

    def to_json(self) -> list[Any]:
        """Give the stored form."""
        stands = [each.to_json() for each in self.places]
        return [self.version, self.role, self.state, self.home, iso(self.published), self.reason, stands]

    @classmethod
    def from_json(cls, stored: Any) -> Self:
        """Read the stored form."""
        version, role, state, home, published, reason, stands = stored
        stand = tuple(Place.from_json(each) for each in stands)
        return cls(version, role, state, home, moment(published), reason, stand)


@dataclass(frozen=True, slots=True)
class Versions:
    """The versions of an image definition, newest first.

    :param more: how many are not among them: older ones that are at home only.
    """

    rows: tuple[VersionSeen, ...] = ()
    more: int = 0

    @classmethod
    def seen(cls, plan: Plan, mode: Mode) -> Self:
        """Say how the versions stand, by a plan; of a long history those that there is something to say of."""
        rows = [VersionSeen.seen(each, asks=mode is not Mode.OBSERVE) for each in plan.versions]
        telling = sorted(range(len(rows)), key=lambda at: (rows[at].role == "older" and len(rows[at].places) < 2, at))  # noqa: PLR2004  at home only
        return cls(tuple(rows[at] for at in sorted(telling[:_MOST])), max(len(rows) - _MOST, 0))

    def standing(self, version: str, stand: tuple[Place, ...]) -> Self:
        """Say how one version stands, by what was seen of it since."""
        rows = tuple(replace(row, places=stand) if row.version == version else row for row in self.rows)
        return replace(self, rows=rows)

    def left(self, version: str, regions: tuple[str, ...]) -> Self:
        """Say that a version has left regions."""
        rows = (row for row in self.rows if row.version == version)
        stand = tuple(place for row in rows for place in row.places if place.region not in regions)
        return self.standing(version, stand)

    def to_json(self) -> dict[str, Any]:
        """Give the stored form."""
        return {"rows": [row.to_json() for row in self.rows], "more": self.more}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read the stored form."""
        return cls(tuple(VersionSeen.from_json(row) for row in stored["rows"]), stored["more"])
