"""A plan, as a value: what a pass does with each region of each version, and why. ``planner`` makes it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from shared.core.model import ImageVersion
from shared.core.names import ImageId, VersionNumber

MOST_VERSIONS = 10_000
"""Image versions in a subscription and region (documented)."""

MANY_VERSIONS = 9_000
"""From here on people are told."""


class Role(StrEnum):
    """What a version counts for, by the table of ``planner.roles``."""

    KEPT = "kept"
    STAGED = "staged"
    OLDER = "older"
    ALONE = "alone"


class Action(StrEnum):
    """What a plan does with one region of one version.

    ``wait``: something will change here, not yet. ``skip``: the policy names the region, and the version cannot come.
    """

    ADD = "add"
    SIZE = "size"
    KEEP = "keep"
    REMOVE = "remove"
    WAIT = "wait"
    SKIP = "skip"


_CHANGES = frozenset({Action.ADD, Action.SIZE, Action.REMOVE})


@dataclass(frozen=True, slots=True)
class Line:
    """One region of one version: what happens to it, and why, in plain words.

    :param replicas: how many it will have; ``0`` for a region that goes or does not come.
    :param encryption_set: the disk encryption set of a region that is added to an encrypted version.
    :param named: whether the policy names the region for this version; a rollout waits for no other.
    :param wave: the wave of the region; ``0`` for one that the policy does not name.
    :param over_limit: whether it was refused because Azure would not take that many replicas.
    :param until: when a line that waits is worth another look, where that is only a matter of time.
    :param settled: whether the region is as it should be, and nobody need hear of it.
    """

    region: str
    action: Action
    reason: str
    replicas: int = 0
    storage_account_type: str | None = None
    encryption_set: str | None = None
    named: bool = False
    wave: int = 0
    over_limit: bool = False
    until: datetime | None = None
    settled: bool = False

    @property
    def changes(self) -> bool:
        """Whether this line asks for a write."""
        return self.action in _CHANGES

    @property
    def wants_change(self) -> bool:
        """Whether this line asks for a write, now or later."""
        return self.changes or self.action is Action.WAIT


@dataclass(frozen=True, slots=True)
class VersionPlan:
    """What happens to one version; one write brings it about.

    :param reason: why the version is left alone, for one that is.
    """

    version: ImageVersion
    role: Role
    lines: tuple[Line, ...]
    reason: str = ""

    @property
    def changes(self) -> tuple[Line, ...]:
        """The lines that ask for a write; none when the version is as it should be."""
        return tuple(line for line in self.lines if line.changes)

    @property
    def removals(self) -> tuple[Line, ...]:
        """The regions that the version leaves."""
        return tuple(line for line in self.lines if line.action is Action.REMOVE)

    @property
    def gib_freed(self) -> int:
        """The size of what leaves whole regions, an upper bound: Azure bills what the replicas really occupy."""
        gone = [region for line in self.removals if (region := self.version.region(line.region))]
        return self.version.disk_gib * sum(region.replicas + region.more_replicas for region in gone)

    @property
    def gib_added(self) -> int:
        """The size of the replicas that come, in new regions and in those that it has; an upper bound too."""
        more = [line.replicas - self.replicas_before(line.region) for line in self.changes]
        return self.version.disk_gib * sum(max(number, 0) for number in more)

    def replicas_before(self, name: str) -> int:
        """Say how many replicas the version has in a region now."""
        region = self.version.region(name)
        return region.replicas if region else 0

    @property
    def known(self) -> frozenset[str]:
        """The regions that its write knows of. What leaves besides, right after it, somebody had just added."""
        there = [region.name for region in self.version.regions]
        return frozenset([*there, *self.version.leaving, *(line.region for line in self.lines)])

    def part(self, *lines: Line) -> "VersionPlan":
        """Give the plan that brings about these lines only; every other region stays as it is."""
        return VersionPlan(self.version, self.role, lines, self.reason)

    @property
    def prunes(self) -> bool:
        """Whether its write is a prune: of an older version, or of a region that an exclusive policy does not name."""
        asked = [line.action for line in self.lines if line.changes]
        return Action.REMOVE in asked or (self.role is Role.OLDER and bool(asked))

    @property
    def replicates(self) -> bool:
        """Whether its write brings the version to more regions or replicas."""
        return bool(self.changes) and not self.prunes

    @property
    def kept(self) -> bool:
        """Whether it belongs in every region of the policy."""
        return self.role in (Role.KEPT, Role.STAGED)


@dataclass(frozen=True)
class Plan:
    """What a pass over an image definition does, version by version, newest first.

    :param capped: how many prunes wait for a later pass because of the cap.
    :param withdrawn: why the newest is not the one that it was: ``1.0.4 was deleted``. Empty when it is, or is newer.
    :param warnings: what people should look at, though the pass goes on.
    """

    image: ImageId
    versions: tuple[VersionPlan, ...]
    capped: int = 0
    withdrawn: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether everything is as the policy wants it."""
        return not any(plan.changes for plan in self.versions)

    @property
    def newest(self) -> ImageVersion | None:
        """The version that is "latest" for whoever makes VMs."""
        return next((plan.version for plan in self.versions if plan.role is Role.KEPT), None)

    @property
    def crowded(self) -> dict[str, int]:
        """Home regions with nearly as many versions as Azure takes, and how many those are."""
        homes = Counter(plan.version.home for plan in self.versions)
        return {home: used for home, used in homes.items() if used >= MANY_VERSIONS}

    @property
    def prunes(self) -> int:
        """How many versions are pruned."""
        return sum(plan.prunes for plan in self.versions)

    @property
    def worth_a_look(self) -> datetime | None:
        """When time alone will let prunes through that wait now; a rollout's waves are its watcher's business."""
        waits = (line.until for plan in self.versions if not plan.kept for line in plan.lines if line.until)
        return min(waits, default=None)

    @cached_property
    def _by_number(self) -> Mapping[VersionNumber, VersionPlan]:
        return {plan.version.number: plan for plan in self.versions}

    def of(self, number: VersionNumber) -> VersionPlan | None:
        """Find what happens to one version."""
        return self._by_number.get(number)
