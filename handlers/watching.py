"""Seeing to it that somebody looks at a rollout."""

from collections.abc import Callable

from handlers.announcing import announce_rollout
from shared.core.messages import Watch
from shared.core.model import ImageVersion
from shared.core.names import VersionId
from shared.core.notice_type import NoticeType
from shared.core.rollout import STARTED, Rollout
from shared.wiring import App

type Change = Callable[[Rollout], Rollout]


def _unchanged(rollout: Rollout) -> Rollout:
    return rollout


def follow(app: App, version: ImageVersion, rollout: Rollout, news: Change = _unchanged) -> None:
    """Say that a rollout started, unless that was said, and see to it that somebody looks at it.

    :param news: what else is to be remembered of the rollout.
    """
    said = () if STARTED in rollout.announced else (STARTED,)
    if said:
        announce_rollout(app, NoticeType.ROLLOUT_STARTED, version, rollout)
    keep_watch(app, version.id, rollout, lambda before: news(before).saying(*said))


def keep_watch(app: App, version: VersionId, rollout: Rollout, news: Change = _unchanged) -> None:
    """Put the message with the next look, unless one is on its way.

    Remembered last, so that it cannot be remembered and lost. When several put it, one message takes the look, and the
    others end.

    :param news: what else is to be remembered of the rollout.
    """
    now, look, due = app.now(), max(rollout.look, 1), app.now() + app.settings.watch_first
    if rollout.unwatched(now):
        app.queues.put(Watch(version, look, rollout.started, rollout.deadline), delay=app.settings.watch_first)

    def watched(before: Rollout) -> Rollout:
        after = news(before)
        return after.looking(look, due) if rollout.unwatched(now) and after.unwatched(now) else after

    if watched(rollout) != rollout:
        app.rollouts.amend_rollout(version, rollout, watched)
