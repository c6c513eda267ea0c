"""ARM over HTTP: reads the request, answers under the lock, writes the journal."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from math import ceil
from threading import Condition
from typing import Any
from uuid import uuid4

from aiohttp import web

from local.azure.budgets import Budgets
from local.azure.calls import Answer, Call
from local.azure.errors import ArmError, no_api_version
from local.azure.faults import Faults, Throttles, error_of
from local.azure.journal import WRITES, Request
from local.azure.provider import Provider
from local.azure.routes import answer


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of a request; `answer` goes back. `status` is 0 and `answer` None when the connection is cut."""

    status: int
    answer: Answer | None
    error_code: str | None = None
    retry_after: float | None = None
    spoiled: bool = False
    before: Any = None


class Arm:
    """The HTTP face of a provider. `changed` is the simulation's one lock; it is notified after each request."""

    def __init__(self, provider: Provider, changed: Condition, *, clock: Callable[[], float]) -> None:
        self.requests: list[Request] = []
        self.faults = Faults(provider.behaviour.faults)
        self.throttles = Throttles(clock)
        self.witness: Callable[[str], Any] = lambda _: None
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
            outcome = self._answer(call)
            self._record(request, call, outcome)
            given = outcome.answer
            headers = self._headers(call, given) if given else {}
            self._provider.advance()
            self._changed.notify_all()
        return _response(given, headers) if given else _cut(request)

    def _answer(self, call: Call) -> _Outcome:
        """Answer, or refuse with ARM's error body and code."""
        try:
            self.throttles.refuse(call)
            self._budgets.refuse(call)
            fault = self.faults.take(call)
            if fault and not fault.done:
                raise error_of(fault)
            before, given = self._carry_out(call)
        except ArmError as refusal:
            return _refused(refusal)
        spoiled = _refused(error_of(fault)) if fault else None
        return _Outcome(given.status, spoiled.answer if spoiled else given, spoiled=bool(spoiled), before=before)

    def _carry_out(self, call: Call) -> tuple[Any, Answer]:
        """Do what is asked; return what the witness saw before a write, and the answer."""
        if "api-version" not in call.query:
            raise no_api_version()
        self._provider.store.locks.refuse(call.method, call.id)
        self._provider.advance()
        before = self.witness(call.id.text) if call.method in WRITES else None
        return before, answer(self._provider, call)

    def _record(self, request: web.Request, call: Call, outcome: _Outcome) -> None:
        entry = Request(
            at=self._clock(),
            method=call.method,
            path=call.path,
            query=call.query,
            body=call.body,
            status=outcome.status,
            error_code=outcome.error_code,
            headers={name.lower(): value for name, value in request.headers.items()},
            retry_after=outcome.retry_after,
            spoiled=outcome.spoiled,
            before=outcome.before,
        )
        self.requests.append(entry)

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
            "Date": formatdate(self._clock(), usegmt=True),
            **self._budgets.headers(given.budget, call),
            **given.headers,
            **self._until(given),
            **self._provider.behaviour.extra_headers,
        }

    def _until(self, given: Answer) -> dict[str, str]:
        """Return a Retry-After as a date where that is so set; never too early."""
        seconds = given.headers.get("Retry-After")
        if seconds is None or self._provider.behaviour.retry_after == "seconds":
            return {}
        return {"Retry-After": formatdate(ceil(self._clock() + float(seconds)), usegmt=True)}


def _parsed(text: str) -> Any:
    """Return the JSON of a body, None when there is none or it does not parse."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def _refused(refusal: ArmError) -> _Outcome:
    """Return ARM's words for a refusal; status 0 is no answer at all."""
    after = {} if refusal.retry_after is None else {"Retry-After": f"{refusal.retry_after:g}"}
    given = Answer(refusal.status, refusal.body, after) if refusal.status else None
    return _Outcome(refusal.status, given, refusal.code, refusal.retry_after)


def _cut(request: web.Request) -> web.Response:
    """Cut the connection; what is returned goes nowhere."""
    if request.transport:
        request.transport.abort()
    return web.Response()


def _response(given: Answer, headers: dict[str, str]) -> web.Response:
    """Write an answer; an empty body has no content type."""
    if given.body is None:
        return web.Response(status=given.status, headers=headers)
    return web.json_response(given.body, status=given.status, headers=headers)
