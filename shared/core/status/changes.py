"""What a pass, a look and a prune change of how an image definition stands."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby

from shared.core.model import ImageVersion
from shared.core.names import VersionNumber
from shared.core.plan import Action, Line, Plan, Role, VersionPlan
from shared.core.policy import Mode
from shared.core.pruning import Pruning
from shared.core.rollout import STARTED, Progress, Rollout
from shared.core.status.definition import DefinitionStatus
from shared.core.status.history import Finished, Kept, Pruned, Running
from shared.core.status.places import places
from shared.core.text import plain

_MOST_FINISHED, _MOST_PRUNED, _MOST_KEPT, _MOST_NEWER, _MOST_REFUSED = 10, 5, 8, 5, 5


@dataclass(frozen=True, slots=True)
class PassSeen:
    """What a pass saw, and what it made of it.

    :param running: the rollouts that are not over.
    :param refused: version -> why Azure refused to prune it a short time ago.
    """

    plan: Plan
    mode: Mode
    cause: str
    now: datetime
    running: Mapping[VersionNumber, Rollout] = field(default_factory=dict)
    refused: Mapping[VersionNumber, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LookSeen:
    """What a look at a rollout saw.

    :param hopeless: whether regions failed, and nothing is left to try with any of them.
    """

    version: ImageVersion
    rollout: Rollout
    lines: tuple[Line, ...]
    progress: Progress
    hopeless: bool
    now: datetime


def after_pass(before: DefinitionStatus | None, seen: PassSeen) -> DefinitionStatus:
    """Say how an image definition stands after a pass; only the history is as it was."""
    plan = seen.plan
    newest = plan.of(plan.newest.number) if plan.newest else None
    kept = list(_kept(plan))
    return DefinitionStatus(
        plan.image,
        seen.now,
        plain(seen.cause),
        mode=seen.mode.value,
        newest=newest.version.number.name if newest else "",
        published=newest.version.published if newest else None,
        places=places(newest, asks=seen.mode is not Mode.OBSERVE) if newest else (),
        newer=_newer(plan),
        running=tuple(_running(seen)),
        pruning=tuple(_pruning(plan)) if seen.mode is Mode.FULL else (),
        refused={number.name: plain(why) for number, why in sorted(seen.refused.items())[:_MOST_REFUSED]},
        finished=before.finished if before else (),
        pruned=before.pruned if before else (),
        kept=tuple(kept[:_MOST_KEPT]),
        more_kept=max(len(kept) - _MOST_KEPT, 0),
        versions=len(plan.versions),
        capped=plan.capped,
        warnings=tuple(plain(warning) for warning in plan.warnings),
        homes=Counter(each.version.home for each in plan.versions),
    )


def after_look(before: DefinitionStatus | None, seen: LookSeen) -> DefinitionStatus | None:
    """Say how an image definition stands after a look at one rollout; where no pass was recorded, nothing is."""
    if before is None:
        return None
    number, rollout = seen.version.number.name, seen.rollout
    others = tuple(each for each in before.running if each.version != number)
    plan = VersionPlan(seen.version, Role.KEPT, seen.lines)
    after = replace(
        before,
        seen=seen.now,
        cause=f"a look at {number}",
        places=places(plan) if before.newest == number else before.places,
    )
    if not seen.progress.complete:
        running = Running.seen(plan, rollout, seen.now, seen=seen.progress, lost=seen.hopeless)
        return replace(after, running=(running, *others))
    finished = tuple(each for each in before.finished if (each.version, each.started) != (number, rollout.started))
    if STARTED in rollout.announced:  # else nothing has begun
        finished = (*finished, Finished(number, rollout.started, seen.now, plain(rollout.cause)))
    return replace(after, running=others, finished=finished[-_MOST_FINISHED:])


def after_prune(
    before: DefinitionStatus | None, number: str, pruning: Pruning | None, now: datetime
) -> DefinitionStatus | None:
    """Say how an image definition stands when a prune has come to its end; ``None`` for one that was not needed."""
    if before is None:
        return None
    after = replace(
        before,
        pruning=tuple(each for each in before.pruning if each != number),
        refused={version: why for version, why in before.refused.items() if version != number},
    )
    if pruning is None:
        return after
    if pruning.refused_at:
        return replace(after, refused={**after.refused, number: plain(pruning.refused)})
    if any((each.version, each.asked) == (number, pruning.asked) for each in before.pruned):
        return after
    return replace(after, pruned=(Pruned.of(number, pruning, now), *before.pruned)[:_MOST_PRUNED])


def _newer(plan: Plan) -> dict[str, str]:
    newer = [
        each.version
        for each in plan.versions
        if each.role is Role.ALONE and (plan.newest is None or each.version.number > plan.newest.number)
    ]
    return {version.number.name: version.state.value for version in newer[:_MOST_NEWER]}


def _running(seen: PassSeen) -> Iterable[Running]:
    for number, rollout in sorted(seen.running.items(), reverse=True):
        each = seen.plan.of(number)
        if each and each.kept:
            yield Running.seen(each, rollout, seen.now)


def _pruning(plan: Plan) -> Iterable[str]:
    for each in plan.versions:
        if each.prunes or (each.role is Role.OLDER and each.version.changing):
            yield each.version.number.name


def _kept(plan: Plan) -> Iterable[Kept]:
    """Find where older versions stay besides their homes; regions with the same reason are one."""
    for each in plan.versions:
        lines = [line for line in each.lines if _stays(each, line)]
        for reason, group in groupby(lines, key=lambda line: plain(line.reason)):
            yield Kept(each.version.number.name, tuple(line.region for line in group), reason)


def _stays(each: VersionPlan, line: Line) -> bool:
    return each.role is Role.OLDER and line.region != each.version.home and line.action is not Action.REMOVE
