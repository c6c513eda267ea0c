"""ARM over HTTP: reads the request, answers under the lock, writes the journal."""

import json
from collections.abc import Callable
from threading import Condition
from typing import Any
from uuid import uuid4

from aiohttp import web

from local.azure.budgets import Budgets
from local.azure.calls import Answer, Call
from local.azure.errors import ArmError, no_api_version
from local.azure.faults import Faults, Throttles
from local.azure.journal import Request
from local.azure.provider import Provider
from local.azure.routes import answer


class Arm:
    """The HTTP face of a provider. `changed` is the simulation's one lock; it is notified after each request."""

    def __init__(self, provider: Provider, changed: Condition, *, clock: Callable[[], float]) -> None:
        self.requests: list[Request] = []
        self.faults = Faults(provider.behaviour.faults)
        self.throttles = Throttles(clock)
        self._provider = provider
        self._changed = changed
        self._clock = clock
        self._budgets = Budgets(clock, lambda: provider.behaviour)

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one request."""
        text = await request.text()
        call = Call(
            method=request.method,
            path=request.rel_url.raw_path,
            query=dict(request.query),
            body=_parsed(text),
            endpoint=f"{request.scheme}://{request.host}",
        )
        with self._changed:
            given, code = self._answer(call)
            self._record(request, call, given, code)
            headers = self._headers(call, given)
            self._provider.advance()
            self._changed.notify_all()
        return _response(given, headers)

    def _answer(self, call: Call) -> tuple[Answer, str | None]:
        """Answer, or refuse with ARM's error body and code."""
        try:
            self.throttles.refuse(call)
            self._budgets.refuse(call)
            self.faults.raise_for(call.method, call.path)
            if "api-version" not in call.query:
                raise no_api_version()
            self._provider.store.locks.refuse(call.method, call.id)
            self._provider.advance()
            return answer(self._provider, call), None
        except ArmError as refusal:
            after = {} if refusal.retry_after is None else {"Retry-After": f"{refusal.retry_after:g}"}
            return Answer(refusal.status, refusal.body, after), refusal.code

    def _record(self, request: web.Request, call: Call, given: Answer, code: str | None) -> None:
        headers = {name.lower(): value for name, value in request.headers.items()}
        at = self._clock()
        self.requests.append(Request(at, call.method, call.path, call.query, call.body, given.status, code, headers))

    def _headers(self, call: Call, given: Answer) -> dict[str, str]:
        """Return the headers that every answer has (seen in captured traffic); no ETag, no Retry-After."""
        tracking = str(uuid4())
        return {
            "Cache-Control": "no-cache",
            "Pragma": "no-cache",
            "Expires": "-1",
            "x-ms-request-id": tracking,
            "x-ms-correlation-request-id": tracking,
            "x-ms-routing-request-id": f"LOCAL:{tracking}",
            **self._budgets.headers(given.budget, call),
            **given.headers,
            **self._provider.behaviour.extra_headers,
        }


def _parsed(text: str) -> Any:
    """Return the JSON of a body, None when there is none or it does not parse."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def _response(given: Answer, headers: dict[str, str]) -> web.Response:
    """Write an answer; an empty body has no content type."""
    if given.body is None:
        return web.Response(status=given.status, headers=headers)
    return web.json_response(given.body, status=given.status, headers=headers)
