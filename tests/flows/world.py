"""The whole app, running against the local Azure: what flow tests stand on."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableClient
from azure.storage.queue import QueueServiceClient, TextBase64DecodePolicy, TextBase64EncodePolicy

from local.azure import SimulatedAzure
from local.host.process import HostProcess

ROOT = Path(__file__).parents[2]
HOME = "westeurope"
THREE = (HOME, "eastus2", "southeastasia")
SECRET = "c4nary-in-the-url"


@dataclass
class World:
    """A gallery with one image definition, and the app that manages it."""

    azure: SimulatedAzure
    storage: str
    folder: Path
    gallery: str
    image: str
    stack: ExitStack
    queues: QueueServiceClient
    settings: dict[str, str] = field(default_factory=dict)

    def start(
        self, *, regions: Iterable[str] = THREE, webhooks: Iterable[str] = ("json",), **settings: str
    ) -> HostProcess:
        """Start the app and subscribe it to events."""
        hooks = " ".join(f"{kind}={self.azure.chat_url(kind, SECRET)}" for kind in webhooks)
        self.settings = {
            "AzureWebJobsStorage": self.storage,
            "ARM_ENDPOINT": self.azure.endpoint,
            "GALLERIES": self.gallery,
            "TARGET_REGIONS": " ".join(regions),
            "WATCH_INTERVAL": "PT1S..PT2S",
            "STATUS_WEBHOOKS": hooks,
            **settings,
        }
        host = HostProcess(ROOT, self.settings, self.folder / "host.log", lease_seconds=5)
        self.stack.enter_context(host)
        self.azure.deliver_to(host.event_grid_url("image_event"))
        return host

    def join(self) -> HostProcess:
        """Start a second host on the same queues, as a scaled-out app has it."""
        host = HostProcess(ROOT, self.settings, self.folder / "second.log", lease_seconds=5)
        return self.stack.enter_context(host)

    def regions(self, version: str) -> dict[str, str]:
        """Give the state of each region of a version; empty when there is no such version."""
        shown = self.azure.show(f"{self.image}/versions/{version}") or {"properties": {}}
        summary = (shown["properties"].get("replicationStatus") or {}).get("summary", [])
        return {entry["region"]: entry["state"] for entry in summary}

    def complete_in(self, version: str, regions: Iterable[str]) -> bool:
        """Whether a version is complete in exactly these regions."""
        return self.regions(version) == dict.fromkeys(regions, "Completed")

    def writes(self) -> list[tuple[str, list[str]]]:
        """Give the accepted writes: version and regions."""
        return [(write.path.rpartition("/")[2], _named(write.body)) for write in self.azure.writes()]

    def events(self) -> list[dict[str, Any]]:
        """Give the CloudEvents that the json webhook took."""
        return [post.body for post in self.azure.posts if post.kind == "json" and post.status < 300]

    def told(self) -> Counter[str]:
        """Count what was announced: ``"rollout.started 1.0.3"``."""
        return Counter(
            f"{event['type'].removeprefix('gallery-fanout.')} {event['data']['version']}" for event in self.events()
        )

    def until(self, condition: Any, *, timeout: float = 60) -> None:
        """Wait for something; the log is shown when it does not come."""
        try:
            self.azure.wait_until(condition, timeout=timeout)
        except TimeoutError:
            raise AssertionError(f"waited in vain; the log:\n{self.log()[-6000:]}") from None

    def log(self) -> str:
        """Give what the app logged, in every host."""
        return "".join(path.read_text() for path in sorted(self.folder.glob("*.log")))

    def put(self, queue: str, text: str) -> None:
        """Put any text into a queue."""
        client = self.queues.get_queue_client(queue, message_encode_policy=TextBase64EncodePolicy())
        try:
            client.send_message(text)
        except ResourceNotFoundError:
            client.create_queue()
            client.send_message(text)

    def queued(self) -> dict[str, int]:
        """Count the messages of each queue that has any, also those that wait."""
        counts = {
            queue.name: self.queues.get_queue_client(queue.name).get_queue_properties().approximate_message_count
            for queue in self.queues.list_queues()
        }
        return {name: number for name, number in counts.items() if number}

    def messages(self) -> str:
        """Give the text of every visible message."""
        decode = TextBase64DecodePolicy()
        queues = [
            self.queues.get_queue_client(each.name, message_decode_policy=decode) for each in self.queues.list_queues()
        ]
        return "\n".join(str(message.content) for queue in queues for message in queue.peek_messages(32))

    def rows(self) -> list[Mapping[str, Any]]:
        """Give every row of the table."""
        with TableClient.from_connection_string(self.storage, "rollouts") as table:
            return [dict(row) for row in table.list_entities()]

    def recorded_posts(self) -> int:
        """Count the posts that the table knows to be done."""
        return sum(row["PartitionKey"] == "delivery" and '"posted"' in str(row) for row in self.rows())

    def quiet(self) -> bool:
        """Whether no message waits anywhere."""
        return not self.queued()


def _named(body: Mapping[str, Any]) -> list[str]:
    profile = body["properties"].get("publishingProfile")
    return [short(region["name"]) for region in profile["targetRegions"]] if profile else []


def short(name: str) -> str:
    """Give the short name of a region."""
    return "".join(name.lower().split())


def everything_kept(world: World) -> str:
    """Give all that the app left behind: log, messages and rows, for looking for what must not be there."""
    return "\n".join([world.log(), world.messages(), json.dumps(world.rows(), default=str)])
