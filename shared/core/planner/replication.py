"""What a version needs that belongs in every region of the policy. The first row that fits decides.

| region of a KEPT or STAGED version                             | action                                         |
|----------------------------------------------------------------|------------------------------------------------|
| named, there, with enough replicas                             | KEEP                                           |
| named, not there, the version encrypted, no set for the region | SKIP                                           |
| named, and Azure refused it a short time ago                   | SKIP; KEEP where it is there already           |
| named, and the version would pass 100 replicas in all          | SKIP; KEEP where it is there already           |
| named, in a wave after one that is not through                 | WAIT                                           |
| named, not there                                               | ADD                                            |
| named, there, with fewer replicas                              | SIZE                                           |
| not named: its home, or somebody put it there                  | KEEP (``pruning.exclusive`` may say otherwise) |

A wave is through when every region of it that can be had is ``Completed``, and has been for WAVE_BAKE. One of which
Azure refused every region is not: nothing was tried out in it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.core.model import ImageVersion, Region, RegionState
from shared.core.plan import Action, Line, VersionPlan
from shared.core.policy import Policy
from shared.core.target_regions import ADVISED_REPLICAS, MOST_REPLICAS, RegionTarget
from shared.core.text import span

_JUST_NOW = timedelta(seconds=10)


def spread(version: ImageVersion, policy: Policy, now: datetime) -> tuple[Line, ...]:
    """Say what a version needs that is to be in every region of the policy."""
    others = [
        at_home(region) if region.name == version.home else keep(region, "somebody added it; the policy does not")
        for region in version.regions
        if policy.target(region.name) is None
    ]
    named = _within_limit(version, _in_waves(version, policy, now), others)
    return (*named, *others)


def left(version: ImageVersion, reason: str) -> tuple[Line, ...]:
    """Leave every region of a version as it is."""
    return tuple(keep(region, reason) for region in version.regions)


def keep(region: Region, reason: str, *, settled: bool = False) -> Line:
    """Leave a region as it is."""
    return Line(region.name, Action.KEEP, reason, region.replicas, region.storage_account_type, settled=settled)


def at_home(region: Region) -> Line:
    """Leave a version in its home region, where it belongs."""
    return keep(region, "its home region", settled=True)


def standing(region: Region) -> str:
    """Say how far a region is."""
    if region.state is RegionState.REPLICATING and region.progress is not None:
        return f"{region.progress} % replicated"
    return {
        RegionState.COMPLETED: "complete",
        RegionState.REPLICATING: "replicating",
        RegionState.FAILED: "failed",
        RegionState.UNKNOWN: "in an unknown state",
    }[region.state]


def since_then(then: datetime | None, now: datetime) -> str:
    """Say how long ago something was: `` since 14 min``; nothing when that is not known, or just now."""
    return f" since {span(now - then, rough=True)}" if then and then + _JUST_NOW < now else ""


def replicas_after(plan: VersionPlan) -> int:
    """Count the replicas of all regions of a version, once everything that its plan wants is done."""
    return _replicas(plan.version, plan.lines)


def limit_warning(plan: VersionPlan) -> str:
    """Warn of a version with more replicas than Azure advises, or takes; empty when there is nothing to say."""
    if not plan.kept:
        return ""
    refused = next((line.reason for line in plan.lines if line.over_limit), "")
    if refused:
        return f"{plan.version.number} gets no more regions and replicas: {refused}"
    total = replicas_after(plan)
    if total <= ADVISED_REPLICAS:
        return ""
    return f"{plan.version.number} has {total} replicas in all; Azure advises {ADVISED_REPLICAS} at most"


@dataclass(frozen=True, slots=True)
class _Gate:
    """What later waves wait for, and until when that is only a matter of time."""

    reason: str
    until: datetime | None


def _in_waves(version: ImageVersion, policy: Policy, now: datetime) -> list[Line]:
    lines: list[Line] = []
    gate: _Gate | None = None
    for wave in policy.waves:
        wanted = [_wanted(version, target, policy) for target in wave]
        lines += [_waiting(line, gate) if gate and line.changes else line for line in wanted]
        gate = gate or _gate(version, wanted, policy.wave_bake, now)
    return lines


def _waiting(line: Line, gate: _Gate) -> Line:
    return replace(line, action=Action.WAIT, reason=gate.reason, until=gate.until)


def _gate(version: ImageVersion, wave: list[Line], bake: timedelta, now: datetime) -> _Gate | None:
    """Find what a wave still has to do before the next one starts; ``None`` when it is through."""
    there = [(line, version.region(line.region)) for line in wave if line.action is not Action.SKIP]
    failed = next((line for line, region in there if region and region.state is RegionState.FAILED), None)
    if failed:
        return _Gate(f"wave {failed.wave} is stopped: {failed.region} failed", None)
    refused = [line.region for line in wave if line.region in version.refused]
    if refused and not there:
        return _Gate(f"wave {wave[0].wave} is stopped: Azure refused {', '.join(refused)}", None)
    undone = next((reason for line, region in there if (reason := _undone(line, region))), "")
    if undone:
        return _Gate(undone, None)
    return _baking(wave[0].wave, [region.since for _, region in there if region], bake, now)


def _undone(line: Line, region: Region | None) -> str:
    if region is None or line.changes:
        return f"wave {line.wave} comes first: {line.region} is not done"
    return "" if region.complete else f"wave {line.wave} comes first: {line.region} is {standing(region)}"


def _baking(wave: int, since: list[datetime | None], bake: timedelta, now: datetime) -> _Gate | None:
    if not bake or not since:
        return None
    known = [at for at in since if at]
    if len(known) < len(since):
        return _Gate(f"wave {wave} is complete since nobody knows when; it bakes for {span(bake)}", None)
    until = max(known) + bake
    if until <= now:
        return None
    return _Gate(f"wave {wave} is complete{since_then(max(known), now)}; it bakes for {span(bake)}", until)


def _wanted(version: ImageVersion, target: RegionTarget, policy: Policy) -> Line:
    region, line = version.region(target.region), _asked(version, target, policy)
    if not line.changes or target.region not in version.refused:
        return line
    return _refused(region, line, f"Azure refused it: {version.refused[target.region]}")


def _asked(version: ImageVersion, target: RegionTarget, policy: Policy) -> Line:
    region = version.region(target.region)
    line = Line(target.region, Action.ADD, "the policy names it", target.replicas, named=True, wave=target.wave)
    if region is None:
        encryption_set = policy.encryption_sets.get(target.region) if version.encrypted else None
        if version.encrypted and not encryption_set:
            reason = "the version is encrypted, and ENCRYPTION_SETS has no disk encryption set for this region"
            return replace(line, action=Action.SKIP, reason=reason, replicas=0)
        storage = target.storage_account_type
        return replace(line, storage_account_type=storage and storage.value, encryption_set=encryption_set)
    line = replace(line, storage_account_type=region.storage_account_type)
    if region.replicas < target.replicas:
        return replace(
            line,
            action=Action.SIZE,
            reason=f"the policy wants {target.replicas} replicas, it has {region.replicas}",
        )
    return replace(
        line,
        action=Action.KEEP,
        reason=f"the policy names it; {standing(region)}",
        replicas=region.replicas,
        settled=region.complete,
    )


def _within_limit(version: ImageVersion, named: list[Line], others: list[Line]) -> list[Line]:
    """Refuse to ask for more replicas than Azure takes; half of what the policy wants would be no answer either."""
    total = _replicas(version, (*named, *others))
    if total <= MOST_REPLICAS:
        return named
    reason = f"the version would have {total} replicas in all, and Azure takes {MOST_REPLICAS}"
    return [
        replace(_refused(version.region(line.region), line, reason), over_limit=True) if line.wants_change else line
        for line in named
    ]


def _refused(region: Region | None, line: Line, reason: str) -> Line:
    action, replicas = (Action.KEEP, region.replicas) if region else (Action.SKIP, 0)
    return replace(line, action=action, reason=reason, replicas=replicas, until=None)


def _replicas(version: ImageVersion, lines: Iterable[Line]) -> int:
    more = {region.name: region.more_replicas for region in version.regions}
    return sum(line.replicas + more.get(line.region, 0) for line in lines if line.action is not Action.REMOVE)
