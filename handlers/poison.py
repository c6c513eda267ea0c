"""Messages that nobody could handle: each is kept, and people are told."""

import azure.functions as func

from handlers.announcing import announce
from handlers.batching import end_in_batch
from handlers.journal import warn
from shared.core.errors import Malformed
from shared.core.messages import Message, Notify, Prune, Queue, Reconcile, read, unearth
from shared.core.names import ImageId, VersionId
from shared.core.notice_type import NoticeType
from shared.core.notices import dead_letter_news
from shared.core.status import DeadLetter
from shared.wiring import App

_BY_HOST = "it failed every time it was tried"


def handle(app: App, queue: Queue, given: func.QueueMessage) -> None:
    """Keep a message that nobody could handle, and tell of it."""
    text, reason = unearth(given.get_body().decode("utf-8", errors="replace"))
    reason = reason or _BY_HOST

    app.dead_letters.keep(DeadLetter(queue, str(given.id), text, reason, app.now()))
    warn("message.dead-lettered", queue=queue, message=given.id, reason=reason)

    message = _read(queue, text)
    if isinstance(message, Prune):
        end_in_batch(app, message)  # nobody waits for what will not come
    if not _is_dead_letter_notice(message):  # telling of a dead letter that told of a dead letter would never end
        webhook = message.webhook if isinstance(message, Notify) else None
        announce(app, dead_letter_news(queue, text, reason, _about(message), str(given.id)), besides=webhook)


def _read(queue: Queue, text: str) -> Message | None:
    try:
        return read(queue, text)
    except Malformed:
        return None


def _is_dead_letter_notice(message: Message | None) -> bool:
    return isinstance(message, Notify) and message.event.get("type") == NoticeType.DEAD_LETTERED.event_type


def _about(message: Message | None) -> ImageId | VersionId | None:
    match message:
        case Reconcile():
            return message.definition
        case Notify():
            return _subject(message)
        case None:
            return None
        case _:
            return message.version


def _subject(message: Notify) -> ImageId | VersionId | None:
    for kind, named in ((VersionId, "subject"), (ImageId, "source")):
        try:
            return kind.parse(str(message.event.get(named)))
        except Malformed:
            continue
    return None
