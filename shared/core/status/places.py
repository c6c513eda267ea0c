"""A version in one region, as people are told of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from shared.core.model import Region, RegionState
from shared.core.plan import Action, Line, VersionPlan
from shared.core.text import plain
from shared.core.times import iso, moment

_LONGEST_REASON = 200


class Standing(StrEnum):
    """How a version stands in a region.

    ``there``: it is one of its regions; for older versions nobody asks Azure for more. ``missing``: the policy wants
    it, and nobody may ask for it (mode observe). ``unwanted``: there, though the policy does not name it.
    """

    COMPLETE = "complete"
    REPLICATING = "replicating"
    FAILED = "failed"
    REQUESTED = "requested"
    MISSING = "missing"
    WAITING = "waiting"
    SKIPPED = "skipped"
    UNWANTED = "unwanted"
    LEAVING = "leaving"
    THERE = "there"


_OF_STATE = {
    RegionState.COMPLETED: Standing.COMPLETE,
    RegionState.REPLICATING: Standing.REPLICATING,
    RegionState.FAILED: Standing.FAILED,
    RegionState.UNKNOWN: Standing.REQUESTED,
}


@dataclass(frozen=True, slots=True)
class Place:
    """A version in one region.

    :param progress: percent of the replication, where Azure tells.
    :param wave: the wave of the region; ``0`` for one that the policy does not name.
    :param since: since when it is complete, where that is known.
    """

    region: str
    standing: Standing
    reason: str = ""
    replicas: int = 0
    progress: int | None = None
    wave: int = 0
    since: datetime | None = None

    def to_json(self) -> list[Any]:
        """Give the stored form: a list, because there are many."""
        return [
            self.region,
            self.standing.value,
            self.reason,
            self.replicas,
            self.progress,
            self.wave,
            iso(self.since),
        ]

    @classmethod
    def from_json(cls, stored: Sequence[Any]) -> Self:
        """Read the stored form."""
        region, standing, reason, replicas, progress, wave, since = stored
        return cls(region, Standing(standing), reason, replicas, progress, wave, moment(since))


def places(plan: VersionPlan, *, asks: bool = True) -> tuple[Place, ...]:
    """Say how a version stands in each of its regions, and in each that it is to come to.

    :param asks: whether what is missing is asked for.
    """
    return tuple(_place(plan, line, asks=asks) for line in plan.lines)


def _place(plan: VersionPlan, line: Line, *, asks: bool) -> Place:
    region = plan.version.region(line.region)
    standing = _kept(plan, line, region, asks=asks) if plan.kept else _other(line)
    reason = (region.details or "Azure gives no reason") if region and standing is Standing.FAILED else line.reason
    return Place(
        line.region,
        standing,
        plain(reason)[:_LONGEST_REASON],
        region.replicas if region else line.replicas,
        region.progress if region and standing is Standing.REPLICATING else None,
        line.wave,
        region.since if region else None,
    )


def _kept(plan: VersionPlan, line: Line, region: Region | None, *, asks: bool) -> Standing:
    match line.action:
        case Action.ADD | Action.SIZE:
            return Standing.REQUESTED if asks else Standing.MISSING
        case Action.REMOVE:
            return Standing.LEAVING
        case Action.SKIP:
            return Standing.SKIPPED
        case Action.WAIT if line.named:
            return Standing.WAITING
    if not (line.named or plan.reason or line.region == plan.version.home):
        return Standing.UNWANTED
    return _OF_STATE[region.state] if region else Standing.REQUESTED


def _other(line: Line) -> Standing:
    return Standing.LEAVING if line.action is Action.REMOVE else Standing.THERE
