"""The first message of each function, for `first`: what is imported here the app has imported by then."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import azure.functions as func

from shared.core.messages import Message, Notify, Prune, Queue, Reconcile, Replicate, Watch, write
from shared.core.names import ImageId, VersionId

_OPERATION = "Microsoft.Compute/galleries/images/versions/write"


def prepared(what: str, app: func.FunctionApp) -> Callable[[], object]:
    """Give the call that handles a first message of a function."""
    function = "poison_reconcile" if what == "poison" else what
    found = {each.get_function_name(): each.get_user_function() for each in app.get_functions()}[function]
    image = os.environ["BENCH_IMAGE"]
    match what:
        case "image_event":
            event, out = _event(image), _Out()
            return lambda: found(event, out)
        case "sweep":
            return lambda: found(None)
        case "status":
            request = func.HttpRequest("GET", "/api/status", params={}, body=b"")
            return lambda: found(request)
        case _:
            queue = Queue.RECONCILE if what == "poison" else Queue(what)
            message = func.QueueMessage(id="1", body=write(_message(queue, image)).encode())
            return lambda: found(message)


def _event(image: str) -> func.EventGridEvent:
    version = f"{image}/versions/1.0.0"
    return func.EventGridEvent(
        id="1",
        data={"resourceUri": version, "operationName": _OPERATION},
        topic="",
        subject=version,
        event_type="Microsoft.Resources.ResourceWriteSuccess",
        event_time=datetime.now(UTC),
        data_version="2",
    )


def _message(queue: Queue, image: str) -> Message:
    version, now = VersionId.parse(f"{image}/versions/1.0.0"), datetime.now(UTC)
    later = now + timedelta(hours=1)
    match queue:
        case Queue.RECONCILE:
            return Reconcile(ImageId.parse(image), "bench")
        case Queue.REPLICATE:
            return Replicate(version, "eastus2", since=now, deadline=later)
        case Queue.WATCH:
            return Watch(version, 1, now, later)
        case Queue.PRUNE:
            return Prune(version, since=now, deadline=later)
        case _:
            return Notify("1-json", _notice(image, now), since=now, deadline=later)


def _notice(image: str, now: datetime) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": now.isoformat(),
        "source": image,
        "subject": f"{image}/versions/1.0.0",
        "type": "gallery-fanout.rollout.started",
        "time": now.isoformat(),
        "datacontenttype": "application/json",
        "data": {"gallery": "prodgallery", "image": "ubuntu-2204", "version": "1.0.0", "regions": [], "seconds": 0},
    }


class _Out(func.Out[str]):
    """Takes what the binding would."""

    def __init__(self) -> None:
        self.value = ""

    def set(self, val: str) -> None:
        self.value = val

    def get(self) -> str:
        return self.value
