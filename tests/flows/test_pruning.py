"""What keeps an older version where it is, and what happens when nothing does any more."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from local.azure import Fault, Pace, Reference
from shared.core.model import ImageVersion
from shared.core.names import ImageId
from tests.flows.clockwork import HOME, Clockwork
from tests.flows.world import short

pytestmark = pytest.mark.flow

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
THREE = (HOME, "eastus2", "southeastasia")
POLICY = " ".join(THREE)


def _old_and_new(clockwork: Clockwork, old: str = "1.0.1", new: str = "1.0.2", **more: Any) -> None:
    """Put two versions there that are in all regions."""
    clockwork.azure.add_version(clockwork.image, old, home=HOME, regions=list(THREE), **more)
    clockwork.azure.add_version(clockwork.image, new, home=HOME, regions=list(THREE))


def _kept(clockwork: Clockwork) -> dict[str, str]:
    (event,) = clockwork.events("prune.completed")
    return {kept["name"]: kept["reason"] for kept in event["data"]["regionsKept"]}


def test_grace(clockwork: Clockwork) -> None:
    """Older versions stay for PRUNE_GRACE after the newest was seen complete, and go then without another event."""
    _old_and_new(clockwork)
    clockwork.decide(POLICY, PRUNE_GRACE="PT6H")
    for _ in range(3):  # each sees the same wait, and one message waits for its end
        clockwork.sweep()
    start = clockwork.clock.at
    clockwork.run(5 * HOUR)
    assert clockwork.writes() == []
    assert len(clockwork.queues.waiting) == 1
    clockwork.run(5 * HOUR, until=lambda: clockwork.complete_in("1.0.1", [HOME]))
    assert 6 * HOUR <= clockwork.clock.at - start <= 6 * HOUR + 20 * MINUTE
    assert clockwork.writes() == [("1.0.1", [HOME])]


def test_grace_with_a_protected_newest(clockwork: Clockwork) -> None:
    """The grace ends also where a tag protects the newest version, which nobody rolls out then."""
    _old_and_new(clockwork)
    clockwork.azure.set_tags(clockwork.version("1.0.2"), {"gallery-fanout-keep": "true"})
    clockwork.decide(POLICY, PRUNE_GRACE="PT2H")
    clockwork.sweep()
    assert clockwork.run(4 * HOUR)
    assert clockwork.complete_in("1.0.1", [HOME])
    assert not clockwork.queues.waiting


def test_grace_begins_anew_after_a_failure(clockwork: Clockwork) -> None:
    """The grace counts from the last time when the newest became complete."""
    clockwork.azure.set_behaviour(update=Pace.after(60), replicate=Pace.after(60))
    _old_and_new(clockwork)
    clockwork.decide(POLICY, PRUNE_GRACE="PT6H")
    clockwork.sweep()
    clockwork.run(5 * HOUR)

    def without(version: dict[str, Any]) -> None:
        version["properties"]["safetyProfile"]["allowDeletionOfReplicatedLocations"] = True
        version["properties"]["publishingProfile"]["targetRegions"] = [{"name": HOME}, {"name": "eastus2"}]

    clockwork.azure.update(clockwork.version("1.0.2"), without)
    clockwork.pass_time(5 * MINUTE)
    clockwork.event("1.0.2")
    start = clockwork.clock.at
    clockwork.run(24 * HOUR, until=lambda: clockwork.complete_in("1.0.1", [HOME]))
    assert clockwork.complete_in("1.0.2", THREE)
    assert clockwork.clock.at - start >= 6 * HOUR


@pytest.mark.parametrize("flexible", [False, True])
def test_scale_sets_keep_their_regions(clockwork: Clockwork, flexible: bool) -> None:  # noqa: FBT001  a row
    """A region where a scale set, or an instance of one, references the exact version keeps it until that ends."""
    _old_and_new(clockwork)
    definition = clockwork.image.replace("resourceGroups", "resourcegroups").replace("prodgallery", "PRODGALLERY")
    model = clockwork.azure.add_scale_set(
        "web-prod", image=clockwork.version("1.0.1").upper(), location="eastus2", flexible=flexible
    )
    clockwork.azure.add_scale_set(
        "latest-prod",
        image=clockwork.image,
        location="southeastasia",
        flexible=flexible,
        instances=[Reference(definition, exact_version="1.0.1")],
    )
    clockwork.decide(POLICY)
    clockwork.sweep()
    assert clockwork.run(2 * HOUR)
    assert clockwork.writes() == []

    clockwork.azure.remove(model)
    clockwork.sweep()
    assert clockwork.run(2 * HOUR)
    assert clockwork.writes() == [("1.0.1", [HOME, "southeastasia"])]
    assert _kept(clockwork) == {
        HOME: "its home region",
        "southeastasia": "an instance of scale set latest-prod references 1.0.1",
    }


@pytest.mark.parametrize(("protects", "kept"), [("scale-sets", [HOME]), ("all", [HOME, "eastus2"])])
def test_machines_keep_their_regions_if_asked(clockwork: Clockwork, protects: str, kept: list[str]) -> None:
    """A VM by itself keeps a region with PROTECT_IN_USE=all, and not with scale-sets."""
    _old_and_new(clockwork)
    clockwork.azure.add_vm("build-7", image=clockwork.version("1.0.1"), location="eastus2")
    clockwork.decide(POLICY, PROTECT_IN_USE=protects)
    clockwork.sweep()
    assert clockwork.run(2 * HOUR)
    assert clockwork.complete_in("1.0.1", kept)


def test_use_in_another_region_keeps_nothing(clockwork: Clockwork) -> None:
    """A use protects the region where it is, and no other; other versions of the name's beginning are others."""
    _old_and_new(clockwork)
    clockwork.azure.add_scale_set("web", image=clockwork.version("1.0.1"), location="uksouth")
    clockwork.azure.add_scale_set("web", image=clockwork.version("1.0.10"), location="eastus2", group="other")
    clockwork.decide(POLICY)
    clockwork.sweep()
    assert clockwork.run(2 * HOUR)
    assert clockwork.complete_in("1.0.1", [HOME])


