"""The simulated Azure as test code and people use it."""

import asyncio
import time
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import replace
from threading import Condition
from typing import Any, Final, Self, TypedDict, Unpack

from aiohttp import web

from local.azure import events
from local.azure.arm import Arm
from local.azure.behaviour import Behaviour
from local.azure.chat import Chat, Post
from local.azure.eventgrid import Delivery, EventGrid
from local.azure.faults import Faults, Throttling
from local.azure.hands import Hands
from local.azure.journal import Request, accepted_writes
from local.azure.loop import LOOPBACK, ServerThread
from local.azure.names import ResourceId
from local.azure.provider import Provider
from local.azure.state import Json, Operation

_TICK: Final = 0.02
_TOPIC_PATH: Final = "/topic/api/events"


class Throttled(TypedDict, total=False):
    """Which requests `throttle` is about, as in `Throttling`."""

    method: str
    path_regex: str
    subscription: str | None
    status: int
    code: str
    with_header: bool


class SimulatedAzure(Hands):
    """ARM for Compute Galleries, Resource Graph, Event Grid and a chat sink, on one loopback port.

    `clock` returns seconds since 1970; with one that does not run by itself, call `tick()` after moving it.
    `retry_scale` multiplies Event Grid's retry delays, which are real seconds. Every method may be called from any
    thread; resources are named by their ids, case-blind.
    """

    def __init__(
        self,
        *,
        behaviour: Behaviour | None = None,
        clock: Callable[[], float] = time.time,
        port: int = 0,
        retry_scale: float = 1.0,
    ) -> None:
        provider = Provider(behaviour or Behaviour(), clock=clock, on_ended=self._raise_event)
        super().__init__(provider, Condition())
        self._clock = clock
        self._turn = 0
        self._arm = Arm(provider, self._changed, clock=clock)
        self._chat = Chat(self._changed, clock=clock)
        self._grid = EventGrid(self._changed, clock=clock, retry_scale=retry_scale)
        self._ticker: asyncio.Task[None] | None = None
        self._server = ServerThread(self._application, port=port, opened=self._opened, closed=self._closed)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Open the port. A second start, after a stop, opens the same one again: an outage with memory."""
        self._server.start()

    def stop(self) -> None:
        """Close the port; state and records stay."""
        self._server.stop()

    @property
    def endpoint(self) -> str:
        """ARM's URL, without a slash at the end; valid once started."""
        return f"http://{LOOPBACK}:{self._server.port}"

    def chat_url(self, kind: str, secret: str) -> str:
        """Return a webhook's URL: `kind` is teams, slack, json or any other word."""
        return f"{self.endpoint}/chat/{kind}/{secret}"

    @property
    def topic_url(self) -> str:
        """The endpoint of an Event Grid topic: what is published there is among the posts, of kind topic."""
        return f"{self.endpoint}{_TOPIC_PATH}"

    def tick(self) -> None:
        """Let everything happen that is due by the clock."""
        with self._changed:
            self._settle()

    def wait_until(self, condition: Callable[[], object], *, timeout: float = 10.0) -> None:
        """Return as soon as the condition holds; it is looked at after each change. Raises TimeoutError.

        The condition is called without the lock, so that it may use HTTP too.
        """
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() >= deadline:
                raise TimeoutError(f"still not so after {timeout} s")
            with self._changed:
                # Progress shows without a notification, so look again from time to time.
                self._changed.wait(_TICK)

    @property
    def behaviour(self) -> Behaviour:
        """How it behaves now."""
        return self._provider.behaviour

    def set_behaviour(self, **changes: Any) -> None:
        """Change some fields of the behaviour, for writes and requests from now on."""
        with self._changed:
            self._provider.behaviour = replace(self._provider.behaviour, **changes)
            if "faults" in changes:
                self._arm.faults = Faults(self._provider.behaviour.faults)

    def throttle(self, seconds: float, **which: Unpack[Throttled]) -> None:
        """Answer 429 to requests from now on, for so long by the clock, with what is left of it as Retry-After.

        See `Throttling` for which requests, and how.
        """
        with self._changed:
            self._arm.throttles.add(Throttling(until=self._clock() + seconds, **which))

    @property
    def requests(self) -> list[Request]:
        """Every request to ARM so far."""
        with self._changed:
            return list(self._arm.requests)

    def writes(self, version: str | None = None) -> list[Request]:
        """Return the PUT, PATCH and DELETE requests that were accepted over HTTP, of one version or of all."""
        return accepted_writes(self.requests, version)

    def witness(self, see: Callable[[str], Any]) -> None:
        """Call this with a version's id, lock held, just before each write of it over HTTP is carried out.

        What it returns is kept: `Request.before`.
        """
        with self._changed:
            self._arm.witness = see

    def deliver_to(self, url: str) -> None:
        """Subscribe an endpoint to every event from now on; it is asked first, until it agrees."""
        with self._changed:
            self._grid.subscribe(url)

    def event_for(self, version: str, kind: str = "ResourceWriteSuccess") -> Json:
        """Build the event that an operation on a version would raise, without sending it."""
        with self._changed:
            return self._event(kind, ResourceId(version))

    def emit(self, event: Json, *, times: int = 1) -> None:
        """Deliver any event, as often as told: Event Grid delivers at least once."""
        with self._changed:
            for _ in range(times):
                self._grid.publish(deepcopy(event))

    @property
    def deliveries(self) -> list[Delivery]:
        """Every try to deliver an event so far."""
        with self._changed:
            return list(self._grid.deliveries)

    @property
    def dropped(self) -> list[Json]:
        """The events that were given up after the last try."""
        with self._changed:
            return list(self._grid.dropped)

    @property
    def posts(self) -> list[Post]:
        """Every post to the chat sink so far."""
        with self._changed:
            return list(self._chat.posts)

    def chat_answers(self, kind: str, statuses: Iterable[int], *, retry_after: float | None = None) -> None:
        """Answer coming posts of a kind with these statuses, the last one for good; `retry_after` is in seconds."""
        with self._changed:
            self._chat.script(kind, statuses, retry_after=retry_after)

    def _application(self) -> web.Application:
        """Build the HTTP application; once per start, as aiohttp wants it."""
        application = web.Application()
        application.router.add_get("/chat", self._chat.show)
        application.router.add_post("/chat/{kind}/{secret:.*}", self._chat.receive)
        application.router.add_post(_TOPIC_PATH, self._chat.publish)
        application.router.add_route("*", "/{path:.*}", self._arm.handle)
        return application

    async def _opened(self) -> None:
        await self._grid.open()
        self._ticker = asyncio.create_task(self._tick_on())

    async def _closed(self) -> None:
        if self._ticker is not None:
            self._ticker.cancel()
        await self._grid.close()

    async def _tick_on(self) -> None:
        """Let things happen by themselves, as long as the server runs."""
        while True:
            await asyncio.sleep(_TICK)
            with self._changed:
                if self._provider.pending:
                    self._provider.advance()

    def _raise_event(self, operation: Operation) -> None:
        """Raise the event of an operation that has ended, in as many copies as the behaviour says. Lock held."""
        event = self._event(events.kind_of(operation), operation.version)
        for late in self.behaviour.event_delays:
            self._grid.publish(deepcopy(event), late=late)

    def _event(self, kind: str, version: ResourceId) -> Json:
        """Build an event in the next shape."""
        self._turn += 1
        return events.build(kind, version, at=self._clock(), turn=self._turn - 1)
