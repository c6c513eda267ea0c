"""The syntax of ``TARGET_REGIONS`` and of the tag ``gallery-fanout-regions``."""

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from math import ceil

from shared.core.errors import Malformed
from shared.core.names import region_name

MOST_REPLICAS = 100
"""Replicas that Azure takes for one version, all regions together (documented limit)."""

ADVISED_REPLICAS = 50
"""Replicas that Azure advises for one version at most (documented)."""

_WAVES = ";"
_REPLICAS = re.compile(r"\d{1,4}", re.ASCII)
_VMS = re.compile(r"(\d{1,6})vms", re.ASCII | re.IGNORECASE)


class StorageAccountType(StrEnum):
    """Where the replicas of a region lie. Cannot be changed once a region has it (documented)."""

    STANDARD_LRS = "Standard_LRS"
    STANDARD_ZRS = "Standard_ZRS"
    PREMIUM_LRS = "Premium_LRS"
    PREMIUM_V2_LRS = "PremiumV2_LRS"


@dataclass(frozen=True, slots=True)
class RegionTarget:
    """A region that the policy names.

    :param storage_account_type: for a region that is added; ``None`` leaves it to the version's own.
    :param wave: 1, 2, ...; a wave starts when the one before is complete and has been for ``WAVE_BAKE``.
    """

    region: str
    replicas: int
    storage_account_type: StorageAccountType | None = None
    wave: int = 1


@dataclass(frozen=True, slots=True)
class RegionDefaults:
    """What holds for a region that does not say it itself.

    :param vms_per_replica: the sizing rule of ``=Nvms``.
    """

    replicas: int = 1
    vms_per_replica: int = 20
    storage_account_type: StorageAccountType | None = None


def parse_target_regions(text: str, defaults: RegionDefaults) -> tuple[RegionTarget, ...]:
    """Read ``westeurope=3=standard_zrs; eastus2=120vms "West US 2"``: ``--target-regions``, ``=Nvms`` and waves.

    :raises Malformed: with every fault that was found.
    """
    targets: dict[str, RegionTarget] = {}
    faults: list[str] = []
    waves = _waves(text)
    for number, words in enumerate(waves, start=1):
        if not words:
            faults.append(f"wave {number} names no region" if len(waves) > 1 else "no region is named")
        for word in words:
            try:
                target = _target(word, number, defaults)
            except Malformed as fault:
                faults.append(str(fault))
                continue
            if target.region in targets:
                faults.append(f"{target.region} is named twice")
            targets[target.region] = target
    total = total_replicas(targets.values())
    if total > MOST_REPLICAS:
        faults.append(f"{total} replicas in all, and Azure takes {MOST_REPLICAS} per version")
    if faults:
        raise Malformed("; ".join(faults))
    return tuple(targets.values())


def total_replicas(targets: Iterable[RegionTarget]) -> int:
    """Count the replicas of all regions together."""
    return sum(target.replicas for target in targets)


def _waves(text: str) -> list[list[str]]:
    """Split into waves of words; quotes hold the words of a display name together."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars=_WAVES)
    lexer.whitespace_split = True
    lexer.commenters = ""
    waves: list[list[str]] = [[]]
    try:
        for word in lexer:
            if set(word) == {_WAVES}:
                waves += [[] for _ in word]
            else:
                waves[-1].append(word)
    except ValueError:
        raise Malformed("a quotation mark or a backslash is left open") from None
    return waves


def _target(word: str, wave: int, defaults: RegionDefaults) -> RegionTarget:
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
        wave=wave,
    )


def _count(part: str, vms_per_replica: int) -> int | None:
    """Read ``3`` or ``120vms``; ``None`` when it is neither, and zero replicas are no number of replicas."""
    if _REPLICAS.fullmatch(part):
        return int(part) or None
    vms = _VMS.fullmatch(part)
    return ceil(int(vms[1]) / vms_per_replica) or None if vms else None


def _storage(part: str) -> StorageAccountType | None:
    return next((kind for kind in StorageAccountType if kind.lower() == part.lower()), None)
