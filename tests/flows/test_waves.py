"""Regions in waves, on a clock that is moved by hand."""

from datetime import timedelta

import pytest

from local.azure import Pace
from tests.flows.clockwork import HOME, Clockwork

pytestmark = pytest.mark.flow

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WAVES = f"{HOME}; eastus2 uksouth; southeastasia"
ALL = (HOME, "eastus2", "uksouth", "southeastasia")


def _publish(clockwork: Clockwork, number: str = "1.0.1") -> None:
    """Publish a version at home only; its event comes when Azure is done."""
    clockwork.azure.publish(clockwork.image, number, home=HOME)
    clockwork.pass_time(10 * MINUTE)
    clockwork.event(number)


def test_waves_in_order(clockwork: Clockwork) -> None:
    """Each wave is one write; it starts when the one before is complete everywhere and has been for WAVE_BAKE."""
    clockwork.decide(WAVES, WAVE_BAKE="PT2H")
    _publish(clockwork)
    started = {}
    for name in ("eastus2", "southeastasia"):
        assert clockwork.run(8 * HOUR, until=lambda name=name: name in clockwork.regions("1.0.1"))
        started[name] = clockwork.clock.at
    assert clockwork.run(8 * HOUR)
    assert clockwork.complete_in("1.0.1", ALL)
    assert clockwork.writes() == [("1.0.1", list(ALL[:3])), ("1.0.1", list(ALL))]
    pause = started["southeastasia"] - started["eastus2"]
    assert 2 * HOUR + 20 * MINUTE <= pause <= 2 * HOUR + 40 * MINUTE  # replication, bake, and a look's delay
    assert clockwork.told() == {"rollout.started 1.0.1": 1, "rollout.completed 1.0.1": 1}


def test_waves_without_a_bake(clockwork: Clockwork) -> None:
    """Without WAVE_BAKE the next wave starts as soon as somebody has seen the one before complete."""
    clockwork.decide(WAVES)
    _publish(clockwork)
    assert clockwork.run(2 * HOUR)
    assert clockwork.writes() == [("1.0.1", list(ALL[:3])), ("1.0.1", list(ALL))]
    assert clockwork.complete_in("1.0.1", ALL)


def test_the_start_says_what_waits(clockwork: Clockwork) -> None:
    """The start of a rollout lists the regions of later waves, as waiting and with the reason."""
    clockwork.decide(WAVES)
    _publish(clockwork)
    clockwork.run(2 * HOUR)
    (event,) = clockwork.events("rollout.started")
    states = {region["name"]: (region["state"], region.get("reason")) for region in event["data"]["regions"]}
    assert states["eastus2"] == ("Requested", None)
    assert states["southeastasia"] == ("Waiting", "wave 2 comes first: eastus2 is not done")


def test_a_failed_wave_stops_the_next(clockwork: Clockwork) -> None:
    """A region that fails stops the waves after it, and the message about it says so; when it recovers, they go on."""
    clockwork.azure.set_behaviour(failing_regions={"uksouth": -1})
    clockwork.decide(WAVES)
    _publish(clockwork)
    clockwork.run(6 * HOUR)
    assert "southeastasia" not in clockwork.regions("1.0.1")
    event, _ = clockwork.events("rollout.region-failed")  # when it failed, and when nothing was left to try
    waiting = [region for region in event["data"]["regions"] if region["state"] == "Waiting"]
    assert [region["name"] for region in waiting] == ["southeastasia"]
    assert waiting[0]["reason"] == "wave 2 is stopped: uksouth failed"

    clockwork.azure.set_behaviour(failing_regions={})
    clockwork.azure.update(clockwork.version("1.0.1"), lambda version: version)
    clockwork.run(6 * HOUR)
    assert clockwork.complete_in("1.0.1", ALL)
    assert clockwork.told()["rollout.completed 1.0.1"] == 1


def test_a_refused_wave_stops_the_next(clockwork: Clockwork) -> None:
    """Regions to try a version out that Azure will not have open no later wave, and the message about it says so."""
    clockwork.decide(f"{HOME}; atlantis; southeastasia")
    _publish(clockwork)
    clockwork.run(6 * HOUR)
    assert "southeastasia" not in clockwork.regions("1.0.1")
    (event,) = clockwork.events("rollout.region-failed")
    told = {region["name"]: (region["state"], region.get("reason")) for region in event["data"]["regions"]}
    assert told["southeastasia"] == ("Waiting", "wave 2 is stopped: Azure refused atlantis")
    clockwork.decide(f"{HOME}; southeastasia")
    clockwork.sweep()
    assert clockwork.run(6 * HOUR)
    assert clockwork.told()["rollout.completed 1.0.1"] == 1


