from datetime import UTC, datetime

import pytest

from local.azure import ArmError, Behaviour, Pace, Region, SimulatedAzure
from tests.local.azure.support import API, ask, body_for


def regions_of(shown):
    """Return a version's target regions as they are shown, by name."""
    return {region["name"]: region for region in shown["properties"]["publishingProfile"]["targetRegions"]}


def test_a_new_version_is_created_and_then_there(azure, image, clock):
    """PUT is 201 Creating with a URL to poll; the poll is 200 InProgress, then Succeeded with both times."""
    url = f"{azure.endpoint}{image}/versions/1.0.1?{API}"
    status, headers, body = ask("PUT", url, body_for("westeurope", "East US 2"))
    assert (status, body["properties"]["provisioningState"]) == (201, "Creating")
    assert "osDiskImage" not in body["properties"]["storageProfile"]
    poll = headers["azure-asyncoperation"]
    status, _, running = ask("GET", poll)
    assert (status, running["status"], running["name"]) == (200, "InProgress", headers["x-ms-request-id"])
    clock.now += 0.2
    status, _, ended = ask("GET", poll)
    assert (status, ended["status"]) == (200, "Succeeded")
    assert running.keys() == {"startTime", "status", "name"}
    assert ended.keys() == {"startTime", "endTime", "status", "name"}
    shown = ask("GET", url)[2]["properties"]
    assert shown["provisioningState"] == "Succeeded"
    assert shown["storageProfile"]["osDiskImage"]["sizeInGB"] == 30


def test_defaults_are_filled_in_as_azure_does(azure, image):
    """A region without settings takes the profile's; the safety profile says false when nobody asked."""
    url = f"{azure.endpoint}{image}/versions/1.0.1?{API}"
    body = body_for("westeurope", {"name": "uksouth", "regionalReplicaCount": 5}, replicaCount=3)
    shown = ask("PUT", url, body)[2]
    assert regions_of(shown)["West Europe"] == {
        "name": "West Europe",
        "regionalReplicaCount": 3,
        "storageAccountType": "Standard_LRS",
    }
    assert regions_of(shown)["UK South"]["regionalReplicaCount"] == 5
    assert shown["properties"]["safetyProfile"] == {
        "allowDeletionOfReplicatedLocations": False,
        "reportedForPolicyViolation": False,
    }
    assert shown["properties"]["publishingProfile"]["excludeFromLatest"] is False
    assert len(shown["properties"]["publishingProfile"]["publishedDate"].split(".")[1]) == len("5954168+08:00")


def test_the_sdk_creates_and_waits(azure, image, versions, place):
    """The real poller follows our operation to its end."""
    azure.set_behaviour(create=Pace.reads(3))
    created = versions.begin_create_or_update(*place, "1.0.1", body_for("westeurope")).result()
    assert (created.id, created.properties.provisioning_state) == (f"{image}/versions/1.0.1", "Succeeded")


def test_the_sdk_updates_without_waiting(azure, image, versions, place):
    """PATCH may carry properties alone; it answers 200 Updating with the whole set, and keeps what it did not say."""
    version = azure.add_version(image, "1.0.1", tags={"kept": "yes"}, excluded=True)
    body = {"properties": {"publishingProfile": {"targetRegions": [{"name": "westeurope"}, {"name": "eastus2"}]}}}
    shown = versions.begin_update(*place, "1.0.1", body, polling=False).result().as_dict()
    assert shown["properties"]["provisioningState"] == "Updating"
    assert shown["tags"] == {"kept": "yes"}
    assert shown["properties"]["publishingProfile"]["excludeFromLatest"] is True
    assert list(regions_of(azure.show(version))) == ["West Europe", "East US 2"]


def test_the_sdk_deletes_and_waits(azure, image, versions, place):
    """DELETE is 202 and empty; after the poller the version is gone."""
    azure.set_behaviour(delete=Pace.reads(2))
    version = azure.add_version(image, "1.0.1")
    versions.begin_delete(*place, "1.0.1").result()
    assert azure.show(version) is None
    assert azure.versions(image) == {}


