from http.client import HTTPException

import pytest

from local.azure import Fault
from tests.local.azure.support import API, Endpoint, ask


@pytest.fixture
def patch(azure, image):
    """Bring a version to more regions; what is answered."""
    version = azure.add_version(image, "1.0.1", regions=["westeurope"])

    def write(*regions):
        targets = [{"name": region} for region in ("westeurope", *regions)]
        body = {"properties": {"publishingProfile": {"targetRegions": targets}}}
        return ask("PATCH", f"{azure.endpoint}{version}?{API}", body)

    return write


def _regions(azure, image):
    shown = azure.versions(image)["1.0.1"]["properties"]["replicationStatus"]["summary"]
    return {entry["region"] for entry in shown}


@pytest.mark.parametrize("status", [0, 500])
@pytest.mark.parametrize("done", [False, True])
def test_answers_that_get_lost(azure, image, patch, status, done):
    """A request is not carried out, or is and only its answer is lost; the journal knows which, the caller does not."""
    azure.set_behaviour(faults=[Fault("PATCH", "", status, "InternalServerError", "Oops.", done=done)])
    if status:
        assert patch("eastus2")[0] == 500
    else:
        with pytest.raises((OSError, HTTPException)):
            patch("eastus2")
    assert _regions(azure, image) == ({"westeurope", "eastus2"} if done else {"westeurope"})
    (request,) = azure.requests
    assert (request.status, request.spoiled) == (200 if done else status, done)
    assert azure.writes() == ([request] if done else [])
    assert patch("eastus2")[0] == 200


def test_what_a_write_found(azure, image, patch):
    """The witness sees what is there before each write that is carried out, and the journal keeps it."""
    azure.witness(lambda version: (version, _regions(azure, image)))
    azure.set_behaviour(faults=[Fault("PATCH", "", 500, "InternalServerError", "Oops.")])
    for regions in [("eastus2",), ("eastus2",), ("eastus2", "uksouth")]:
        patch(*regions)
    ask("GET", f"{azure.endpoint}{image}?{API}")
    refused, first, second, read = azure.requests
    assert (refused.before, read.before) == (None, None)
    assert first.before == (f"{image}/versions/1.0.1", {"westeurope"})
    assert second.before[1] == {"westeurope", "eastus2"}


def test_regions_that_are_not_to_be_had(azure, patch):
    """A closed region is refused to a version that is not there, and stays where it is."""
    assert patch("eastus2")[0] == 200
    azure.set_behaviour(closed_regions=frozenset({"East US 2", "uksouth"}))
    status, _, body = patch("eastus2", "uksouth")
    assert (status, body["error"]["code"]) == (400, "InvalidParameter")
    assert "'UK South' of parameter" in body["error"]["message"]
    assert patch("eastus2", "southeastasia")[0] == 200


@pytest.mark.parametrize(("delays", "count"), [((), 0), ((0.0, 0.0), 2), ((0.2, 0.0), 2)])
def test_events_lost_doubled_late(azure, image, clock, delays, count):
    """An event comes in as many copies as told, each as late as told; what comes after may come before."""
    with Endpoint() as endpoint:
        azure.deliver_to(endpoint.url)
        azure.wait_until(lambda: endpoint.handshakes)
        azure.set_behaviour(event_delays=delays)
        azure.publish(image, "1.0.1")
        clock.now += 1
        azure.tick()
        azure.set_behaviour(event_delays=(0.0,))
        azure.publish(image, "1.0.2")
        clock.now += 1
        azure.tick()
        azure.wait_until(lambda: len(endpoint.events) == count + 1)
        names = [event["subject"].rpartition("/")[2] for event in endpoint.events]
    assert sorted(names) == ["1.0.1"] * count + ["1.0.2"]
    if delays == (0.2, 0.0):
        assert names[-1] == "1.0.1"
