"""Event Grid's delivery: a handshake, then each event by itself, at least once, retried with a growing delay."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, repeat
from threading import Condition
from typing import Any, Final
from uuid import uuid4

import aiohttp

from local.azure import events
from local.azure.state import Json

# Documented: these delays, then every 12 hours, at most 30 tries (and 24 hours, which 30 tries do not outlast here).
_DELAYS: Final = (10.0, 30.0, 60.0, 300.0, 600.0, 1800.0, 3600.0, 10800.0, 21600.0)
_LAST_DELAY: Final = 43200.0
MOST_TRIES: Final = 30
# Seconds between two handshakes: our own choice, so that an app that starts late is found soon.
_HANDSHAKE_AGAIN: Final = 0.1
# Documented: an endpoint has 30 seconds to answer.
_ANSWER_WITHIN: Final = aiohttp.ClientTimeout(total=30.0)
_OK: Final = range(200, 300)


def retry_delays(scale: float = 1.0) -> Iterator[float]:
    """Yield the seconds to wait after each failed try, as often as there is another one."""
    delays = chain(_DELAYS, repeat(_LAST_DELAY))
    return (next(delays) * scale for _ in range(MOST_TRIES - 1))


@dataclass(frozen=True, slots=True)
class Delivery:
    """One try to deliver one event: `attempt` counts from 1; `status` None means that nobody answered."""

    event_id: str
    attempt: int
    status: int | None
    at: float


@dataclass(slots=True)
class _Subscription:
    url: str
    open: asyncio.Event = field(default_factory=asyncio.Event)


class EventGrid:
    """Delivers to every endpoint that subscribed. `changed` is the simulation's one lock."""

    def __init__(self, changed: Condition, *, clock: Callable[[], float], retry_scale: float) -> None:
        self.deliveries: list[Delivery] = []
        self.dropped: list[Json] = []
        self._changed = changed
        self._clock = clock
        self._scale = retry_scale
        self._endpoints: list[str] = []
        self._subscriptions: list[_Subscription] = []
        self._waiting: list[Json] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Begin to deliver, from the running loop."""
        self._session = aiohttp.ClientSession(timeout=_ANSWER_WITHIN)
        self._subscriptions = []
        with self._changed:
            self._loop = asyncio.get_running_loop()
            for url in self._endpoints:
                self._subscribe(url)
            waiting, self._waiting = self._waiting, []
        for event in waiting:
            self._send(event)

    async def close(self) -> None:
        """Stop to deliver: tries under way are abandoned."""
        with self._changed:
            self._loop = None
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def subscribe(self, url: str) -> None:
        """Deliver every later event to this endpoint, once it has passed the handshake. Any thread; lock held."""
        self._endpoints.append(url)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._subscribe, url)

    def publish(self, event: Json, *, late: float = 0.0) -> None:
        """Deliver an event to the endpoints that are subscribed by now, some seconds late. Any thread; lock held."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._send, event, late)
        elif self._endpoints:
            self._waiting.append(event)

    def _subscribe(self, url: str) -> None:
        subscription = _Subscription(url)
        self._subscriptions.append(subscription)
        self._start(self._validate(subscription))

    def _send(self, event: Json, late: float = 0.0) -> None:
        for subscription in self._subscriptions:
            self._start(self._deliver(subscription, event, late))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _validate(self, subscription: _Subscription) -> None:
        """Ask until the endpoint answers with our code. The real one gives up; a local app may start late."""
        code = str(uuid4())
        event = events.handshake("/subscriptions/local", code, at=self._clock())
        while True:
            status, answer = await self._post(subscription.url, event, "SubscriptionValidation")
            if status in _OK and isinstance(answer, dict) and answer.get("validationResponse") == code:
                break
            await asyncio.sleep(_HANDSHAKE_AGAIN)
        subscription.open.set()

    async def _deliver(self, subscription: _Subscription, event: Json, late: float) -> None:
        """Deliver one event to one endpoint, or drop it after the last try."""
        await asyncio.sleep(late)
        await subscription.open.wait()
        for attempt, delay in enumerate(chain(retry_delays(self._scale), [None]), start=1):
            status, _ = await self._post(subscription.url, event, "Notification")
            self._record(event, attempt, status)
            if status in _OK:
                return
            if delay is not None:
                await asyncio.sleep(delay)
        with self._changed:
            self.dropped.append(event)
            self._changed.notify_all()

    def _record(self, event: Json, attempt: int, status: int | None) -> None:
        with self._changed:
            self.deliveries.append(Delivery(str(event.get("id")), attempt, status, self._clock()))
            self._changed.notify_all()

    async def _post(self, url: str, event: Json, kind: str) -> tuple[int | None, Any]:
        """Post one event; return the status (None: nobody answered) and the JSON that came back, if any."""
        if self._session is None:
            return None, None
        try:
            async with self._session.post(url, json=[event], headers={"aeg-event-type": kind}) as response:
                answer = None
                with suppress(ValueError):
                    answer = await response.json(content_type=None)
                return response.status, answer
        except (aiohttp.ClientError, TimeoutError):
            return None, None
