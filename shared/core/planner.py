"""Making the plan: a pure function of what was read and the policy.

Which versions count for what; the first row that fits decides. "Good" is ``Succeeded`` or ``Updating`` (our own write
makes a version ``Updating``; it stays the newest while that lasts).

| version                                                        | role     | what happens to it                       |
|----------------------------------------------------------------|----------|------------------------------------------|
| ``Creating``, ``Failed``, ``Deleting``, ``Migrating``, unknown | ALONE    | nothing, with the state as reason        |
| shallow                                                        | ALONE    | nothing: Azure cannot replicate it       |
| good, not excluded from latest, among the newest KEEP_LATEST   | KEPT     | gets every region of the policy          |
| good, excluded from latest, newer than the newest KEPT         | STAGED   | gets every region, is never pruned       |
| any other good one                                             | OLDER    | is pruned to its home region             |

An OLDER version leaves a region when the newest KEPT version is ``Completed`` there; the first row that fits decides:

| region of an OLDER version                         | action                                                         |
|----------------------------------------------------|----------------------------------------------------------------|
| its home                                           | KEEP; SIZE to HOME_REPLICA_COUNT once the newest is complete   |
| the newest is complete here                        | REMOVE                                                         |
| the newest failed here, or is not to come here     | KEEP                                                           |
| the newest is still on its way here                | KEEP, and every other region of the version waits for it too:  |
|                                                    | one write instead of several                                   |

Whatever protects a version (tag, unknown publish date, somebody's write, the safety flag, the cap of a pass, the
mode) turns its REMOVE and SIZE lines into KEEP lines with that reason.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from shared.core.model import Definition, ImageVersion, ProvisioningState, Region, RegionState
from shared.core.plan import Action, Line, Plan, Role, VersionPlan
from shared.core.policy import Mode, Policy, RegionTarget


@dataclass(frozen=True, slots=True)
class Standing:
    """A version with its role; the reason says why it is left alone, and is empty for any other."""

    version: ImageVersion
    role: Role
    reason: str


def plan(definition: Definition, policy: Policy, *, cap: int | None = None) -> Plan:
    """Decide what should change.

    :param cap: how many versions may be pruned; ``None`` for no cap, as for a stage that looks at one version.
    """
    ranked = rank(definition.versions, policy)
    newest = next((standing.version for standing in ranked if standing.role is Role.KEPT), None)
    plans = [_version_plan(standing, newest, definition, policy) for standing in ranked]
    plans, capped = _cap(plans, cap)
    return Plan(definition.id, tuple(plans), capped)


def rank(versions: Iterable[ImageVersion], policy: Policy) -> list[Standing]:
    """Give each version its role, newest first."""
    ranked: list[Standing] = []
    kept = 0
    for version in sorted(versions, key=lambda version: version.number, reverse=True):
        reason = _left_alone(version)
        if reason:
            role = Role.ALONE
        elif version.excluded:
            role = Role.OLDER if kept else Role.STAGED
        else:
            role = Role.KEPT if kept < policy.keep_latest else Role.OLDER
            kept += 1
        ranked.append(Standing(version, role, reason))
    return ranked


def _left_alone(version: ImageVersion) -> str:
    if version.state not in (ProvisioningState.SUCCEEDED, ProvisioningState.UPDATING):
        return f"its provisioning state is {version.state}"
    return "it is shallow, and Azure cannot replicate that" if version.shallow else ""


def _version_plan(
    standing: Standing, newest: ImageVersion | None, definition: Definition, policy: Policy
) -> VersionPlan:
    version, role = standing.version, standing.role
    left_alone = standing.reason or _protection(version, definition, policy)
    if left_alone:
        return VersionPlan(version, role, _left(version, left_alone), left_alone)
    if role is Role.OLDER and newest:
        return VersionPlan(version, role, _pruned(version, newest, policy))
    return VersionPlan(version, role, spread(version, policy))


def _protection(version: ImageVersion, definition: Definition, policy: Policy) -> str:
    if protects(version.tags, policy.protect_tag):
        return f"the tag {policy.protect_tag} is on the version"
    return f"the tag {policy.protect_tag} is on {definition.protected_by}" if definition.protected_by else ""


def protects(tags: object, protect_tag: str) -> bool:
    """Whether the protecting tag is among the tags; tag names have no case in Azure, and any value but false counts."""
    if not isinstance(tags, Mapping):
        return False
    values = [str(value) for name, value in tags.items() if str(name).casefold() == protect_tag.casefold()]
    return any(value.strip().casefold() != "false" for value in values)


def _left(version: ImageVersion, reason: str) -> tuple[Line, ...]:
    return tuple(_keep(region, reason) for region in version.regions)


def _keep(region: Region, reason: str) -> Line:
    return Line(region.name, Action.KEEP, reason, region.replicas, region.storage_account_type)


def spread(version: ImageVersion, policy: Policy) -> tuple[Line, ...]:
    """Say what a version needs that is to be in every region of the policy."""
    named = [_wanted(version, target) for target in policy.regions]
    others = [
        _keep(region, "its home region" if region.name == version.home else "somebody added it; the policy does not")
        for region in version.regions
        if policy.target(region.name) is None
    ]
    return tuple(named + others)


def _wanted(version: ImageVersion, target: RegionTarget) -> Line:
    region = version.region(target.region)
    if region is None and version.encrypted:
        reason = "the version is encrypted, and no disk encryption set is given for this region"
        return Line(target.region, Action.SKIP, reason, named=True)
    if region is None:
        storage = target.storage_account_type
        return Line(
            target.region, Action.ADD, "the policy names it", target.replicas, storage and storage.value, named=True
        )
    if region.replicas < target.replicas:
        reason = f"the policy wants {target.replicas} replicas, it has {region.replicas}"
        return Line(target.region, Action.SIZE, reason, target.replicas, region.storage_account_type, named=True)
    return replace(_keep(region, f"the policy names it; {_standing(region)}"), named=True)


def _standing(region: Region) -> str:
    if region.state is RegionState.REPLICATING and region.progress is not None:
        return f"{region.progress} % replicated"
    return {
        RegionState.COMPLETED: "complete",
        RegionState.REPLICATING: "replicating",
        RegionState.FAILED: "failed",
        RegionState.UNKNOWN: "its state is not known",
    }[region.state]


def _pruned(version: ImageVersion, newest: ImageVersion, policy: Policy) -> tuple[Line, ...]:
    judged = [_judged(version, region, newest, policy) for region in version.regions]
    hold = _hold(version, policy) or _waiting(version, newest, policy)
    return _held(version, judged, hold) if hold else tuple(judged)


def _held(version: ImageVersion, lines: Iterable[Line], reason: str) -> tuple[Line, ...]:
    """Turn the lines that would change something into KEEP lines; the others keep their own reasons."""
    before = {region.name: region for region in version.regions}
    return tuple(_keep(before[line.region], reason) if line.changes else line for line in lines)


def _judged(version: ImageVersion, region: Region, newest: ImageVersion, policy: Policy) -> Line:
    there = newest.region(region.name)
    complete = there is not None and there.complete
    if region.name == version.home:
        return _home(region, policy) if complete else _keep(region, "its home region")
    if complete:
        return Line(region.name, Action.REMOVE, f"{newest.number} is complete here")
    if there is not None:
        return _keep(region, f"{newest.number} is not complete here: {_standing(there)}")
    return _keep(region, f"{newest.number} is not here")


def _home(region: Region, policy: Policy) -> Line:
    if region.replicas <= policy.home_replicas:
        return _keep(region, "its home region")
    reason = f"its home region, where {policy.home_replicas} of {region.replicas} replicas are enough"
    return Line(region.name, Action.SIZE, reason, policy.home_replicas, region.storage_account_type)


def _hold(version: ImageVersion, policy: Policy) -> str:
    if version.state is ProvisioningState.UPDATING:
        return "a write to it is under way"
    if version.published is None:
        return "its publish date is not known"
    if policy.mode is Mode.REPLICATE:
        return "mode replicate never prunes"
    if not version.removal_allowed and not policy.unlocks_regions:
        return "its safety flag forbids removal, and PRUNE_UNLOCKS_REGIONS is false"
    return ""


def _waiting(version: ImageVersion, newest: ImageVersion, policy: Policy) -> str:
    """Say which region the newest is still on its way to, among those that this version is to leave."""
    for region in version.regions:
        if region.name != version.home and _on_its_way(region.name, newest, policy):
            return f"waits until {newest.number} is in {region.name} too, so that one write removes all"
    return ""


def _on_its_way(region: str, newest: ImageVersion, policy: Policy) -> bool:
    there = newest.region(region)
    if there is None:
        target = None if protects(newest.tags, policy.protect_tag) else policy.target(region)
        return target is not None and _wanted(newest, target).action is Action.ADD
    return there.state in (RegionState.REPLICATING, RegionState.UNKNOWN)


def _cap(plans: Sequence[VersionPlan], cap: int | None) -> tuple[list[VersionPlan], bool]:
    """Let the oldest prunes through, as many as the cap allows."""
    prunes = [plan for plan in reversed(plans) if plan.prunes]
    if cap is None or len(prunes) <= cap:
        return list(plans), False
    late = {plan.version.number for plan in prunes[cap:]}
    reason = f"the cap of {cap} prunes per pass is reached; the next pass goes on"
    return [
        replace(plan, lines=_held(plan.version, plan.lines, reason)) if plan.version.number in late else plan
        for plan in plans
    ], True
