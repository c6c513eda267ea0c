import json
import uuid
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.batch import Batch
from shared.core.messages import Notify, write
from shared.core.model import RegionState
from shared.core.notices import (
    Notice,
    NoticeType,
    batch_news,
    dead_letter_news,
    failure_news,
    plan_news,
    prune_news,
    replicas_news,
    rollout_news,
    versions_news,
)
from shared.core.planner import plan, spread
from shared.core.policy import Mode
from shared.core.pruning import Pruning
from shared.core.rollout import Rollout
from tests.core import strategies
from tests.core.build import (
    EVERYWHERE,
    HOME,
    HOUR,
    IMAGE,
    IMAGE_ID,
    MINUTE,
    NOW,
    VERSION_ID,
    definition,
    planned,
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
POLICY = policy("westeurope=3 eastus2 southeastasia uksouth=2=premium_lrs; japaneast")
LINES = spread(VERSION, POLICY, NOW)
ROLLOUT = Rollout(started=NOW - HOUR, deadline=NOW + HOUR, completed={HOME: NOW - 50 * MINUTE})
EXPLAINED = replace(ROLLOUT, cause="1.0.4 was deleted", supersedes=("1.0.2",), warnings=("a tag is malformed",))
OLDER = version("1.0.1", region(HOME, replicas=2), region("eastus2", replicas=3), "southeastasia", "uksouth")
NEWEST = version("1.0.2", *EVERYWHERE)
PRUNING = Pruning.of(planned(OLDER, NEWEST).of(OLDER.number), None, NOW)


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
        "gallery-fanout.publish.failed",
        "gallery-fanout.limit.near",
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


# Rollouts.


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
        {
            "name": "japaneast",
            "replicas": 1,
            "storageAccountType": None,
            "state": "Waiting",
            "progress": None,
            "seconds": 3600,
            "reason": "wave 1 is stopped: southeastasia failed",
        },
    ]


def test_a_region_that_was_complete_before():
    """A region that was complete before the rollout started took no time."""
    early = replace(ROLLOUT, completed={HOME: NOW - 2 * HOUR})
    news = rollout_news(NoticeType.ROLLOUT_COMPLETED, VERSION, early, LINES, NOW)
    assert news.data["regions"][0]["seconds"] == 0


def told(subject, by):
    """Say what is told of each region of a version: its state, its replicas and the reason."""
    news = rollout_news(NoticeType.ROLLOUT_STARTED, subject, ROLLOUT, spread(subject, by, NOW), NOW)
    return {each["name"]: (each["state"], each["replicas"], each.get("reason")) for each in news.data["regions"]}


def test_skipped_region():
    """A region that an encrypted version cannot go to is told as skipped, with the reason."""
    encrypted = version("1.0.3", region(HOME, encrypted=True))
    reason = "the version is encrypted, and ENCRYPTION_SETS has no disk encryption set for this region"
    assert told(encrypted, policy("westeurope eastus2")) == {
        HOME: ("Completed", 1, None),
        "eastus2": ("Skipped", 0, reason),
    }


def test_waiting_regions():
    """A region of a later wave is told as waiting, and when it is there already by its state; both with the reason."""
    seen = version("1.0.3", region(HOME, since=NOW - MINUTE), region("uksouth", RegionState.FAILED))
    by = policy("westeurope; eastus2=3 uksouth=2", wave_bake=HOUR)
    reason = "wave 1 is complete since 1 min; it bakes for 1 h"
    assert told(seen, by) == {
        HOME: ("Completed", 1, None),
        "eastus2": ("Waiting", 3, reason),
        "uksouth": ("Failed", 1, reason),
    }


def test_a_region_that_is_sized():
    """A region that gets more replicas is told by its state, with the replicas that it has."""
    assert told(version("1.0.3"), policy("westeurope=3")) == {HOME: ("Completed", 1, None)}


def test_region_failed_data():
    """A failed region is named with its reason."""
    assert OTHER_NEWS["a failed region"].data["region"] == HOME
    assert OTHER_NEWS["a failed region"].data["reason"] == "x"


ROLLOUT_KINDS = [kind for kind in NoticeType if kind.startswith("rollout.")]


@pytest.mark.parametrize("kind", ROLLOUT_KINDS)
def test_background_of_a_rollout(kind):
    """All news of a rollout say why there is one; only its start says what it supersedes and warns of."""
    data = rollout_news(kind, VERSION, EXPLAINED, LINES, NOW).data
    background = {name: data[name] for name in data if name not in ("regions", "seconds")}
    expected = {"cause": "1.0.4 was deleted"}
    if kind is NoticeType.ROLLOUT_STARTED:
        expected |= {"supersedes": ["1.0.2"], "warnings": ["a tag is malformed"]}
    assert background == expected


