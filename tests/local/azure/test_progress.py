import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.azure import Pace
from tests.local.azure.support import API, ask


def statuses(shown):
    """Return each region's state and progress, by short name."""
    summary = shown["properties"]["replicationStatus"]["summary"]
    return {status["region"]: (status["state"], status["progress"]) for status in summary}


def state(shown):
    """Return the provisioning state and the aggregated replication state."""
    properties = shown["properties"]
    return properties["provisioningState"], properties["replicationStatus"]["aggregatedState"]


def write(azure, version, *regions, status=200):
    """Write a version's target regions over HTTP and return the URL of the operation."""
    body = {"properties": {"publishingProfile": {"targetRegions": [{"name": region} for region in regions]}}}
    answered, headers, _ = ask("PATCH", f"{azure.endpoint}{version}?{API}", body)
    assert answered == status
    return headers["azure-asyncoperation"]


def test_provisioning_succeeds_before_the_regions_are_completed(azure, image, clock):
    """By the clock: Creating, then Succeeded while regions still replicate, then Completed; progress grows."""
    version = azure.publish(image, "1.0.1", regions=["westeurope", "eastus2"])
    assert state(azure.show(version)) == ("Creating", "InProgress")
    clock.now += 0.5
    assert state(azure.show(version)) == ("Succeeded", "InProgress")
    assert statuses(azure.show(version)) == {"westeurope": ("Replicating", 50), "eastus2": ("Replicating", 50)}
    clock.now += 0.5
    assert state(azure.show(version)) == ("Succeeded", "Completed")


def test_progress_by_reads_counts_reads_of_the_version_alone(azure, image):
    """Three GETs finish what takes three reads; lists and `show` do not count."""
    azure.set_behaviour(create=Pace.reads(1), replicate=Pace.reads(3))
    version = azure.publish(image, "1.0.1")
    url = f"{azure.endpoint}{version}?{API}&$expand=ReplicationStatus"
    ask("GET", f"{azure.endpoint}{image}/versions?{API}")
    assert statuses(azure.show(version)) == {"westeurope": ("Replicating", 0)}
    seen = [ask("GET", url)[2] for _ in range(4)]
    assert [statuses(shown)["westeurope"][1] for shown in seen] == [0, 33, 66, 100]
    assert [shown["properties"]["provisioningState"] for shown in seen] == ["Creating", *["Succeeded"] * 3]


def test_polls_of_the_operation_are_reads_too(azure, image):
    """An update that takes two reads ends after two polls."""
    azure.set_behaviour(update=Pace.reads(2))
    poll = write(azure, azure.add_version(image, "1.0.1"), "westeurope")
    assert [ask("GET", poll)[2]["status"] for _ in range(3)] == ["InProgress", "InProgress", "Succeeded"]


def test_at_once_is_done_with_the_next_look(azure, image):
    """The answer to the write says Creating, as Azure's does; whoever looks next sees it done."""
    azure.set_behaviour(create=Pace.at_once(), replicate=Pace.at_once())
    version = azure.publish(image, "1.0.1")
    assert state(azure.show(version)) == ("Succeeded", "Completed")


def test_a_region_may_have_its_own_pace(azure, image, clock):
    """`replicate_by_region` takes either spelling."""
    azure.set_behaviour(replicate_by_region={"East US 2": Pace.after(100)})
    version = azure.publish(image, "1.0.1", regions=["westeurope", "eastus2"])
    clock.now += 10
    assert statuses(azure.show(version)) == {"westeurope": ("Completed", 100), "eastus2": ("Replicating", 10)}


def test_only_new_regions_replicate(azure, image):
    """Existing regions stay Completed while one is added, in the order that was sent."""
    version = azure.add_version(image, "1.0.1", regions=["westeurope", "eastus2"])
    write(azure, version, "uksouth", "eastus2", "westeurope")
    assert list(statuses(azure.show(version)).items()) == [
        ("uksouth", ("Replicating", 0)),
        ("eastus2", ("Completed", 100)),
        ("westeurope", ("Completed", 100)),
    ]


def test_a_removed_region_stays_in_the_status_until_the_update_ends(azure, image, clock):
    """It is out of targetRegions at once and out of replicationStatus with the update."""
    version = azure.add_version(image, "1.0.1", regions=["westeurope", "eastus2"], safety_flag=True)
    write(azure, version, "westeurope")
    assert len(azure.show(version)["properties"]["publishingProfile"]["targetRegions"]) == 1
    assert set(statuses(azure.show(version))) == {"westeurope", "eastus2"}
    clock.now += 0.2
    assert set(statuses(azure.show(version))) == {"westeurope"}


def test_a_removal_may_take_longer_and_a_region_may_come_back_meanwhile(azure, image, clock):
    """With its own pace a removal outlasts the update; written back in, the region replicates anew."""
    azure.set_behaviour(removal=Pace.after(5))
    version = azure.add_version(image, "1.0.1", regions=["westeurope", "eastus2"], safety_flag=True)
    write(azure, version, "westeurope")
    clock.now += 1
    assert statuses(azure.show(version))["eastus2"] == ("Completed", 100)
    write(azure, version, "westeurope", "eastus2")
    assert statuses(azure.show(version))["eastus2"] == ("Replicating", 0)
    write(azure, version, "westeurope")
    clock.now += 5
    assert set(statuses(azure.show(version))) == {"westeurope"}


