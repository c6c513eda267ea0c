"""Which regions a version leaves. The first row that fits decides.

| region of an OLDER version                                        | action                                    |
|-------------------------------------------------------------------|-------------------------------------------|
| its home, with no more than HOME_REPLICA_COUNT replicas           | KEEP                                      |
| a resource here references exactly this version                   | KEEP                                      |
| the newest KEPT version failed here, or is not to come here       | KEEP                                      |
| the newest is complete, and hidden from "latest" here; not home   | KEEP                                      |
| the newest is still on its way here                               | WAIT                                      |
| the newest is complete here, for less than PRUNE_GRACE            | WAIT                                      |
| the newest is complete here; the version's home                   | SIZE to HOME_REPLICA_COUNT                |
| the newest is complete here                                       | REMOVE                                    |

| region of a KEPT version that an exclusive policy does not name   | action                                    |
|-------------------------------------------------------------------|-------------------------------------------|
| its home                                                          | KEEP                                      |
| a resource here references exactly this version                   | KEEP                                      |
| an older version is still to leave it                             | WAIT                                      |
| the version is not complete in every region that it can have      | WAIT                                      |
| any other                                                         | REMOVE                                    |

While one region of a version waits, its other regions wait with it: one write instead of several. And what holds the
whole version (``protection``) turns everything that it would lose into KEEP.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from shared.core.model import Definition, ImageVersion, ProvisioningState, Region, RegionState
from shared.core.plan import Action, Line, VersionPlan
from shared.core.planner.protection import held, hold
from shared.core.planner.replication import at_home, keep, since_then, spread, standing
from shared.core.policy import Policy
from shared.core.tags import protects
from shared.core.text import span
from shared.core.usage import Usage


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest KEPT version, whose coming lets older ones go.

    :param coming: the regions that it is still on its way to.
    :param there: region -> the line by which an older version leaves it, for the regions where it is complete.
    :param hidden: the regions where it is not "latest", which an older version is there.
    """

    version: ImageVersion
    coming: frozenset[str]
    there: Mapping[str, Line]
    hidden: frozenset[str]

    @classmethod
    def of(cls, version: ImageVersion, policy: Policy, now: datetime) -> Self:
        """Find where a version is, and where it is still on its way to."""
        unsure = (RegionState.REPLICATING, RegionState.UNKNOWN)
        moving = {region.name for region in version.regions if region.state in unsure}
        if not protects(version.tags, policy.protect_tag):
            lines = [line for line in spread(version, policy, now) if line.wants_change]
            moving |= {line.region for line in lines if version.region(line.region) is None}
        complete = f"{version.number} complete here"
        there = [
            Line(each.name, Action.REMOVE, complete + since_then(each.since, now))
            for each in version.regions
            if each.complete
        ]
        hidden = frozenset(region.name for region in version.regions if region.hidden)
        return cls(version, frozenset(moving), {line.region: line for line in there}, hidden)


def pruned(
    version: ImageVersion, newest: Newest, definition: Definition, policy: Policy, now: datetime
) -> tuple[Line, ...]:
    """Say which regions an older version leaves."""
    older = _Older(version, newest, definition.usage, policy, now)
    return _together(version, [older.line(region) for region in version.regions], definition, policy)


def to_leave(plan: VersionPlan, definition: Definition, policy: Policy) -> frozenset[str]:
    """Find the regions where an older version is to lose something, now or later.

    A write that is under way holds only for now.
    """
    version = plan.version
    if version.state is not ProvisioningState.UPDATING:
        return frozenset(line.region for line in plan.lines if line.wants_change)
    more = [each for each in version.regions if each.name != version.home or each.replicas > policy.home_replicas]
    return frozenset(each.name for each in more if not definition.usage.reason(version.number, each.name))


def exclusive(
    version: ImageVersion, lines: Sequence[Line], definition: Definition, policy: Policy, leaving: frozenset[str]
) -> tuple[Line, ...]:
    """Say which regions a kept version leaves because its policy is exclusive.

    :param leaving: the regions that older versions leave, now or later, because this one is there.
    """
    done = all(_done(version, line) for line in lines if line.named)
    waits = "" if done else "leaves once the version is complete in every region of the policy, which is exclusive"
    others = [
        _surplus(version, line, definition, "older versions leave first" if line.region in leaving else waits)
        for line in lines
        if not line.named
    ]
    return (*(line for line in lines if line.named), *_together(version, others, definition, policy))


def _together(version: ImageVersion, lines: Sequence[Line], definition: Definition, policy: Policy) -> tuple[Line, ...]:
    """Hold what must not go, and let the rest go at once or not at all."""
    reason = hold(version, definition, policy)
    if reason:
        return held(version, lines, reason)
    waits = [line for line in lines if line.action is Action.WAIT]
    if not waits:
        return tuple(lines)
    ends = [line.until for line in waits if line.until]
    until = max(ends) if len(ends) == len(waits) else None
    together = f"waits for {waits[0].region}, so that one write removes all"
    return tuple(
        replace(line, action=Action.WAIT, reason=together if line.changes else line.reason, until=until)
        if line.wants_change
        else line
        for line in lines
    )


@dataclass(frozen=True, slots=True)
class _Older:
    """An older version, with all that is weighed for each of its regions."""

    version: ImageVersion
    newest: Newest
    usage: Usage
    policy: Policy
    now: datetime

    def line(self, region: Region) -> Line:
        is_home = region.name == self.version.home
        if is_home and region.replicas <= self.policy.home_replicas:
            return at_home(region)
        if reason := self.usage.reason(self.version.number, region.name):
            return keep(region, reason)
        leaves = self.newest.there.get(region.name)
        if leaves is None or (region.name in self.newest.hidden and not is_home):
            return self._without(region)
        if wait := self._grace(region, leaves):
            return wait
        if is_home:
            reason = f"its home region, where {self.policy.home_replicas} of {region.replicas} replicas are enough"
            return replace(keep(region, reason), action=Action.SIZE, replicas=self.policy.home_replicas)
        return leaves

    def _without(self, region: Region) -> Line:
        coming, newest = region.name in self.newest.coming, self.newest.version.number
        there = self.newest.version.region(region.name)
        if there is None:
            line = keep(region, f"{newest} is {'still to come' if coming else 'not'} here")
        elif there.complete:
            line = keep(region, f"{newest} is complete here, and hidden from latest")
        else:
            line = keep(region, f"{newest} is not complete here: {standing(there)}")
        return replace(line, action=Action.WAIT) if coming else line

    def _grace(self, region: Region, leaves: Line) -> Line | None:
        """Wait until the newest was complete for long enough; when nobody knows since when, that has yet to begin."""
        if not self.policy.prune_grace:
            return None
        there = self.newest.version.region(region.name)
        until = ((there and there.since) or self.now) + self.policy.prune_grace
        if until <= self.now:
            return None
        reason = f"{leaves.reason}; PRUNE_GRACE is {span(self.policy.prune_grace)}"
        return replace(keep(region, reason), action=Action.WAIT, until=until)


def _done(version: ImageVersion, line: Line) -> bool:
    region = version.region(line.region)
    return line.action is Action.SKIP or (not line.wants_change and region is not None and region.complete)


def _surplus(version: ImageVersion, line: Line, definition: Definition, first: str) -> Line:
    if line.region == version.home:
        return line
    if reason := definition.usage.reason(version.number, line.region):
        return replace(line, reason=reason)
    if first:
        return replace(line, action=Action.WAIT, reason=first)
    return Line(line.region, Action.REMOVE, "the policy is exclusive, and does not name it")
