"""A pass over one image definition: read it, plan, and ask for what the plan says."""

from datetime import timedelta

from handlers.batching import ask_together
from handlers.journal import note, warn
from handlers.observing import Observed, observe
from handlers.recording import forget, record_pass
from handlers.reporting import report, tell_of_failure, warn_of_limits
from handlers.stage import Done, Outcome, Wait
from handlers.turns import turn
from handlers.watching import follow, keep_watch
from shared.core.errors import Absent
from shared.core.messages import LONGEST_DELAY, Prune, Reconcile, Replicate
from shared.core.names import VersionId, VersionNumber
from shared.core.plan import Action, Plan, Role, VersionPlan
from shared.core.planner import plan
from shared.core.policy import Mode
from shared.core.rollout import Intent, Rollout, begin, join, progress, recorded
from shared.core.turn import GATHER
from shared.wiring import App

_AT_ONCE = timedelta(0)
_STAND_BY = timedelta(minutes=5)
"""Until a writer that was killed is given up: longer than its claim lasts, and half as long as its message is gone."""


def handle(app: App, message: Reconcile, ticket: str) -> Outcome:
    """Have a pass over an image definition, unless another pass stands for this one."""
    if not app.settings.manages(message.definition):
        note("reconcile.dropped", definition=message.definition, reason="not in GALLERIES")
        return Done()
    if message.failed:  # what it says is for its own pass
        return _look(app, message, ticket)
    with turn(app, message, ticket) as has_it:
        if has_it:
            return _look(app, message, ticket)
        return Wait(GATHER, "another pass has the turn") if message.gathered else Done()


def _look(app: App, message: Reconcile, ticket: str) -> Outcome:
    """Observe, plan, act."""
    try:
        whole = app.settings.policy_for(message.definition).mode is Mode.OBSERVE
        observed = observe(app, message.definition, whole=whole)
    except Absent:
        note("reconcile.absent", definition=message.definition)
        forget(app, message.definition)
        return Done()

    made = plan(observed.definition, observed.policy, now=app.now(), cap=observed.policy.prune_cap)
    _log(made, message.cause)

    running = observed.known.running
    if observed.policy.mode is Mode.OBSERVE:
        report(app, made, observed)
    else:
        running = _act(app, made, observed, ticket)
    tell_of_failure(app, message, observed)
    _come_back(app, made, observed)
    record_pass(app, made, observed, running, message.cause)
    return Done()


def _act(app: App, made: Plan, observed: Observed, ticket: str) -> dict[VersionNumber, Rollout]:
    """Ask for what the plan says, and give the rollouts that run then.

    What is remembered comes last, so that a crash repeats and forgets nothing. But that a newer version is the newest
    comes first, and by which tags: whoever decides on a prune meanwhile asks for it by itself when a list lacks it, and
    whoever writes it need not read them.
    """
    newest, before = made.newest and made.newest.number, observed.known.memory.newest
    if newest and (before is None or newest > before):
        app.rollouts.remember(
            made.image, lambda memory: memory.having(max(newest, memory.newest or newest)).ruled_by(observed.tags)
        )
    elif observed.known.memory.misleads(observed.tags):
        app.rollouts.remember(made.image, lambda memory: memory.ruled_by(observed.tags))
    superseded = _superseded(made, observed)
    prunes = [each.version.number for each in made.versions if each.prunes]
    batch = ask_together(app, made.image, prunes, ticket, observed.known)
    rollouts = dict(observed.known.running)
    for each in made.versions:
        number = each.version.number
        rollout = _ask(app, each, _intent(app, made, observed, each, superseded), batch.get(number, ""))
        rollouts |= {number: rollout} if rollout else {}
    warn_of_limits(app, made, observed)
    for number in superseded:
        _end(app, VersionId(made.image, number), made)
    if newest and before and newest < before:
        app.rollouts.remember(made.image, lambda memory: memory.having(newest))
    return {number: rollout for number, rollout in rollouts.items() if rollout.open and number not in superseded}


def _superseded(made: Plan, observed: Observed) -> list[VersionNumber]:
    """Find the versions that are still being rolled out, and whose place a newer one has taken."""
    return sorted(number for number in observed.known.running if (each := made.of(number)) and each.role is Role.OLDER)


