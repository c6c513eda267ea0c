"""One version belongs in one region. Who finds it missing writes the whole set; the others find it there."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from handlers.announcing import announce_rollout
from handlers.claiming import alone, wait_for
from handlers.crossing import flag_first, look_back
from handlers.journal import note, warn
from handlers.observing import may_take_out, observe_to_spread, read_tags, recent_tags
from handlers.stage import Done, Outcome, Wait
from handlers.watching import follow
from shared.core.errors import Absent, FlagFirst, Locked, Refused
from shared.core.messages import Reconcile, Replicate
from shared.core.model import ImageVersion, Region, RegionState
from shared.core.notice_type import NoticeType
from shared.core.plan import Action, Line, VersionPlan
from shared.core.planner import plan
from shared.core.policy import Mode, Policy
from shared.core.rollout import STARTED, Intent, Rollout, begin, stall
from shared.core.tags import Tagged
from shared.core.target_regions import RegionTarget
from shared.wiring import App

if TYPE_CHECKING:
    from shared.adapters.claims import Claim
    from shared.adapters.rollouts import Remembered


_AT_ONCE = timedelta(0)
_TAKE_OUT_FROM = 2  # the first try is to ask again


def handle(app: App, message: Replicate, ticket: str) -> Outcome:
    """See to it that a version was asked for in a region."""
    mode = app.settings.policy_for(message.version.image).mode
    if mode is Mode.OBSERVE or not app.settings.manages(message.version.image):
        note("replicate.dropped", version=message.version, reason="mode observe, or not in GALLERIES any more")
        return Done()
    for remembered in (app.rollouts.last_seen, app.rollouts.rollout):
        if _asked(message, remembered(message.version), app.now()):
            return Done()
    app.gallery.may_write(message.version)
    try:
        return alone(app, message.version, ticket, lambda claim: _replicate_alone(app, message, claim))
    except Absent:
        return _absent(app, message)


def _absent(app: App, message: Replicate) -> Outcome:
    """End the rollout of a version that is gone. Others may have given way to it: the definition wants a new pass."""
    gone, now = f"{message.version.number} is gone", app.now()
    note("replicate.absent", version=message.version)
    rollout = app.rollouts.rollout(message.version)
    if rollout and rollout.open:
        app.queues.put(Reconcile(message.version.image, gone))
        app.rollouts.amend_rollout(message.version, rollout, lambda before: before.end(gone, now))
    return Done()


def _asked(message: Replicate, rollout: Rollout | None, now: datetime) -> bool:
    """Whether a write has asked Azure for the region since the message was put, and nothing is left to do after it.

    Then the start was told, somebody looks, and Azure need not be read again.
    """
    if message.again or message.back or rollout is None:
        return False
    asked = rollout.has_asked(message.region, message.since)
    return asked and STARTED in rollout.announced and not rollout.unwatched(now)


def _replicate_alone(app: App, message: Replicate, claim: "Claim") -> Outcome:
    """Plan from what is read now that nobody else of us can write: the region may have come meanwhile."""
    known = app.rollouts.remembered(message.version.image)
    running = known.running.get(message.version.number)
    if _asked(message, running, app.now()):
        return Done()
    each, policy = _decided(app, message, known)

    if each is None or not (each.kept or message.back) or each.reason:
        reason = (each and each.reason) or "it is not kept any more"
        note("replicate.unneeded", version=message.version, region=message.region, reason=reason)
        return Done()
    rollout = running or _rollout(app, each.version, policy)
    if _there(each.version, message, policy.regions):
        if not message.back:
            follow(app, each.version, rollout)
        return Done()
    part = _part(app, each, message, rollout, policy)
    if part is None:
        note("replicate.unneeded", version=message.version, region=message.region, reason="nothing is to change")
        return Done()
    if each.version.changing:
        return _not_now(app, each, rollout, message)

    return _write(app, part, message, rollout, claim)


def _decided(app: App, message: Replicate, known: "Remembered") -> tuple[VersionPlan | None, Policy]:
    """Plan for the version, as it is now, and say by which policy.

    Tags that were read a while ago may decide for a write that adds the region and takes none away; for nothing else.
    """
    image = message.version.image
    if not (message.again or message.back):
        each, policy = _planned(app, message, known, recent_tags(app, image, known))
        if each and not (each.reason or each.removals) and any(line.region == message.region for line in each.changes):
            return each, policy
    return _planned(app, message, known, read_tags(app, image))


def _planned(app: App, message: Replicate, known: "Remembered", tags: Tagged) -> tuple[VersionPlan | None, Policy]:
    observed = observe_to_spread(app, message.version, known, tags)
    return plan(observed.definition, observed.policy, now=app.now()).of(message.version.number), observed.policy


def _part(app: App, each: VersionPlan, message: Replicate, rollout: Rollout, policy: Policy) -> VersionPlan | None:
    """Choose what one write brings about; ``None`` when there is nothing to write."""
    region = each.version.region(message.region)
    if message.back:
        return each.part(_returning(message.region, policy))
    if message.again and region:
        return each.part(*_repair(app, each.version, region, rollout))
    return each.part(*each.changes[: rollout.most or None]) if each.replicates else None


def _returning(region: str, policy: Policy) -> Line:
    reason = "somebody added it while we wrote"
    return Line(region, Action.ADD, reason, policy.defaults.replicas, encryption_set=policy.encryption_sets.get(region))


def _repair(app: App, version: ImageVersion, region: Region, rollout: Rollout) -> tuple[Line, ...]:
    """Ask for a failed region again by writing it as it is; if that did not help, take it out, to be put back."""
    if rollout.tries(region.name) < _TAKE_OUT_FROM or not may_take_out(app, version, region.name):
        return ()
    return (Line(region.name, Action.REMOVE, "it failed; taken out to be put back"),)


def _there(version: ImageVersion, message: Replicate, targets: Iterable[RegionTarget]) -> bool:
    region = version.region(message.region)
    target = next((target for target in targets if target.region == message.region), None)
    if region is None or (target and region.replicas < target.replicas):
        return False
    return not (message.again and region.state is RegionState.FAILED)


def _write(app: App, part: VersionPlan, message: Replicate, rollout: Rollout, claim: "Claim") -> Outcome:
    version, now = part.version, app.now()
    rollout = app.rollouts.amend_rollout(
        version.id, rollout, lambda before: before.writing(part.known).met(version, now)
    )
    claim.keep(app.now())
    try:
        app.gallery.write(part)
    except FlagFirst:
        return flag_first(app, part)
    except Locked as locked:
        return _refused(app, part, message, rollout, locked)
    except Refused as refused:
        if len(part.changes) > 1:
            return _split(app, version, rollout, len(part.changes), refused)
        return _refused(app, part, message, rollout, refused)
    note("replicate.written", version=version.id, regions=[f"{each.region}={each.replicas}" for each in part.changes])
    asked = [line.region for line in part.changes if line not in part.removals]
    looked_back = look_back(app, part)

    def written(before: Rollout) -> Rollout:
        after = before.asking(asked, now)
        return after.looked_back() if looked_back else after

    if not (part.removals or message.back):
        follow(app, version, rollout, written)
        return Done()
    app.rollouts.amend_rollout(version.id, rollout, written)
    return Wait(app.settings.watch_first, f"{message.region} is taken out, to be put back") if part.removals else Done()


def _split(app: App, version: ImageVersion, rollout: Rollout, count: int, refused: Refused) -> Outcome:
    """Try half of what Azure refused, until what it refuses stands alone."""
    note("replicate.split", version=version.id, changes=count, reason=refused)
    app.rollouts.amend_rollout(version.id, rollout, lambda before: before.splitting(count // 2))
    return Wait(_AT_ONCE, "the write that Azure refused is split")


def _refused(app: App, part: VersionPlan, message: Replicate, rollout: Rollout, refused: Refused) -> Outcome:
    """Tell of regions that Azure will not have, unless it said so before; the others go on without them."""
    version, reason, now = part.version, str(refused), app.now()
    regions = [line.region for line in part.changes] or [message.region]
    warn("replicate.refused", version=version.id, regions=regions, reason=reason)
    if rollout.news_of(regions, reason):
        seen = rollout.refusing(regions, reason, now)
        announce_rollout(app, NoticeType.REGION_FAILED, version, seen, region=", ".join(regions), reason=reason)
    app.rollouts.amend_rollout(version.id, rollout, lambda before: before.refusing(regions, reason, now))
    if message.again or message.back:  # what comes next is not this message's business
        return Done()
    return Wait(_AT_ONCE, "what Azure does not refuse goes on")


def _not_now(app: App, each: VersionPlan, rollout: Rollout, message: Replicate) -> Outcome:
    """Wait while somebody's write is under way; for ever is too long."""
    if app.now() <= message.deadline:
        return wait_for(app, each.version, message.since)
    note("replicate.late", version=each.version.id)
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
