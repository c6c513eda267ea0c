"""What we know of an image definition: its versions, where they are, and in which state. Plain frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.core.names import ImageId, VersionId, VersionNumber
from shared.core.usage import Usage


class ProvisioningState(StrEnum):
    """What ARM says of the version as a whole. ``Succeeded`` does not say that any region has it."""

    CREATING = "Creating"
    UPDATING = "Updating"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    DELETING = "Deleting"
    MIGRATING = "Migrating"
    UNKNOWN = "Unknown"

    @classmethod
    def _missing_(cls, value: object) -> "ProvisioningState":  # noqa: ARG003  whatever Azure may add
        return cls.UNKNOWN


class RegionState(StrEnum):
    """What ``replicationStatus`` says of one region: the only proof that a version is there."""

    COMPLETED = "Completed"
    REPLICATING = "Replicating"
    FAILED = "Failed"
    UNKNOWN = "Unknown"

    @classmethod
    def _missing_(cls, value: object) -> "RegionState":  # noqa: ARG003  the same
        return cls.UNKNOWN


@dataclass(frozen=True, slots=True)
class Region:
    """A version in one of its target regions.

    :param name: as of :func:`shared.core.names.region_name`.
    :param more_replicas: replicas in ``additionalReplicaSets``, which count against Azure's limit.
    :param encrypted: whether it has disk encryption sets.
    :param hidden: hidden from "latest" in this region (``excludeFromLatest`` of the region).
    :param since: when it was first seen complete; ``None`` when nobody knows.
    :param progress: percent of the replication, where Azure tells.
    :param wire: the region exactly as Azure gave it; it travels back unchanged, with fields that we do not know.
    """

    name: str
    replicas: int
    storage_account_type: str | None = None
    more_replicas: int = 0
    encrypted: bool = False
    hidden: bool = False
    state: RegionState = RegionState.UNKNOWN
    since: datetime | None = None
    progress: int | None = None
    details: str = ""
    wire: Mapping[str, Any] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether VMs can be made from the version here."""
        return self.state is RegionState.COMPLETED


@dataclass(frozen=True, slots=True)
class ImageVersion:
    """An image version as last read.

    :param home: the region of the version itself; Azure insists that it stays a target region.
    :param published: when it was published; ``None`` when Azure did not say.
    :param excluded: hidden from "latest" (``excludeFromLatest`` of the version).
    :param removal_allowed: the safety flag ``allowDeletionOfReplicatedLocations``.
    :param disk_gib: size of all its disks together, GiB; ``0`` when Azure did not say.
    :param leaving: regions that Azure still shows, and that are no target regions any more.
    :param refused: region -> why Azure would not have the version there a short time ago.
    :param repairable: whether a rollout of ours is under way that still has something to try with regions that failed.
    :param publishing: the publishing profile exactly as Azure gave it.
    :param safety: the safety profile exactly as Azure gave it.
    """

    id: VersionId
    home: str
    state: ProvisioningState
    regions: tuple[Region, ...]
    published: datetime | None = None
    excluded: bool = False
    shallow: bool = False
    removal_allowed: bool = False
    disk_gib: int = 0
    tags: Mapping[str, str] = field(default_factory=dict)
    leaving: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    repairable: bool = False
    publishing: Mapping[str, Any] = field(default_factory=dict)
    safety: Mapping[str, Any] = field(default_factory=dict)

    @property
    def number(self) -> VersionNumber:
        """Its version number."""
        return self.id.number

    @property
    def encrypted(self) -> bool:
        """Whether its regions carry disk encryption sets; Azure wants them in every region or in none."""
        return any(region.encrypted for region in self.regions)

    @property
    def good(self) -> bool:
        """Whether it counts: Azure calls it so, or a region failed in a rollout of ours that can still repair it."""
        if self.state is ProvisioningState.FAILED:
            return self.repairable
        return self.state in (ProvisioningState.SUCCEEDED, ProvisioningState.UPDATING)

    @property
    def changing(self) -> bool:
        """Whether somebody's write is under way; another one now could undo it silently."""
        return self.state in (ProvisioningState.CREATING, ProvisioningState.UPDATING)

    def region(self, name: str) -> Region | None:
        """Find a target region by its short name."""
        return next((region for region in self.regions if region.name == name), None)


@dataclass(frozen=True, slots=True)
class Definition:
    """An image definition as last read: its versions, and the tags that concern all of them.

    :param protected_by: what protects every version (``"the gallery"``, ``"the image definition"``), or ``None``.
    :param usage: who uses which version where.
    :param refused: version -> why Azure refused to prune it a short time ago.
    :param newest_before: the newest version at the last pass; ``None`` when that is not known.
    """

    id: ImageId
    versions: tuple[ImageVersion, ...]
    protected_by: str | None = None
    usage: Usage = field(default_factory=Usage)
    refused: Mapping[VersionNumber, str] = field(default_factory=dict)
    newest_before: VersionNumber | None = None

    def version(self, number: VersionNumber) -> ImageVersion | None:
        """Find a version by its number."""
        return next((version for version in self.versions if version.number == number), None)
