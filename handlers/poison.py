"""Messages that nobody could handle: each is kept, and people are told."""

import azure.functions as func

from handlers.announcing import announce
from handlers.batching import end_in_batch
from handlers.journal import warn
from shared.core.errors import Malformed
from shared.core.messages import Message, Notify, Prune, Queue, Reconcile, read, unearth
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


def _bury(app: App, queue: Queue, given: func.QueueMessage) -> None:
    text, reason = unearth(given.get_body().decode("utf-8", errors="replace"))
    reason = reason or _BY_HOST

    app.rollouts.keep_dead_letter(queue, str(given.id), text, reason, app.now())
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
