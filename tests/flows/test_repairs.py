"""Regions that fail, regions that Azure will not have, and writers beside us."""

from datetime import timedelta
from typing import Any

import pytest

from local.azure import Fault, Pace
from shared.core.names import ImageId
from tests.flows.clockwork import HOME, MOST_TRIES, Clockwork
from tests.flows.world import short

pytestmark = pytest.mark.flow

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FOUR = (HOME, "eastus2", "southeastasia", "uksouth")
POLICY = " ".join(FOUR)


def _publish(clockwork: Clockwork, number: str = "1.0.1") -> None:
    clockwork.azure.publish(clockwork.image, number, home=HOME)
    clockwork.pass_time(10 * MINUTE)
    clockwork.event(number)


def _failures(clockwork: Clockwork) -> list[dict[str, Any]]:
    return [event["data"] for event in clockwork.events("region-failed")]


def test_a_region_that_fails_once(clockwork: Clockwork) -> None:
    """A region that failed is asked for again, by one write with the same set, and the rollout completes."""
    clockwork.azure.set_behaviour(failing_regions={"eastus2": 1})
    clockwork.decide(POLICY)
    _publish(clockwork)
    assert clockwork.run(DAY)
    assert clockwork.complete_in("1.0.1", FOUR)
    assert clockwork.writes() == [("1.0.1", list(FOUR)), ("1.0.1", list(FOUR))]
    (told,) = _failures(clockwork)
    assert (told["region"], told["tried"]) == ("eastus2", "nothing yet")
    assert "Failed with internal server error" in told["reason"]


def test_a_region_that_is_taken_out_and_put_back(clockwork: Clockwork) -> None:
    """When asking again did not help, only that region is taken out and put back; the others stay as they are."""
    clockwork.azure.set_behaviour(failing_regions={"eastus2": 2})
    clockwork.decide(POLICY)
    _publish(clockwork)
    assert clockwork.run(DAY)
    assert clockwork.complete_in("1.0.1", FOUR)
    without = [region for region in FOUR if region != "eastus2"]
    assert [sorted(regions) for _, regions in clockwork.writes()] == [
        sorted(FOUR),
        sorted(FOUR),
        sorted(without),
        sorted(FOUR),
    ]
    assert len(_failures(clockwork)) == 1
    assert clockwork.told()["rollout.completed 1.0.1"] == 1


def test_a_failed_region_in_use_is_not_taken_out(clockwork: Clockwork) -> None:
    """A region where scale sets use the version is only asked for again: without it they could make no machine."""
    clockwork.azure.set_behaviour(failing_regions={"eastus2": -1})
    clockwork.azure.add_version(clockwork.image, "1.0.1", regions=[HOME])
    clockwork.azure.add_scale_set("web-prod", image=clockwork.version("1.0.1"), location="eastus2")
    clockwork.decide(POLICY)
    clockwork.sweep()
    clockwork.run(DAY)
    assert all("eastus2" in regions for _, regions in clockwork.writes())
    assert _failures(clockwork)[-1]["tried"] == "asked for again, 3 times"


def test_a_region_that_never_works(clockwork: Clockwork) -> None:
    """Everything is tried, then no more; people hear what was tried, and older versions stay in that region."""
    clockwork.azure.add_version(clockwork.image, "1.0.0", home=HOME, regions=list(FOUR))
    clockwork.azure.set_behaviour(failing_regions={"eastus2": -1})
    clockwork.decide(POLICY)
    _publish(clockwork)
    clockwork.run(8 * HOUR)
    first, last = _failures(clockwork)
    assert first["tried"] == "nothing yet"
    assert last["tried"] == "asked for again; taken out and put back; taken out and put back once more"
    takes = [regions for number, regions in clockwork.writes() if number == "1.0.1" and "eastus2" not in regions]
    assert len(takes) == 2
    tried = [number for number, _ in clockwork.writes()].count("1.0.1")
    clockwork.sweep()
    clockwork.run(3 * HOUR)
    assert [number for number, _ in clockwork.writes()].count("1.0.1") == tried
    assert clockwork.complete_in("1.0.0", [HOME, "eastus2"])


def test_a_failed_version_is_repaired(clockwork: Clockwork) -> None:
    """Where Azure calls the whole version Failed because of one region, that region is repaired all the same."""
    clockwork.azure.add_version(clockwork.image, "1.0.0", home=HOME, regions=[HOME])
    clockwork.decide(POLICY)
    clockwork.sweep()
    clockwork.run(3 * HOUR)
    before = len(clockwork.events())
    clockwork.azure.set_behaviour(failed_region_fails_version=True)
    clockwork.azure.set_behaviour(failing_regions={"eastus2": 2})
    _publish(clockwork)
    assert clockwork.run(DAY)
    assert clockwork.complete_in("1.0.1", FOUR)
    kinds = [event["type"].removeprefix("gallery-fanout.") for event in clockwork.events()[before:]]
    assert [kind for kind in kinds if not kind.startswith("prune")] == [
        "rollout.started",
        "rollout.region-failed",
        "rollout.completed",
    ]


