"""Event Grid says that an image version was written or deleted: ask for a pass over its image definition.

This function is the one that must be awake quickly: it loads no Azure SDK and hands over through an output binding.
"""

import azure.functions as func

from handlers.journal import note
from shared.core.errors import Malformed
from shared.core.events import WRITE_FAILURE, version_of
from shared.core.messages import Reconcile, write
from shared.wiring import App

type _Event = func.EventGridEvent | func.CloudEvent
"""Both of Event Grid's schemas; which one is sent is chosen with the subscription, and the worker's library tells."""


def handle(app: App, event: _Event) -> str:
    """Make the text of the message for an event.

    One that is none of our business is dropped, and its delivery succeeds: empty.
    """
    told = event.type if isinstance(event, func.CloudEvent) else event.event_type
    try:
        version = version_of(told, event.subject, event.get_json())
    except Malformed as fault:
        note("event.dropped", reason=fault)
        return ""
    if not app.settings.manages(version.image):
        note("event.dropped", reason="not in GALLERIES", version=version)
        return ""
    note("event.taken", type=told, version=version)
    kind = str(told).rpartition(".")[2]
    failed = version.number.name if kind == WRITE_FAILURE else ""
    return write(Reconcile(version.image, f"{kind} {version.number}", failed))