def test_use_is_asked_for_though_the_list_lags(clockwork: Clockwork, monkeypatch: pytest.MonkeyPatch) -> None:
    """A region in use keeps its version also when Azure's list does not show yet that a newer one is the newest."""
    _old_and_new(clockwork)
    clockwork.azure.add_scale_set("web-prod", image=clockwork.version("1.0.1"), location="eastus2")
    clockwork.decide(POLICY)
    gallery = type(clockwork.app.gallery)
    listed = gallery.versions

    def lagging(self: Any, image: ImageId) -> list[ImageVersion]:
        return [replace(each, excluded=each.number.name == "1.0.2") for each in listed(self, image)]

    monkeypatch.setattr(gallery, "versions", lagging)
    clockwork.sweep()
    assert clockwork.run(3 * HOUR)
    assert clockwork.complete_in("1.0.1", [HOME, "eastus2"])


def test_hidden_from_latest_in_a_region(clockwork: Clockwork) -> None:
    """Where the newest version is hidden from latest, an older one is latest, and stays."""
    _old_and_new(clockwork)

    def hide(version: dict[str, Any]) -> None:
        for region in version["properties"]["publishingProfile"]["targetRegions"]:
            region["excludeFromLatest"] = short(region["name"]) == "eastus2"

    clockwork.azure.update(clockwork.version("1.0.2"), hide)
    clockwork.pass_time(HOUR)
    clockwork.decide(POLICY)
    clockwork.sweep()
    assert clockwork.run(3 * HOUR)
    assert clockwork.complete_in("1.0.1", [HOME, "eastus2"])
    assert _kept(clockwork)["eastus2"] == "1.0.2 is complete here, and hidden from latest"