def test_a_region_that_must_not_leave(clockwork: Clockwork) -> None:
    """With PRUNE_UNLOCKS_REGIONS=false a failed region is asked for again and never taken out, and people hear that."""
    clockwork.azure.set_behaviour(failing_regions={"eastus2": -1})
    clockwork.decide(POLICY, PRUNE_UNLOCKS_REGIONS="false")
    _publish(clockwork)
    clockwork.run(6 * HOUR)
    assert [told["tried"] for told in _failures(clockwork)] == ["nothing yet", "asked for again, 3 times"]
    assert all("eastus2" in regions for _, regions in clockwork.writes())


def test_tags_of_a_moment_ago_take_nothing_out(clockwork: Clockwork) -> None:
    """What takes a region out reads the tags when it does, however short a time ago they were read."""
    clockwork.azure.set_behaviour(failing_regions={"eastus2": -1})
    clockwork.decide(POLICY)
    _publish(clockwork)
    again = ["replicate"]
    clockwork.run(DAY, until=lambda: len(clockwork.writes()) == 2 and _due(clockwork) == again)
    assert _due(clockwork) == again
    image = ImageId.parse(clockwork.image)
    for thing in (image, image.gallery):
        clockwork.app.gallery.tags(thing)
    clockwork.azure.set_tags(clockwork.image, {"gallery-fanout-keep": "true"})
    clockwork.run(HOUR)
    assert len(clockwork.writes()) == 2


def _due(clockwork: Clockwork) -> list[str]:
    return [message.queue for message in clockwork.queues.due()]


def test_a_region_that_azure_refuses(clockwork: Clockwork) -> None:
    """A region that Azure does not have stands alone in the end; the others go ahead, and only it is told of."""
    others = ["eastus2", "southeastasia", "uksouth", "japaneast", "westus3", "northeurope", "canadacentral"]
    clockwork.decide(f"{HOME} {' '.join(others[:4])} atlantis {' '.join(others[4:])}")
    _publish(clockwork)
    assert clockwork.run(DAY)
    assert clockwork.complete_in("1.0.1", [HOME, *others])
    (told,) = _failures(clockwork)
    assert told["region"] == "atlantis"
    assert clockwork.told()["rollout.completed 1.0.1"] == 1
    refused = [each for each in clockwork.azure.requests if each.method == "PATCH" and each.status == 400]
    assert len(refused) <= 5


REFUSALS = [
    pytest.param("closed_regions", "uksouth", 400, "is not a supported location", id="not for this subscription"),
    pytest.param("zoneless_regions", "uksouth=1=standard_zrs", 400, "Standard_ZRS", id="no zone redundancy"),
    pytest.param("disallowed_regions", "uksouth", 403, "was disallowed by policy", id="disallowed by a policy"),
]


@pytest.mark.parametrize(("switch", "wanted", "status", "words"), REFUSALS)
def test_a_region_that_is_not_to_be_had(
    clockwork: Clockwork, switch: str, wanted: str, status: int, words: str
) -> None:
    """Whyever Azure refuses a region outright, it stands alone in the end and is told of once; the others go ahead."""
    clockwork.azure.set_behaviour(**{switch: frozenset({"uksouth"})})
    clockwork.decide(f"{POLICY} japaneast".replace("uksouth", wanted))
    _publish(clockwork)
    assert clockwork.run(DAY, handle=clockwork.deliver)
    assert clockwork.complete_in("1.0.1", [HOME, "eastus2", "southeastasia", "japaneast"])
    (told,) = _failures(clockwork)
    assert told["region"] == "uksouth"
    assert words in told["reason"]
    assert clockwork.told()["rollout.completed 1.0.1"] == 1
    refused = [each.status for each in clockwork.azure.requests if each.method == "PATCH" and each.status >= 400]
    assert set(refused) == {status}
    assert len(refused) <= 4
    assert clockwork.faults == []


