"""Trigger metadata of a queue message, as the worker gets it from the real host."""

import json
from datetime import datetime
from typing import Any

from azure.storage.queue import QueueMessage

from local.host.protos import TypedData


def of_message(message: QueueMessage, text: str) -> dict[str, TypedData]:
    """Give what the host says of a message (QueueTriggerBinding.CreateBindingData), with the body's own keys on top.

    The host lets top-level keys of a JSON body overwrite these, without regard to case: a body with `id` gives the
    app a wrong message id. That is the real host's behaviour (azure-functions-host, Utility.ApplyBindingData), kept
    so that apps can see it.
    """
    host = {
        "QueueTrigger": TypedData(string=text),
        "DequeueCount": TypedData(json=json.dumps(message.dequeue_count)),
        "ExpirationTime": _time(message.expires_on),
        "Id": TypedData(string=message.id),
        "InsertionTime": _time(message.inserted_on),
        "NextVisibleTime": _time(message.next_visible_on),
        "PopReceipt": TypedData(string=message.pop_receipt),
    }
    return overlaid(host, text)


def overlaid(host: dict[str, TypedData], body: str) -> dict[str, TypedData]:
    """Lay the top-level properties of a JSON object over the host's metadata; an existing key keeps its spelling.

    Lists and nulls are left out; scalars become text, objects stay JSON. Any other body changes nothing.
    """
    result = dict(host)
    spelling = {name.lower(): name for name in result}
    for name, value in _properties(body).items():
        if value is not None and not isinstance(value, list):
            result[spelling.setdefault(name.lower(), name)] = _typed(value)
    return result


def _properties(body: str) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _typed(value: Any) -> TypedData:
    if isinstance(value, dict):
        return TypedData(json=json.dumps(value))
    return TypedData(string=str(value))


def _time(moment: datetime | None) -> TypedData:
    return TypedData(json=json.dumps(moment.isoformat() if moment else ""))
