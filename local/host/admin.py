"""The admin endpoints: what is there, and firing a function by hand."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from local.host.errors import InvocationFailed
from local.host.model import Function
from local.host.outputs import Invoker
from local.host.protos import TypedData
from local.host.timers import Timer


@dataclass(frozen=True, slots=True)
class Admin:
    """`/admin/host/status`, `/admin/functions`, `POST /admin/functions/NAME`."""

    app: Mapping[str, Function]
    timers: Mapping[str, Timer]
    invoker: Invoker
    running: set[asyncio.Task[None]] = field(default_factory=set)

    async def answer(self, request: web.Request) -> web.Response:
        """Answer a request below /admin/."""
        name = request.path.removeprefix("/admin/functions/")
        if request.method == "POST" and name in self.app:
            return await self._fire(self.app[name], await request.text())
        if request.method == "GET" and request.path == "/admin/functions":
            return web.json_response([_described(each) for each in self.app.values()])
        if request.method == "GET" and request.path == "/admin/host/status":
            return web.json_response({"state": "Running"})
        return web.Response(status=404)

    async def _fire(self, function: Function, body: str) -> web.Response:
        """Start an invocation and say 202 at once, as Azure's host does: what comes of it is in the log."""
        try:
            given = json.loads(body)["input"] if body else ""
        except (ValueError, KeyError, TypeError):
            return web.Response(status=400, text='the body is {"input": "..."}')
        text = given if isinstance(given, str) else json.dumps(given)
        run = self._runner(function, text)
        if run is None:
            return web.Response(status=400, text=f"a function with a {function.trigger.type} is not fired from here")
        task = asyncio.create_task(_quietly(run))
        self.running.add(task)
        task.add_done_callback(self.running.discard)
        return web.Response(status=202)

    def _runner(self, function: Function, text: str) -> Callable[[], Awaitable[Any]] | None:
        match function.trigger.type:
            case "timerTrigger":
                return self.timers[function.name].fire
            case "queueTrigger":
                return lambda: self.invoker.run(function, TypedData(string=text))
            case "eventGridTrigger":
                return lambda: self.invoker.run(function, TypedData(json=text))
        return None


def _described(function: Function) -> dict[str, Any]:
    """Describe a function in the shape of Azure's host: its bindings are below `config`."""
    return {
        "name": function.name,
        "language": "python",
        "isDisabled": False,
        "config": {"bindings": [dict(each.properties) for each in function.bindings]},
    }


async def _quietly(run: Callable[[], Awaitable[Any]]) -> None:
    try:
        await run()
    except InvocationFailed:
        return  # logged where it happened
