"""Seeing to it that somebody looks at a rollout."""

from shared.core.messages import Watch
from shared.core.names import VersionId
from shared.core.rollout import Rollout
from shared.wiring import App


def keep_watch(app: App, version: VersionId, rollout: Rollout) -> None:
    """Put the message with the next look, unless one is on its way. A double is harmless: it ends at its first look."""
    now = app.now()
    if not rollout.unwatched(now):
        return
    look, due = max(rollout.look, 1), now + app.settings.watch_first
    app.queues.put(Watch(version, look, rollout.started, rollout.deadline), delay=app.settings.watch_first)
    app.rollouts.amend_rollout(version, rollout, lambda before: before.looking(look, due))
