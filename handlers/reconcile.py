"""A pass over one image definition: read it, plan, and ask for what the plan says."""

import azure.functions as func

from handlers.announcing import announce
from handlers.journal import note
from handlers.observing import observe
from handlers.stage import Done, Outcome, Wait, on_queue
from handlers.watching import keep_watch
from shared.core.errors import Absent
from shared.core.messages import Prune, Queue, Reconcile, Replicate
from shared.core.notices import plan_news
from shared.core.plan import Plan, Role, VersionPlan
from shared.core.planner import plan
from shared.core.policy import Mode
from shared.core.rollout import begin, join, progress, recorded
from shared.wiring import App


def blueprint(app: App) -> func.Blueprint:
    """Give the functions of this stage."""
    return on_queue(app, Queue.RECONCILE, _pass)


def _pass(app: App, message: Reconcile, _ticket: str) -> Outcome:
    if not app.settings.manages(message.definition):
        note("reconcile.dropped", definition=message.definition, reason="not in GALLERIES")
        return Done()
    try:
        definition = observe(app, message.definition)
    except Absent:
        note("reconcile.absent", definition=message.definition)
        return Done()

    policy = app.settings.policy
    made = plan(definition, policy, cap=policy.prune_cap)
    _log(made, message.cause)

    if policy.mode is Mode.OBSERVE:
        _report(app, made)
        return Done()
    for each in made.versions:
        _ask(app, each)
    return Wait(app.settings.watch_first, "more versions are to be pruned") if made.capped else Done()


def _ask(app: App, each: VersionPlan) -> None:
    if each.replicates:
        _replicate(app, each)
    elif each.prunes:
        now = app.now()
        app.queues.put(Prune(each.version.id, since=now, deadline=now + app.settings.rollout_deadline))
    elif each.role in (Role.KEPT, Role.STAGED) and not each.reason:
        _follow(app, each)


def _replicate(app: App, each: VersionPlan) -> None:
    version, now, deadline = each.version.id, app.now(), app.settings.rollout_deadline
    rollout = app.rollouts.change_rollout(version, lambda before: begin(before, now=now, deadline=deadline))
    for line in each.changes:
        app.queues.put(Replicate(version, line.region, since=rollout.started, deadline=rollout.deadline))


def _follow(app: App, each: VersionPlan) -> None:
    """See to it that a rollout is watched to its end; one that was over when first seen is recorded, not announced."""
    version, now, deadline = each.version, app.now(), app.settings.rollout_deadline
    if progress(version, each.lines).complete:
        rollout = app.rollouts.change_rollout(version.id, lambda before: recorded(before, version, now=now))
    else:
        rollout = app.rollouts.change_rollout(version.id, lambda before: join(before, now=now, deadline=deadline))
    keep_watch(app, version.id, rollout)


def _report(app: App, made: Plan) -> None:
    """Tell of a plan (mode observe), once, and again when it has become another."""
    notice = plan_news(made)
    if app.rollouts.reported(made.image) == notice.id:
        return
    if not made.empty:
        announce(app, notice)
    app.rollouts.remember_report(made.image, notice.id)


def _log(made: Plan, cause: str) -> None:
    for each in made.versions:
        for line in each.changes:
            note(
                "plan.line",
                version=each.version.id,
                region=line.region,
                action=line.action,
                reason=line.reason,
            )
    note("reconcile.planned", definition=made.image, cause=cause, versions=len(made.versions), changes=not made.empty)
