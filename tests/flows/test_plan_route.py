"""``GET /api/plan``: what a pass would do now, from the deployed app; and that a pass then does just that."""

import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import pytest
from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueServiceClient
from jsonschema import Draft202012Validator

from local.azure import Fault, Region, SimulatedAzure
from shared.core.messages import Queue
from tests.flows.clockwork import HOME, THREE, Clockwork, Waiting
from tests.flows.world import ROOT, World, short

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.flow

SCHEMA = json.loads((ROOT / "docs" / "plan.schema.json").read_text())
REGIONS = (*THREE, "uksouth")
PASSING = {Queue.RECONCILE.value, Queue.REPLICATE.value, Queue.PRUNE.value}


@pytest.fixture(scope="module")
def asked(accounts: Iterator[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator["Asked"]:
    """The app in a host, with a gallery whose newest version is to be spread; it is only ever asked."""
    storage = next(accounts)
    with ExitStack() as stack:
        azure = stack.enter_context(SimulatedAzure())
        gallery = azure.add_gallery("prodgallery")
        image = azure.add_image(gallery, "ubuntu-2204")
        azure.add_version(image, "1.0.0", regions=list(THREE), home=HOME)
        azure.add_version(image, "1.0.1", home=HOME)
        queues = stack.enter_context(QueueServiceClient.from_connection_string(storage))
        folder: Path = tmp_path_factory.mktemp("host")
        world = World(azure, storage, folder, gallery, image, stack, queues)
        yield Asked(world, world.start().key)


class Asked:
    """An app that is asked for plans."""

    def __init__(self, world: World, key: str) -> None:
        self.world, self._key = world, key
        line = next(line for line in world.log().splitlines() if line.startswith("Listening on "))
        self._netloc = urlsplit(line.removeprefix("Listening on ")).netloc

    def get(self, query: str, *, key: str | None = None) -> tuple[int, Mapping[str, str], Any]:
        """Ask for a plan: status, headers, JSON."""
        connection = http.client.HTTPConnection(self._netloc, timeout=30)
        connection.request("GET", f"/api/plan{query}", headers={"x-functions-key": key or self._key})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        is_json = answer.headers.get_content_type() == "application/json"
        return answer.status, dict(answer.headers), json.loads(text) if is_json else text

    def of(self, definition: str) -> tuple[int, Mapping[str, str], Any]:
        """Ask for the plan of an image definition."""
        return self.get(f"?definition={quote(definition, safe='')}")


def test_the_plan(asked: Asked) -> None:
    """It answers with what a pass would do, as the schema describes it; an id in another letter case is the same."""
    status, headers, told = asked.of(asked.world.image)
    assert (status, headers["Cache-Control"]) == (200, "no-store")
    Draft202012Validator(SCHEMA).validate(told)
    assert told["changes"]
    assert [(row["version"], row["region"]) for row in told["rows"] if row["action"] == "add"] == [
        ("1.0.1", "eastus2"),
        ("1.0.1", "southeastasia"),
    ]
    assert asked.of(asked.world.image.upper())[2]["rows"][0]["reason"] == told["rows"][0]["reason"]


def test_nothing_is_written(asked: Asked) -> None:
    """Asking, with whatever comes of it, writes nothing to Azure, puts no message and makes no table."""
    asked.of(asked.world.image)
    assert asked.world.azure.writes() == []
    assert asked.world.queued() == {}
    with TableServiceClient.from_connection_string(asked.world.storage) as tables:
        assert [table.name for table in tables.list_tables()] == []


def test_it_wants_the_key(asked: Asked) -> None:
    """Without the function key nothing is answered, and Azure is not asked."""
    before = len(asked.world.azure.requests)
    assert asked.get(f"?definition={asked.world.image}", key="guess")[0] == 401
    assert len(asked.world.azure.requests) == before


def test_what_cannot_be_asked(asked: Asked) -> None:
    """No id, none of an image definition, one of another gallery, and one that is not there: a status and a line."""
    elsewhere = asked.world.image.replace("prodgallery", "another")
    answers = [asked.get(""), asked.of(asked.world.gallery), asked.of(elsewhere), asked.of(f"{asked.world.image}x")]
    assert [(status, told["error"]) for status, _, told in answers] == [
        (400, "Which image definition? GET /api/plan?definition=<its resource id>"),
        (400, f"{asked.world.gallery!r} is not the resource id of an image definition"),
        (404, "That image definition is in no gallery of GALLERIES."),
        (404, "There is no such image definition."),
    ]


def test_when_azure_is_busy(asked: Asked) -> None:
    """It never waits: throttled, it answers 503 at once, with how long to wait; what Azure refuses is 502."""
    busy = Fault("GET", "/versions$", 429, "TooManyRequests", "busy", retry_after=2)
    asked.world.azure.set_behaviour(faults=[busy])
    status, headers, told = asked.of(asked.world.image)
    assert (status, headers["Retry-After"]) == (503, "2")
    assert told == {"error": "Not now: Azure answered 429 TooManyRequests"}
    refused = Fault("GET", "/images/ubuntu-2204$", 400, "InvalidParameter", "not so")
    asked.world.azure.set_behaviour(faults=[refused])
    assert asked.of(asked.world.image)[::2] == (502, {"error": "InvalidParameter: not so"})


def test_a_pass_does_what_was_planned(clockwork: Clockwork) -> None:
    """What the plan says changes is what a pass then writes: these versions, and in each these regions and replicas."""
    clockwork.azure.add_version(clockwork.image, "1.0.0", regions=list(THREE), home=HOME)
    used = clockwork.azure.add_version(clockwork.image, "1.0.1", regions=[Region(HOME, replicas=3), *THREE[1:]])
    clockwork.azure.add_scale_set("web-prod", image=used, location=THREE[1])
    clockwork.azure.add_version(clockwork.image, "1.0.2", regions=list(REGIONS), home=HOME)
    clockwork.azure.add_version(clockwork.image, "1.0.3", home=HOME, excluded=True)
    clockwork.decide(f"{HOME} {THREE[1]} {THREE[2]}; uksouth=2")
    told = clockwork.plan()

    clockwork.sweep()
    clockwork.run(timedelta(0), handle=lambda message: _if_passing(clockwork, message))

    assert _written(clockwork) == _planned(told)
    assert told["totals"]["writes"] == len(clockwork.writes()) == 4


def _if_passing(clockwork: Clockwork, message: Waiting) -> None:
    """Handle what the one pass asks for; what comes of that is not part of its plan."""
    if message.queue in PASSING:
        clockwork.handle(message)
    else:
        clockwork.queues.waiting.remove(message)


def _planned(told: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Give the regions and replicas that each version has after the plan, of those that change."""
    changed = {row["version"] for row in told["rows"] if row["replicas"] != row["replicasBefore"]}
    there = [(row["version"], row["region"], row["replicas"]) for row in told["rows"] if row["replicas"]]
    return {version: {region: number for of, region, number in there if of == version} for version in changed}


def _written(clockwork: Clockwork) -> dict[str, dict[str, int]]:
    return {
        write.path.rpartition("/")[2]: {
            short(region["name"]): region["regionalReplicaCount"]
            for region in write.body["properties"]["publishingProfile"]["targetRegions"]
        }
        for write in clockwork.azure.writes()
    }
