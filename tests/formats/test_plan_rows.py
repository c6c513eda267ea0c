import json
from datetime import timedelta
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from shared.core.model import ProvisioningState, RegionState
from shared.core.names import ImageId
from shared.core.plan import Action, Plan, Role
from shared.core.policy import Mode
from shared.formats.plan_rows import Planned, Report
from tests.core.build import (
    EVERYWHERE,
    HOME,
    IMAGE_ID,
    NOW,
    old,
    planned,
    policy,
    region,
    usage,
    version,
)

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "plan.schema.json").read_text())
SPREADING = planned(old(), version("1.0.2"))
PRUNING = planned(old(), version("1.0.2", *EVERYWHERE))


def report(*plans, mode=Mode.FULL, notes=()):
    """Report plans that were made now."""
    return Report(NOW, [Planned(each, mode) for each in plans], notes)


def told(made):
    """Give what each row says: version, region, action, replicas before and after."""
    return [
        (row["version"], row["region"], row["action"], row["replicasBefore"], row["replicas"])
        for row in made.to_json()["rows"]
    ]


def totals(made):
    """Give the totals that are not zero."""
    return {name: number for name, number in made.totals.items() if number}


def test_what_is_added():
    """Regions that are added come first, with none before; what waits has what it has; GiB count every new replica."""
    made = report(SPREADING)
    assert told(made) == [
        ("1.0.2", "eastus2", "add", 0, 1),
        ("1.0.2", "southeastasia", "add", 0, 1),
        ("1.0.2", HOME, "keep", 1, 1),
        ("1.0.1", HOME, "wait", 2, 2),
        ("1.0.1", "eastus2", "wait", 1, 1),
        ("1.0.1", "southeastasia", "wait", 1, 1),
    ]
    assert made.changes
    expected = {"definitions": 1, "versions": 2, "writes": 1, "regionsAdded": 2, "regionsWaiting": 3, "gibAdded": 60}
    assert totals(made) == expected


def test_what_is_removed():
    """A prune is one write, whatever it removes; and frees the GiB that prune.completed tells."""
    made = report(PRUNING)
    assert told(made)[3:] == [
        ("1.0.1", HOME, "size", 2, 1),
        ("1.0.1", "eastus2", "remove", 1, 0),
        ("1.0.1", "southeastasia", "remove", 1, 0),
    ]
    expected = {"definitions": 1, "versions": 2, "writes": 1, "regionsSized": 1, "regionsRemoved": 2, "gibFreed": 60}
    assert totals(made) == expected


def test_replicas_that_come_to_a_region():
    """A region that gets more replicas adds those, and only those, to what is stored."""
    made = report(planned(version("1.0.2", region(HOME, replicas=2)), by=policy("westeurope=5")))
    assert told(made) == [("1.0.2", HOME, "size", 2, 5)]
    assert made.totals["gibAdded"] == 3 * 30


def test_additional_replica_sets_leave_too():
    """What a region holds in additional replica sets is freed with it, and is not added when it stays."""
    there = region("eastus2", more_replicas=4)
    made = report(planned(version("1.0.1", HOME, there), version("1.0.2", *EVERYWHERE)))
    assert (made.totals["gibFreed"], made.totals["gibAdded"]) == (5 * 30, 0)


def test_nothing_to_do():
    """A gallery that is as the policy wants it has no changes, and every row of it is settled."""
    made = report(planned(version("1.0.1"), version("1.0.2", *EVERYWHERE)))
    assert not made.changes
    assert totals(made) == {"definitions": 1, "versions": 2}
    assert all(row["settled"] for row in made.to_json()["rows"])


@pytest.mark.parametrize(
    "made",
    [
        planned(version("1.0.2", *EVERYWHERE, "uksouth")),  # somebody added it
        planned(
            version("1.0.1", HOME, "eastus2"), version("1.0.2", *EVERYWHERE), usage=usage(("1.0.1", "eastus2", "x"))
        ),
        planned(version("1.0.2", *EVERYWHERE, tags={"gallery-fanout-keep": ""})),
        planned(version("1.0.2", state=ProvisioningState.FAILED)),
        planned(version("1.0.2", HOME, "eastus2", region("southeastasia", RegionState.FAILED))),
    ],
    ids=["not named", "in use", "tag", "failed", "a region failed"],
)
def test_what_is_kept_for_a_reason(made):
    """A region that nothing changes is not settled when it is kept for a reason that people may want to hear."""
    rows = report(made).to_json()["rows"]
    assert {row["action"] for row in rows} == {"keep"}
    assert not all(row["settled"] for row in rows)


def test_definitions_are_in_the_order_of_their_names():
    """Image definitions are sorted by name without regard to case, whatever order they were read in."""
    names = ["Windows", "debian", "ubuntu", "Alma"]
    plans = [Plan(ImageId.parse(IMAGE_ID.replace("ubuntu-2204", name)), SPREADING.versions) for name in names]
    made = report(*plans).to_json()
    assert [each["image"] for each in made["definitions"]] == ["Alma", "debian", "ubuntu", "Windows"]
    assert [row["image"] for row in made["rows"]][::6] == ["Alma", "debian", "ubuntu", "Windows"]
    assert made["totals"]["writes"] == 4


def test_what_is_said_of_a_definition():
    """What was withdrawn, what to look at, what the cap left for later, and the mode, stand beside its rows."""
    plan = Plan(SPREADING.image, (), capped=3, withdrawn="1.0.4 was deleted", warnings=("look here",))
    made = report(plan, mode=Mode.OBSERVE, notes=("so it was made",)).to_json()
    assert made["notes"] == ["so it was made"]
    assert made["definitions"] == [
        {
            "id": IMAGE_ID,
            "gallery": "prodgallery",
            "image": "ubuntu-2204",
            "mode": "observe",
            "versions": 0,
            "changes": False,
            "capped": 3,
            "withdrawn": "1.0.4 was deleted",
            "warnings": ["look here"],
        }
    ]


def test_what_waits_for_time_says_until_when():
    """A row that waits for nothing but time says until when."""
    grace = policy(prune_grace=timedelta(hours=2))
    made = report(planned(old(), version("1.0.2", *EVERYWHERE), by=grace)).to_json()
    assert {row["until"] for row in made["rows"] if row["action"] == "wait"} == {"2025-03-01T14:00:00+00:00"}


@pytest.mark.parametrize("made", [SPREADING, PRUNING, planned()], ids=["adds", "removes", "is empty"])
def test_it_is_what_the_schema_says(made):
    """The JSON is what docs/plan.schema.json describes, with every field there."""
    Draft202012Validator.check_schema(SCHEMA)
    Draft202012Validator(SCHEMA).validate(json.loads(json.dumps(report(made).to_json())))


def test_the_schema_knows_every_word():
    """The schema names every role, action and mode that the code has."""
    lists = {name: SCHEMA["properties"][name]["items"]["properties"] for name in ("rows", "definitions")}
    assert set(lists["rows"]["role"]["enum"]) == set(Role)
    assert set(lists["rows"]["action"]["enum"]) == set(Action)
    assert set(lists["definitions"]["mode"]["enum"]) == set(Mode)
