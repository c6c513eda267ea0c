"""Taking turns: passes over one image definition that wait together share what they read."""

from collections.abc import Iterator
from contextlib import contextmanager

from handlers.journal import note
from shared.core.messages import Reconcile
from shared.core.turn import GATHER
from shared.wiring import App


@contextmanager
def turn(app: App, message: Reconcile, ticket: str) -> Iterator[bool]:
    """Take the turn for a pass, and say whether this message has it; if not, a pass that is yet to begin stands for it.

    However the pass ends, others who came meanwhile get one. A holder that was killed comes back with its message.
    """
    image, now = message.definition, app.now()
    taken = app.rollouts.change_turn(image, lambda before: before.arrive(ticket, now, gathered=message.gathered))
    if taken.holder != ticket:
        note("reconcile.shared", definition=image, cause=message.cause)
        yield False
        return
    try:
        yield True
    finally:
        _leave(app, message, ticket)


def _leave(app: App, message: Reconcile, ticket: str) -> None:
    """End the turn; where others came, put the message with their pass first, and tell them to count on it then."""
    image = message.definition
    left = app.rollouts.change_turn(image, lambda before: before.leave(ticket))
    if left.holder == ticket:
        due = app.now() + GATHER
        app.queues.put(Reconcile(image, "asked for during another pass", gathered=True), delay=GATHER)
        app.rollouts.change_turn(image, lambda before: before.leave(ticket, due))
