"""Messages that nobody could handle: each is kept, and people are told."""

import azure.functions as func

from handlers.announcing import announce
from handlers.journal import warn
from shared.core.errors import Malformed
from shared.core.messages import Notify, Queue, read, unearth
from shared.core.names import ImageId, VersionId
from shared.core.notices import NoticeType, dead_letter_news
from shared.settings import STORAGE
from shared.wiring import App

_BY_HOST = "it failed every time it was tried"


def blueprint(app: App) -> func.Blueprint:
    """Give the functions of this stage: one per queue, because a function has one trigger."""
    functions = func.Blueprint()
    for queue in Queue:
        _register(functions, app, queue)
    return functions


def _register(functions: func.Blueprint, app: App, queue: Queue) -> None:
    @functions.function_name(f"poison_{queue}")
    @functions.queue_trigger(arg_name="message", queue_name=queue.poison, connection=STORAGE)
    def poison(message: func.QueueMessage) -> None:
        _bury(app, queue, message)


def _bury(app: App, queue: Queue, message: func.QueueMessage) -> None:
    text, reason = unearth(message.get_body().decode("utf-8", errors="replace"))
    reason = reason or _BY_HOST

    app.rollouts.keep_dead_letter(queue, str(message.id), text, reason, app.now())
    warn("message.dead-lettered", queue=queue, message=message.id, reason=reason)

    about, webhook, is_dead_letter_notice = _about(queue, text)
    if not is_dead_letter_notice:  # telling of a dead letter that told of a dead letter would never end
        announce(app, dead_letter_news(queue, text, reason, about, str(message.id)), besides=webhook)


def _about(queue: Queue, text: str) -> tuple[ImageId | VersionId | None, str | None, bool]:
    """Find what a message was about, and for a status the webhook that it was for and whether it was of this kind."""
    try:
        message = read(queue, text)
    except Malformed:
        return None, None, False
    if isinstance(message, Notify):
        is_notice = message.event.get("type") == NoticeType.DEAD_LETTERED.event_type
        return _subject(message), message.webhook, is_notice
    return getattr(message, "version", None) or getattr(message, "definition", None), None, False


def _subject(message: Notify) -> ImageId | VersionId | None:
    for kind, named in ((VersionId, "subject"), (ImageId, "source")):
        try:
            return kind.parse(str(message.event.get(named)))
        except Malformed:
            continue
    return None
