"""The endpoint that Event Grid posts to: `/runtime/webhooks/eventgrid?functionName=NAME&code=KEY`."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from local.host.errors import InvocationFailed
from local.host.model import Function
from local.host.outputs import Invoker
from local.host.protos import TypedData


async def receive(request: web.Request, app: Mapping[str, Function], invoker: Invoker) -> web.Response:
    """Answer a POST of Event Grid as the Event Grid extension of Functions does.

    `aeg-event-type` says what it is: the handshake of a new subscription, the end of one, or events.
    """
    function = _find(request.query.get("functionName", ""), app)
    if function is None:
        return web.Response(status=404, text="no such Event Grid function")
    try:
        events = _events(await request.text())
    except ValueError as fault:
        return web.Response(status=400, text=f"not events: {fault}")
    match request.headers.get("aeg-event-type", "").lower():
        case "subscriptionvalidation":
            return _validation(events)
        case "notification":
            return await _notify(function, events, invoker)
        case "unsubscribe":
            return web.Response(status=200)
        case other:
            return web.Response(status=400, text=f"unknown aeg-event-type {other!r}")


def _find(name: str, app: Mapping[str, Function]) -> Function | None:
    """Find an Event Grid function, without regard to case, as function names are in Azure."""
    for each in app.values():
        if each.name.lower() == name.lower() and each.trigger.type == "eventGridTrigger":
            return each
    return None


def _events(body: str) -> list[dict[str, Any]]:
    document = json.loads(body or "[]")
    events = document if isinstance(document, list) else [document]
    if not all(isinstance(each, dict) for each in events):
        raise ValueError("an event is a JSON object")
    return events


def _validation(events: list[dict[str, Any]]) -> web.Response:
    code = (events[0].get("data") or {}).get("validationCode") if events else None
    if not code:
        return web.Response(status=400, text="no validationCode")
    return web.json_response({"validationResponse": code})


async def _notify(function: Function, events: list[dict[str, Any]], invoker: Invoker) -> web.Response:
    """Invoke once per event, all at once. One failure fails the POST, so Event Grid sends all of them again."""
    runs = [invoker.run(function, TypedData(json=json.dumps(each))) for each in events]
    outcomes = await asyncio.gather(*runs, return_exceptions=True)
    for each in outcomes:
        if isinstance(each, BaseException) and not isinstance(each, InvocationFailed):
            raise each
    failed = any(isinstance(each, InvocationFailed) for each in outcomes)
    return web.Response(status=500 if failed else 202)