def test_two_queries_per_pass(clockwork: Clockwork) -> None:
    """What is in use is asked once per table and pass, not per version; a converged gallery is not asked about."""
    for patch in range(9):
        clockwork.azure.add_version(clockwork.image, f"0.9.{patch}", home=HOME, regions=list(THREE))
    _old_and_new(clockwork)
    clockwork.decide(POLICY, MODE="observe")
    clockwork.sweep()
    clockwork.run(MINUTE)
    asked = [request for request in clockwork.azure.requests if "ResourceGraph" in request.path]
    assert len(asked) == 2

    clockwork.decide(POLICY)
    clockwork.sweep()
    assert clockwork.run(6 * HOUR)
    before = len(clockwork.azure.requests)
    clockwork.sweep()
    clockwork.run(MINUTE)
    assert not [request for request in clockwork.azure.requests[before:] if "ResourceGraph" in request.path]


def test_unknown_use_prunes_nothing(clockwork: Clockwork) -> None:
    """While Resource Graph is throttled nothing is pruned, other work goes on, and the pass comes back by itself."""
    _old_and_new(clockwork)
    throttled = Fault("POST", "ResourceGraph", 429, "RateLimiting", "later", retry_after=300, times=1)
    clockwork.azure.set_behaviour(faults=[throttled])
    clockwork.decide(f"{POLICY} uksouth")
    clockwork.sweep()
    clockwork.run(4 * MINUTE)
    assert clockwork.writes() == [("1.0.2", [*THREE, "uksouth"])]
    assert clockwork.run(3 * HOUR)
    assert clockwork.complete_in("1.0.1", [HOME])


def test_forbidden_use_prunes_nothing(clockwork: Clockwork) -> None:
    """When the app may not ask Resource Graph, nothing is pruned, and the plan says why."""
    _old_and_new(clockwork)
    forbidden = Fault("POST", "ResourceGraph", 403, "AuthorizationFailed", "no permission", times=1000)
    clockwork.azure.set_behaviour(faults=[forbidden])
    clockwork.decide(POLICY)
    clockwork.sweep()
    assert clockwork.run(6 * HOUR)
    assert clockwork.writes() == []
    assert not clockwork.queues.waiting


def test_a_lock_is_told_of_once(clockwork: Clockwork) -> None:
    """A resource lock refuses a prune: told of once, not tried by every pass, and done when the lock is gone."""
    _old_and_new(clockwork)
    clockwork.azure.lock(clockwork.version("1.0.1"))
    clockwork.decide(POLICY)
    for _ in range(4):
        clockwork.sweep()
        clockwork.run(15 * MINUTE)
    (event,) = clockwork.events("prune.refused")
    assert "locked" in event["data"]["reason"]
    tried = [request for request in clockwork.azure.requests if request.method == "PATCH"]
    assert len(tried) <= 2

    clockwork.azure.unlock(clockwork.version("1.0.1"))
    clockwork.run(HOUR)
    clockwork.sweep()
    assert clockwork.run(HOUR)
    assert clockwork.complete_in("1.0.1", [HOME])
    assert clockwork.told() == {"prune.refused 1.0.1": 1, "prune.completed 1.0.1": 1}


def test_a_first_run_converges_in_capped_passes(clockwork: Clockwork) -> None:
    """Fifteen old versions are pruned from one sweep, a few at a time, with one write each, and no events to help."""
    for patch in range(15):
        clockwork.azure.add_version(clockwork.image, f"0.9.{patch}", home=HOME, regions=list(THREE))
    clockwork.azure.add_version(clockwork.image, "1.0.0", home=HOME, regions=list(THREE))
    clockwork.decide(POLICY, PRUNE_MAX_PER_PASS="4")
    clockwork.sweep()
    most = 0

    def few() -> bool:
        nonlocal most
        states = [
            each["properties"]["provisioningState"] for each in clockwork.azure.versions(clockwork.image).values()
        ]
        most = max(most, states.count("Updating"))
        return False

    clockwork.run(12 * HOUR, until=few)
    assert not clockwork.queues.waiting
    assert all(clockwork.complete_in(f"0.9.{patch}", [HOME]) for patch in range(15))
    assert len(clockwork.writes()) == 15
    assert most == 4


