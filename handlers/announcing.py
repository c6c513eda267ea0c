"""Saying what is news: in one message, so that no crash tells only some; it becomes one per receiver."""

from datetime import timedelta
from enum import Enum, auto

from handlers.journal import note
from handlers.observing import wanted
from shared.core.memory import Memory
from shared.core.messages import Notify
from shared.core.model import ImageVersion
from shared.core.names import ImageId
from shared.core.notice_type import NoticeType
from shared.core.notices import Notice, rollout_news
from shared.core.rollout import Rollout
from shared.settings import WebhookKind
from shared.wiring import App

_GIVE_UP_AFTER = timedelta(hours=24)


class Audience(Enum):
    """Who is to hear of something."""

    ALL = auto()
    PEOPLE = auto()
    MACHINES = auto()

    def has(self, kind: WebhookKind) -> bool:
        """Whether a receiver of this kind belongs to it."""
        return self is Audience.ALL or (self is Audience.PEOPLE) == kind.is_chat


def announce(app: App, notice: Notice, *, to: Audience = Audience.ALL, besides: str | None = None) -> None:
    """Announce something to every receiver. The same news twice has the same event id, and is posted once.

    :param besides: a receiver to leave out.
    """
    now = app.now()
    event = notice.event(now)
    receivers = app.settings.webhooks if notice.type in app.settings.statuses else ()
    names = [webhook.name for webhook in receivers if webhook.name != besides and to.has(webhook.kind)]
    if names:
        app.queues.put(Notify.to(names, event, since=now, deadline=now + _GIVE_UP_AFTER))
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
