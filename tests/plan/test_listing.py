"""What the plan is made of: which settings hold, what is read, what is waited for, and that nothing is written."""

import json
import os
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import pytest
from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueServiceClient

from local.azure import Fault, SimulatedAzure
from plan.__main__ import main
from plan.listing import Listing
from plan.onlooker import WITHOUT_TABLE
from shared import settings
from shared.core.names import ImageId, VersionNumber
from shared.wiring import App
from tests.adapters.support import NOBODY
from tests.flows.world import HOME, THREE

REGIONS = " ".join(THREE)
IMAGE = "ubuntu-2204"


class Scene:
    """A gallery with an older version in three regions and a newest that is complete there, and a command line."""

    def __init__(self, azure: SimulatedAzure, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
        self.azure, self._monkeypatch, self._capsys = azure, monkeypatch, capsys
        self.gallery = azure.add_gallery("prodgallery")
        self.image = azure.add_image(self.gallery, IMAGE)
        azure.add_version(self.image, "1.0.1", home=HOME, regions=list(THREE))
        azure.add_version(self.image, "1.0.2", home=HOME, regions=list(THREE))
        self.give(ARM_ENDPOINT=azure.endpoint, GALLERIES=self.gallery, TARGET_REGIONS=REGIONS)

    def give(self, **settings: str) -> None:
        """Give app settings."""
        for name, value in settings.items():
            self._monkeypatch.setenv(name, value)

    def take(self, *names: str) -> None:
        """Give app settings no more."""
        for name in names:
            self._monkeypatch.delenv(name)

    def run(self, *words: str) -> tuple[int, str, str]:
        """Run the command: its exit code, stdout, stderr."""
        code = main(words)
        out, err = self._capsys.readouterr()
        return code, out, err

    def plan(self, *words: str) -> Mapping[str, Any]:
        """Run the command; give what it prints as JSON."""
        return json.loads(self.run("--json", *words)[1])

    def reasons(self, *words: str) -> dict[str, str]:
        """Give why each row of 1.0.1 is as it is."""
        return {row["region"]: row["reason"] for row in self.plan(*words)["rows"] if row["version"] == "1.0.1"}


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Scene]:
    """The scene."""
    with SimulatedAzure() as azure:
        yield Scene(azure, monkeypatch, capsys)


def _names(storage: str) -> tuple[set[str], set[str]]:
    """Give the names of the tables and queues of a storage account."""
    with (
        TableServiceClient.from_connection_string(storage) as tables,
        QueueServiceClient.from_connection_string(storage) as queues,
    ):
        return {table.name for table in tables.list_tables()}, {queue.name for queue in queues.list_queues()}


@pytest.mark.flow
@pytest.mark.parametrize("mode", ["observe", "replicate", "full"])
def test_nothing_is_written(scene, storage, mode):
    """Whatever the mode, Azure is only read, and neither table nor queue is made."""
    scene.give(MODE=mode, AzureWebJobsStorage=storage)
    scene.azure.add_version(scene.image, "1.0.3", home=HOME)
    assert scene.run()[0] == 2
    others = {(request.method, request.path) for request in scene.azure.requests if request.method != "GET"}
    assert others == ({("POST", "/providers/Microsoft.ResourceGraph/resources")} if mode != "replicate" else set())
    assert scene.azure.writes() == []
    assert _names(storage) == (set(), set())


@pytest.mark.flow
def test_the_table_is_read_where_it_is_given(scene, storage):
    """With the app's table the plan knows what the app knows, as that the newest was deleted; rows stay as they are."""
    scene.give(AzureWebJobsStorage=storage)
    app = App(settings.load(os.environ))
    app.rollouts.remember(ImageId.parse(scene.image), lambda before: before.having(VersionNumber.parse("1.0.3")))
    before = _rows(storage)
    told = scene.plan()
    assert told["definitions"][0]["withdrawn"] == "1.0.3 was deleted"
    assert told["notes"] == []
    assert _rows(storage) == before


