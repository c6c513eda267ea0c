"""ARM's JSON of an image version, read into the model and written back, without losing what we do not know."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.core.errors import Malformed
from shared.core.model import ImageVersion, ProvisioningState, Region, RegionState
from shared.core.names import VersionId, region_name
from shared.core.plan import Line, VersionPlan
from shared.core.text import plain

_READ_ONLY = frozenset({"publishedDate"})
_SAFETY_READ_ONLY = frozenset({"reportedForPolicyViolation", "policyViolations"})
_SET_KEYS = frozenset({"diskEncryptionSetId", "secureVMDiskEncryptionSetId"})
_FRACTION = re.compile(r"(\.\d{6})\d+")

type Json = Mapping[str, Any]


def read_version(identity: VersionId, resource: Json) -> ImageVersion:
    """Read what GET and LIST answer; the state of regions is known only from GET with ``$expand=ReplicationStatus``.

    :raises Malformed: when Azure's answer is not of a shape that we understand; never guessed around.
    """
    try:
        return _read_version(identity, resource)
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as fault:
        why = f"Azure's answer about {identity} cannot be read: {type(fault).__name__}: {fault}"
        raise Malformed(plain(why)) from fault


def _read_version(identity: VersionId, resource: Json) -> ImageVersion:
    properties = resource.get("properties") or {}
    publishing = properties.get("publishingProfile") or {}
    safety = properties.get("safetyProfile") or {}
    status = (properties.get("replicationStatus") or {}).get("summary") or []
    states = {region_name(entry["region"]): entry for entry in status}
    replicas = publishing.get("replicaCount") or 1
    regions = tuple(_read_region(region, states, replicas) for region in publishing.get("targetRegions") or ())
    return ImageVersion(
        id=identity,
        home=region_name(resource["location"]),
        state=ProvisioningState(str(properties.get("provisioningState"))),
        regions=regions,
        published=_read_time(publishing.get("publishedDate")),
        excluded=bool(publishing.get("excludeFromLatest")),
        shallow=publishing.get("replicationMode") == "Shallow",
        removal_allowed=bool(safety.get("allowDeletionOfReplicatedLocations")),
        disk_gib=_disk_gib(properties.get("storageProfile") or {}),
        tags=dict(resource.get("tags") or {}),
        leaving=tuple(sorted(states.keys() - {region.name for region in regions})),
        publishing=publishing,
        safety=safety,
    )


def _read_region(wire: Json, states: Mapping[str, Json], replicas: int) -> Region:
    name = region_name(wire["name"])
    state = states.get(name, {})
    return Region(
        name=name,
        # A region without a count of its own takes the version's (captured traffic).
        replicas=_whole(wire.get("regionalReplicaCount") or replicas),
        storage_account_type=wire.get("storageAccountType"),
        more_replicas=sum(
            _whole(each.get("regionalReplicaCount") or 1) for each in wire.get("additionalReplicaSets") or ()
        ),
        encrypted=bool(_sets(wire.get("encryption"))),
        hidden=bool(wire.get("excludeFromLatest")),
        state=RegionState(str(state.get("state"))),
        progress=state.get("progress"),
        details=plain(state.get("details") or ""),
        wire=wire,
    )


def _sets(encryption: Any) -> list[str]:
    """Find the disk encryption sets in what a region says of its disks; confidential VMs have a key of their own."""
    if isinstance(encryption, dict):
        own = [str(value) for name, value in encryption.items() if name in _SET_KEYS and value]
        return own + [each for value in encryption.values() for each in _sets(value)]
    return [each for value in encryption for each in _sets(value)] if isinstance(encryption, list) else []


def _whole(value: object) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r} is not a whole number")
    return value


def _read_time(text: str | None) -> datetime | None:
    """Read a time with up to seven decimals and any offset (captured traffic); one without offset is not known."""
    time = datetime.fromisoformat(_FRACTION.sub(r"\1", text)) if text else None
    return time if time and time.tzinfo else None


def _disk_gib(storage: Json) -> int:
    disks = [storage.get("osDiskImage") or {}, *(storage.get("dataDiskImages") or ())]
    return sum(disk.get("sizeInGB") or 0 for disk in disks)


def write_body(plan: VersionPlan) -> dict[str, Any]:
    """Give the PATCH that brings a plan about: the full set of regions, with all that Azure said of each.

    The publishing profile goes back whole. PATCH may merge or replace it (not verified), and this is right either way.
    """
    by_region = {line.region: line for line in plan.changes}
    stay = [
        _sized(region, by_region.get(region.name)) for region in plan.version.regions if not _leaves(region, by_region)
    ]
    come = [_added(line, plan.version) for line in plan.changes if plan.version.region(line.region) is None]
    publishing = {name: value for name, value in plan.version.publishing.items() if name not in _READ_ONLY}
    properties: dict[str, Any] = {"publishingProfile": {**publishing, "targetRegions": [*stay, *come]}}
    if plan.removals and not plan.version.removal_allowed:
        properties["safetyProfile"] = _unlocked(plan.version)
    return {"properties": properties}


def unlock_body(version: ImageVersion) -> dict[str, Any]:
    """Give the PATCH that only sets ``allowDeletionOfReplicatedLocations``, for when Azure wants that first."""
    return {"properties": {"safetyProfile": _unlocked(version)}}


def _leaves(region: Region, changes: Mapping[str, Line]) -> bool:
    line = changes.get(region.name)
    return line is not None and not line.replicas


def _sized(region: Region, line: Line | None) -> dict[str, Any]:
    return {**region.wire, "regionalReplicaCount": line.replicas} if line else dict(region.wire)


def _added(line: Line, version: ImageVersion) -> dict[str, Any]:
    region: dict[str, Any] = {"name": line.region, "regionalReplicaCount": line.replicas}
    if line.storage_account_type:
        region["storageAccountType"] = line.storage_account_type
    encryption = _encryption(version)
    if encryption:
        region["encryption"] = _with_set(encryption, line.encryption_set) if line.encryption_set else encryption
    return region


def _encryption(version: ImageVersion) -> Any:
    """Find how the version's disks are encrypted; each region says it for the same disks, with sets of its own."""
    home = version.region(version.home)
    regions = [home, *version.regions] if home else version.regions
    return next((region.wire["encryption"] for region in regions if region.wire.get("encryption")), None)


def _with_set(encryption: Any, encryption_set: str) -> Any:
    """Copy what a region says of its disks, with another disk encryption set."""
    if isinstance(encryption, dict):
        return {
            name: encryption_set if name in _SET_KEYS and value else _with_set(value, encryption_set)
            for name, value in encryption.items()
        }
    return [_with_set(each, encryption_set) for each in encryption] if isinstance(encryption, list) else encryption


def _unlocked(version: ImageVersion) -> dict[str, Any]:
    kept = {name: value for name, value in version.safety.items() if name not in _SAFETY_READ_ONLY}
    return {**kept, "allowDeletionOfReplicatedLocations": True}
