"""Look how far a version has come, by what Azure says of each region; look again later until it is everywhere."""

from collections.abc import Sequence
from datetime import timedelta

import azure.functions as func

from handlers.announcing import announce_rollout
from handlers.journal import note
from handlers.stage import Done, Outcome, on_queue
from shared.core.errors import Absent
from shared.core.messages import LONGEST_DELAY, Queue, Reconcile, Replicate, Watch
from shared.core.model import ImageVersion
from shared.core.notices import NoticeType
from shared.core.plan import Line
from shared.core.planner import spread
from shared.core.rollout import SLOW_LOOK, Judgement, Progress, Rollout, failure, judge, pause, progress, stall
from shared.wiring import App

_SOON = timedelta(seconds=1)


def blueprint(app: App) -> func.Blueprint:
    """Give the functions of this stage."""
    return on_queue(app, Queue.WATCH, _look)


def _look(app: App, message: Watch, ticket: str) -> Outcome:
    rollout = app.rollouts.rollout(message.version)
    if rollout is None:
        return _hand_back(app, message, "nothing is remembered of the rollout")
    rollout = app.rollouts.amend_rollout(
        message.version, rollout, lambda before: before.taking(message.look, ticket) if _of(before, message) else before
    )
    if not (_of(rollout, message) and rollout.has(message.look, ticket)):
        note("watch.double", version=message.version, look=message.look)
        return Done()
    try:
        version = app.gallery.version(message.version)
    except Absent:
        gone, now = f"{message.version.number} is gone", app.now()
        app.rollouts.amend_rollout(message.version, rollout, lambda before: before.end(gone, now))
        return _hand_back(app, message, gone)

    now = app.now()
    rollout = app.rollouts.amend_rollout(version.id, rollout, lambda before: before.seen(version, now))
    lines = spread(rollout.dated(version), rollout.aim(app.settings.policy_for(version.id.image)), now)
    seen = progress(version, lines)
    judgement = judge(rollout, seen, now=now)
    note(
        "watch.looked",
        version=version.id,
        look=message.look,
        waiting=seen.waiting,
        failed=seen.failed,
        later=seen.later,
    )

    if judgement.complete:
        return _complete(app, version, rollout)
    if judgement.stray:
        app.rollouts.amend_rollout(version.id, rollout, lambda before: before.unlooked())
        return _hand_back(app, message, f"{version.number} belongs in {', '.join(seen.missing)}")
    return _go_on(app, version, rollout, judgement, _pause(app, rollout, seen, lines))


def _of(rollout: Rollout, message: Watch) -> bool:
    """Whether the message is of this rollout of the version, and not of one before."""
    return rollout.started == message.since


def _hand_back(app: App, message: Watch, cause: str) -> Outcome:
    app.queues.put(Reconcile(message.version.image, cause))
    return Done()


def _complete(app: App, version: ImageVersion, rollout: Rollout) -> Outcome:
    now = app.now()
    announce_rollout(app, NoticeType.ROLLOUT_COMPLETED, version, rollout)
    app.queues.put(Reconcile(version.id.image, f"{version.number} is complete"))
    app.rollouts.amend_rollout(version.id, rollout, lambda before: before.finish(now))
    return Done()


def _pause(app: App, rollout: Rollout, seen: Progress, lines: Sequence[Line]) -> timedelta:
    """Give the time until the next look: growing, hourly once it is late, and at the end of a bake when one bakes."""
    now = app.now()
    if rollout.late(seen, now):
        return SLOW_LOOK
    baked = max((line.until for line in lines if line.until), default=None)
    if baked and not (seen.waiting or seen.failed):
        return min(max(baked - now, _SOON), LONGEST_DELAY)
    return pause(rollout.look + 1, app.settings.watch_first, app.settings.watch_longest)


def _go_on(app: App, version: ImageVersion, rollout: Rollout, judgement: Judgement, wait: timedelta) -> Outcome:
    """Tell what went wrong, ask again for what failed, and look again later."""
    for name in judgement.failed:
        region = version.region(name)
        reason = region.details if region else ""
        announce_rollout(
            app, NoticeType.REGION_FAILED, version, rollout, region=name, reason=reason or "Azure gives no reason"
        )
    if judgement.stalled:
        announce_rollout(app, NoticeType.ROLLOUT_STALLED, version, rollout)

    look, now = rollout.look + 1, app.now()
    for name in judgement.ask_again:
        app.queues.put(Replicate(version.id, name, since=now, deadline=rollout.deadline, again=True), delay=wait / 2)
    app.queues.put(Watch(version.id, look, rollout.started, rollout.deadline), delay=wait)

    said = [failure(name) for name in judgement.failed] + ([stall(rollout.wave)] if judgement.stalled else [])
    due = now + wait
    app.rollouts.amend_rollout(
        version.id,
        rollout,
        lambda before: before.saying(*said).asking(judgement.ask_again).looking(look, due),
    )
    return Done()
