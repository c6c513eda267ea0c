"""How operators and image owners tune the policy, and what happens when the newest version is withdrawn."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from local.azure import Region
from tests.flows.clockwork import HOME, Clockwork

pytestmark = pytest.mark.flow

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
THREE = (HOME, "eastus2", "southeastasia")
POLICY = " ".join(THREE)


def _publish(clockwork: Clockwork, number: str, **more: Any) -> None:
    clockwork.azure.publish(clockwork.image, number, home=HOME, **more)
    clockwork.pass_time(10 * MINUTE)
    clockwork.event(number)
    assert clockwork.run(3 * HOUR)


def test_overrides(clockwork: Clockwork) -> None:
    """The most specific override that names the image definition is its policy."""
    overrides = """{"*/*": {"target_regions": "westeurope japaneast"},
                    "PRODgallery/ubuntu-*": {"target_regions": "westeurope uksouth", "keep_latest": 2}}"""
    clockwork.decide(POLICY, POLICY_OVERRIDES=overrides)
    for number in ("1.0.0", "1.0.1", "1.0.2"):
        _publish(clockwork, number)
    assert clockwork.complete_in("1.0.2", [HOME, "uksouth"])
    assert clockwork.complete_in("1.0.1", [HOME, "uksouth"])
    assert clockwork.complete_in("1.0.0", [HOME])


def test_an_override_of_the_mode(clockwork: Clockwork) -> None:
    """One image definition can be observed only, while the others are worked on."""
    clockwork.decide(POLICY, POLICY_OVERRIDES='{"prodgallery/ubuntu-2204": {"mode": "observe"}}')
    _publish(clockwork, "1.0.0")
    assert clockwork.writes() == []
    assert clockwork.told() == {"plan.reported 1.0.0": 1}


def test_tags_of_the_definition_win(clockwork: Clockwork) -> None:
    """Tags of the image definition win over every setting, waves and all."""
    tags = {"Gallery-Fanout-Regions": f"{HOME}; 'UK South'=2", "gallery-fanout-keep-latest": "2"}
    clockwork.azure.set_tags(clockwork.image, tags)
    clockwork.decide(POLICY, POLICY_OVERRIDES='{"*/*": {"target_regions": "japaneast"}}')
    for number in ("1.0.0", "1.0.1"):
        _publish(clockwork, number)
    assert clockwork.complete_in("1.0.0", [HOME, "uksouth"])
    assert clockwork.complete_in("1.0.1", [HOME, "uksouth"])
    assert clockwork.told()["rollout.completed 1.0.1"] == 1


def test_a_malformed_tag_is_told_of(clockwork: Clockwork) -> None:
    """A malformed tag does not count: the setting holds, and the rollout's start says so."""
    clockwork.azure.set_tags(clockwork.image, {"gallery-fanout-regions": "eastus2=lots"})
    clockwork.decide(POLICY)
    _publish(clockwork, "1.0.0")
    assert clockwork.complete_in("1.0.0", THREE)
    (event,) = clockwork.events("rollout.started")
    (warning,) = event["data"]["warnings"]
    assert "gallery-fanout-regions" in warning
    assert "'lots'" in warning


def test_many_replicas_warn_once(clockwork: Clockwork) -> None:
    """More than 50 replicas of a version are told of once; more than 100 are not asked for, and the sum is told."""
    clockwork.decide(f"{HOME}=30 eastus2=30")
    _publish(clockwork, "1.0.0")
    clockwork.sweep()
    clockwork.run(MINUTE)
    (event,) = clockwork.events("limit.near")
    assert "60 replicas" in event["data"]["reason"]

    clockwork.azure.add_version(clockwork.image, "1.0.1", home=HOME, regions=[HOME, Region("uksouth", replicas=50)])
    clockwork.sweep()
    clockwork.run(HOUR)
    reasons = [event["data"]["reason"] for event in clockwork.events("limit.near")]
    assert len(reasons) == 2
    assert "110 replicas in all" in reasons[1]
    assert "1.0.1" not in [number for number, _ in clockwork.writes()]


def _encrypted(region: str) -> Region:
    sets = f"/subscriptions/{'1' * 8}-1111-1111-1111-{'1' * 12}/resourceGroups/keys/providers/Microsoft.Compute"
    disks = {"osDiskImage": {"diskEncryptionSetId": f"{sets}/diskEncryptionSets/{region}"}}
    return Region(region, extra={"encryption": disks})


