"""What is recorded for people follows what happens, on a clock that is moved by hand."""

import json
from datetime import timedelta
from typing import Any, NoReturn
from unittest.mock import patch

import azure.functions as func
import pytest
from azure.core.pipeline.transport import HttpTransport

from handlers import asking
from local.azure import Pace
from local.outage import answering
from shared.core.messages import Reconcile, write
from shared.core.names import ImageId, Name
from shared.core.status import DeadLetter, DefinitionStatus, Level, Standing, Versions, estimate, level, troubles
from tests.flows.clockwork import HOME, Clockwork
from tests.flows.world import THREE
from tests.served import functions

pytestmark = pytest.mark.flow

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WAVES = f"{HOME}; eastus2 uksouth; southeastasia"


def _status(clockwork: Clockwork) -> DefinitionStatus:
    image = ImageId.parse(clockwork.image)
    statuses = clockwork.app.records.statuses(image.gallery)
    return statuses[0] if statuses else DefinitionStatus(image, clockwork.clock.at, "nothing is recorded")


def _versions(clockwork: Clockwork) -> Versions:
    versions = clockwork.app.records.versions(ImageId.parse(clockwork.image))
    assert versions
    return versions


def _standings(clockwork: Clockwork) -> dict[str, Standing]:
    return {place.region: place.standing for place in _status(clockwork).places}


def _publish(clockwork: Clockwork, number: str) -> None:
    clockwork.azure.publish(clockwork.image, number, home=HOME)
    clockwork.pass_time(10 * MINUTE)
    clockwork.event(number)


def test_a_rollout_is_followed(clockwork: Clockwork) -> None:
    """While a version spreads the record says how far each region is, and since when; at the end that it is complete,
    how long it took, and what was pruned after it.
    """
    for older in ("1.0.1", "1.0.2"):
        clockwork.azure.add_version(clockwork.image, older, regions=list(THREE), size_gib=30)
    clockwork.azure.set_behaviour(replicate_by_region={"eastus2": Pace.after(3600), "southeastasia": Pace.after(600)})
    clockwork.decide(" ".join(THREE), WATCH_INTERVAL="PT1M..PT2M")
    _publish(clockwork, "1.0.3")
    clockwork.run(30 * MINUTE)
    status = _status(clockwork)
    assert (status.newest, status.versions, level(status)) == ("1.0.3", 3, Level.RUNNING)
    assert _standings(clockwork) == {
        HOME: Standing.COMPLETE,
        "eastus2": Standing.REPLICATING,
        "southeastasia": Standing.COMPLETE,
    }
    (progress,) = [place.progress for place in status.places if place.region == "eastus2"]
    assert progress is not None
    assert 20 <= progress <= 60
    (running,) = status.running
    assert (running.version, running.done, running.of, running.late) == ("1.0.3", 2, 3, False)
    assert estimate(status) is None

    assert clockwork.run(6 * HOUR)
    status = _status(clockwork)
    assert level(status) is Level.SETTLED
    assert set(_standings(clockwork).values()) == {Standing.COMPLETE}
    (finished,) = status.finished
    assert finished.version == "1.0.3"
    assert 60 <= finished.seconds / 60 <= 75
    assert estimate(status) == timedelta(seconds=finished.seconds)
    assert {(each.version, each.removed, each.gib) for each in status.pruned} == {
        (number, ("eastus2", "southeastasia"), 60) for number in ("1.0.1", "1.0.2")
    }
    assert not status.pruning
    stands = {row.version: [place.region for place in row.places] for row in _versions(clockwork).rows}
    assert stands == {"1.0.3": list(THREE), "1.0.2": [HOME], "1.0.1": [HOME]}


def test_waves_are_waited_for(clockwork: Clockwork) -> None:
    """Regions of a wave that has not started are recorded as waiting, with the number of their wave and what for."""
    clockwork.decide(WAVES)
    _publish(clockwork, "1.0.1")
    assert clockwork.run(HOUR, until=lambda: _standings(clockwork).get("uksouth") is Standing.REPLICATING)
    (waiting,) = [place for place in _status(clockwork).places if place.standing is Standing.WAITING]
    assert (waiting.region, waiting.wave) == ("southeastasia", 3)
    assert waiting.reason.startswith("wave 2 comes first")
    (running,) = _status(clockwork).running
    assert (running.wave, running.waves) == (2, 3)
    assert clockwork.run(3 * HOUR)
    assert level(_status(clockwork)) is Level.SETTLED


