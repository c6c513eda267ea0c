"""The policy that operators tune, and the syntax of its regions."""

import re
import shlex
from dataclasses import dataclass
from enum import StrEnum
from math import ceil

from shared.core.errors import Malformed
from shared.core.names import region_name

MOST_REPLICAS = 100
"""Replicas that Azure takes for one version, all regions together (documented limit)."""

_REPLICAS = re.compile(r"\d{1,4}", re.ASCII)
_VMS = re.compile(r"(\d{1,6})vms", re.ASCII | re.IGNORECASE)


class StorageAccountType(StrEnum):
    """Where the replicas of a region lie. Cannot be changed once a region has it (documented)."""

    STANDARD_LRS = "Standard_LRS"
    STANDARD_ZRS = "Standard_ZRS"
    PREMIUM_LRS = "Premium_LRS"
    PREMIUM_V2_LRS = "PremiumV2_LRS"


class Mode(StrEnum):
    """How far the app may go."""

    OBSERVE = "observe"
    REPLICATE = "replicate"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class RegionTarget:
    """A region that the policy names.

    :param storage_account_type: for a region that is added; ``None`` leaves it to the version's own.
    """

    region: str
    replicas: int
    storage_account_type: StorageAccountType | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """What should be where.

    :param keep_latest: how many newest good versions keep all regions.
    :param home_replicas: replicas of a pruned version in its home region.
    :param prune_cap: versions pruned per definition and pass.
    :param unlocks_regions: whether a prune may set a version's ``allowDeletionOfReplicatedLocations``.
    :param protect_tag: versions that carry it keep the regions they have.
    """

    regions: tuple[RegionTarget, ...]
    keep_latest: int = 1
    home_replicas: int = 1
    prune_cap: int = 10
    mode: Mode = Mode.FULL
    unlocks_regions: bool = True
    protect_tag: str = "gallery-fanout-keep"

    def target(self, region: str) -> RegionTarget | None:
        """Find what the policy says of a region."""
        return next((target for target in self.regions if target.region == region), None)


@dataclass(frozen=True, slots=True)
class RegionDefaults:
    """What holds for a region that does not say it itself.

    :param vms_per_replica: the sizing rule of ``=Nvms``.
    """

    replicas: int = 1
    vms_per_replica: int = 20
    storage_account_type: StorageAccountType | None = None


def parse_target_regions(text: str, defaults: RegionDefaults) -> tuple[RegionTarget, ...]:
    """Read ``westeurope=3=standard_zrs eastus2=120vms "West US 2"``, the syntax of ``--target-regions`` and ``=Nvms``.

    :raises Malformed: with every fault that was found.
    """
    targets: dict[str, RegionTarget] = {}
    faults: list[str] = []
    for word in _words(text):
        try:
            target = _target(word, defaults)
        except Malformed as fault:
            faults.append(str(fault))
            continue
        if target.region in targets:
            faults.append(f"{target.region} is named twice")
        targets[target.region] = target
    total = sum(target.replicas for target in targets.values())
    if total > MOST_REPLICAS:
        faults.append(f"{total} replicas in all, and Azure takes {MOST_REPLICAS} per version")
    if faults:
        raise Malformed("; ".join(faults))
    return tuple(targets.values())


def _words(text: str) -> list[str]:
    if ";" in text:
        raise Malformed("waves (';') are not supported yet")
    try:
        words = shlex.split(text)
    except ValueError:
        raise Malformed("a quotation mark or a backslash is left open") from None
    if not words:
        raise Malformed("no region is named")
    return words


def _target(word: str, defaults: RegionDefaults) -> RegionTarget:
    name, *parts = word.split("=")
    replicas: int | None = None
    storage: StorageAccountType | None = None
    for part in parts:
        if replicas is None and storage is None and (count := _count(part, defaults.vms_per_replica)):
            replicas = count
        elif storage is None and (kind := _storage(part)):
            storage = kind
        else:
            raise Malformed(f"{word!r}: {part!r} is not a number of replicas, '<N>vms' or a storage type in its place")
    return RegionTarget(
        region=region_name(name),
        replicas=replicas or defaults.replicas,
        storage_account_type=storage or defaults.storage_account_type,
    )


def _count(part: str, vms_per_replica: int) -> int | None:
    """Read ``3`` or ``120vms``; ``None`` when it is neither, and zero replicas are no number of replicas."""
    if _REPLICAS.fullmatch(part):
        return int(part) or None
    vms = _VMS.fullmatch(part)
    return ceil(int(vms[1]) / vms_per_replica) or None if vms else None


def _storage(part: str) -> StorageAccountType | None:
    return next((kind for kind in StorageAccountType if kind.lower() == part.lower()), None)