@pytest.mark.parametrize("kind", ROLLOUT_KINDS)
def test_no_background(kind):
    """A rollout that simply follows a publishing has no fields for what there is nothing to say of."""
    assert set(rollout_news(kind, VERSION, ROLLOUT, LINES, NOW).data) == {"regions", "seconds"}


@pytest.mark.parametrize("kind", ROLLOUT_KINDS)
def test_background_does_not_make_other_news(kind):
    """The same news has the same id, whatever is said of its background by then."""
    plain, explained = (rollout_news(kind, VERSION, each, LINES, NOW) for each in (ROLLOUT, EXPLAINED))
    assert plain.id == explained.id


# Prunes.


def test_prune_data():
    """A prune tells the regions that the version left, those that it kept and why, and an upper bound in GiB."""
    news = prune_news(NoticeType.PRUNE_COMPLETED, OLDER.id, PRUNING.taking())
    assert (news.type, news.about) == (NoticeType.PRUNE_COMPLETED, OLDER.id)
    assert news.data == {
        "regionsRemoved": ["eastus2", "southeastasia"],
        "regionsKept": [
            {"name": "westeurope", "reason": "its home region, where 1 of 2 replicas are enough"},
            {"name": "uksouth", "reason": "1.0.2 is not here"},
        ],
        "gibFreed": 30 * (3 + 1),
    }


def test_refused_prune_data():
    """A prune that was refused tells why, and that nothing was removed or freed: every region is kept."""
    news = prune_news(NoticeType.PRUNE_REFUSED, OLDER.id, PRUNING.refusing("ScopeLocked: there is a lock", NOW))
    assert news.data == {
        "regionsRemoved": [],
        "regionsKept": [
            {"name": "eastus2", "reason": "Azure refused to remove it"},
            {"name": "southeastasia", "reason": "Azure refused to remove it"},
            {"name": "westeurope", "reason": "its home region, where 1 of 2 replicas are enough"},
            {"name": "uksouth", "reason": "1.0.2 is not here"},
        ],
        "gibFreed": 0,
        "reason": "ScopeLocked: there is a lock",
    }


def test_a_refusal_that_is_over_is_not_told():
    """A prune that was refused at first and done in the end is told without the refusal."""
    refused = replace(PRUNING, refused="locked", refused_at=NOW).taking()
    assert "reason" not in prune_news(NoticeType.PRUNE_COMPLETED, OLDER.id, refused).data


def test_prune_news_survive_storage():
    """What is told of a prune is the same after it was stored and read."""
    again = Pruning.from_json(json.loads(json.dumps(PRUNING.to_json())))
    kind = NoticeType.PRUNE_COMPLETED
    assert prune_news(kind, OLDER.id, again).event(NOW) == prune_news(kind, OLDER.id, PRUNING).event(NOW)


def test_prunes_are_told_apart_by_when_they_were_asked():
    """The same prune is the same news, however it went on; another one is not."""
    kind, later = NoticeType.PRUNE_COMPLETED, replace(PRUNING, asked=NOW + HOUR)
    went_on = replace(PRUNING, removed=(), taken=True, refused="locked")
    assert prune_news(kind, OLDER.id, PRUNING).id == prune_news(kind, OLDER.id, went_on).id
    assert prune_news(kind, OLDER.id, PRUNING).id != prune_news(kind, OLDER.id, later).id


def test_another_reason_is_another_refusal():
    """A prune that is refused for another reason than before is news again; the same reason is not."""
    ids = [
        prune_news(NoticeType.PRUNE_REFUSED, OLDER.id, PRUNING.refusing(reason, NOW + hours * HOUR)).id
        for hours, reason in enumerate(["a", "a", "b"])
    ]
    assert ids[0] == ids[1] != ids[2]


def test_half_letters_make_no_trouble():
    """News with half of a letter in Azure's words has an id all the same, and other halves make other news."""
    ids = {
        prune_news(NoticeType.PRUNE_REFUSED, OLDER.id, PRUNING.refusing(reason, NOW)).id
        for reason in ("\ud800", "\udfff", "")
    }
    assert len(ids) == 3


@pytest.mark.parametrize(
    ("price", "saving"),
    [(None, None), (Decimal("0.05"), 6.0), (Decimal("0.0001"), 0.01), (Decimal("0.00001"), 0.0)],
)
def test_savings(price, saving):
    """Where the price of a GiB is known, a prune tells what it saves in a month, to a hundredth."""
    assert prune_news(NoticeType.PRUNE_COMPLETED, OLDER.id, PRUNING, price).data.get("monthlySaving") == saving


def test_a_refused_prune_saves_nothing():
    """A prune that was refused saves nothing, whatever a GiB costs."""
    news = prune_news(NoticeType.PRUNE_REFUSED, OLDER.id, PRUNING.refusing("locked", NOW), Decimal(1))
    assert "monthlySaving" not in news.data


