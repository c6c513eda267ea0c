"""Seeing to it that somebody looks at a rollout."""

from handlers.announcing import announce_rollout
from shared.core.messages import Watch
from shared.core.model import ImageVersion
from shared.core.names import VersionId
from shared.core.notices import NoticeType
from shared.core.rollout import STARTED, Rollout
from shared.wiring import App


def follow(app: App, version: ImageVersion, rollout: Rollout) -> None:
    """Say that a rollout started, unless that was said, and see to it that somebody looks at it."""
    if STARTED not in rollout.announced:
        announce_rollout(app, NoticeType.ROLLOUT_STARTED, version, rollout)
        rollout = app.rollouts.amend_rollout(version.id, rollout, lambda before: before.saying(STARTED))
    keep_watch(app, version.id, rollout)


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
