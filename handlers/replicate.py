"""One version belongs in one region. Who finds it missing writes the whole set; the others find it there."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

import azure.functions as func

from handlers.announcing import announce_rollout
from handlers.claiming import alone
from handlers.journal import note, warn
from handlers.observing import observe
from handlers.stage import Done, Outcome, on_queue, wait_for
from handlers.watching import keep_watch
from shared.core.errors import Absent, Refused
from shared.core.messages import Queue, Replicate
from shared.core.model import ImageVersion, RegionState
from shared.core.notices import NoticeType
from shared.core.plan import VersionPlan
from shared.core.planner import plan
from shared.core.policy import Mode, Policy
from shared.core.rollout import STARTED, Intent, Rollout, begin, stall
from shared.core.target_regions import RegionTarget
from shared.wiring import App

if TYPE_CHECKING:
    from shared.adapters.rollouts import Claim


def blueprint(app: App) -> func.Blueprint:
    """Give the functions of this stage."""
    return on_queue(app, Queue.REPLICATE, _replicate)


def _replicate(app: App, message: Replicate, ticket: str) -> Outcome:
    mode = app.settings.policy_for(message.version.image).mode
    if mode is Mode.OBSERVE or not app.settings.manages(message.version.image):
        note("replicate.dropped", version=message.version, reason="mode observe, or not in GALLERIES any more")
        return Done()
    rollout = app.rollouts.rollout(message.version)
    try:
        version = app.gallery.version(message.version)
        if rollout and _there(version, message, rollout.targets) and _followed(rollout, app.now()):
            return Done()
        return alone(app, message.version, ticket, lambda claim: _replicate_alone(app, message, claim))
    except Absent:
        note("replicate.absent", version=message.version)
        return Done()


def _replicate_alone(app: App, message: Replicate, claim: "Claim") -> Outcome:
    """Plan from what is read now that nobody else of us can write: the region may have come meanwhile."""
    observed = observe(app, message.version.image, to_prune=False)
    each = plan(observed.definition, observed.policy, now=app.now()).of(message.version.number)

    if each is None or not each.kept or each.reason:
        reason = (each and each.reason) or "it is not kept any more"
        note("replicate.unneeded", version=message.version, region=message.region, reason=reason)
        return Done()
    if _there(each.version, message, observed.policy.regions):
        return _follow(app, each.version, _rollout(app, each.version, observed.policy))
    if not (each.replicates or message.again):
        note("replicate.unneeded", version=message.version, region=message.region, reason="nothing is to change")
        return Done()
    rollout = _rollout(app, each.version, observed.policy)
    if each.version.changing:
        return _not_now(app, each, rollout, message)

    return _write(app, each, rollout, claim)


def _there(version: ImageVersion, message: Replicate, targets: Iterable[RegionTarget]) -> bool:
    region = version.region(message.region)
    target = next((target for target in targets if target.region == message.region), None)
    if region is None or (target and region.replicas < target.replicas):
        return False
    return not (message.again and region.state is RegionState.FAILED)


def _write(app: App, each: VersionPlan, rollout: Rollout, claim: "Claim") -> Outcome:
    version, now = each.version, app.now()
    regions = ",".join(f"{line.region}={line.replicas}" for line in each.lines)
    if rollout.refused_lately(regions, now):
        note("replicate.refused-lately", version=version.id)
        return Done()
    claim.keep(app.now())
    try:
        app.gallery.write(each)
    except Refused as refused:
        warn("replicate.refused", version=version.id, regions=regions, reason=refused)
        wanted = ", ".join(line.region for line in each.changes)
        announce_rollout(app, NoticeType.REGION_FAILED, version, rollout, region=wanted, reason=str(refused))
        app.rollouts.amend_rollout(version.id, rollout, lambda before: before.refusing(regions, now))
        return Done()
    note("replicate.written", version=version.id, regions=regions)
    return _follow(app, version, rollout)


def _followed(rollout: Rollout, now: datetime) -> bool:
    """Whether nothing is left to do after the write: the start was told, and somebody looks."""
    return STARTED in rollout.announced and not rollout.unwatched(now)


def _follow(app: App, version: ImageVersion, rollout: Rollout) -> Outcome:
    """After the write, by whomever: say that the rollout started, and see to it that somebody looks at it."""
    if STARTED not in rollout.announced:
        announce_rollout(app, NoticeType.ROLLOUT_STARTED, version, rollout)
        rollout = app.rollouts.amend_rollout(version.id, rollout, lambda before: before.saying(STARTED))
    keep_watch(app, version.id, rollout)
    return Done()


def _not_now(app: App, each: VersionPlan, rollout: Rollout, message: Replicate) -> Outcome:
    """Wait while somebody's write is under way; for ever is too long."""
    if app.now() <= message.deadline:
        return wait_for(app, each.version, message.since)
    stalled = stall(rollout.wave)
    if stalled not in rollout.announced:
        announce_rollout(app, NoticeType.ROLLOUT_STALLED, each.version, rollout)
        app.rollouts.amend_rollout(each.version.id, rollout, lambda before: before.saying(stalled))
    return Done()


def _rollout(app: App, version: ImageVersion, policy: Policy) -> Rollout:
    """Read the rollout that the message belongs to; one is begun when the table was lost."""
    intent = Intent(app.now(), app.settings.rollout_deadline, policy.regions)
    return app.rollouts.rollout(version.id) or app.rollouts.change_rollout(
        version.id, lambda before: begin(before, intent).seen(version, intent.now)
    )