# The prunes of one pass.

FACTS = {"regionsRemoved": ["eastus2"], "regionsKept": [{"name": HOME, "reason": "its home region"}], "gibFreed": 30}


def batch(**ended):
    """Make a batch of which everything has ended."""
    numbers = {name: version_id(f"1.0.{name[1:]}").number for name in ended}
    made = Batch().asking(numbers.values(), NOW)
    for name, facts in ended.items():
        made = made.pruning(numbers[name], facts, NOW) if facts else made.nothing(numbers[name])
    return made


def test_batch_data():
    """What one pass pruned is one message about the definition: each version, and what was freed in all."""
    news = batch_news(IMAGE, "b", batch(v2=FACTS | {"monthlySaving": 1.5}, v1=FACTS | {"monthlySaving": 2.25}, v3=None))
    assert (news.type, news.about) == (NoticeType.PRUNE_COMPLETED, IMAGE)
    assert [prune["version"] for prune in news.data["prunes"]] == ["1.0.1", "1.0.2"]
    assert news.data["prunes"][0] == {"version": "1.0.1", **FACTS, "monthlySaving": 2.25}
    assert (news.data["gibFreed"], news.data["monthlySaving"]) == (60, 3.75)


def test_batch_without_a_price():
    """Without a price nothing is said of savings."""
    assert "monthlySaving" not in batch_news(IMAGE, "b", batch(v1=FACTS, v2=FACTS)).data


def test_batch_of_which_one_was_pruned():
    """When one version was pruned in the end, it is told of as any other."""
    news = batch_news(IMAGE, "b", batch(v1=FACTS, v2=None))
    assert (news.about, news.data) == (version_id("1.0.1"), FACTS)


def test_batch_of_which_nothing_came():
    """When nothing was pruned there is nothing to tell."""
    assert batch_news(IMAGE, "b", batch(v1=None, v2=None)) is None


def test_batches_are_told_apart():
    """The same batch is the same news; one of another message is not, nor is a later one of the same message."""
    made = batch(v1=FACTS, v2=FACTS)
    first, again, other = (batch_news(IMAGE, name, made).id for name in "aab")
    assert first == again != other
    assert batch_news(IMAGE, "a", replace(made, begun=NOW + HOUR)).id != first


# What was not made, and limits.


def test_failure_data():
    """A version that could not be made is told of once, with its state and why."""
    news = failure_news(version_id("1.0.4"), "Failed", "no space")
    assert (news.type, news.about) == (NoticeType.PUBLISH_FAILED, version_id("1.0.4"))
    assert news.data == {"state": "Failed", "reason": "no space"}
    assert news.id == failure_news(version_id("1.0.4"), "Absent", "other words").id


def test_versions_near_the_limit():
    """That a region has nearly as many versions as Azure takes is told, and told again for each hundred more."""
    news = versions_news(IMAGE, HOME, 9_012)
    assert news.type is NoticeType.LIMIT_NEAR
    assert news.data["reason"] == (
        "9012 versions have their home in westeurope; Azure takes 10000 in a subscription and region"
    )
    assert (news.data["limit"], news.data["used"], news.data["of"]) == ("versions", 9_012, 10_000)
    assert news.id == versions_news(IMAGE, HOME, 9_099).id != versions_news(IMAGE, HOME, 9_100).id


@pytest.mark.parametrize("many", [1, 200, 5_000])
def test_any_status_fits_into_a_message(many):
    """However much there is to tell, its message fits into a queue; what was left out is counted."""
    changes = [
        {"version": f"1.0.{patch}", "region": "eastus2", "action": "remove", "reason": "ä" * 300}
        for patch in range(many)
    ]
    event = Notice(NoticeType.PLAN_REPORTED, IMAGE, "k", {"changes": changes}).event(NOW)
    assert len(write(Notify("1-teams", event, NOW, NOW))) <= 48 * 1024
    assert len(event["data"]["changes"]) + event["data"].get("changesCut", 0) == many


# Plans that are only reported.


def test_plan_data():
    """A plan that is only reported tells each change and its reason, about the newest version."""
    news = plan_news(planned(OLDER, NEWEST, by=policy("westeurope eastus2; japaneast", mode=Mode.OBSERVE)))
    assert (news.type, news.about) == (NoticeType.PLAN_REPORTED, NEWEST.id)
    assert news.data == {
        "changes": [
            {"version": "1.0.2", "region": "japaneast", "action": "add", "reason": "the policy names it"},
            {
                "version": "1.0.1",
                "region": "westeurope",
                "action": "size",
                "reason": "its home region, where 1 of 2 replicas are enough",
            },
            {"version": "1.0.1", "region": "eastus2", "action": "remove", "reason": "1.0.2 complete here"},
            {"version": "1.0.1", "region": "southeastasia", "action": "remove", "reason": "1.0.2 complete here"},
        ]
    }