def test_a_failed_region_wants_attention(clockwork: Clockwork) -> None:
    """A region that failed is recorded with Azure's words, how often its repair was tried, and that nothing is left.

    When it recovers, nothing wants attention any more.
    """
    clockwork.azure.set_behaviour(failing_regions={"eastus2": -1})
    clockwork.decide(" ".join(THREE))
    _publish(clockwork, "1.0.1")
    assert clockwork.run(HOUR, until=lambda: _standings(clockwork).get("eastus2") is Standing.FAILED)
    assert level(_status(clockwork)) is Level.ATTENTION
    clockwork.run(12 * HOUR)
    assert any("nothing is left to try" in each for each in troubles(_status(clockwork)))
    assert any(each.startswith("eastus2 failed (3 repairs tried): ") for each in troubles(_status(clockwork)))

    clockwork.azure.set_behaviour(failing_regions={})
    clockwork.azure.update(clockwork.version("1.0.1"), lambda version: version)
    clockwork.run(6 * HOUR)
    assert troubles(_status(clockwork)) == ()


def test_a_stalled_rollout_wants_attention(clockwork: Clockwork) -> None:
    """A rollout that is not complete by its deadline is recorded as late."""
    clockwork.azure.set_behaviour(replicate_by_region={"eastus2": Pace.after(3 * 24 * 3600)})
    clockwork.decide(" ".join(THREE), WATCH_INTERVAL="PT5M..PT1H")
    _publish(clockwork, "1.0.1")
    clockwork.run(2 * DAY)
    assert troubles(_status(clockwork)) == ("1.0.1 is late: 2 of 3 regions done by its deadline",)


def test_a_refused_prune_wants_attention(clockwork: Clockwork) -> None:
    """A prune that Azure will not do is recorded with Azure's words, and no more when it was done after all."""
    for number in ("1.0.1", "1.0.2"):
        clockwork.azure.add_version(clockwork.image, number, regions=list(THREE))
    clockwork.azure.lock(clockwork.version("1.0.1"))
    clockwork.decide(" ".join(THREE))
    clockwork.sweep()
    clockwork.run(20 * MINUTE)
    (trouble,) = troubles(_status(clockwork))
    assert trouble.startswith("1.0.1 is not pruned: ScopeLocked")
    clockwork.azure.unlock(clockwork.version("1.0.1"))
    clockwork.pass_time(HOUR)
    clockwork.sweep()
    clockwork.run(2 * HOUR)
    assert troubles(_status(clockwork)) == ()
    assert [each.version for each in _status(clockwork).pruned] == ["1.0.1"]


def test_observing_asks_for_nothing(clockwork: Clockwork) -> None:
    """In mode observe what the policy wants and is not there is missing, and nothing runs."""
    clockwork.azure.add_version(clockwork.image, "1.0.1", regions=[HOME])
    clockwork.decide(" ".join(THREE), MODE="observe")
    clockwork.sweep()
    assert clockwork.run(HOUR)
    assert _standings(clockwork) == {
        HOME: Standing.COMPLETE,
        "eastus2": Standing.MISSING,
        "southeastasia": Standing.MISSING,
    }
    assert level(_status(clockwork)) is Level.SETTLED


def test_what_somebody_added_is_not_wanted(clockwork: Clockwork) -> None:
    """A region that the policy does not name is recorded as such; what was complete when first seen has no duration."""
    clockwork.azure.add_version(clockwork.image, "1.0.1", regions=[*THREE, "japaneast"])
    clockwork.decide(" ".join(THREE))
    clockwork.sweep()
    assert clockwork.run(HOUR)
    assert _standings(clockwork)["japaneast"] is Standing.UNWANTED
    assert _status(clockwork).finished == ()


def test_what_is_kept_says_why(clockwork: Clockwork) -> None:
    """An older version that stays in a region because it is in use there is recorded with who uses it."""
    for number in ("1.0.1", "1.0.2"):
        clockwork.azure.add_version(clockwork.image, number, regions=list(THREE))
    clockwork.azure.add_scale_set("web-legacy", image=clockwork.version("1.0.1"), location="eastus2")
    clockwork.decide(" ".join(THREE))
    clockwork.sweep()
    clockwork.run(2 * HOUR)
    clockwork.sweep()
    clockwork.run(HOUR)
    (kept,) = _status(clockwork).kept
    assert (kept.version, kept.regions) == ("1.0.1", ("eastus2",))
    assert kept.reason == "scale set web-legacy references 1.0.1"


def test_a_deleted_definition_is_forgotten(clockwork: Clockwork) -> None:
    """A definition that was deleted without an event is found by the next sweep, and forgotten."""
    clockwork.azure.add_version(clockwork.image, "1.0.1", regions=list(THREE))
    clockwork.decide(" ".join(THREE))
    here, records = ImageId.parse(clockwork.image), clockwork.app.records
    gone = ImageId(here.gallery, Name("gone"))
    records.change(gone, lambda _: DefinitionStatus(gone, clockwork.clock.at, "before it was deleted"))
    assert [each.image for each in records.statuses(here.gallery)] == [gone]
    clockwork.sweep()
    clockwork.run(HOUR)
    assert [each.image for each in records.statuses(here.gallery)] == [here]
    sweep = records.sweep()
    assert sweep
    assert [(each.definitions, each.fault) for each in sweep.galleries] == [(1, "")]


