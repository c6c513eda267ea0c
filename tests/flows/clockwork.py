"""The app in this process, on a clock that is moved by hand: for what takes hours and days.

The stages, the SDKs, the table and the simulated Azure are the real ones; only the queues are lists here, because a
storage queue keeps real time. Messages are handled one at a time, in an order that a test may choose.

`Clockwork.deliver` handles a message as the host does: what fails comes again, what keeps failing goes to the poison
queue, and after a kill (`local.outage`) the app is another one and the message comes when its lease has ended.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import azure.functions as func
from azure.core.exceptions import AzureError
from azure.data.tables import TableServiceClient
from azure.functions.queue import QueueMessage

from local.azure import Behaviour, Pace, SimulatedAzure
from local.outage import Call, Killed, Outside
from shared import settings
from shared.core.messages import Message, Queue, bury, delayed, write
from shared.wiring import App
from tests.clock import Clock
from tests.flows.world import HOME, THREE, short
from tests.served import functions

_NOW = timedelta(0)
_HOST = json.loads((Path(__file__).parents[2] / "host.json").read_text())["extensions"]["queues"]
MOST_TRIES = int(_HOST["maxDequeueCount"])
PAUSE = timedelta(
    **dict(zip(("hours", "minutes", "seconds"), map(int, _HOST["visibilityTimeout"].split(":")), strict=True))
)
LEASE = timedelta(minutes=10)
"""How long the host keeps a message that it handles; after a kill it comes again when this is over (documented)."""

_REDELIVERY = timedelta(seconds=10)
"""Event Grid's first pause when a delivery was not answered (documented)."""


@dataclass(frozen=True)
class Waiting:
    """A message in a queue, not to be seen before it is due. ``tries`` is how often it has been received."""

    name: str
    queue: str
    text: str
    put: datetime
    due: datetime
    tries: int = 0