def test_background_of_a_plan():
    """A plan that is reported tells why the newest changed, what it warns of, and how many prunes wait for the cap."""
    made = planned(
        OLDER,
        version("1.0.0", *EVERYWHERE),
        NEWEST,
        by=policy(warnings=("a tag is malformed",)),
        cap=1,
        newest_before=version_id("1.0.3").number,
    )
    news = plan_news(made)
    assert {name: value for name, value in news.data.items() if name != "changes"} == {
        "cause": "1.0.3 was deleted",
        "warnings": ["a tag is malformed"],
        "capped": 1,
    }


def since(minutes):
    """Make a definition whose newest version is complete since so many minutes, and some change is due."""
    newest = version("1.0.2", *(region(name, since=NOW - minutes * MINUTE) for name in EVERYWHERE))
    return definition(OLDER, newest, version("1.0.0"))


def test_same_plan_same_news():
    """The same changes are the same news, in whatever order versions come and whatever time does to the reasons."""
    first, later = plan(since(14), policy(), now=NOW), plan(since(14), policy(), now=NOW + 3 * HOUR)
    assert plan_news(first).data != plan_news(later).data
    assert plan_news(first).id == plan_news(later).id
    shuffled = replace(since(14), versions=since(14).versions[::-1])
    assert plan_news(plan(shuffled, policy(), now=NOW)).id == plan_news(first).id


def test_waiting_is_no_news():
    """What waits changes nothing yet: how long it still waits does not make another plan."""
    by = policy("westeurope eastus2 southeastasia japaneast; brazilsouth", prune_grace=HOUR, wave_bake=HOUR)
    made = [plan(since(minutes), by, now=NOW) for minutes in (1, 20)]
    assert all(each.worth_a_look for each in made)
    assert len({plan_news(each).id for each in made}) == 1


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(planned(OLDER, NEWEST, by=policy(home_replicas=2)), id="fewer changes"),
        pytest.param(planned(OLDER, NEWEST, by=policy("westeurope=2 eastus2 southeastasia")), id="more changes"),
        pytest.param(planned(OLDER, NEWEST, by=policy("westeurope=3 eastus2 southeastasia")), id="more replicas"),
        pytest.param(planned(replace(OLDER, id=version_id("1.0.0")), NEWEST), id="of another version"),
        pytest.param(planned(OLDER, NEWEST, by=policy(warnings=("a tag is malformed",))), id="another warning"),
        pytest.param(planned(OLDER, replace(NEWEST, id=version_id("1.0.4"))), id="another newest"),
    ],
)
def test_another_plan_is_other_news(other):
    """A plan with other changes or warnings is other news."""
    assert plan_news(other).id != plan_news(planned(OLDER, NEWEST)).id


def test_why_a_plan_is_another():
    """Why the newest is an older one than it was is so in one pass only, and does not make another plan."""
    withdrawn = planned(OLDER, NEWEST, newest_before=version_id("1.0.3").number)
    assert withdrawn.withdrawn
    assert plan_news(withdrawn).id == plan_news(planned(OLDER, NEWEST)).id


def test_the_same_plan_again():
    """A plan that comes back after another was reported is news of its own, and the same when it is told twice."""
    news = plan_news(planned(OLDER, NEWEST))
    assert len({news.id, news.again(0).id, news.again(1).id}) == 3
    assert news.again(1) == replace(news, key=news.again(1).key)
    assert news.again(1).id == plan_news(planned(OLDER, NEWEST)).again(1).id


def test_more_replicas_are_another_plan():
    """How many replicas a region gets tells plans apart."""
    two, three = (planned(NEWEST, by=policy(f"westeurope={count}")) for count in (2, 3))
    assert plan_news(two).id != plan_news(three).id


def test_plan_without_a_newest():
    """A plan of a definition without a good version is about the definition."""
    news = plan_news(planned())
    assert (news.about, news.data) == (IMAGE, {"changes": []})


# Limits and dead letters.


def test_limit_near():
    """A version that comes near Azure's limit of replicas is told with the number, the limit and the reason."""
    news = replicas_news(VERSION.id, 51, "1.0.3 has 51 replicas in all; Azure advises 50 at most")
    assert (news.type, news.about) == (NoticeType.LIMIT_NEAR, VERSION.id)
    assert news.data == {
        "limit": "replicas",
        "used": 51,
        "of": 100,
        "reason": "1.0.3 has 51 replicas in all; Azure advises 50 at most",
    }


def test_limits_are_told_apart_by_how_much_is_used():
    """The same version with the same number of replicas is the same news; with another number it is news again."""
    same, again, other = (replicas_news(VERSION.id, used, reason) for used, reason in ((51, "a"), (51, "b"), (52, "a")))
    assert same.id == again.id != other.id


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
