"""The app in this process, on a clock that is moved by hand: for what takes hours and days.

The stages, the SDKs, the table and the simulated Azure are the real ones; only the queues are lists here, because a
storage queue keeps real time. Messages are handled one at a time, in an order that a test may choose.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import azure.functions as func

from handlers import image_event, notify, poison, prune, reconcile, replicate, sweep, watch
from local.azure import SimulatedAzure
from shared import settings
from shared.core.messages import Message, Queue, bury, write
from shared.wiring import App
from tests.flows.world import HOME, short

STAGES = (image_event, sweep, reconcile, replicate, watch, prune, notify, poison)
_NOW = timedelta(0)


class Clock:
    """A clock that stands still until it is moved. ``Clock()`` is seconds since 1970."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    def __call__(self) -> float:
        return self.at.timestamp()

    def now(self) -> datetime:
        """Give the time."""
        return self.at


@dataclass(frozen=True)
class Waiting:
    """A message in a queue, not to be seen before it is due."""

    name: str
    queue: str
    text: str
    due: datetime


class Lists:
    """The app's queues as lists, with what the adapter of storage queues can do."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.waiting: list[Waiting] = []

    def put(self, message: Message, *, delay: timedelta = _NOW) -> None:
        self.put_text(message.queue, write(message), delay=delay)

    def put_text(self, queue: str, text: str, *, delay: timedelta = _NOW) -> None:
        assert delay < timedelta(days=7), "a storage queue would refuse it"
        self.waiting.append(Waiting(str(uuid4()), str(queue), text, self._clock.at + delay))

    def bury(self, queue: Queue, text: str, reason: str) -> None:
        self.put_text(queue.poison, bury(text, reason))

    def due(self) -> list[Waiting]:
        """Give the messages that may be handled now, in the order in which they were due."""
        return sorted((each for each in self.waiting if each.due <= self._clock.at), key=lambda each: each.due)


class _Out(func.Out[str]):
    def __init__(self) -> None:
        self.value: str | None = None

    def set(self, val: str) -> None:
        self.value = val

    def get(self) -> str:
        return self.value or ""


class Clockwork:
    """A gallery with one image definition, and the app that manages it."""

    def __init__(self, azure: SimulatedAzure, clock: Clock, storage: str, *, gallery: str = "prodgallery") -> None:
        self.azure, self.clock = azure, clock
        self.gallery = azure.add_gallery(gallery)
        self.image = azure.add_image(self.gallery, "ubuntu-2204")
        self.queues = Lists(clock)
        self._given = {
            "AzureWebJobsStorage": storage,
            "ARM_ENDPOINT": azure.endpoint,
            "GALLERIES": self.gallery,
            "STATUS_WEBHOOKS": f"json={azure.chat_url('json', 'secret')}",
        }
        self._stages: dict[str, Callable[..., Any]] = {}
        self._app: App | None = None

    def decide(self, regions: str, **given: str) -> None:
        """Start the app with a policy, or start it again with another one."""
        app = App(settings.load({**self._given, "TARGET_REGIONS": regions, **given}), now=self.clock.now)
        if self._app:  # clients know nothing of the policy
            for name in ("gallery", "resource_graph", "rollouts", "webhooks"):
                app.__dict__[name] = getattr(self._app, name)
        app.__dict__["queues"] = self.queues
        functions = func.FunctionApp()
        for stage in STAGES:
            functions.register_functions(stage.blueprint(app))
        self._app = app
        self._stages = {each.get_function_name(): each.get_user_function() for each in functions.get_functions()}

    def version(self, number: str) -> str:
        """Give the resource id of a version."""
        return f"{self.image}/versions/{number}"

    def event(self, number: str, kind: str = "ResourceWriteSuccess") -> None:
        """Deliver an event about a version, as Event Grid would."""
        event = self.azure.event_for(self.version(number), kind)
        out = _Out()
        self._stages["image_event"](
            func.EventGridEvent(
                id=event["id"],
                data=event["data"],
                topic=event["topic"],
                subject=event["subject"],
                event_type=event["eventType"],
                event_time=self.clock.at,
                data_version="2",
            ),
            out,
        )
        if out.value:
            self.queues.put_text(Queue.RECONCILE, out.value)

    def sweep(self) -> None:
        """Fire the timer."""
        self._stages["sweep"](None)

    def handle(self, message: Waiting) -> None:
        """Handle a message that is due."""
        self.queues.waiting.remove(message)
        name = message.queue
        function = f"poison_{name.removesuffix('-poison')}" if name.endswith("-poison") else name
        self._stages[function](func.QueueMessage(id=message.name, body=message.text.encode()))

    def pass_time(self, length: timedelta) -> None:
        """Move the clock; Azure does what is due by then, and nobody handles a message."""
        self.clock.at += length
        self.azure.tick()

    def run(
        self,
        length: timedelta,
        *,
        until: Callable[[], object] | None = None,
        handle: Callable[[Waiting], None] | None = None,
    ) -> bool:
        """Handle what comes due, from one due time to the next; say whether ``until`` came true, or all was quiet."""
        end = self.clock.at + length
        while not (until and until()):
            due = self.queues.due()
            if due:
                (handle or self.handle)(due[0])
                continue
            later = min((each.due for each in self.queues.waiting), default=None)
            if later is None or later > end:
                self.pass_time(end - self.clock.at)
                return later is None if until is None else bool(until())
            self.pass_time(later - self.clock.at)
        return True

    def regions(self, number: str) -> dict[str, str]:
        """Give the state of each region of a version; empty when there is no such version."""
        shown = self.azure.show(self.version(number)) or {"properties": {}}
        summary = (shown["properties"].get("replicationStatus") or {}).get("summary", [])
        return {entry["region"]: entry["state"] for entry in summary}

    def complete_in(self, number: str, regions: Iterable[str]) -> bool:
        """Whether a version is complete in exactly these regions."""
        return self.regions(number) == dict.fromkeys(regions, "Completed")

    def writes(self) -> list[tuple[str, Sequence[str]]]:
        """Give the accepted writes: version and regions."""
        return [(write.path.rpartition("/")[2], _named(write.body)) for write in self.azure.writes()]

    def events(self, kind: str = "") -> list[Mapping[str, Any]]:
        """Give the CloudEvents that were posted, of one kind or all."""
        return [post.body for post in self.azure.posts if post.body["type"].endswith(kind)]

    def told(self) -> Counter[str]:
        """Count what was announced: ``"rollout.started 1.0.3"``."""
        return Counter(
            f"{event['type'].removeprefix('gallery-fanout.')} {event['data']['version']}" for event in self.events()
        )

    def rows(self) -> str:
        """Give what the app remembers, for a failing test."""
        assert self._app
        return json.dumps([dict(row) for row in self._app.rollouts._table._table.list_entities()], default=str)


def _named(body: Mapping[str, Any]) -> list[str]:
    profile = body["properties"].get("publishingProfile") or {"targetRegions": []}
    return [short(region["name"]) for region in profile["targetRegions"]]


__all__ = ["HOME", "Clock", "Clockwork"]
