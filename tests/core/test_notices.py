import json
import uuid
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.model import RegionState
from shared.core.notices import (
    Notice,
    NoticeType,
    dead_letter_news,
    plan_news,
    prune_news,
    pruning_of,
    rollout_news,
)
from shared.core.planner import plan, spread
from shared.core.policy import Mode
from shared.core.rollout import Rollout
from tests.core import strategies
from tests.core.build import (
    HOME,
    HOUR,
    IMAGE,
    IMAGE_ID,
    NOW,
    VERSION_ID,
    definition,
    policy,
    region,
    version,
    version_id,
)

VERSION = version(
    "1.0.3",
    region(HOME, replicas=3, storage_account_type="Standard_ZRS"),
    region("eastus2", RegionState.REPLICATING, progress=40),
    region("southeastasia", RegionState.FAILED, details="internal error"),
)
POLICY = policy("westeurope=3 eastus2 southeastasia uksouth=2=premium_lrs")
LINES = spread(VERSION, POLICY)
ROLLOUT = Rollout(started=NOW - HOUR, deadline=NOW + HOUR, completed={HOME: NOW - timedelta(minutes=50)})
OLDER = version("1.0.1", region(HOME, replicas=2), region("eastus2", replicas=3), "southeastasia", "uksouth")
NEWEST = version("1.0.2", HOME, "eastus2", "southeastasia")
PRUNE = plan(definition(OLDER, NEWEST), policy()).of(OLDER.number)


def rollout_completed(**more):
    """Tell that the rollout is complete."""
    return rollout_news(NoticeType.ROLLOUT_COMPLETED, VERSION, ROLLOUT, LINES, NOW, **more)


def test_types_of_the_contract():
    """The statuses have the types of the contract."""
    assert {kind.event_type for kind in NoticeType} == {
        "gallery-fanout.rollout.started",
        "gallery-fanout.rollout.completed",
        "gallery-fanout.rollout.region-failed",
        "gallery-fanout.rollout.stalled",
        "gallery-fanout.prune.completed",
        "gallery-fanout.prune.refused",
        "gallery-fanout.message.dead-lettered",
        "gallery-fanout.plan.reported",
    }


def test_event_of_a_version():
    """A status about a version is a CloudEvent whose source is the definition and whose subject is the version."""
    event = rollout_completed().event(NOW)
    data = event.pop("data")
    assert event == {
        "specversion": "1.0",
        "id": rollout_completed().id,
        "source": IMAGE_ID,
        "subject": VERSION_ID,
        "type": "gallery-fanout.rollout.completed",
        "time": "2025-03-01T12:00:00+00:00",
        "datacontenttype": "application/json",
    }
    assert (data["gallery"], data["image"], data["version"]) == ("prodgallery", "ubuntu-2204", "1.0.3")


def test_event_of_a_definition():
    """A status about a definition has no subject, and no version."""
    event = Notice(NoticeType.PLAN_REPORTED, IMAGE, "k").event(NOW)
    assert "subject" not in event
    assert event["source"] == IMAGE_ID
    assert event["data"] == {"gallery": "prodgallery", "image": "ubuntu-2204", "version": None}


def test_event_about_nothing_known():
    """A status about something that could not be found out still has every attribute that CloudEvents wants."""
    event = dead_letter_news("watch", "garbage", "not JSON", None, "1").event(NOW)
    assert event["source"] == "urn:gallery-fanout"
    assert event["data"] == {
        "gallery": None,
        "image": None,
        "version": None,
        "queue": "watch",
        "reason": "not JSON",
        "message": "garbage",
    }


@given(
    st.builds(
        Notice,
        st.sampled_from(NoticeType),
        st.none() | strategies.images | strategies.versions_ids,
        st.text(),
        st.just({"regions": []}),
    ),
    strategies.moments,
)
def test_every_event_is_a_cloudevent(notice, now):
    """Any status has the required attributes of CloudEvents 1.0, none of them empty, and is JSON."""
    event = json.loads(json.dumps(notice.event(now)))
    for attribute in ("id", "source", "specversion", "type"):
        assert isinstance(event[attribute], str)
        assert event[attribute]
    assert event["specversion"] == "1.0"
    assert event["type"].startswith("gallery-fanout.")
    assert datetime.fromisoformat(event["time"]) == now
    assert str(uuid.UUID(event["id"])) == event["id"]
    assert event.get("subject", "x") != ""
    assert all(name.isalnum() and name.islower() for name in event)
    assert {"gallery", "image", "version"} <= set(event["data"])


