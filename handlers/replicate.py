"""One version belongs in one region. Who finds it missing writes the whole set; the others find it there."""

from typing import TYPE_CHECKING

import azure.functions as func

from handlers.announcing import announce_rollout
from handlers.claiming import alone
from handlers.journal import note, warn
from handlers.observing import observe
from handlers.stage import Done, Outcome, Wait, on_queue
from handlers.watching import keep_watch
from shared.core.errors import Absent, Refused
from shared.core.messages import Queue, Replicate
from shared.core.model import ImageVersion, RegionState
from shared.core.notices import NoticeType
from shared.core.plan import Role, VersionPlan
from shared.core.planner import plan
from shared.core.policy import Mode
from shared.core.rollout import STALLED, STARTED, Rollout, begin
from shared.wiring import App

if TYPE_CHECKING:
    from shared.adapters.rollouts import Claim


def blueprint(app: App) -> func.Blueprint:
    """Give the functions of this stage."""
    return on_queue(app, Queue.REPLICATE, _replicate)


def _replicate(app: App, message: Replicate, ticket: str) -> Outcome:
    if app.settings.policy.mode is Mode.OBSERVE or not app.settings.manages(message.version.image):
        note("replicate.dropped", version=message.version, reason="mode observe, or not in GALLERIES any more")
        return Done()
    try:
        version = app.gallery.version(message.version)
        if _there(version, message, app) and _followed(app, version):
            return Done()
        return alone(app, message.version, ticket, lambda claim: _replicate_alone(app, message, claim))
    except Absent:
        note("replicate.absent", version=message.version)
        return Done()


def _replicate_alone(app: App, message: Replicate, claim: "Claim") -> Outcome:
    """Plan from what is read now that nobody else of us can write: the region may have come meanwhile."""
    each = plan(observe(app, message.version.image), app.settings.policy).of(message.version.number)

    if each is None or each.role is Role.OLDER or each.reason:
        reason = (each and each.reason) or "it is not kept any more"
        note("replicate.unneeded", version=message.version, region=message.region, reason=reason)
        return Done()
    if _there(each.version, message, app):
        return _follow(app, each.version)
    if not (each.replicates or message.again):
        note("replicate.unneeded", version=message.version, region=message.region, reason="nothing is to change")
        return Done()
    if each.version.changing:
        return _not_now(app, each, message)

    return _write(app, each, claim)


def _there(version: ImageVersion, message: Replicate, app: App) -> bool:
    region = version.region(message.region)
    target = app.settings.policy.target(message.region)
    if region is None or (target and region.replicas < target.replicas):
        return False
    return not (message.again and region.state is RegionState.FAILED)


def _write(app: App, each: VersionPlan, claim: "Claim") -> Outcome:
    version, now = each.version, app.now()
    rollout = _rollout(app, version)
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
    return _follow(app, version)


def _followed(app: App, version: ImageVersion) -> bool:
    """Whether nothing is left to do after the write: the start was told, and somebody looks."""
    rollout = app.rollouts.rollout(version.id)
    return rollout is not None and STARTED in rollout.announced and not rollout.unwatched(app.now())


def _follow(app: App, version: ImageVersion) -> Outcome:
    """After the write, by whomever: say that the rollout started, and see to it that somebody looks at it."""
    rollout = _rollout(app, version)
    if STARTED not in rollout.announced:
        announce_rollout(app, NoticeType.ROLLOUT_STARTED, version, rollout)
        rollout = app.rollouts.amend_rollout(version.id, rollout, lambda before: before.saying(STARTED))
    keep_watch(app, version.id, rollout)
    return Done()


def _not_now(app: App, each: VersionPlan, message: Replicate) -> Outcome:
    """Wait while somebody's write is under way; for ever is too long."""
    if app.now() <= message.deadline:
        return Wait(app.settings.watch_first, f"{each.version.number} is {each.version.state}")
    rollout = _rollout(app, each.version)
    if STALLED not in rollout.announced:
        announce_rollout(app, NoticeType.ROLLOUT_STALLED, each.version, rollout)
        app.rollouts.amend_rollout(each.version.id, rollout, lambda before: before.saying(STALLED))
    return Done()


def _rollout(app: App, version: ImageVersion) -> Rollout:
    """Read the rollout that the message belongs to; one is begun when the table was lost."""
    now, deadline = app.now(), app.settings.rollout_deadline
    return app.rollouts.rollout(version.id) or app.rollouts.change_rollout(
        version.id, lambda before: begin(before, now=now, deadline=deadline)
    )