class Lists:
    """The app's queues as lists, with what the adapter of storage queues can do.

    :param outside: what is told of every call to a queue, and may break it off.
    """

    def __init__(self, clock: Clock, outside: Outside) -> None:
        self._clock = clock
        self._outside = outside
        self.waiting: list[Waiting] = []

    def put(self, message: Message, *, delay: timedelta = _NOW) -> None:
        self.put_text(message.queue, write(message), delay=delay)

    def put_text(self, queue: str, text: str, *, delay: timedelta = _NOW) -> None:
        assert delay < timedelta(days=7), "a storage queue would refuse it"
        now = self._clock.at
        message = Waiting(str(uuid4()), str(queue), delayed(text, delay), now, now + delay)
        self._outside.call(Call("POST", "queue", f"/{queue}/messages"), lambda: self.waiting.append(message))

    def delete(self, message: Waiting) -> None:
        """Delete a message that was handled, or that went elsewhere."""
        call = Call("DELETE", "queue", f"/{message.queue}/messages/{message.name}")
        self._outside.call(call, lambda: self.waiting.remove(message))

    def hide(self, message: Waiting, length: timedelta) -> None:
        """Let a message be seen again after a while."""
        hidden = replace(message, due=self._clock.at + length)
        call = Call("PUT", "queue", f"/{message.queue}/messages/{message.name}")
        self._outside.call(call, lambda: self.waiting.__setitem__(self.waiting.index(message), hidden))

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
    """A gallery with one image definition, and the app that manages it.

    ``faults`` are the exceptions that the host has seen; ``on_start`` is called when the app starts after a kill.

    :param outside: where the app's calls are seen, when somebody is to see them.
    """

    def __init__(
        self,
        azure: SimulatedAzure,
        clock: Clock,
        storage: str,
        *,
        gallery: str = "prodgallery",
        outside: Outside | None = None,
    ) -> None:
        self.azure, self.clock = azure, clock
        self.outside = outside or Outside()
        self.gallery = azure.add_gallery(gallery)
        self.image = azure.add_image(self.gallery, "ubuntu-2204")
        self.queues = Lists(clock, self.outside)
        self._given = {
            "AzureWebJobsStorage": storage,
            "ARM_ENDPOINT": azure.endpoint,
            "GALLERIES": self.gallery,
            "STATUS_WEBHOOKS": self.receivers("json"),
        }
        self._policy: Mapping[str, str] = {}
        self._stages: dict[str, Callable[..., Any]] = {}
        self._app: App | None = None
        self.faults: list[Exception] = []
        self.on_start: Callable[[], None] = lambda: None

    def decide(self, regions: str, **given: str) -> None:
        """Start the app with a policy, or start it again with another one."""
        self._policy = {"TARGET_REGIONS": regions, **given}
        app = App(settings.load({**self._given, **self._policy}), now=self.clock.now)
        if self._app:  # clients know nothing of the policy
            for name in ("gallery", "resource_graph", "rollouts", "records", "webhooks"):
                app.__dict__[name] = getattr(self._app, name)
        self._use(app)

    def start_again(self) -> None:
        """Start the app after a kill: with the same policy, and nothing else of what it held in memory."""
        self.outside.revive()
        self.on_start()
        self._use(App(settings.load({**self._given, **self._policy}), now=self.clock.now))

    def _use(self, app: App) -> None:
        app.__dict__["queues"] = self.queues
        self._app = app
        self._stages = functions(app)

    @property
    def app(self) -> App:
        """What the stages work with."""
        assert self._app
        return self._app

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

    def surely(self, act: Callable[[], None]) -> None:
        """Do what comes from outside and is repeated when it is not answered: an event, a timer that was missed."""
        try:
            act()
        except Killed:
            self.start_again()
        except Exception as fault:  # noqa: BLE001  whatever it is, Event Grid tries again
            self.faults.append(fault)
        else:
            return
        self.pass_time(_REDELIVERY)
        self.surely(act)

    def sweep(self) -> None:
        """Fire the timer."""
        self._stages["sweep"](None)

    def plan(self) -> Mapping[str, Any]:
        """Ask what a pass over the image definition would do now."""
        request = func.HttpRequest("GET", "/api/plan", params={"definition": self.image}, body=b"")
        answer = json.loads(self._stages["plan"](request).get_body())
        assert isinstance(answer, dict)
        return answer

    def handle(self, message: Waiting) -> None:
        """Handle a message that is due."""
        self.queues.waiting.remove(message)
        self._invoke(message)

    def deliver(self, message: Waiting) -> None:
        """Handle a message that is due, as the host does: with what follows when it fails, or the host is killed."""
        self.queues.waiting.remove(message)
        taken = replace(message, tries=message.tries + 1, due=self.clock.at + LEASE)
        self.queues.waiting.append(taken)
        try:
            self._attend(taken)
        except Killed:
            self.start_again()

    def _attend(self, taken: Waiting) -> None:
        """See a message through. Where storage fails the host itself, the message stays until its lease ends."""
        works = taken.tries <= MOST_TRIES and self._works(taken)
        with suppress(AzureError):
            if works:
                self.queues.delete(taken)
            elif taken.queue.endswith("-poison"):
                return  # nothing is poisoned twice
            elif taken.tries < MOST_TRIES:
                self.queues.hide(taken, PAUSE)
            else:
                self.queues.put_text(f"{taken.queue}-poison", taken.text)
                self.queues.delete(taken)

    def _works(self, message: Waiting) -> bool:
        try:
            self._invoke(message)
        except Exception as fault:  # noqa: BLE001  whatever it is, the host tries again
            self.faults.append(fault)
            return False
        return True

    def _invoke(self, message: Waiting) -> None:
        name = message.queue
        function = f"poison_{name.removesuffix('-poison')}" if name.endswith("-poison") else name
        self._stages[function](QueueMessage(id=message.name, body=message.text.encode(), insertion_time=message.put))

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
        return [event for event in self.posts("json") if event["type"].endswith(kind)]

    def posts(self, kind: str) -> list[Any]:
        """Give what one kind of receiver was sent."""
        return [post.body for post in self.azure.posts if post.kind == kind]

    def receivers(self, *kinds: str) -> str:
        """Give the setting for receivers of these kinds."""
        return " ".join(f"{kind}={self.azure.chat_url(kind, 'secret')}" for kind in kinds)

    def told(self) -> Counter[str]:
        """Count what was announced: ``"rollout.started 1.0.3"``."""
        return Counter(
            f"{event['type'].removeprefix('gallery-fanout.')} {event['data']['version']}" for event in self.events()
        )

    def rows(self) -> str:
        """Give what the app remembers, for a failing test."""
        return json.dumps([dict(row) for row in self.app.rollouts._table._table.list_entities()], default=str)


