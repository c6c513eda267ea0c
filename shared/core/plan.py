"""A plan, as a value: what a pass does with each region of each version, and why. ``planner`` makes it."""

from dataclasses import dataclass
from enum import StrEnum

from shared.core.model import ImageVersion
from shared.core.names import ImageId, VersionNumber


class Role(StrEnum):
    """What a version counts for, by the first table of ``planner``."""

    KEPT = "kept"
    STAGED = "staged"
    OLDER = "older"
    ALONE = "alone"


class Action(StrEnum):
    """What a plan does with one region of one version."""

    ADD = "add"
    SIZE = "size"
    KEEP = "keep"
    REMOVE = "remove"
    SKIP = "skip"


_CHANGES = frozenset({Action.ADD, Action.SIZE, Action.REMOVE})


@dataclass(frozen=True, slots=True)
class Line:
    """One region of one version: what happens to it, and why, in plain words.

    :param replicas: how many it will have; ``0`` for a region that goes or does not come.
    :param named: whether the policy names the region for this version; a rollout waits for no other.
    """

    region: str
    action: Action
    reason: str
    replicas: int = 0
    storage_account_type: str | None = None
    named: bool = False

    @property
    def changes(self) -> bool:
        """Whether this line asks for a write."""
        return self.action in _CHANGES


@dataclass(frozen=True, slots=True)
class VersionPlan:
    """What happens to one version; one write brings it about.

    :param reason: why the version has its role, for a version that is left alone.
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
    def prunes(self) -> bool:
        """Whether its write is a prune."""
        return self.role is Role.OLDER and bool(self.changes)

    @property
    def replicates(self) -> bool:
        """Whether its write brings the version to more regions or replicas."""
        return self.role is not Role.OLDER and bool(self.changes)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a pass over an image definition does, version by version, newest first.

    :param capped: whether some prunes wait for the next pass.
    """

    image: ImageId
    versions: tuple[VersionPlan, ...]
    capped: bool = False

    @property
    def empty(self) -> bool:
        """Whether everything is as the policy wants it."""
        return not any(plan.changes for plan in self.versions)

    @property
    def newest(self) -> ImageVersion | None:
        """The version that is "latest" for whoever makes VMs."""
        return next((plan.version for plan in self.versions if plan.role is Role.KEPT), None)

    def of(self, number: VersionNumber) -> VersionPlan | None:
        """Find what happens to one version."""
        return next((plan for plan in self.versions if plan.version.number == number), None)