def test_a_region_that_may_be_had_later(clockwork: Clockwork) -> None:
    """When the policy that disallowed a region is gone, the region comes with one of the next passes."""
    clockwork.azure.set_behaviour(disallowed_regions=frozenset({"uksouth"}))
    clockwork.decide(POLICY)
    _publish(clockwork)
    clockwork.run(2 * HOUR)
    assert clockwork.complete_in("1.0.1", [region for region in FOUR if region != "uksouth"])
    clockwork.azure.set_behaviour(disallowed_regions=frozenset())
    clockwork.sweep()
    assert clockwork.run(3 * HOUR)
    assert clockwork.complete_in("1.0.1", FOUR)


def test_no_role_is_no_regions_fault(clockwork: Clockwork) -> None:
    """A write that the app has no right to is tried five times, then it is a dead letter; no region is blamed."""
    forbidden = Fault("PATCH", "versions", 403, "AuthorizationFailed", "The client has no authorization.", times=1000)
    clockwork.azure.set_behaviour(faults=[forbidden])
    clockwork.decide(f"{HOME} eastus2")
    _publish(clockwork)
    clockwork.run(10 * MINUTE, handle=clockwork.deliver)
    assert _failures(clockwork) == []
    assert len([each for each in clockwork.azure.requests if each.method == "PATCH"]) == MOST_TRIES
    assert clockwork.told()["message.dead-lettered 1.0.1"] == 1


def test_a_refused_region_is_asked_for_again_without_a_word(clockwork: Clockwork) -> None:
    """Each hour a refused region is asked for again; the same refusal is told of once, and success completes it."""
    clockwork.decide(f"{HOME} eastus2 atlantis")
    _publish(clockwork)
    clockwork.run(2 * HOUR)
    told = len(clockwork.events())
    for _ in range(3):
        clockwork.sweep()
        clockwork.run(HOUR)
    refused = [each for each in clockwork.azure.requests if each.method == "PATCH" and each.status == 400]
    assert len(refused) >= 4
    assert len(clockwork.events()) == told
    clockwork.decide(f"{HOME} eastus2")
    clockwork.sweep()
    assert clockwork.run(HOUR)


def test_a_lock_refuses_all_at_once(clockwork: Clockwork) -> None:
    """A resource lock is no region's fault: the write is not split, and one message names all that cannot come."""
    clockwork.decide(POLICY)
    clockwork.azure.publish(clockwork.image, "1.0.1", home=HOME)
    clockwork.pass_time(10 * MINUTE)
    clockwork.azure.lock(clockwork.image)
    clockwork.event("1.0.1")
    clockwork.run(HOUR)
    (told,) = _failures(clockwork)
    assert told["region"] == "eastus2, southeastasia, uksouth"
    assert len([each for each in clockwork.azure.requests if each.method == "PATCH"]) == 1
    clockwork.azure.unlock(clockwork.image)
    clockwork.sweep()
    assert clockwork.run(3 * HOUR)
    assert clockwork.complete_in("1.0.1", FOUR)
    assert clockwork.told()["rollout.completed 1.0.1"] == 1


def test_other_regions_are_not_delayed(clockwork: Clockwork) -> None:
    """While one region is refused by a fault of its own, the others are there as soon as without it."""
    clockwork.azure.set_behaviour(replicate_by_region={"uksouth": Pace.after(24 * 3600)})
    clockwork.decide(POLICY)
    _publish(clockwork)
    clockwork.run(HOUR)
    states = clockwork.regions("1.0.1")
    assert [name for name, state in states.items() if state == "Completed"] == [HOME, "eastus2", "southeastasia"]


def test_a_conflict_waits_in_the_queue(clockwork: Clockwork) -> None:
    """While Azure answers 409 to a write, the message waits; nothing is told, nothing is lost."""
    conflict = Fault("PATCH", "versions", 409, "Conflict", "another operation is in progress", times=3)
    clockwork.azure.set_behaviour(faults=[conflict])
    clockwork.decide(POLICY)
    _publish(clockwork)
    assert clockwork.run(DAY)
    assert clockwork.complete_in("1.0.1", FOUR)
    assert _failures(clockwork) == []


def test_a_write_never_leaves_while_the_version_is_updating(clockwork: Clockwork) -> None:
    """While somebody's write is under way ours waits, however long it takes."""
    clockwork.azure.set_behaviour(update=Pace.after(3 * 3600))
    clockwork.azure.add_version(clockwork.image, "1.0.1", home=HOME, regions=[HOME])
    clockwork.azure.update(clockwork.version("1.0.1"), lambda version: version)
    clockwork.decide(POLICY)
    clockwork.event("1.0.1")
    clockwork.run(2 * HOUR)
    assert clockwork.writes() == []
    clockwork.run(8 * HOUR)
    assert clockwork.complete_in("1.0.1", FOUR)
    assert [sorted(map(short, regions)) for _, regions in clockwork.writes()] == [sorted(FOUR)]
