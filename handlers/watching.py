"""Seeing to it that somebody looks at a rollout."""

from shared.core.messages import Watch
from shared.core.names import VersionId
from shared.core.rollout import Rollout
from shared.wiring import App


def keep_watch(app: App, version: VersionId, rollout: Rollout) -> None:
    """Put the message with the next look, unless one is on its way.

    Remembered first, so that of many who want it one puts it. A crash in between loses the message and not the look:
    the message that was being handled comes back, finds the look overdue, and puts it.
    """
    now = app.now()
    if not rollout.unwatched(now):
        return
    look, due = max(rollout.look, 1), now + app.settings.watch_first
    after = app.rollouts.amend_rollout(
        version, rollout, lambda before: before.looking(look, due) if before.unwatched(now) else before
    )
    if after.look_due == due:
        app.queues.put(Watch(version, look, rollout.started, rollout.deadline), delay=app.settings.watch_first)