def test_same_news_same_id():
    """The same news has the same id, whenever it is told and however its subject is spelled."""
    first, later = (
        rollout_completed(),
        rollout_news(NoticeType.ROLLOUT_COMPLETED, VERSION, ROLLOUT, LINES[:1], NOW + HOUR),
    )
    assert first.id == later.id == first.event(NOW)["id"] == later.event(NOW + HOUR)["id"]
    shouted = replace(first, about=type(first.about).parse(str(first.about).upper()))
    assert shouted.id == first.id


OTHER_NEWS = {
    "another type": replace(rollout_completed(), type=NoticeType.ROLLOUT_STALLED),
    "another version": replace(rollout_completed(), about=version_id("1.0.4")),
    "the definition": replace(rollout_completed(), about=IMAGE),
    "nothing known": replace(rollout_completed(), about=None),
    "another rollout": rollout_news(NoticeType.ROLLOUT_COMPLETED, VERSION, replace(ROLLOUT, number=2), LINES, NOW),
    "a rollout of a lost table": rollout_news(
        NoticeType.ROLLOUT_COMPLETED, VERSION, replace(ROLLOUT, started=NOW), LINES, NOW
    ),
    "a failed region": rollout_news(NoticeType.REGION_FAILED, VERSION, ROLLOUT, LINES, NOW, region=HOME, reason="x"),
    "another region": rollout_news(
        NoticeType.REGION_FAILED, VERSION, ROLLOUT, LINES, NOW, region="uksouth", reason="x"
    ),
    "another reason": rollout_news(NoticeType.REGION_FAILED, VERSION, ROLLOUT, LINES, NOW, region=HOME, reason="y"),
}


def test_other_news_other_id():
    """News of another type, version, rollout, region or reason has another id."""
    ids = {rollout_completed().id, *(notice.id for notice in OTHER_NEWS.values())}
    assert len(ids) == 1 + len(OTHER_NEWS)


def test_rollout_data():
    """A rollout tells each region that the policy names, with replicas, storage, state, progress and seconds."""
    data = rollout_completed().data
    assert data["seconds"] == 3600
    assert data["regions"] == [
        {
            "name": "westeurope",
            "replicas": 3,
            "storageAccountType": "Standard_ZRS",
            "state": "Completed",
            "progress": None,
            "seconds": 600,
        },
        {
            "name": "eastus2",
            "replicas": 1,
            "storageAccountType": None,
            "state": "Replicating",
            "progress": 40,
            "seconds": 3600,
        },
        {
            "name": "southeastasia",
            "replicas": 1,
            "storageAccountType": None,
            "state": "Failed",
            "progress": None,
            "seconds": 3600,
        },
        {
            "name": "uksouth",
            "replicas": 2,
            "storageAccountType": "Premium_LRS",
            "state": "Requested",
            "progress": None,
            "seconds": 3600,
        },
    ]


def test_skipped_region():
    """A region that an encrypted version cannot go to is told as skipped."""
    encrypted = version("1.0.3", region(HOME, encrypted=True))
    lines = spread(encrypted, policy("westeurope eastus2"))
    news = rollout_news(NoticeType.ROLLOUT_STARTED, encrypted, ROLLOUT, lines, NOW)
    assert [(each["name"], each["state"]) for each in news.data["regions"]] == [
        ("westeurope", "Completed"),
        ("eastus2", "Skipped"),
    ]


def test_region_failed_data():
    """A failed region is named with its reason."""
    assert OTHER_NEWS["a failed region"].data["region"] == HOME
    assert OTHER_NEWS["a failed region"].data["reason"] == "x"


