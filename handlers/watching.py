"""Seeing to it that somebody looks at a rollout."""

from shared.core.messages import Watch
from shared.core.names import VersionId
from shared.core.rollout import Rollout
from shared.wiring import App


def keep_watch(app: App, version: VersionId, rollout: Rollout) -> None:
    """Put the message with the next look, unless one is on its way.

    Remembered last, so that it cannot be remembered and lost. When several put it, one message takes the look, and the
    others end.
    """
    now = app.now()
    if not rollout.unwatched(now):
        return
    look, due = max(rollout.look, 1), now + app.settings.watch_first
    app.queues.put(Watch(version, look, rollout.started, rollout.deadline), delay=app.settings.watch_first)
    app.rollouts.amend_rollout(
        version, rollout, lambda before: before.looking(look, due) if before.unwatched(now) else before
    )
