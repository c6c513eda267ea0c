"""A prune under way, and what is remembered of it: so that its end can be told even after a crash."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from shared.core.model import ImageVersion
from shared.core.plan import VersionPlan
from shared.core.times import iso, lately, moment


@dataclass(frozen=True, slots=True)
class Pruning:
    """What a prune does, remembered before it is written.

    :param asked: when it was first about to be written; tells it from later prunes of the version.
    :param removed: the regions that the version leaves.
    :param kept: the regions that it stays in, each with the reason.
    :param gib_freed: an upper bound: Azure bills what the replicas really occupy.
    :param taken: whether Azure took the write.
    :param known: the regions that its write knew of, until somebody has looked back at it.
    :param refused: why Azure will not do it.
    """

    asked: datetime
    removed: tuple[str, ...]
    kept: Mapping[str, str]
    gib_freed: int
    taken: bool = False
    refused: str = ""
    refused_at: datetime | None = None
    known: frozenset[str] = frozenset()

    @classmethod
    def of(cls, plan: VersionPlan, before: "Pruning | None", now: datetime) -> Self:
        """Say what a prune is about to do; it goes on with the one that was asked for ``before``."""
        return cls(
            asked=before.asked if before else now,
            removed=tuple(line.region for line in plan.removals if plan.version.region(line.region)),
            kept={line.region: line.reason for line in plan.lines if line not in plan.removals},
            gib_freed=plan.gib_freed,
            known=plan.known,
        )

    def vain(self, removed: tuple[str, ...]) -> bool:
        """Whether Azure took a write that was to remove just these regions."""
        return self.taken and self.removed == removed

    def done(self, version: ImageVersion) -> bool:
        """Whether Azure shows the version without the regions."""
        return bool(self.removed) and not any(version.region(region) for region in self.removed)

    def taking(self) -> Self:
        """Remember that Azure took the write."""
        return replace(self, taken=True)

    def looked_back(self) -> Self:
        """Remember that somebody has looked back at its write."""
        return replace(self, known=frozenset())

    def refusing(self, why: str, now: datetime) -> Self:
        """Remember that Azure will not do it."""
        return replace(self, taken=False, refused=why, refused_at=now)

    def refused_lately(self, now: datetime) -> bool:
        """Whether Azure refused a short time ago; an hourly sweep is late enough to ask again."""
        return lately(self.refused_at, now)

    def to_json(self) -> dict[str, Any]:
        """Give the stored form."""
        return {
            "asked": self.asked.isoformat(),
            "removed": list(self.removed),
            "kept": dict(self.kept),
            "gibFreed": self.gib_freed,
            "taken": self.taken,
            "refused": self.refused,
            "refusedAt": iso(self.refused_at),
            "known": sorted(self.known),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read the stored form."""
        return cls(
            asked=datetime.fromisoformat(stored["asked"]),
            removed=tuple(stored["removed"]),
            kept=stored["kept"],
            gib_freed=stored["gibFreed"],
            taken=stored["taken"],
            refused=stored["refused"],
            refused_at=moment(stored["refusedAt"]),
            known=frozenset(stored.get("known", ())),
        )
