"""Event Grid says that an image version was written or deleted: ask for a pass over its image definition.

This function is the one that must be awake quickly: it loads no Azure SDK and hands over through an output binding.
"""

import azure.functions as func

from handlers.journal import note
from shared.core.errors import Malformed
from shared.core.events import WRITE_FAILURE, version_of
from shared.core.messages import Queue, Reconcile, write
from shared.settings import STORAGE
from shared.wiring import App

type _Event = func.EventGridEvent | func.CloudEvent
"""Both of Event Grid's schemas; which one is sent is chosen with the subscription, and the worker's library tells."""


def blueprint(app: App) -> func.Blueprint:
    """Give the functions of this stage."""
    stage = func.Blueprint()

    @stage.function_name("image_event")
    @stage.event_grid_trigger(arg_name="event")
    @stage.queue_output(arg_name="reconcile", queue_name=Queue.RECONCILE.value, connection=STORAGE)
    def image_event(event: func.EventGridEvent, reconcile: func.Out[str]) -> None:
        message = _message(app, event)
        if message:
            reconcile.set(write(message))

    return stage


def _message(app: App, event: _Event) -> Reconcile | None:
    """Make the message for an event; an event that is none of our business is dropped, and its delivery succeeds."""
    told = event.type if isinstance(event, func.CloudEvent) else event.event_type
    try:
        version = version_of(told, event.subject, event.get_json())
    except Malformed as fault:
        note("event.dropped", reason=fault)
        return None
    if not app.settings.manages(version.image):
        note("event.dropped", reason="not in GALLERIES", version=version)
        return None
    note("event.taken", type=told, version=version)
    kind = str(told).rpartition(".")[2]
    failed = version.number.name if kind == WRITE_FAILURE else ""
    return Reconcile(version.image, f"{kind} {version.number}", failed)
