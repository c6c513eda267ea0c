"""How a stage takes a message from its queue: read it, handle it, and do what the outcome says.

Nobody waits in a handler: "not yet" is the same message again, later. What can never work is buried at once, with its
reason, instead of failing five times. Anything unknown propagates: the host tries again, and buries it in the end.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

import azure.functions as func

from handlers.journal import note, warn
from shared.core.errors import Malformed, Refused, Retry
from shared.core.messages import Message, Queue, lateness, read, ticket_in, ticketed
from shared.wiring import App

_LATE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Done:
    """The message is dealt with."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Not yet: the same message again, after the delay.

    :param instead: another message in its place, one that counts tries.
    """

    delay: timedelta
    reason: str
    instead: Message | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """It can never work."""

    reason: str


type Outcome = Done | Wait | Failed


def take[M](app: App, queue: Queue, message: func.QueueMessage, handle: Callable[[App, M, str], Outcome]) -> None:
    """Take a message from its queue.

    :param handle: what the stage does with the message. The ticket is its first id in the queue, which stays the same
        when the host delivers it again, and when it was put back to wait.
    """
    text = message.get_body().decode("utf-8", errors="replace")
    ticket = str(message.id)
    _note_if_late(app, queue, text, message.insertion_time)
    try:
        read_message = cast("M", read(queue, text))
        ticket = ticket_in(text) or ticket
        outcome = handle(app, read_message, ticket)
    except Retry as retry:
        outcome = Wait(retry.after, str(retry))
    except (Malformed, Refused) as fault:
        outcome = Failed(str(fault))
    match outcome:
        case Done():
            return
        case Wait(delay, reason, instead):
            note(f"{queue}.waits", seconds=round(delay.total_seconds()), reason=reason)
            if instead:
                app.queues.put(instead, delay=delay)
            else:
                app.queues.put_text(queue, ticketed(text, ticket), delay=delay)
        case Failed(reason):
            warn(f"{queue}.failed", reason=reason)
            app.queues.bury(queue, text, reason)


def _note_if_late(app: App, queue: Queue, text: str, put: datetime | None) -> None:
    """Log that a message was due long before it was taken: Azure measures no age of messages in a queue.

    :param put: as the worker library reads it from the host: in UTC, also where it lacks an offset.
    """
    late = lateness(text, put if put is None or put.tzinfo else put.replace(tzinfo=UTC), app.now())
    if late > _LATE:
        note("message.late", queue=queue, seconds=round(late.total_seconds()))