def test_a_stalled_wave_stops_the_next(clockwork: Clockwork) -> None:
    """A wave that is not complete by its deadline is told of once, and the next does not start until it is complete."""
    clockwork.azure.set_behaviour(replicate_by_region={"uksouth": Pace.after(3 * 24 * 3600)})
    clockwork.decide(WAVES, WATCH_INTERVAL="PT5M..PT1H")
    _publish(clockwork)
    clockwork.run(2 * DAY)
    assert clockwork.told()["rollout.stalled 1.0.1"] == 1
    assert "southeastasia" not in clockwork.regions("1.0.1")
    clockwork.run(2 * DAY)
    assert clockwork.complete_in("1.0.1", ALL)
    assert clockwork.told() == {"rollout.started 1.0.1": 1, "rollout.stalled 1.0.1": 1, "rollout.completed 1.0.1": 1}


def test_a_bake_is_no_stall(clockwork: Clockwork) -> None:
    """A bake longer than the deadline is no stall: the deadline is for Azure's work, wave by wave."""
    clockwork.decide(WAVES, WAVE_BAKE="P3D", ROLLOUT_DEADLINE="PT2H")
    _publish(clockwork)
    assert clockwork.run(10 * DAY)
    assert clockwork.complete_in("1.0.1", ALL)
    assert not clockwork.events("rollout.stalled")


def test_a_newer_version_supersedes_a_rollout(clockwork: Clockwork) -> None:
    """A newer version ends the rollout of the one before, says so in its start, and takes its place in every wave."""
    clockwork.decide(WAVES, WAVE_BAKE="PT6H")
    _publish(clockwork, "1.0.1")
    clockwork.run(8 * HOUR, until=lambda: clockwork.regions("1.0.1").get("uksouth") == "Completed")
    _publish(clockwork, "1.0.2")
    clockwork.run(DAY)

    assert clockwork.complete_in("1.0.2", ALL)
    assert clockwork.complete_in("1.0.1", [HOME])
    (start,) = [event for event in clockwork.events("rollout.started") if event["data"]["version"] == "1.0.2"]
    assert start["data"]["supersedes"] == ["1.0.1"]
    assert clockwork.told()["rollout.completed 1.0.1"] == 0
    assert clockwork.told()["rollout.stalled 1.0.1"] == 0
    assert not clockwork.queues.waiting


def test_superseded_by_a_version_that_is_everywhere(clockwork: Clockwork) -> None:
    """A newer version that its publisher brought to every region supersedes a rollout too, and says so in its start."""
    clockwork.decide(WAVES, WAVE_BAKE="PT6H")
    _publish(clockwork, "1.0.1")
    clockwork.run(8 * HOUR, until=lambda: clockwork.regions("1.0.1").get("uksouth") == "Completed")
    clockwork.azure.publish(clockwork.image, "1.0.2", home=HOME, regions=list(ALL))
    clockwork.pass_time(HOUR)
    clockwork.event("1.0.2")
    assert clockwork.run(2 * DAY)
    assert clockwork.told() == {
        "rollout.started 1.0.1": 1,
        "rollout.started 1.0.2": 1,
        "rollout.completed 1.0.2": 1,
        "prune.completed 1.0.1": 1,
    }
    (start,) = [event for event in clockwork.events("rollout.started") if event["data"]["version"] == "1.0.2"]
    assert start["data"]["supersedes"] == ["1.0.1"]


def test_older_versions_wait_for_all_waves(clockwork: Clockwork) -> None:
    """An older version is written once, after the newest has come through every wave that it is in."""
    clockwork.azure.add_version(clockwork.image, "1.0.0", home=HOME, regions=list(ALL))
    clockwork.decide(WAVES, WAVE_BAKE="PT2H")
    _publish(clockwork)
    clockwork.run(12 * HOUR, until=lambda: clockwork.complete_in("1.0.0", [HOME]))
    assert clockwork.complete_in("1.0.1", ALL)
    assert [write for write in clockwork.writes() if write[0] == "1.0.0"] == [("1.0.0", [HOME])]


def test_a_new_wave_in_the_policy(clockwork: Clockwork) -> None:
    """A policy that names more regions is followed by the next sweep, wave by wave, as a rollout of its own."""
    clockwork.decide(f"{HOME} eastus2")
    _publish(clockwork)
    clockwork.run(2 * HOUR)
    clockwork.decide(f"{HOME} eastus2; uksouth; southeastasia", WAVE_BAKE="PT1H")
    clockwork.sweep()
    assert clockwork.run(6 * HOUR)
    assert [regions for _, regions in clockwork.writes()] == [list(ALL[:2]), list(ALL[:3]), list(ALL)]
    assert clockwork.told() == {"rollout.started 1.0.1": 2, "rollout.completed 1.0.1": 2}
