"""One older version leaves the regions that it may leave, in one write; its end is told when Azure shows it."""

from typing import TYPE_CHECKING

from handlers.announcing import Audience, announce
from handlers.batching import end_in_batch
from handlers.claiming import alone, wait_for
from handlers.crossing import flag_first, look_back, put_back
from handlers.journal import note, warn
from handlers.observing import observe
from handlers.recording import record_prune
from handlers.stage import Done, Outcome, Wait
from shared.core.errors import Absent, FlagFirst, Refused
from shared.core.messages import Prune
from shared.core.model import ImageVersion
from shared.core.names import VersionId
from shared.core.notice_type import NoticeType
from shared.core.notices import prune_news
from shared.core.plan import VersionPlan
from shared.core.planner import plan
from shared.core.policy import Mode
from shared.core.pruning import Pruning
from shared.wiring import App

if TYPE_CHECKING:
    from shared.adapters.claims import Claim


def handle(app: App, message: Prune, ticket: str) -> Outcome:
    """Let one older version leave the regions that it may leave."""
    outcome = _unless_forbidden(app, message, ticket)
    if isinstance(outcome, Done):
        end_in_batch(app, message)
    return outcome


def _unless_forbidden(app: App, message: Prune, ticket: str) -> Outcome:
    mode = app.settings.policy_for(message.version.image).mode
    if mode is not Mode.FULL or not app.settings.manages(message.version.image):
        note("prune.dropped", version=message.version, reason="mode is not full, or not in GALLERIES any more")
        return Done()
    return alone(app, message.version, ticket, lambda claim: _prune_alone(app, message, claim))


def _prune_alone(app: App, message: Prune, claim: "Claim") -> Outcome:
    """Wait for the end of a write that is under way; then decide again, from what is read now."""
    try:
        version = app.gallery.version(message.version)
        pruning = _looked_back(app, version, app.rollouts.pruning(message.version))
        if version.changing:
            return _not_now(app, version, message)
        if pruning and pruning.done(version):
            return _done(app, message, pruning)
        app.gallery.may_write(message.version)
        observed = observe(app, message.version.image, closely=version)
    except Absent:
        record_prune(app, message.version, None)
        app.rollouts.remember_pruning(message.version, None)
        return Done()

    each = plan(observed.definition, observed.policy, now=app.now()).of(message.version.number)

    if each and each.prunes:
        return _write(app, each, pruning, claim)
    if observed.definition.usage.ask_again:
        return Wait(observed.definition.usage.ask_again, observed.definition.usage.unknown)
    return _unneeded(app, message.version, each, pruning)


def _looked_back(app: App, version: ImageVersion, pruning: Pruning | None) -> Pruning | None:
    """Look back at a write of ours, unless that was done right after it."""
    if pruning is None or not pruning.known:
        return pruning
    put_back(app, version, pruning.known)
    looked = pruning.looked_back()
    app.rollouts.remember_pruning(version.id, looked)
    return looked


def _not_now(app: App, version: ImageVersion, message: Prune) -> Outcome:
    if app.now() > message.deadline:
        warn("prune.gave-up", version=version.id, reason=f"still {version.state} at its deadline")
        return Done()
    return wait_for(app, version, message.since)


def _write(app: App, each: VersionPlan, before: Pruning | None, claim: "Claim") -> Outcome:
    """Remember, then write: whoever finds the regions gone can tell what was done, even after a crash."""
    version, pruning = each.version, Pruning.of(each, before, app.now())
    if before and before.vain(pruning.removed):
        return _refused(app, version, pruning, "Azure took the write, and the regions are still there")
    app.rollouts.remember_pruning(version.id, pruning)
    claim.keep(app.now())
    try:
        app.gallery.write(each)
    except FlagFirst:
        return flag_first(app, each)
    except Refused as refused:
        return _refused(app, version, pruning, str(refused))
    taken = pruning.taking()
    app.rollouts.remember_pruning(version.id, taken)
    note("prune.written", version=version.id, removed=pruning.removed)
    if look_back(app, each):
        app.rollouts.remember_pruning(version.id, taken.looked_back())
    return Wait(app.settings.watch_first, "until Azure shows it")


def _refused(app: App, version: ImageVersion, pruning: Pruning, reason: str) -> Outcome:
    """Tell of a prune that Azure will not do. It holds the version for a while; the same refusal is the same news."""
    warn("prune.refused", version=version.id, reason=reason)
    refused = pruning.refusing(reason, app.now())
    announce(app, prune_news(NoticeType.PRUNE_REFUSED, version.id, refused))
    record_prune(app, version.id, refused)
    app.rollouts.remember_pruning(version.id, refused)
    return Done()


def _done(app: App, message: Prune, pruning: Pruning) -> Outcome:
    """Tell of a prune that Azure shows: machines at once, people when the last of its batch has ended."""
    version = message.version
    record_prune(app, version, pruning)
    notice = prune_news(NoticeType.PRUNE_COMPLETED, version, pruning, app.settings.storage_price)
    announce(app, notice, to=Audience.MACHINES)
    if not (message.batch and app.rollouts.pruned_in_batch(version, message.batch, notice.data, pruning.asked)):
        announce(app, notice, to=Audience.PEOPLE)
    app.rollouts.remember_pruning(version, None)
    return Done()


def _unneeded(app: App, version: VersionId, each: VersionPlan | None, pruning: Pruning | None) -> Outcome:
    """End without a word: the version has nothing to leave, or not any more. A refusal is remembered while it lasts."""
    reasons = sorted({line.reason for line in each.lines}) if each else ["it is gone"]
    note("prune.unneeded", version=version, reasons=reasons)
    holds = pruning and pruning.refused_lately(app.now())
    record_prune(app, version, pruning if holds else None)
    if pruning and not holds:
        app.rollouts.remember_pruning(version, None)
    return Done()
