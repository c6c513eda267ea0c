"""The host's HTTP side: keys, and which endpoint a path means."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from local.host import event_grid, http_trigger
from local.host.admin import Admin
from local.host.model import Function
from local.host.outputs import Invoker
from local.host.routes import Route

# What the real host takes as its largest request (maxRequestBodySize), in bytes.
_LARGEST_BODY = 100 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Everything that this host answers. One key opens all doors: it is function, system and master key in one."""

    app: Mapping[str, Function]
    routes: list[Route]
    invoker: Invoker
    admin: Admin
    key: str

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Route a request. 401 without the key, 404 for what nobody serves."""
        if request.path == "/runtime/webhooks/eventgrid" and request.method == "POST":
            return await self._guarded(request) or await event_grid.receive(request, self.app, self.invoker)
        if request.path.startswith("/admin/"):
            return await self._guarded(request) or await self.admin.answer(request)
        for route in self.routes:
            params = route.match(request.method, request.path)
            if params is not None:
                refused = None if route.level == "ANONYMOUS" else await self._guarded(request)
                return refused or await http_trigger.serve(request, route, params, self.invoker)
        return web.Response(status=404)

    async def _guarded(self, request: web.Request) -> web.Response | None:
        given = request.query.get("code") or request.headers.get("x-functions-key") or ""
        if hmac.compare_digest(given.encode(), self.key.encode()):
            return None
        await request.read()  # so that the connection can be used again
        return web.Response(status=401)


async def listen(endpoints: Endpoints, port: int) -> tuple[web.AppRunner, int]:
    """Start serving on loopback and give the port: `port`, or a free one for 0. Raises OSError when it is taken."""
    # No access log: keys are in the addresses.
    application = web.Application(client_max_size=_LARGEST_BODY)
    application.router.add_route("*", "/{path:.*}", endpoints.answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner, runner.addresses[0][1]