def _rows(storage: str) -> list[Mapping[str, Any]]:
    with TableServiceClient.from_connection_string(storage) as tables:
        return [dict(row) for row in tables.get_table_client("rollouts").list_entities()]


def test_without_the_table(scene):
    """Without the app's table the plan is made all the same, and says so; time that must pass begins now."""
    told = scene.plan("--set", "PRUNE_GRACE=PT2H")
    assert told["notes"] == [WITHOUT_TABLE]
    assert scene.reasons("--set", "PRUNE_GRACE=PT2H")["eastus2"] == "1.0.2 complete here; PRUNE_GRACE is 2 h"
    assert {row["action"] for row in told["rows"] if row["version"] == "1.0.1"} == {"keep", "wait"}
    assert WITHOUT_TABLE in scene.run()[1]


def test_a_table_that_does_not_answer(scene, monkeypatch):
    """A table that is given and does not answer is waited for, and no plan is made without it."""
    account = "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=c2VjcmV0"
    scene.give(AzureWebJobsStorage=f"{account};QueueEndpoint={NOBODY}/q;TableEndpoint={NOBODY}/t")
    slept: list[float] = []
    monkeypatch.setattr("plan.listing._TRIES", 2)
    monkeypatch.setattr("plan.__main__.Listing", partial(Listing, sleep=slept.append))
    code, out, err = scene.run()
    assert (code, out, slept) == (1, "", [30])
    assert err.count("no answer from storage: ServiceRequestError. Trying again in 30 s") == 1
    assert err.splitlines()[-1].startswith("Not now, and not soon: no answer from storage")


def test_which_settings_hold(scene, tmp_path):
    """The environment wins over --settings, --gallery over both, and --set over all."""
    file = tmp_path / "local.settings.json"
    values = {"TARGET_REGIONS": "uksouth", "KEEP_LATEST": "2", "GALLERIES": "faulty"}
    file.write_text(json.dumps({"Values": values}))
    assert scene.run("--settings", str(file))[0] == 0  # two are kept, in the three regions of the environment
    assert scene.run("--settings", str(file), "--set", "KEEP_LATEST=1")[0] == 2
    scene.take("GALLERIES", "TARGET_REGIONS")
    told = scene.plan("--settings", str(file), "--gallery", scene.gallery)
    assert told["totals"]["regionsAdded"] == 2
    assert {row["region"] for row in told["rows"] if row["action"] == "add"} == {"uksouth"}


def test_what_if(scene):
    """--set shows what another setting would change."""
    assert scene.reasons()["eastus2"] == "1.0.2 complete here"
    assert scene.reasons("--set", "MODE=replicate")["eastus2"] == "mode replicate never prunes"
    told = scene.plan("--set", f"TARGET_REGIONS={REGIONS}; uksouth", "--set", "KEEP_LATEST=2")
    assert [(row["version"], row["region"]) for row in told["rows"] if row["action"] == "add"] == [
        ("1.0.2", "uksouth"),
        ("1.0.1", "uksouth"),
    ]


@pytest.mark.parametrize("word", ["TARGET_REGION=westeurope", "KEEP_LATEST", "=1"])
def test_settings_that_do_not_exist(scene, word):
    """A setting that does not exist is refused: a plan that silently ignores it would be another plan."""
    code, out, err = scene.run("--set", word)
    assert (code, out) == (1, "")
    assert err == f"--set wants NAME=VALUE with the name of an app setting, not {word.partition('=')[0]!r}\n"


def test_a_settings_file_that_is_not_there(scene, tmp_path):
    """A settings file that cannot be read is named."""
    code, _, err = scene.run("--settings", str(tmp_path / "none.json"))
    assert code == 1
    assert "none.json: No such file or directory" in err


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        (["UBUNTU-*"], ["ubuntu-2204", "ubuntu-2404"]),
        (["ubuntu-2?04", "alma"], ["alma", "ubuntu-2204", "ubuntu-2404"]),
        ([], ["alma", "ubuntu-2204", "ubuntu-2404"]),
    ],
)
def test_some_definitions_only(scene, patterns, names):
    """--definition narrows the plan to image definitions of such a name, in any letter case."""
    for name in ("ubuntu-2404", "alma"):
        scene.azure.add_image(scene.gallery, name)
    words = [word for pattern in patterns for word in ("--definition", pattern)]
    assert [each["image"] for each in scene.plan(*words)["definitions"]] == names