def test_a_region_fails_and_works_when_it_is_written_again(azure, image, clock):
    """The region says Failed and why, the operation ends Failed, and the same set once more repairs it."""
    azure.set_behaviour(failing_regions={"East US 2": 1})
    version = azure.add_version(image, "1.0.1")
    poll = write(azure, version, "westeurope", "eastus2")
    clock.now += 0.5
    assert ask("GET", poll)[2]["status"] == "InProgress"
    clock.now += 0.5
    summary = azure.show(version)["properties"]["replicationStatus"]["summary"]
    assert summary[1] | {"progress": 0} == {
        "region": "eastus2",
        "state": "Failed",
        "details": "Failed with internal server error.",
        "progress": 0,
    }
    assert state(azure.show(version)) == ("Succeeded", "Failed")
    ended = ask("GET", poll)
    assert (ended[0], ended[2]["status"]) == (200, "Failed")
    assert "{region:eastus2, detail:Failed with internal server error.}" in ended[2]["error"]["message"]
    write(azure, version, "westeurope", "eastus2")
    clock.now += 1
    assert state(azure.show(version)) == ("Succeeded", "Completed")


def test_a_region_may_fail_for_ever_and_take_the_version_along(azure, image, clock):
    """-1 fails each time; with the switch the version's own state is Failed too."""
    azure.set_behaviour(failing_regions={"eastus2": -1}, failed_region_fails_version=True)
    version = azure.add_version(image, "1.0.1")
    for _ in range(3):
        write(azure, version, "westeurope", "eastus2")
        clock.now += 1
        assert state(azure.show(version)) == ("Failed", "Failed")


def test_a_failed_region_may_leave_without_the_flag(azure, image, clock):
    """Only replicated regions are protected; Azure's own advice is to take the failed one out and put it back."""
    azure.set_behaviour(failing_regions={"eastus2": 1})
    version = azure.add_version(image, "1.0.1")
    for regions in (("westeurope", "eastus2"), ("westeurope",), ("westeurope", "eastus2")):
        write(azure, version, *regions)
        clock.now += 1
    assert statuses(azure.show(version))["eastus2"] == ("Completed", 100)


def test_a_publish_may_fail_altogether(azure, image, clock):
    """The state that publishing ends in is the test's choice."""
    version = azure.publish(image, "1.0.1", provisioning_state="Failed")
    clock.now += 1
    assert state(azure.show(version))[0] == "Failed"


@pytest.mark.parametrize("found", ["Creating", "Updating", "Failed", "Deleting", "Migrating"])
def test_a_version_may_be_found_in_any_state(azure, image, clock, found):
    """A version that is placed in a state stays in it."""
    version = azure.add_version(image, "1.0.1", provisioning_state=found)
    clock.now += 1000
    assert state(azure.show(version)) == (found, "Completed")


def test_a_version_may_be_found_replicating(azure, image, clock):
    """`completed=False` starts to replicate as a write would."""
    version = azure.add_version(image, "1.0.1", completed=False)
    assert state(azure.show(version)) == ("Succeeded", "InProgress")
    clock.now += 1
    assert state(azure.show(version)) == ("Succeeded", "Completed")


def test_two_updates_end_one_after_the_other(azure, image, clock):
    """The version is Updating until the last of its operations has ended."""
    version = azure.add_version(image, "1.0.1")
    first = write(azure, version, "westeurope", "uksouth")
    clock.now += 0.1
    second = write(azure, version, "westeurope", "uksouth")
    clock.now += 0.15
    assert [ask("GET", poll)[2]["status"] for poll in (first, second)] == ["Succeeded", "InProgress"]
    assert state(azure.show(version))[0] == "Updating"
    clock.now += 0.1
    assert state(azure.show(version))[0] == "Succeeded"


def test_a_deletion_ends_the_update_before_it(azure, image, clock):
    """The update's operation fails as preempted when its version is deleted."""
    version = azure.add_version(image, "1.0.1")
    poll = write(azure, version, "westeurope", "uksouth")
    azure.delete(version)
    ended = ask("GET", poll)[2]
    assert (ended["status"], ended["error"]["code"]) == ("Failed", "OperationPreempted")
    clock.now += 1
    assert azure.show(version) is None


@given(seconds=st.floats(0.001, 1e6), reads=st.integers(1, 100), at=st.floats(0, 2e6), read=st.integers(0, 200))
def test_a_pace_is_done_when_its_measure_is_full(seconds, reads, at, read):
    """A pace by seconds looks at seconds alone, one by reads at reads alone, and none leaves 0 to 1."""
    assert (Pace.after(seconds).fraction(seconds=at, reads=read) >= 1.0) == (at / seconds >= 1.0)
    assert (Pace.reads(reads).fraction(seconds=at, reads=read) >= 1.0) == (read >= reads)
    assert Pace.at_once().fraction(seconds=0.0, reads=0) == 1.0
    assert 0.0 <= Pace.after(seconds).fraction(seconds=-at, reads=read) <= 1.0