def test_replicas_at_home(clockwork: Clockwork) -> None:
    """A pruned version keeps HOME_REPLICA_COUNT replicas at home."""
    _old_and_new(clockwork)

    def more(version: dict[str, Any]) -> None:
        version["properties"]["publishingProfile"]["targetRegions"][0]["regionalReplicaCount"] = 5

    clockwork.azure.update(clockwork.version("1.0.1"), more)
    clockwork.run(HOUR)
    clockwork.decide(POLICY, HOME_REPLICA_COUNT="2")
    clockwork.sweep()
    assert clockwork.run(HOUR)
    shown = clockwork.azure.show(clockwork.version("1.0.1"))
    assert shown
    (home,) = shown["properties"]["publishingProfile"]["targetRegions"]
    assert home["regionalReplicaCount"] == 2


def _delete(clockwork: Clockwork) -> None:
    clockwork.azure.delete(clockwork.version("1.0.2"))
    clockwork.pass_time(10 * MINUTE)


def _exclude(clockwork: Clockwork) -> None:
    def edit(version: dict[str, Any]) -> None:
        version["properties"]["publishingProfile"]["excludeFromLatest"] = True

    clockwork.azure.update(clockwork.version("1.0.2"), edit)
    clockwork.pass_time(10 * MINUTE)


def _fail(clockwork: Clockwork) -> None:
    def edit(version: dict[str, Any]) -> None:
        version["properties"]["publishingProfile"]["targetRegions"].append({"name": "uksouth"})

    clockwork.azure.set_behaviour(failing_regions={"uksouth": -1}, failed_region_fails_version=True)
    clockwork.azure.update(clockwork.version("1.0.2"), edit)
    clockwork.pass_time(30 * MINUTE)


def _tag(clockwork: Clockwork) -> None:
    clockwork.azure.set_tags(clockwork.version("1.0.1"), {"gallery-fanout-keep": "yes"})


def _use(clockwork: Clockwork) -> None:
    for region in THREE[1:]:
        clockwork.azure.add_scale_set(f"web-{region}", image=clockwork.version("1.0.1"), location=region)


@pytest.mark.parametrize("happens", [_delete, _exclude, _fail, _tag, _use])
def test_decided_again_at_the_write(clockwork: Clockwork, happens: Any) -> None:
    """A prune that was planned is not written when the world has changed before the write."""
    _old_and_new(clockwork)
    clockwork.decide(POLICY)
    clockwork.sweep()
    assert clockwork.run(HOUR, until=lambda: any(each.queue == "prune" for each in clockwork.queues.waiting))
    happens(clockwork)
    clockwork.run(HOUR)
    assert clockwork.complete_in("1.0.1", THREE)
    assert [write for write in clockwork.writes() if write[0] == "1.0.1"] == []


def test_exclusive_policies(clockwork: Clockwork) -> None:
    """Regions that the policy does not name stay on a kept version, unless its override is exclusive."""
    clockwork.azure.add_version(clockwork.image, "1.0.0", home=HOME, regions=[*THREE, "uksouth", "japaneast"])
    clockwork.azure.add_scale_set("web-prod", image=clockwork.version("1.0.0"), location="japaneast")
    clockwork.decide(f"{POLICY} northeurope")
    clockwork.sweep()
    assert clockwork.run(2 * HOUR)
    everywhere = {*THREE, "uksouth", "japaneast", "northeurope"}
    assert set(clockwork.regions("1.0.0")) == everywhere

    clockwork.decide(f"{POLICY} northeurope", POLICY_OVERRIDES='{"prod*/ubuntu-*": {"exclusive": true}}')
    clockwork.sweep()
    assert clockwork.run(2 * HOUR)
    assert set(clockwork.regions("1.0.0")) == everywhere - {"uksouth"}
    (event,) = clockwork.events("prune.completed")
    assert event["data"]["regionsRemoved"] == ["uksouth"]