def test_encryption_sets(clockwork: Clockwork) -> None:
    """An encrypted version comes to the regions that have a set, encrypted with it; the others say why they wait."""
    regions = [_encrypted(HOME)]
    wanted = _encrypted("eastus2").extra["encryption"]["osDiskImage"]["diskEncryptionSetId"]
    clockwork.decide(POLICY, ENCRYPTION_SETS=f'{{"East US 2": "{wanted}"}}')
    _publish(clockwork, "1.0.0", regions=regions)
    assert clockwork.complete_in("1.0.0", THREE[:2])
    shown = clockwork.azure.show(clockwork.version("1.0.0"))
    assert shown
    added = shown["properties"]["publishingProfile"]["targetRegions"][1]
    assert added["encryption"]["osDiskImage"]["diskEncryptionSetId"] == wanted
    (event,) = clockwork.events("rollout.started")
    (skipped,) = [region for region in event["data"]["regions"] if region["state"] == "Skipped"]
    assert skipped["name"] == "southeastasia"
    assert "ENCRYPTION_SETS" in skipped["reason"]
    assert clockwork.told()["rollout.completed 1.0.0"] == 1


def test_storage_type_is_for_added_regions(clockwork: Clockwork) -> None:
    """STORAGE_ACCOUNT_TYPE holds for regions that are added, and never for those that are there."""
    clockwork.decide(POLICY, STORAGE_ACCOUNT_TYPE="Premium_LRS")
    _publish(clockwork, "1.0.0", regions=[HOME, Region("eastus2", storage_account_type="Standard_ZRS")])
    shown = clockwork.azure.show(clockwork.version("1.0.0"))
    assert shown
    kinds = [region["storageAccountType"] for region in shown["properties"]["publishingProfile"]["targetRegions"]]
    assert kinds == ["Standard_LRS", "Standard_ZRS", "Premium_LRS"]


# The newest is withdrawn.


def _deleted(clockwork: Clockwork) -> None:
    clockwork.azure.delete(clockwork.version("1.0.1"))


def _excluded(clockwork: Clockwork) -> None:
    def edit(version: dict[str, Any]) -> None:
        version["properties"]["publishingProfile"]["excludeFromLatest"] = True

    clockwork.azure.update(clockwork.version("1.0.1"), edit)


def _failed(clockwork: Clockwork) -> None:
    def edit(version: dict[str, Any]) -> None:
        version["properties"]["publishingProfile"]["targetRegions"].append({"name": "uksouth"})

    clockwork.azure.set_behaviour(failing_regions={"uksouth": -1}, failed_region_fails_version=True)
    clockwork.azure.update(clockwork.version("1.0.1"), edit)


WITHDRAWALS = [
    (_deleted, "1.0.1 was deleted"),
    (_excluded, "1.0.1 is excluded from latest"),
    (_failed, "1.0.1 is left alone: its provisioning state is Failed"),
]


@pytest.mark.parametrize("by_event", [True, False], ids=["event", "sweep"])
@pytest.mark.parametrize(("withdraw", "why"), WITHDRAWALS, ids=["deleted", "excluded", "failed"])
def test_withdrawn(clockwork: Clockwork, withdraw: Any, why: str, by_event: bool) -> None:  # noqa: FBT001  a row
    """A newest version that is withdrawn has the one before it brought back to every region, and the chat hears why."""
    clockwork.decide(POLICY)
    for number in ("1.0.0", "1.0.1"):
        _publish(clockwork, number)
    assert clockwork.complete_in("1.0.0", [HOME])
    before = len(clockwork.events())

    withdraw(clockwork)
    clockwork.pass_time(30 * MINUTE)
    if by_event:
        clockwork.event("1.0.1", "ResourceDeleteSuccess" if withdraw is _deleted else "ResourceWriteSuccess")
    else:
        clockwork.sweep()
    clockwork.run(3 * HOUR)

    assert clockwork.complete_in("1.0.0", THREE)
    news = [event for event in clockwork.events()[before:] if event["data"]["version"] == "1.0.0"]
    assert [event["type"].rpartition(".")[2] for event in news] == ["started", "completed"]
    assert {event["data"]["cause"] for event in news} == {why}


def test_withdrawn_while_the_one_before_is_everywhere(clockwork: Clockwork) -> None:
    """When the version before is in every region already, nothing is written, and the chat hears that it is latest."""
    clockwork.decide(POLICY, KEEP_LATEST="2")
    for number in ("1.0.0", "1.0.1"):
        _publish(clockwork, number)
    writes = len(clockwork.writes())
    clockwork.azure.delete(clockwork.version("1.0.1"))
    clockwork.pass_time(30 * MINUTE)
    clockwork.sweep()
    assert clockwork.run(3 * HOUR)
    assert len(clockwork.writes()) == writes
    (news,) = [event for event in clockwork.events("rollout.completed") if event["data"].get("cause")]
    assert (news["data"]["version"], news["data"]["cause"]) == ("1.0.0", "1.0.1 was deleted")