def _intent(app: App, made: Plan, observed: Observed, each: VersionPlan, superseded: list[VersionNumber]) -> Intent:
    is_newest = each.version is made.newest
    return Intent(
        app.now(),
        app.settings.rollout_deadline,
        observed.policy.regions,
        cause=made.withdrawn if is_newest else "",
        supersedes=tuple(number.name for number in superseded) if is_newest else (),
        warnings=made.warnings,
    )


def _ask(app: App, each: VersionPlan, intent: Intent, batch: str) -> Rollout | None:
    """Ask for what the plan says of a version; give its rollout, where it has to do with one."""
    if each.replicates:
        return _replicate(app, each, intent)
    if each.prunes:
        app.queues.put(Prune(each.version.id, since=intent.now, deadline=intent.now + intent.deadline, batch=batch))
    elif each.kept and not each.reason:
        return _follow(app, each, intent)
    elif each.kept:  # a tag protects it: nobody rolls it out, but older ones may wait for how long it is complete
        app.rollouts.change_rollout(each.version.id, lambda before: recorded(before, each.version, now=intent.now))
    return None


def _replicate(app: App, each: VersionPlan, intent: Intent) -> Rollout:
    """Ask for every region. The first message writes for all; the others stand by, and do not stand in its way."""
    version, wave = each.version, max(line.wave for line in each.changes)
    later = min(_STAND_BY, app.settings.watch_longest)
    rollout = app.rollouts.change_rollout(
        version.id,
        lambda before: begin(before, intent).seen(version, intent.now).entering(wave, intent.now, intent.deadline),
    )
    for index, line in enumerate(each.changes):
        message = Replicate(version.id, line.region, since=intent.now, deadline=rollout.deadline)
        app.queues.put(message, delay=later if index else _AT_ONCE)
    return rollout


def _follow(app: App, each: VersionPlan, intent: Intent) -> Rollout:
    """See to it that a rollout is watched to its end; one that was over when first seen is recorded, not announced.

    But where it takes the place of another, which people heard of, they hear of this one from its start.
    """
    version, seen = each.version, progress(each.version, each.lines)

    def joined(before: Rollout | None) -> Rollout:
        if seen.complete and not (intent.is_news(before) or (before and before.open)):
            return recorded(before, version, now=intent.now)
        found = begin(before, intent) if seen.later else join(before, intent)
        return found.seen(version, intent.now)

    rollout = app.rollouts.change_rollout(version.id, joined)
    if intent.supersedes:
        follow(app, version, rollout)
    else:
        keep_watch(app, version.id, rollout)
    return rollout


def _end(app: App, version: VersionId, made: Plan) -> None:
    """End a rollout that is not chased any further."""
    newest, now = made.newest, app.now()
    why = f"superseded by {newest.number}" if newest else "not kept any more"
    rollout = app.rollouts.rollout(version)
    if rollout:
        app.rollouts.amend_rollout(version, rollout, lambda before: before.end(why, now))
        note("rollout.ended", version=version, reason=why)


def _come_back(app: App, made: Plan, observed: Observed) -> None:
    """See to it that what waits in this plan for nothing but time gets a pass of its own, once."""
    now, usage = app.now(), observed.definition.usage
    dues = [
        (made.worth_a_look, "a wait is over"),
        (now + app.settings.watch_longest if made.capped else None, "more versions are to be pruned"),
        (now + usage.ask_again if usage.ask_again else None, "what is in use was not known"),
    ]
    coming = [(min(due, now + LONGEST_DELAY), cause) for due, cause in dues if due]
    if not coming:
        return
    due, cause = min(coming)
    if not observed.known.memory.expects(due, now):
        app.queues.put(Reconcile(made.image, cause), delay=due - now)
        app.rollouts.remember(made.image, lambda before: before.expecting(due))


def _log(made: Plan, cause: str) -> None:
    for warning in made.warnings:
        warn("plan.warning", definition=made.image, reason=warning)
    for each in made.versions:
        for line in each.lines:
            if line.changes or line.action in (Action.SKIP, Action.WAIT):
                note("plan.line", version=each.version.id, region=line.region, action=line.action, reason=line.reason)
    note(
        "reconcile.planned",
        definition=made.image,
        cause=cause,
        versions=len(made.versions),
        changes=not made.empty,
        prunes=made.prunes,
        capped=made.capped,
    )