def test_what_is_not_there(scene):
    """A gallery that does not exist, and a name that no image definition has, are said in a line; the code is 1."""
    assert scene.run("--gallery", f"{scene.gallery}x") == (1, "", f"There is no gallery {scene.gallery}x.\n")
    expected = "No image definition is named a* or b.\n"
    assert scene.run("--definition", "a*", "--definition", "b") == (1, "", expected)


def test_an_empty_gallery(scene):
    """A gallery without image definitions is no trouble, and needs nothing."""
    code, out, _ = scene.run("--gallery", scene.azure.add_gallery("empty"))
    assert code == 0
    assert out.splitlines()[-1] == "Nothing to do: 0 versions of 0 image definitions."


def _faulty(scene: Scene, *faults: Fault) -> None:
    scene.azure.set_behaviour(faults=list(faults))


def test_no_permission(scene):
    """What may not be read is said in Azure's words, with the roles that are wanted."""
    _faulty(scene, Fault("GET", "/images$", 403, "AuthorizationFailed", "The client 'me' does not have authorization."))
    code, out, err = scene.run()
    assert (code, out) == (1, "")
    assert "You may not read this: " in err
    assert "does not have authorization" in err
    assert "Wanted: the role Reader on the gallery" in err


def test_throttled(scene):
    """When Azure is busy it says so, waits as long as Azure asks, and goes on; the plan is whole."""
    _faulty(scene, Fault("GET", "/versions$", 429, "TooManyRequests", "busy", retry_after=1))
    code, out, err = scene.run()
    assert code == 2
    assert err == "Azure answered 429 TooManyRequests. Trying again in 1 s; Ctrl-C ends it.\n"
    assert "1.0.1  eastus2        - remove" in out


def test_throttled_for_long(scene):
    """Nobody sits at a terminal for an hour: it ends, and says how long Azure wants to be left alone."""
    _faulty(scene, Fault("GET", "/versions$", 429, "TooManyRequests", "busy", retry_after=3600))
    assert scene.run() == (
        1,
        "",
        "Not now, and not soon: Azure answered 429 TooManyRequests. The app itself would wait 3600 s.\n",
    )


def test_one_definition_that_cannot_be_read(scene):
    """What cannot be planned is named, the others are shown all the same; an incomplete plan is an error."""
    scene.azure.add_image(scene.gallery, "broken")
    _faulty(scene, Fault("GET", "/broken/versions$", 400, "InvalidParameter", "no such thing"))
    code, out, err = scene.run()
    assert code == 1
    assert err == "prodgallery/broken cannot be planned: InvalidParameter: no such thing\n"
    assert "1 write: 2 regions removed" in out


def test_a_definition_that_goes_meanwhile(scene):
    """A definition that was deleted since the list was made is none."""
    scene.azure.add_image(scene.gallery, "gone")
    _faulty(scene, Fault("GET", "/images/gone$", 404, "ResourceNotFound", "gone"))
    assert [each["image"] for each in scene.plan()["definitions"]] == [IMAGE]


def test_what_is_in_use_cannot_be_known(scene):
    """Where Resource Graph does not answer, the plan says that nothing is pruned for that, as a pass would decide."""
    _faulty(scene, Fault("POST", "/resources$", 429, "TooManyRequests", "busy", retry_after=5))
    assert scene.run()[0] == 0
    _faulty(scene, Fault("POST", "/resources$", 503, "ServiceUnavailable", "away", retry_after=5))
    assert scene.reasons()["eastus2"] == "what is in use is not known: Azure answered 503 ServiceUnavailable"