def test_a_list_that_lags_withdraws_nothing(clockwork: Clockwork) -> None:
    """A newest version that is missing in Azure's list, and is there when asked for, was not deleted."""
    clockwork.decide(POLICY)
    for number in ("1.0.0", "1.0.1"):
        _publish(clockwork, number)
    writes = len(clockwork.writes())
    clockwork.azure.set_behaviour(unlisted=frozenset({"1.0.1"}))
    clockwork.sweep()
    assert clockwork.run(HOUR)
    assert len(clockwork.writes()) == writes


def test_a_list_that_lags_behind_a_pass(clockwork: Clockwork) -> None:
    """A newest version that a pass has seen counts for a prune that is decided before the pass has ended, though the
    list lacks it by then.
    """
    for number in ("1.0.0", "1.0.1"):
        clockwork.azure.add_version(clockwork.image, number, home=HOME, regions=list(THREE))
    clockwork.decide(POLICY)
    clockwork.sweep()
    clockwork.run(HOUR, until=lambda: any(message.queue == "prune" for message in clockwork.queues.waiting))
    clockwork.azure.add_version(clockwork.image, "1.0.2", home=HOME, regions=[HOME])

    def prune_meanwhile(put: Callable[[], Any]) -> Any:
        clockwork.outside.heal()
        clockwork.azure.set_behaviour(unlisted=frozenset({"1.0.2"}))
        for message in clockwork.queues.due():
            if message.queue == "prune":
                clockwork.handle(message)
        return put()

    clockwork.outside.trouble(lambda call: call.path == "/replicate/messages", prune_meanwhile)
    clockwork.event("1.0.2")
    (asked,) = (message for message in clockwork.queues.due() if message.queue == "reconcile")
    clockwork.handle(asked)
    assert clockwork.writes() == []


def test_observed_plans(clockwork: Clockwork) -> None:
    """Mode observe reports a plan once, with reasons, and again when it has become another; time alone is no change."""
    clockwork.azure.add_version(clockwork.image, "1.0.0", home=HOME, regions=list(THREE))
    clockwork.azure.add_version(clockwork.image, "1.0.1", home=HOME, regions=list(THREE))
    clockwork.decide(POLICY, MODE="observe")
    for _ in range(3):
        clockwork.sweep()
        clockwork.run(HOUR)
    (event,) = clockwork.events()
    told = {(line["version"], line["region"]): (line["action"], line["reason"]) for line in event["data"]["changes"]}
    assert told[("1.0.0", "eastus2")] == ("remove", "1.0.1 complete here")

    clockwork.azure.add_scale_set("web-prod", image=clockwork.version("1.0.0"), location="eastus2")
    clockwork.sweep()
    clockwork.run(HOUR)
    changes = clockwork.events()[1]["data"]["changes"]
    assert [(line["region"], line["reason"]) for line in changes] == [
        ("southeastasia", "1.0.1 complete here since 3 h")
    ]
    assert clockwork.writes() == []


def test_a_plan_that_comes_back(clockwork: Clockwork) -> None:
    """A plan that becomes another, and then what it was, is news each time, and so is that nothing is left to do."""
    clockwork.azure.add_version(clockwork.image, "1.0.0", home=HOME, regions=list(THREE))
    for more in (" uksouth", " uksouth japaneast", " uksouth", "", " uksouth"):
        clockwork.decide(POLICY + more, MODE="observe")
        for _ in range(2):
            clockwork.sweep()
            clockwork.run(HOUR)
    told = [[line["region"] for line in event["data"]["changes"]] for event in clockwork.events("plan.reported")]
    assert told == [["uksouth"], ["uksouth", "japaneast"], ["uksouth"], [], ["uksouth"]]


def test_nothing_to_report(clockwork: Clockwork) -> None:
    """Mode observe says nothing of a definition that is as the policy wants it when it is first seen."""
    clockwork.azure.add_version(clockwork.image, "1.0.0", home=HOME, regions=list(THREE))
    clockwork.decide(POLICY, MODE="observe")
    clockwork.sweep()
    assert clockwork.run(HOUR)
    assert clockwork.events() == []


def test_withdrawn_in_mode_observe(clockwork: Clockwork) -> None:
    """The report of a plan says why the newest is an older one than it was, once."""
    clockwork.azure.add_version(clockwork.image, "1.0.0", home=HOME, regions=[HOME])
    clockwork.azure.add_version(clockwork.image, "1.0.1", home=HOME, regions=list(THREE))
    clockwork.decide(POLICY, MODE="observe")
    clockwork.sweep()
    clockwork.run(HOUR)
    clockwork.azure.delete(clockwork.version("1.0.1"))
    clockwork.pass_time(HOUR)
    for _ in range(3):
        clockwork.sweep()
        clockwork.run(HOUR)
    (event,) = clockwork.events("plan.reported")
    assert event["data"]["cause"] == "1.0.1 was deleted"