class _Broken:
    """Records that fail in a way that nobody knows."""

    def __getattr__(self, name: str) -> NoReturn:
        raise RuntimeError(name)


def test_trouble_with_a_record_fails_no_stage(clockwork: Clockwork) -> None:
    """When nothing can be recorded, versions are brought to their regions, pruned and told of all the same."""
    clockwork.azure.add_version(clockwork.image, "1.0.1", regions=list(THREE))
    clockwork.decide(" ".join(THREE))
    clockwork.app.__dict__["records"] = _Broken()
    clockwork.sweep()
    _publish(clockwork, "1.0.2")
    assert clockwork.run(6 * HOUR, handle=clockwork.deliver)
    assert clockwork.complete_in("1.0.2", THREE)
    assert clockwork.complete_in("1.0.1", [HOME])
    assert clockwork.faults == []
    assert not clockwork.events("dead-lettered")


def test_a_record_waits_for_the_table(clockwork: Clockwork) -> None:
    """What could not be recorded while the table was away is recorded when it is back."""
    clockwork.azure.add_version(clockwork.image, "1.0.1", regions=list(THREE))
    clockwork.decide(" ".join(THREE))
    clockwork.sweep()
    with clockwork.outside as outside:
        outside.trouble(lambda call: "'status'" in call.path, answering(503, "ServerBusy"))
        with patch.object(HttpTransport, "sleep", lambda *_: None):
            clockwork.handle(clockwork.queues.due()[0])
        (waiting,) = clockwork.queues.waiting
        assert (waiting.queue, waiting.due > clockwork.clock.at) == ("reconcile", True)
        outside.heal()
    clockwork.run(HOUR)
    assert _status(clockwork).newest == "1.0.1"


def test_dead_letters_are_put_back(clockwork: Clockwork) -> None:
    """A dead letter that is put back is the same message as before, and is forgotten once it is in its queue; one that
    no queue takes stays, and does not hold up the others.
    """
    clockwork.decide(HOME)
    reconcile = write(Reconcile(ImageId.parse(clockwork.image), "a test"))
    for name, body in {"a": "too large", "b": reconcile}.items():
        _bury(clockwork, name, body)
    put = clockwork.queues.put_text

    def refuse(queue: str, text: str) -> None:
        if text == "too large":
            raise ValueError(text)
        put(queue, text)

    with patch.object(clockwork.queues, "put_text", refuse):
        assert _replay(clockwork) == (200, {"queue": "reconcile", "replayed": 1, "more": True})
        assert [message.text for message in clockwork.queues.waiting] == [reconcile]
        assert [letter.name for letter in clockwork.app.dead_letters.find(most=9)] == ["a"]
        assert _replay(clockwork) == (502, {"queue": "reconcile", "replayed": 0, "more": True})
    assert _replay(clockwork, id="a") == (200, {"queue": "reconcile", "replayed": 1, "more": False})
    assert _replay(clockwork) == (200, {"queue": "reconcile", "replayed": 0, "more": False})
    for number in range(4):
        _bury(clockwork, f"c{number}", "too large")
    with patch.object(clockwork.queues, "put_text", side_effect=ValueError) as tried:
        assert _replay(clockwork)[0] == 502
    assert tried.call_count == 3


def test_the_oldest_dead_letters_are_put_back_first(clockwork: Clockwork) -> None:
    """Of more dead letters than one request puts back it takes the oldest, in the order of their times."""
    clockwork.decide(HOME)
    for at, name in enumerate("dbca"):
        text = write(Reconcile(ImageId.parse(clockwork.image), name))
        _bury(clockwork, name, text, at)
    with patch.object(asking, "MOST_AT_ONCE", 3):
        assert _replay(clockwork) == (200, {"queue": "reconcile", "replayed": 3, "more": True})
    assert [json.loads(message.text)["cause"] for message in clockwork.queues.waiting] == ["d", "b", "c"]
    assert [letter.name for letter in clockwork.app.dead_letters.find(most=9)] == ["a"]


def _bury(clockwork: Clockwork, name: str, body: str, at: int = 0) -> None:
    letter = DeadLetter("reconcile", name, body, "a test", clockwork.clock.at + at * MINUTE)
    clockwork.app.dead_letters.keep(letter)


def _replay(clockwork: Clockwork, **asked: str) -> tuple[int, Any]:
    request = func.HttpRequest("POST", "/", params=asked, route_params={"queue": "reconcile"}, body=b"")
    answer = functions(clockwork.app)["replay_dead_letters"](request)
    return answer.status_code, json.loads(answer.get_body())
