"""Who hears of what, and how often."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from local.azure import Pace
from tests.flows.clockwork import HOME, THREE, Clockwork

pytestmark = pytest.mark.flow

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def test_people_hear_once_of_what_a_pass_pruned(clockwork: Clockwork) -> None:
    """Five versions pruned by one pass are five events for machines, and one chat message when the last is done."""
    azure = clockwork.azure
    for patch in range(6):
        azure.add_version(clockwork.image, f"1.0.{patch}", regions=list(THREE), size_gib=32)
    clockwork.decide(" ".join(THREE), STATUS_WEBHOOKS=clockwork.receivers("json", "slack"))
    clockwork.sweep()
    assert clockwork.run(DAY)

    events = clockwork.posts("json")
    assert sorted(event["data"]["version"] for event in events) == [f"1.0.{patch}" for patch in range(5)]
    (chat,) = clockwork.posts("slack")
    assert all(f"1.0.{patch}" in json.dumps(chat) for patch in range(5))
    assert "batch|" not in clockwork.rows()


def test_a_prune_alone_is_told_at_once(clockwork: Clockwork) -> None:
    """A pass that prunes one version waits for nobody: machines and people hear the same."""
    for number in ("1.0.1", "1.0.2"):
        clockwork.azure.add_version(clockwork.image, number, regions=list(THREE))
    clockwork.decide(" ".join(THREE), STATUS_WEBHOOKS=clockwork.receivers("json", "slack"))
    clockwork.sweep()
    assert clockwork.run(DAY)
    assert len(clockwork.posts("json")) == len(clockwork.posts("slack")) == 1


def test_pruned_again_while_the_others_are_not_done(clockwork: Clockwork) -> None:
    """A version that comes back to a region, and is pruned once more before the rest of its batch is done, is told of
    both times.
    """
    azure = clockwork.azure
    for patch in range(3):
        azure.add_version(clockwork.image, f"1.0.{patch}", regions=list(THREE))
    clockwork.decide(" ".join(THREE), STATUS_WEBHOOKS=clockwork.receivers("json", "slack"))
    clockwork.sweep()
    clockwork.run(MINUTE, until=lambda: any(message.queue == "prune" for message in clockwork.queues.waiting))
    azure.set_behaviour(update=Pace.after(3600))
    azure.update(clockwork.version("1.0.1"), lambda version: version)
    azure.set_behaviour(update=Pace.after(300))
    clockwork.run(3 * HOUR, until=lambda: ("1.0.1", [HOME]) in clockwork.writes())
    assert "batch|" in clockwork.rows()

    azure.set_behaviour(update=Pace.at_once(), replicate=Pace.at_once())
    azure.update(clockwork.version("1.0.0"), _to("eastus2"))
    azure.set_behaviour(update=Pace.after(1800), replicate=Pace.after(1200))
    clockwork.event("1.0.0")
    assert clockwork.run(DAY)
    assert clockwork.told() == {"prune.completed 1.0.0": 2, "prune.completed 1.0.1": 1}
    assert sum("1.0.0" in json.dumps(each) for each in clockwork.posts("slack")) == 2


def _to(region: str) -> Callable[[dict[str, Any]], None]:
    def add(version: dict[str, Any]) -> None:
        version["properties"]["publishingProfile"]["targetRegions"].append({"name": region})

    return add


def test_nobody_waits_for_what_will_not_come(clockwork: Clockwork) -> None:
    """Of what a pass asked for one is deleted and one refused: people hear of the rest, and of the refusal."""
    azure = clockwork.azure
    for patch in range(5):
        azure.add_version(clockwork.image, f"1.0.{patch}", regions=list(THREE))
    azure.lock(clockwork.version("1.0.1"))
    clockwork.decide(" ".join(THREE), STATUS_WEBHOOKS=clockwork.receivers("json", "slack"))
    clockwork.sweep()
    clockwork.run(MINUTE, until=lambda: any(message.queue == "prune" for message in clockwork.queues.waiting))
    azure.delete(clockwork.version("1.0.2"))
    assert clockwork.run(DAY)
    told = [json.dumps(each) for each in clockwork.posts("slack")]
    assert len([each for each in told if "refused" in each]) == 1
    (rest,) = [each for each in told if "refused" not in each]
    assert "1.0.0" in rest
    assert "1.0.3" in rest
    assert "batch|" not in clockwork.rows()


def test_how_long_a_region_took(clockwork: Clockwork) -> None:
    """A region took the time from the rollout's start until it was seen complete; the home had it from the start."""
    clockwork.azure.set_behaviour(update=Pace.after(60), replicate=Pace.after(120))
    clockwork.decide(" ".join(THREE))
    clockwork.azure.add_version(clockwork.image, "1.0.3", regions=[HOME])
    clockwork.event("1.0.3")
    clockwork.pass_time(timedelta(seconds=7))
    assert clockwork.run(HOUR)
    (end,) = clockwork.events("rollout.completed")
    took = {each["name"]: each["seconds"] for each in end["data"]["regions"]}
    assert took.pop(HOME) == 0
    assert all(120 <= seconds <= 240 for seconds in took.values())


def test_a_version_that_azure_did_not_make(clockwork: Clockwork) -> None:
    """An event of a failed write, about a version that is not there, is told of once, however often it comes."""
    clockwork.azure.add_version(clockwork.image, "1.0.1", regions=list(THREE))
    clockwork.decide(" ".join(THREE))
    for _ in range(2):
        clockwork.event("1.0.2", "ResourceWriteFailure")
        assert clockwork.run(DAY)
    (event,) = clockwork.events("publish.failed")
    assert event["subject"] == clockwork.version("1.0.2")
    assert event["data"]["state"] == "Absent"


def test_a_version_that_failed(clockwork: Clockwork) -> None:
    """An event of a failed write, about a version that Azure calls Failed, is told of with its state."""
    clockwork.azure.add_version(clockwork.image, "1.0.1", regions=list(THREE))
    clockwork.azure.add_version(clockwork.image, "1.0.2", regions=[HOME], provisioning_state="Failed")
    clockwork.decide(" ".join(THREE))
    clockwork.event("1.0.2", "ResourceWriteFailure")
    assert clockwork.run(DAY)
    (event,) = clockwork.events("publish.failed")
    assert (event["data"]["version"], event["data"]["state"]) == ("1.0.2", "Failed")


def test_a_failure_that_passed(clockwork: Clockwork) -> None:
    """An event of a failed write is a hint: a version that is well by now is not told of."""
    clockwork.azure.add_version(clockwork.image, "1.0.1", regions=list(THREE))
    clockwork.decide(" ".join(THREE))
    clockwork.event("1.0.1", "ResourceWriteFailure")
    assert clockwork.run(DAY)
    assert clockwork.events() == []


def test_a_write_of_ours_that_failed(clockwork: Clockwork) -> None:
    """A region that fails in a rollout of ours is told of as such, and not as a version that could not be published."""
    clockwork.azure.set_behaviour(failing_regions={"eastus2": 9})
    clockwork.decide(" ".join(THREE))
    clockwork.azure.publish(clockwork.image, "1.0.1", home=HOME)
    clockwork.pass_time(10 * MINUTE)
    clockwork.event("1.0.1")
    clockwork.run(60 * MINUTE, until=lambda: clockwork.events("rollout.region-failed"))
    clockwork.event("1.0.1", "ResourceWriteFailure")
    clockwork.run(MINUTE)
    assert clockwork.events("publish.failed") == []
    assert clockwork.events("rollout.region-failed")
