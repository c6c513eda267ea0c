"""The policy that operators tune."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from shared.core.target_regions import RegionDefaults, RegionTarget


class Mode(StrEnum):
    """How far the app may go."""

    OBSERVE = "observe"
    REPLICATE = "replicate"
    FULL = "full"


class InUse(StrEnum):
    """Which resources protect a region of the exact version that they reference."""

    SCALE_SETS = "scale-sets"
    ALL = "all"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Policy:
    """What should be where.

    :param regions: in the order in which they were named, wave by wave.
    :param defaults: for regions that an image definition's tag names.
    :param encryption_sets: region -> disk encryption set, for regions that are added to an encrypted version.
    :param wave_bake: how long a wave must have been complete before the next starts.
    :param keep_latest: how many newest good versions keep all regions.
    :param home_replicas: replicas of a pruned version in its home region.
    :param prune_grace: how long the newest must have been complete before older ones are pruned.
    :param prune_cap: versions pruned per definition and pass.
    :param protect_tag: versions that carry it keep the regions they have.
    :param unlocks_regions: whether a prune may set a version's ``allowDeletionOfReplicatedLocations``.
    :param exclusive: whether the newest versions leave regions that the policy does not name.
    :param warnings: what was wrong with how it was tuned; told to people, and otherwise ignored.
    """

    regions: tuple[RegionTarget, ...]
    defaults: RegionDefaults = field(default_factory=RegionDefaults)
    encryption_sets: Mapping[str, str] = field(default_factory=dict)
    wave_bake: timedelta = timedelta(0)
    keep_latest: int = 1
    home_replicas: int = 1
    prune_grace: timedelta = timedelta(0)
    prune_cap: int = 10
    protect_tag: str = "gallery-fanout-keep"
    protect_in_use: InUse = InUse.SCALE_SETS
    unlocks_regions: bool = True
    mode: Mode = Mode.FULL
    exclusive: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def waves(self) -> tuple[tuple[RegionTarget, ...], ...]:
        """The regions, wave by wave."""
        numbers = sorted({target.wave for target in self.regions})
        return tuple(tuple(target for target in self.regions if target.wave == number) for number in numbers)

    def target(self, region: str) -> RegionTarget | None:
        """Find what the policy says of a region."""
        return next((target for target in self.regions if target.region == region), None)
