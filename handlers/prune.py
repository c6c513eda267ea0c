"""One older version leaves the regions that it may leave, in one write; its end is told when Azure shows it."""

from typing import TYPE_CHECKING, Any

import azure.functions as func

from handlers.announcing import announce
from handlers.claiming import alone
from handlers.journal import note, warn
from handlers.observing import observe
from handlers.stage import Done, Outcome, Wait, on_queue
from shared.core.errors import Absent, FlagFirst, Refused
from shared.core.messages import Prune, Queue
from shared.core.notices import NoticeType, prune_news, pruning_of
from shared.core.plan import VersionPlan
from shared.core.planner import plan
from shared.core.policy import Mode
from shared.wiring import App

if TYPE_CHECKING:
    from shared.adapters.rollouts import Claim


def blueprint(app: App) -> func.Blueprint:
    """Give the functions of this stage."""
    return on_queue(app, Queue.PRUNE, _prune)


def _prune(app: App, message: Prune, ticket: str) -> Outcome:
    if app.settings.policy.mode is not Mode.FULL or not app.settings.manages(message.version.image):
        note("prune.dropped", version=message.version, reason="mode is not full, or not in GALLERIES any more")
        return Done()
    return alone(app, message.version, ticket, lambda claim: _prune_alone(app, message, claim))


def _prune_alone(app: App, message: Prune, claim: "Claim") -> Outcome:
    try:
        definition = observe(app, message.version.image, closely=message.version)
    except Absent:
        return Done()

    each = plan(definition, app.settings.policy).of(message.version.number)

    if each is None:
        app.rollouts.remember_pruning(message.version, None)
        return Done()
    if each.version.changing:
        if app.now() > message.deadline:
            warn("prune.gave-up", version=message.version, reason=f"still {each.version.state} at its deadline")
            return Done()
        return Wait(app.settings.watch_first, f"{each.version.number} is {each.version.state}")
    return _write(app, each, claim) if each.prunes else _finish(app, each)


def _write(app: App, each: VersionPlan, claim: "Claim") -> Outcome:
    """Remember, then write: whoever finds the regions gone can tell what was done, even after a crash."""
    version, pruning = each.version, pruning_of(each, app.now())
    remembered = app.rollouts.pruning(version.id)
    if remembered:
        pruning["asked"] = remembered["asked"]
        if remembered.get("taken") and remembered["regionsRemoved"] == pruning["regionsRemoved"]:
            return _refused(app, each, pruning, "Azure took the write, and the regions are still there")
    app.rollouts.remember_pruning(version.id, pruning)
    claim.keep(app.now())
    try:
        app.gallery.write(each)
    except FlagFirst:
        app.gallery.unlock(version)
        note("prune.unlocked", version=version.id)
        return Wait(app.settings.watch_first, "the safety flag is being set")
    except Refused as refused:
        return _refused(app, each, pruning, str(refused))
    app.rollouts.remember_pruning(version.id, {**pruning, "taken": True})
    note("prune.written", version=version.id, removed=pruning["regionsRemoved"])
    return Wait(app.settings.watch_first, "until Azure shows it")


def _refused(app: App, each: VersionPlan, pruning: dict[str, Any], reason: str) -> Outcome:
    """Tell of a prune that Azure will not do; the next sweep asks again, and the same refusal is the same news."""
    warn("prune.refused", version=each.version.id, reason=reason)
    announce(app, prune_news(NoticeType.PRUNE_REFUSED, each.version.id, {**pruning, "reason": reason}))
    app.rollouts.remember_pruning(each.version.id, pruning)
    return Done()


def _finish(app: App, each: VersionPlan) -> Outcome:
    """Tell of a prune that is over; a version that had nothing to leave is no news."""
    version = each.version
    pruning = app.rollouts.pruning(version.id)
    if pruning is None:
        note("prune.unneeded", version=version.id, reasons=sorted({line.reason for line in each.lines}))
        return Done()
    gone = pruning["regionsRemoved"]
    if gone and not any(version.region(region) for region in gone):
        announce(app, prune_news(NoticeType.PRUNE_COMPLETED, version.id, pruning))
    app.rollouts.remember_pruning(version.id, None)
    return Done()
