"""Writers beside us, whose writes fall into the gap between our look at a version and our write."""

from datetime import timedelta
from typing import Any

import pytest

from handlers import watch
from local.azure import Fault, Pace
from shared.core.names import VersionId
from shared.core.plan import VersionPlan
from tests.flows.clockwork import HOME, Clockwork

pytestmark = pytest.mark.flow

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FOUR = (HOME, "eastus2", "southeastasia", "uksouth")
POLICY = " ".join(FOUR)
FLAG = "allowDeletionOfReplicatedLocations"


def _crossing(clockwork: Clockwork, monkeypatch: pytest.MonkeyPatch, number: str, **behaviour: Any) -> None:
    """Let somebody add brazilsouth, and allow removals, just before the app's next write of a version."""
    gallery = clockwork.app.gallery
    ours = gallery.write
    crossed: list[bool] = []

    def add_brazil(version: dict[str, Any]) -> None:
        version["properties"]["publishingProfile"]["targetRegions"].append({"name": "brazilsouth"})
        version["properties"].setdefault("safetyProfile", {})[FLAG] = behaviour.get("flag", True)

    def crossed_write(plan: VersionPlan) -> None:
        first = not crossed and plan.version.number.name == number
        if first:
            crossed.append(True)
            clockwork.azure.update(clockwork.version(number), add_brazil)
        ours(plan)
        if first:
            clockwork.azure.set_behaviour(faults=behaviour.get("faults", ()))

    monkeypatch.setattr(gallery, "write", crossed_write)


def _publish(clockwork: Clockwork) -> None:
    clockwork.azure.publish(clockwork.image, "1.0.1", home=HOME)
    clockwork.pass_time(10 * MINUTE)
    clockwork.event("1.0.1")


def _safety(clockwork: Clockwork, number: str) -> Any:
    shown = clockwork.azure.show(clockwork.version(number))
    assert shown
    return shown["properties"].get("safetyProfile", {}).get(FLAG)


NO_LOOK_BACK: dict[str, list[Fault]] = {
    "calm": [],
    "throttled": [Fault("GET", r"versions/1\.0\.\d$", 429, "OperationNotAllowed", "later", retry_after=30, times=1)],
    "out of order": [Fault("GET", r"versions/1\.0\.\d$", 500, "InternalServerError", "oops", times=1)],
}


@pytest.mark.parametrize("faults", NO_LOOK_BACK.values(), ids=NO_LOOK_BACK)
def test_a_region_that_our_write_lost(
    clockwork: Clockwork, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, faults: list[Fault]
) -> None:
    """A region that somebody adds in that moment is lost by our write, which is seen, and comes back; also when Azure
    does not answer who looks back.
    """
    clockwork.decide(POLICY)
    _crossing(clockwork, monkeypatch, "1.0.1", faults=faults)
    _publish(clockwork)
    assert clockwork.run(DAY)
    assert "brazilsouth" not in clockwork.writes()[0][1]
    assert caplog.text.count("write.crossed") == 1
    assert clockwork.complete_in("1.0.1", [*FOUR, "brazilsouth"])


def test_azure_that_refuses_the_second_writer(clockwork: Clockwork, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Azure answers 409 to a write that crosses another, nothing is lost, and ours is made again, with all."""
    clockwork.azure.set_behaviour(write_while_updating="conflict")
    clockwork.decide(POLICY)
    _crossing(clockwork, monkeypatch, "1.0.1")
    _publish(clockwork)
    assert clockwork.run(DAY)
    assert "brazilsouth" in clockwork.writes()[0][1]
    assert clockwork.complete_in("1.0.1", [*FOUR, "brazilsouth"])


@pytest.mark.parametrize("faults", NO_LOOK_BACK.values(), ids=NO_LOOK_BACK)
def test_a_region_that_our_prune_lost(
    clockwork: Clockwork, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, faults: list[Fault]
) -> None:
    """The same holds for the write of a prune: what somebody adds to an older version in that moment comes back."""
    for number in ("1.0.1", "1.0.2"):
        clockwork.azure.add_version(clockwork.image, number, regions=list(FOUR))
    clockwork.azure.add_scale_set("web-prod", image=clockwork.version("1.0.1"), location="brazilsouth")
    clockwork.azure.set_behaviour(update=Pace.after(120))
    clockwork.decide(POLICY)
    _crossing(clockwork, monkeypatch, "1.0.1", faults=faults)
    clockwork.sweep()
    assert clockwork.run(DAY)
    assert caplog.text.count("write.crossed") == 1
    assert clockwork.complete_in("1.0.1", [HOME, "brazilsouth"])


def test_what_was_protected_stays_protected(clockwork: Clockwork, monkeypatch: pytest.MonkeyPatch) -> None:
    """With PRUNE_UNLOCKS_REGIONS=false a write that crossed another sets no safety flag: it is made again, with all."""
    clockwork.decide(POLICY, PRUNE_UNLOCKS_REGIONS="false")
    _crossing(clockwork, monkeypatch, "1.0.1", flag=False)
    _publish(clockwork)
    assert clockwork.run(DAY)
    assert clockwork.complete_in("1.0.1", [*FOUR, "brazilsouth"])
    assert not _safety(clockwork, "1.0.1")


def test_a_flag_that_somebody_takes_back(clockwork: Clockwork, monkeypatch: pytest.MonkeyPatch) -> None:
    """With PRUNE_UNLOCKS_REGIONS=false a version whose flag is taken back just before its prune is left alone."""
    for number in ("1.0.1", "1.0.2"):
        clockwork.azure.add_version(clockwork.image, number, regions=list(FOUR))
    clockwork.azure.update(clockwork.version("1.0.1"), _allow)
    clockwork.pass_time(HOUR)
    clockwork.decide(POLICY, PRUNE_UNLOCKS_REGIONS="false")
    _crossing(clockwork, monkeypatch, "1.0.1", flag=False)
    clockwork.sweep()
    assert clockwork.run(DAY)
    assert clockwork.complete_in("1.0.1", [*FOUR, "brazilsouth"])
    assert not _safety(clockwork, "1.0.1")


def _allow(version: dict[str, Any]) -> None:
    version["properties"]["safetyProfile"] = {FLAG: True}


def test_a_look_that_overlaps_a_write(clockwork: Clockwork, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that is about to leave while somebody looks is still to be looked back at after the look."""
    clockwork.decide(POLICY)
    _publish(clockwork)
    clockwork.run(MINUTE, until=clockwork.writes)
    version, known = VersionId.parse(clockwork.version("1.0.1")), frozenset({HOME, "eastus2"})
    rollouts, record = clockwork.app.rollouts, watch.record_look

    def meanwhile(*given: Any, **named: Any) -> None:
        monkeypatch.setattr(watch, "record_look", record)
        rollouts.touch_rollout(version, lambda before: before.writing(known))
        record(*given, **named)

    monkeypatch.setattr(watch, "record_look", meanwhile)
    clockwork.run(MINUTE, until=lambda: watch.record_look is record)
    rollout = rollouts.rollout(version)
    assert rollout
    assert rollout.known == known
