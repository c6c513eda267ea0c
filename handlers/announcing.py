"""Saying what is news: one message per webhook, so that each has its own fate."""

from datetime import timedelta

from handlers.journal import note
from handlers.observing import wanted
from shared.core.memory import Memory
from shared.core.messages import Notify
from shared.core.model import ImageVersion
from shared.core.names import ImageId
from shared.core.notices import Notice, NoticeType, rollout_news
from shared.core.rollout import Rollout
from shared.wiring import App

_GIVE_UP_AFTER = timedelta(hours=24)


def announce(app: App, notice: Notice, *, besides: str | None = None) -> None:
    """Announce something to every webhook. The same news twice has the same event id, and is posted once.

    :param besides: a webhook to leave out.
    """
    now = app.now()
    event = notice.event(now)
    for webhook in app.settings.webhooks:
        if webhook.name != besides:
            app.queues.put(Notify(webhook.name, event, since=now, deadline=now + _GIVE_UP_AFTER))
    note("announced", type=notice.type, about=notice.about, event=notice.id)


def announce_once(app: App, image: ImageId, notice: Notice, memory: Memory) -> None:
    """Announce what every pass finds anew, and people need to hear once."""
    if notice.id not in memory.said:
        announce(app, notice)
        app.rollouts.remember(image, lambda before: before.saying(notice.id))


def announce_rollout(app: App, kind: NoticeType, version: ImageVersion, rollout: Rollout, **more: str) -> None:
    """Announce news of a rollout, with every region that it is to reach.

    :param more: further fields of the event's data; they tell this news from others of its kind.
    """
    now = app.now()
    announce(app, rollout_news(kind, version, rollout, wanted(app, version, rollout, now), now, **more))
