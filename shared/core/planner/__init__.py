"""Making the plan: a pure function of what was read, the policy and the time.

1. ``roles``: which versions count for what.
2. ``replication``: what a version needs that belongs in every region of the policy.
3. ``pruning``: which regions an older version leaves, and what keeps it there.
4. ``protection``: what keeps a whole version as it is.
5. Here: all versions together; then the mode and the cap of a pass take away what must not be done, or not yet.

Each decision stands in a truth table above its module; the tests repeat the rows in the same order.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from shared.core.model import Definition, ImageVersion, ProvisioningState
from shared.core.plan import Plan, Role, VersionPlan
from shared.core.planner.protection import held, may_leave, protection
from shared.core.planner.pruning import Newest, exclusive, pruned, to_leave
from shared.core.planner.replication import left, limit_warning, replicas_after, spread
from shared.core.planner.roles import Standing, newest_of, rank, withdrawn
from shared.core.policy import Mode, Policy

__all__ = ["could_prune", "limit_warning", "may_leave", "plan", "rank", "replicas_after", "spread"]


def plan(definition: Definition, policy: Policy, *, now: datetime, cap: int | None = None) -> Plan:
    """Decide what should change.

    :param now: the time, with an offset.
    :param cap: how many versions may be pruned; ``None`` for no cap, as for a stage that looks at one version.
    """
    ranked = rank(definition.versions, policy)
    latest = newest_of(ranked)
    newest = Newest.of(latest, policy, now) if latest else None
    plans = [_version_plan(standing, newest, definition, policy, now) for standing in ranked]
    if policy.exclusive:
        plans = _exclusively(plans, definition, policy)
    plans = [_filtered(each, policy.mode) for each in plans]
    plans, capped = _capped(plans, cap)
    return Plan(
        definition.id,
        tuple(plans),
        capped,
        withdrawn(definition, latest),
        (*policy.warnings, *(warning for each in plans if (warning := limit_warning(each)))),
    )


def could_prune(ranked: Iterable[Standing], policy: Policy) -> bool:
    """Whether any version might lose a region or a replica: only then it matters what is in use."""
    return (
        any(standing.role is Role.OLDER and _has_more_than_home(standing.version, policy) for standing in ranked)
        or policy.exclusive
    )


def _has_more_than_home(version: ImageVersion, policy: Policy) -> bool:
    return any(region.name != version.home or region.replicas > policy.home_replicas for region in version.regions)


def _version_plan(
    standing: Standing, newest: Newest | None, definition: Definition, policy: Policy, now: datetime
) -> VersionPlan:
    version, role = standing.version, standing.role
    left_alone = standing.reason or protection(version, definition, policy)
    if left_alone:
        return VersionPlan(version, role, left(version, left_alone), left_alone)
    if role is Role.OLDER and newest:
        return VersionPlan(version, role, pruned(version, newest, definition, policy, now))
    return VersionPlan(version, role, spread(version, policy, now))


def _exclusively(plans: Sequence[VersionPlan], definition: Definition, policy: Policy) -> list[VersionPlan]:
    """Let the kept versions leave what an exclusive policy does not name, after the older ones have."""
    older = [plan for plan in plans if plan.role is Role.OLDER and not plan.reason]
    leaving = frozenset(region for plan in older for region in to_leave(plan, definition, policy))
    return [
        plan.part(*exclusive(plan.version, plan.lines, definition, policy, leaving))
        if plan.role is Role.KEPT and not plan.reason
        else plan
        for plan in plans
    ]


def _filtered(each: VersionPlan, mode: Mode) -> VersionPlan:
    """Take away what the mode forbids; a pass in mode observe plans everything, and does nothing."""
    if mode is not Mode.REPLICATE:
        return each
    return each.part(*held(each.version, each.lines, "mode replicate never prunes"))


def _capped(plans: Sequence[VersionPlan], cap: int | None) -> tuple[list[VersionPlan], int]:
    """Let the oldest prunes through, as many as the cap allows; those that Azure is still at count too."""
    prunes = [plan.version.number for plan in reversed(plans) if plan.prunes]
    under_way = sum(plan.role is Role.OLDER and plan.version.state is ProvisioningState.UPDATING for plan in plans)
    late = frozenset() if cap is None else frozenset(prunes[max(cap - under_way, 0) :])
    reason = f"the cap of {cap} prunes per pass is reached; a later pass goes on"
    return [
        plan.part(*held(plan.version, plan.lines, reason)) if plan.version.number in late else plan for plan in plans
    ], len(late)