def test_a_deletion_can_be_followed_at_both_urls(azure, image, clock):
    """The operation's URL shows its state, the monitor's 202 and then 200 with nothing; Deleting is shown meanwhile."""
    version = azure.add_version(image, "1.0.1")
    status, headers, body = ask("DELETE", f"{azure.endpoint}{version}?{API}")
    assert (status, body) == (202, None)
    assert azure.show(version)["properties"]["provisioningState"] == "Deleting"
    assert ask("GET", headers["location"])[::2] == (202, None)
    clock.now += 0.2
    assert ask("GET", headers["location"])[::2] == (200, None)
    assert ask("GET", headers["azure-asyncoperation"])[2]["status"] == "Succeeded"
    assert ask("DELETE", f"{azure.endpoint}{version}?{API}")[0] == 204


def test_poll_urls_are_long_and_signed_unless_told_otherwise(azure, image):
    """Poll URLs carry more than 3 KB of signed query, as newer ones do."""
    version = azure.add_version(image, "1.0.1")
    long = ask("PATCH", f"{azure.endpoint}{version}?{API}", {"tags": {}})[1]["azure-asyncoperation"]
    azure.set_behaviour(signed_poll_urls=False)
    short = ask("PATCH", f"{azure.endpoint}{version}?{API}", {"tags": {}})[1]["azure-asyncoperation"]
    assert len(long) > 3000
    assert len(short) < 300


def test_unknown_fields_survive(azure, image, versions, place):
    """What we have no name for, on a region and elsewhere, is stored and comes back."""
    region = Region(
        "eastus2", storage_account_type="Standard_ZRS", extra={"additionalReplicaSets": [], "novel": {"a": 1}}
    )
    azure.add_version(image, "1.0.1", regions=["westeurope", region])
    before = versions.get(*place, "1.0.1").as_dict()
    body = {"properties": {**before["properties"], "brandNew": ["x"]}, "location": "westeurope", "future": 2}
    versions.begin_create_or_update(*place, "1.0.1", body, polling=False)
    after = versions.get(*place, "1.0.1").as_dict()
    assert regions_of(after) == regions_of(before)
    assert regions_of(after)["East US 2"]["novel"] == {"a": 1}
    assert (after["properties"]["brandNew"], after["future"]) == (["x"], 2)


@pytest.mark.parametrize("publishing", [{}, {"targetRegions": None}])
def test_target_regions_that_are_not_sent_are_kept(azure, image, publishing):
    """Absent and null both mean: as they are. So is the source, and the publish date is not ours to write."""
    published = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    version = azure.add_version(image, "1.0.1", regions=["westeurope", "eastus2"], published=published)
    before = azure.show(version)["properties"]
    publishing = {**publishing, "publishedDate": "1999-01-01T00:00:00Z"}
    body = {"location": "West Europe", "properties": {"publishingProfile": publishing}}
    assert ask("PUT", f"{azure.endpoint}{version}?{API}", body)[0] == 200
    after = azure.show(version)["properties"]
    assert after["publishingProfile"] == before["publishingProfile"]
    assert after["storageProfile"] == before["storageProfile"]
    assert datetime.fromisoformat(after["publishingProfile"]["publishedDate"]) == published


def test_a_put_replaces_tags_and_profile_and_a_patch_merges(azure, image):
    """PUT without excludeFromLatest and tags resets them, PATCH without them keeps them."""
    version = azure.add_version(image, "1.0.1", excluded=True, tags={"a": "b"})
    url = f"{azure.endpoint}{version}?{API}"
    patched = ask("PATCH", url, {"properties": {"publishingProfile": {"endOfLifeDate": "2030-01-01T00:00:00Z"}}})[2]
    assert patched["tags"] == {"a": "b"}
    assert patched["properties"]["publishingProfile"]["excludeFromLatest"] is True
    replaced = ask("PUT", url, {"location": "westeurope", "properties": {}})[2]
    assert "tags" not in replaced
    assert replaced["properties"]["publishingProfile"]["excludeFromLatest"] is False
    assert "endOfLifeDate" not in replaced["properties"]["publishingProfile"]