def test_prune_data():
    """A prune tells the regions that the version left, those that it kept and why, and an upper bound in GiB."""
    pruning = pruning_of(PRUNE, NOW)
    news = prune_news(NoticeType.PRUNE_COMPLETED, OLDER.id, json.loads(json.dumps(pruning)))
    assert news.data == {
        "regionsRemoved": ["eastus2", "southeastasia"],
        "regionsKept": [
            {"name": "westeurope", "reason": "its home region, where 1 of 2 replicas are enough"},
            {"name": "uksouth", "reason": "1.0.2 is not here"},
        ],
        "gibFreed": 30 * (3 + 1),
    }


def test_prune_of_unknown_size():
    """Where Azure does not say how large the disks are, nothing is said to be freed."""
    made = plan(definition(replace(OLDER, disk_gib=0), NEWEST), policy())
    assert pruning_of(made.of(OLDER.number), NOW)["gibFreed"] == 0


def test_prunes_are_told_apart_by_when_they_were_asked():
    """The same prune is the same news, however it went on; another one is not."""
    first, second = pruning_of(PRUNE, NOW), pruning_of(PRUNE, NOW + HOUR)
    kind = NoticeType.PRUNE_COMPLETED
    assert prune_news(kind, OLDER.id, first).id == prune_news(kind, OLDER.id, {**first, "regionsRemoved": []}).id
    assert prune_news(kind, OLDER.id, first).id != prune_news(kind, OLDER.id, second).id


def test_plan_data():
    """A plan that is only reported tells each change and its reason, about the newest version."""
    made = plan(definition(OLDER, NEWEST), policy("westeurope eastus2 southeastasia japaneast", mode=Mode.OBSERVE))
    news = plan_news(made)
    assert news.type is NoticeType.PLAN_REPORTED
    assert news.about == NEWEST.id
    assert {"version": "1.0.2", "region": "japaneast", "action": "add", "reason": "the policy names it"} in (
        news.data["changes"]
    )
    assert {each["action"] for each in news.data["changes"]} == {"add", "size", "remove"}


def test_same_plan_same_news():
    """The same plan is the same news; another plan is another."""
    made, other = plan(definition(OLDER, NEWEST), policy()), plan(definition(OLDER, NEWEST), policy(home_replicas=2))
    assert plan_news(made).id == plan_news(plan(definition(NEWEST, OLDER), policy())).id
    assert plan_news(made).id != plan_news(other).id


def test_plan_without_a_newest():
    """A plan of a definition without a good version is about the definition."""
    assert plan_news(plan(definition(), policy())).about == IMAGE


def test_what_is_remembered_of_a_prune_for_ourselves_is_not_told():
    """When a prune was asked for and taken is our own business, and whoever gets the status does not see it."""
    news = prune_news(NoticeType.PRUNE_REFUSED, OLDER.id, {**pruning_of(PRUNE, NOW), "taken": True, "reason": "no"})
    assert news.data.keys() == {"regionsRemoved", "regionsKept", "gibFreed", "reason"}


@pytest.mark.parametrize(("length", "shown"), [(300, 300), (301, 303), (100_000, 303)])
def test_excerpt_of_a_dead_letter(length, shown):
    """A dead letter is quoted by its beginning."""
    excerpt = dead_letter_news("watch", "x" * length, "why", IMAGE, "1").data["message"]
    assert len(excerpt) == shown
    assert excerpt.endswith("...") == (shown > 300)


def test_dead_letters_are_told_apart():
    """Two messages that nobody could handle are two pieces of news, also when they say the same."""
    first, second = (dead_letter_news("watch", "x", "why", IMAGE, key) for key in ("1", "2"))
    assert first.id != second.id


def test_another_reason_is_another_refusal():
    """A prune that is refused for another reason than before is news again; the same reason is not."""
    pruning = pruning_of(PRUNE, NOW)
    ids = [prune_news(NoticeType.PRUNE_REFUSED, OLDER.id, {**pruning, "reason": each}).id for each in ("a", "a", "b")]
    assert ids[0] == ids[1] != ids[2]
