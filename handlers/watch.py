"""Look how far a version has come, by what Azure says of each region; look again later until it is everywhere."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from handlers.announcing import announce_rollout
from handlers.crossing import put_back
from handlers.journal import note
from handlers.observing import may_take_out, wanted
from handlers.recording import record_look
from handlers.stage import Done, Outcome
from handlers.watching import Change
from shared.core.errors import Absent
from shared.core.messages import LONGEST_DELAY, Reconcile, Replicate, Watch
from shared.core.model import ImageVersion
from shared.core.names import VersionId
from shared.core.notice_type import NoticeType
from shared.core.plan import Line
from shared.core.rollout import (
    REPAIRS,
    SLOW_LOOK,
    STARTED,
    Judgement,
    Progress,
    Rollout,
    failure,
    judge,
    pause,
    progress,
    repair_delay,
    stall,
)
from shared.wiring import App

_SOON = timedelta(seconds=1)
_REPAIR_LASTS = timedelta(minutes=2)  # until its write was sent; what Azure then makes of it, the region's state says


def handle(app: App, message: Watch, ticket: str) -> Outcome:
    """Look at a rollout."""
    rollout = app.rollouts.touch_rollout(
        message.version, lambda before: before.taking(message.look, ticket) if _of(before, message) else before
    )
    if rollout is None:
        return _hand_back(app, message, "nothing is remembered of the rollout")
    if not (_of(rollout, message) and rollout.has(message.look, ticket)):
        note("watch.double", version=message.version, look=message.look)
        return Done()
    try:
        version = app.gallery.version(message.version)
    except Absent:
        gone, now = f"{message.version.number} is gone", app.now()
        app.rollouts.amend_rollout(message.version, rollout, lambda before: before.end(gone, now))
        note("rollout.ended", version=message.version, reason=gone)
        return _hand_back(app, message, gone)

    now, known = app.now(), rollout.known
    if known:  # nobody could look back at the last write
        put_back(app, version, known)

    def looked(before: Rollout) -> Rollout:
        return before.looked_at(version, now, known)

    rollout = looked(rollout)  # it is remembered with what comes of the look
    lines = wanted(app, version, rollout, now)
    seen = progress(version, lines)
    judgement = judge(rollout, seen, now=now)
    note(
        "watch.looked",
        version=version.id,
        look=message.look,
        waiting=seen.waiting,
        failed=seen.failed,
        later=seen.later,
        late="" if judgement.stray else rollout.late(seen, now),  # a pass has to say first what is to come
    )
    record_look(app, version, rollout, lines=lines, seen=seen, judgement=judgement)

    if judgement.complete:
        return _complete(app, version, rollout, looked)
    if judgement.stray:
        app.rollouts.amend_rollout(version.id, rollout, lambda before: looked(before).unlooked())
        return _hand_back(app, message, f"{version.number} belongs in {', '.join(seen.missing)}")
    wait = _pause(app, version.id, rollout, seen, lines)
    return _go_on(app, version, rollout, judgement, wait=wait, looked=looked)


def _of(rollout: Rollout, message: Watch) -> bool:
    """Whether the message is of this rollout of the version, and not of one before."""
    return rollout.started == message.since


def _hand_back(app: App, message: Watch, cause: str) -> Outcome:
    app.queues.put(Reconcile(message.version.image, cause))
    return Done()


def _complete(app: App, version: ImageVersion, rollout: Rollout, looked: Change) -> Outcome:
    """Tell that it is over; if nobody told of its start, of that too: who wrote is dead, or will come back late."""
    now, said = app.now(), (STARTED,) if _begun(version, rollout) else ()
    if said and STARTED not in rollout.announced:
        announce_rollout(app, NoticeType.ROLLOUT_STARTED, version, rollout)
    if said:
        announce_rollout(app, NoticeType.ROLLOUT_COMPLETED, version, rollout)
    app.queues.put(Reconcile(version.id.image, f"{version.number} is complete"))
    app.rollouts.amend_rollout(version.id, rollout, lambda before: looked(before).saying(*said).finish(now))
    return Done()


def _begun(version: ImageVersion, rollout: Rollout) -> bool:
    """Whether it brought the version anywhere; else every write of it was refused."""
    came = [region for region, at in rollout.completed.items() if at > rollout.started and region != version.home]
    return STARTED in rollout.announced or bool(came)


def _pause(app: App, version: VersionId, rollout: Rollout, seen: Progress, lines: Sequence[Line]) -> timedelta:
    """Give the time until the next look: growing, hourly once it is late, and at the end of a bake when one bakes."""
    now = app.now()
    if rollout.late(seen, now):
        return SLOW_LOOK
    baked = max((line.until for line in lines if line.until), default=None)
    if baked and not (seen.waiting or seen.failed):
        return min(max(baked - now, _SOON), LONGEST_DELAY)
    look, seed = rollout.look + 1, f"{version}|{rollout.look}"
    return pause(look, app.settings.watch_first, app.settings.watch_longest, seed=seed)


def _go_on(  # noqa: PLR0913  a look has this many sides
    app: App, version: ImageVersion, rollout: Rollout, judgement: Judgement, *, wait: timedelta, looked: Change
) -> Outcome:
    """Tell what went wrong, see to what failed, and look again later."""
    _tell(app, version, rollout, judgement)
    dues = {region: _repair(app, version, rollout, region) for region in judgement.repair}

    now, look = app.now(), rollout.look + 1
    app.queues.put(Watch(version.id, look, rollout.started, rollout.deadline), delay=wait)
    said = [
        *(failure(name) for name in judgement.failed),
        *(failure(name, lost=True) for name in judgement.lost),
        *([stall(rollout.wave)] if judgement.stalled else []),
    ]

    def gone_on(before: Rollout) -> Rollout:
        after = looked(before).saying(*said).repairing(dues)
        return after.giving_up(hopeless=judgement.hopeless).looking(look, now + wait)

    app.rollouts.amend_rollout(version.id, rollout, gone_on)
    return Done()


def _tell(app: App, version: ImageVersion, rollout: Rollout, judgement: Judgement) -> None:
    """Say which regions failed, when they do and when nothing is left to try, and that a wave is late."""
    for name in (*judgement.failed, *judgement.lost):
        region = version.region(name)
        reason = (region.details if region else "") or "Azure gives no reason"
        tried = _tried(app, version, name) if name in judgement.lost else "nothing yet"
        announce_rollout(app, NoticeType.REGION_FAILED, version, rollout, region=name, reason=reason, tried=tried)
    if judgement.stalled:
        announce_rollout(app, NoticeType.ROLLOUT_STALLED, version, rollout)


def _tried(app: App, version: ImageVersion, region: str) -> str:
    if may_take_out(app, version, region):
        return "; ".join(REPAIRS)
    return f"{REPAIRS[0]}, {len(REPAIRS)} times"


def _repair(app: App, version: ImageVersion, rollout: Rollout, region: str) -> datetime:
    """Ask for the repair of a failed region, the later the more was tried in vain; say when it should be done."""
    now, delay = app.now(), repair_delay(rollout.tries(region), app.settings.watch_first, app.settings.watch_longest)
    message = Replicate(version.id, region, since=now + delay, deadline=rollout.deadline, again=True)
    app.queues.put(message, delay=delay)
    return now + delay + _REPAIR_LASTS