@contextmanager
def published(storage: str) -> Iterator[Clockwork]:
    """Give an image with 1.0.1 and 1.0.2 in three regions, and 1.0.3 published at home; every call of the app is seen.

    Each is like the first, call by call: nothing is remembered, and the clock shows the same time.
    """
    with TableServiceClient.from_connection_string(storage) as tables:
        tables.delete_table("rollouts")
    clock = Clock()
    pace = {"create": Pace.after(600), "update": Pace.after(300), "replicate": Pace.after(1200)}
    with ExitStack() as stack:
        azure = stack.enter_context(SimulatedAzure(behaviour=Behaviour(**pace), clock=clock))
        app = Clockwork(azure, clock, storage, outside=stack.enter_context(Outside()))
        for older in ("1.0.1", "1.0.2"):
            azure.add_version(app.image, older, regions=list(THREE))
        # Looks that only repeat each other are no news; people hear of two prunes together.
        app.decide(" ".join(THREE), WATCH_INTERVAL="PT2M..PT10M", STATUS_WEBHOOKS=app.receivers("json", "slack"))
        azure.publish(app.image, "1.0.3", home=HOME)
        app.pass_time(timedelta(minutes=10))
        yield app


LEAST_WRITES = Counter({("1.0.3", THREE): 1, ("1.0.2", (HOME,)): 1, ("1.0.1", (HOME,)): 1})
NEWS = {"rollout.started 1.0.3", "rollout.completed 1.0.3", "prune.completed 1.0.2", "prune.completed 1.0.1"}


def shortfalls(app: Clockwork, *, writes: int = 0, posts: int = 0) -> list[str]:
    """Say what is missing or too much at the end of `published`: where versions are, what was written, told and left.

    :param writes: how many writes may have been made again.
    :param posts: how many statuses may have been posted again, with their ids.
    """
    written = Counter((number, tuple(regions)) for number, regions in app.writes())
    told, ids = app.told(), {event["id"] for event in app.events()}
    chat = _pruned_in_chat(app)
    claims = {
        "1.0.3 is everywhere": app.complete_in("1.0.3", THREE),
        "older ones are at home": all(app.complete_in(number, [HOME]) for number in ("1.0.1", "1.0.2")),
        f"just what is needed was written: {written}": set(written) == set(LEAST_WRITES),
        f"and no more often than it must: {written}": (written - LEAST_WRITES).total() <= writes,
        f"all was told: {told}": set(told) == NEWS,
        f"under one id each: {told}": len(ids) == len(told),
        f"and no more often than it must: {told}": told.total() <= len(NEWS) + posts,
        f"people heard of each prune: {chat}": set(chat) == {"1.0.1", "1.0.2"},
        f"and not again and again: {chat}": chat.total() <= len(chat) + len(chat) * posts,
        f"no batch is left: {app.rows()}": "batch|" not in app.rows(),
        f"nothing is left: {app.queues.waiting}": not app.queues.waiting,
        "nothing was poisoned": not any("-poison" in call.path for call in app.outside.calls),
    }
    return [claim for claim, holds in claims.items() if not holds]


def _pruned_in_chat(app: Clockwork) -> Counter[str]:
    """Count the chat messages that tell of each version's prune."""
    told = [text for post in app.posts("slack") if "pruned" in (text := json.dumps(post))]
    return Counter(number for text in told for number in ("1.0.1", "1.0.2") if number in text)


def _named(body: Mapping[str, Any]) -> list[str]:
    profile = body["properties"].get("publishingProfile") or {"targetRegions": []}
    return [short(region["name"]) for region in profile["targetRegions"]]


__all__ = ["HOME", "Clock", "Clockwork"]