def test_a_version_may_have_no_publish_date(azure, image):
    """`published=None` is a version without a date, and it stays without one."""
    version = azure.add_version(image, "1.0.1", published=None)
    azure.update(version, lambda resource: resource.update(tags={"a": "b"}))
    assert "publishedDate" not in azure.show(version)["properties"]["publishingProfile"]


def test_an_outside_writer_goes_through_the_same_rules(azure, image):
    """`update` edits the JSON, is accepted or refused as a PUT is, and is no request."""
    version = azure.add_version(image, "1.0.1")
    azure.update(version, lambda r: r["properties"]["publishingProfile"]["targetRegions"].append({"name": "uksouth"}))
    assert azure.show(version)["properties"]["provisioningState"] == "Updating"
    with pytest.raises(ArmError, match="Complete set of target locations"):
        azure.update(version, lambda r: r["properties"]["publishingProfile"]["targetRegions"].pop())
    assert azure.requests == []


def test_writes_that_were_refused_do_not_count(azure, image):
    """`writes` has the accepted ones, in order, of one version or of all."""
    one, two = (azure.add_version(image, name) for name in ("1.0.1", "1.0.2"))
    for version, body in ((one, {"tags": {}}), (two, {"tags": {}}), (one, {"properties": {"publishingProfile": 7}})):
        ask("PATCH", f"{azure.endpoint}{version}?{API}", body)
    assert [request.path for request in azure.writes()] == [one, two]
    assert [request.body for request in azure.writes(two.upper())] == [{"tags": {}}]
    assert azure.requests[-1].error_code == "InvalidRequestContent"


def test_the_last_of_two_writers_wins_and_a_region_is_lost(azure, image, versions, place):
    """Two read-modify-writes at a time are both accepted, and the first one's region is gone."""
    version = azure.add_version(image, "1.0.1", safety_flag=True)
    read = versions.get(*place, "1.0.1")
    for region in ("uksouth", "eastus2"):
        targets = [{"name": "westeurope"}, {"name": region}]
        body = {"location": read.location, "properties": {"publishingProfile": {"targetRegions": targets}}}
        versions.begin_create_or_update(*place, "1.0.1", body, polling=False)
    assert list(regions_of(azure.show(version))) == ["West Europe", "East US 2"]


def test_a_write_while_updating_may_be_a_conflict(azure, image, clock):
    """With the switch the second write is 409 until the first has ended."""
    azure.set_behaviour(write_while_updating="conflict")
    url = f"{azure.endpoint}{azure.add_version(image, '1.0.1')}?{API}"
    statuses = [ask("PATCH", url, {"tags": {}})[0] for _ in range(2)]
    clock.now += 0.2
    assert [*statuses, ask("PATCH", url, {"tags": {}})[0]] == [200, 409, 200]


def test_state_outlives_a_stop(azure, image):
    """After a stop and a start the same port serves the same versions."""
    version, endpoint = azure.add_version(image, "1.0.1"), azure.endpoint
    azure.stop()
    azure.start()
    assert azure.endpoint == endpoint
    assert ask("GET", f"{endpoint}{version}?{API}")[0] == 200


def test_a_port_that_is_taken_is_said_so(azure):
    """A start that cannot have its port raises, in the thread that asked."""
    with pytest.raises(OSError, match="in use"):
        SimulatedAzure(port=int(azure.endpoint.rsplit(":", 1)[1])).start()


def test_behaviour_can_be_read_back(azure):
    """`set_behaviour` changes what it names and nothing else."""
    azure.set_behaviour(page_size=3)
    assert azure.behaviour == Behaviour(page_size=3)
