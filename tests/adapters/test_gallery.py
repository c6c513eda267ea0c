import logging
import threading
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError

from local.azure import Fault, Pace, Region, SimulatedAzure
from shared.adapters.gallery import Gallery
from shared.adapters.retry_after import UNHURRIED
from shared.adapters.throttle import Throttle
from shared.core.errors import Absent, FlagFirst, Locked, Malformed, Refused, Retry
from shared.core.messages import LONGEST_DELAY
from shared.core.model import Definition, ProvisioningState, RegionState
from shared.core.names import GalleryId, ImageId
from shared.core.plan import Action, Line, Role, VersionPlan
from shared.core.planner import plan
from shared.core.policy import Policy
from shared.core.tags import Tags
from shared.core.target_regions import RegionTarget
from tests.adapters.support import IMAGE, NOBODY, Server, Tokens, encryption_set, logged, quickly, reply, version_id
from tests.clock import Clock

THREE = ("westeurope", "eastus2", "southeastasia")
SECRET = "c4nary-in-the-poll-url"
GONE = Line("eastus2", Action.REMOVE, "")
MORE = Line("uksouth", Action.ADD, "", 2, "Premium_LRS")
FLAG_TEXT = (
    "Complete set of target locations not specified while updating gallery artifact '1.0.3' and type 'x'. "
    "Deletion of previously replicated locations is not allowed, and you need to specify a complete set."
)


def write(gallery: Gallery, *lines: Line, number: str = "1.0.3") -> None:
    """Read a version and write it as the lines say."""
    gallery.write(VersionPlan(gallery.version(version_id(number)), Role.OLDER, lines))


READS: dict[str, Callable[[Gallery], Any]] = {
    "images": lambda gallery: gallery.images(IMAGE.gallery),
    "tags of a gallery": lambda gallery: gallery.tags(IMAGE.gallery),
    "tags of an image": lambda gallery: gallery.tags(IMAGE),
    "versions": lambda gallery: gallery.versions(IMAGE),
    "version": lambda gallery: gallery.version(version_id()),
}


@pytest.fixture
def writes(azure: SimulatedAzure) -> dict[str, Callable[[Gallery], Any]]:
    """The calls that write, each about a version that was read when all was well."""
    azure.add_version(str(IMAGE), "1.0.3", regions=THREE)
    version = Gallery(azure.endpoint, None).version(version_id())
    made = VersionPlan(version, Role.KEPT, (MORE,))
    return {"write": lambda gallery: gallery.write(made), "unlock": lambda gallery: gallery.unlock(version)}


def test_images_over_several_pages(azure: SimulatedAzure, gallery: Gallery, image: ImageId) -> None:
    """All image definitions of a gallery are listed, whatever the size of the pages."""
    azure.set_behaviour(page_size=2)
    for number in range(4):
        azure.add_image(str(image.gallery), f"windows-{number}")
    found = gallery.images(image.gallery)
    assert {str(each) for each in found} == {
        str(image),
        *(f"{image.gallery}/images/windows-{number}" for number in range(4)),
    }
    assert len(azure.requests) == 3


def test_galleries_of_other_subscriptions(azure: SimulatedAzure, gallery: Gallery, image: ImageId) -> None:
    """One adapter serves galleries of several subscriptions."""
    other = azure.add_gallery("other", subscription="22222222-2222-2222-2222-222222222222", group="elsewhere")
    azure.add_image(other, "debian-12")
    assert [str(each) for each in gallery.images(GalleryId.parse(other))] == [f"{other}/images/debian-12"]
    assert gallery.images(image.gallery) == [image]


def test_tags(azure: SimulatedAzure, gallery: Gallery, image: ImageId) -> None:
    """Tags of a gallery and of an image definition are read, and without any there are none."""
    bare = GalleryId.parse(azure.add_gallery("bare"))
    assert gallery.tags(image.gallery).values == {"team": "images"}
    assert gallery.tags(image).values == {"os": "linux"}
    assert gallery.tags(bare).values == {}


def test_recent_tags(azure: SimulatedAzure, image: ImageId) -> None:
    """Tags are read once for many who can do with that, for twenty seconds; what others read meanwhile is known too."""
    clock = Clock()
    gallery = Gallery(azure.endpoint, None, now=clock.now)
    for _ in range(3):
        assert gallery.recent_tags(image.gallery).values == {"team": "images"}
    azure.set_tags(str(image.gallery), {"team": "others"})
    clock.at += timedelta(seconds=19)
    assert gallery.recent_tags(image.gallery).values == {"team": "images"}
    assert gallery.recent_tags(image).values == gallery.tags(image).values == {"os": "linux"}
    clock.at += timedelta(seconds=1)
    assert gallery.recent_tags(image.gallery).values == {"team": "others"}
    azure.set_tags(str(image.gallery), {"team": "nobody"})
    assert gallery.tags(image.gallery).values == {"team": "nobody"}
    assert gallery.recent_tags(image.gallery).values == {"team": "nobody"}
    assert len([each for each in azure.requests if each.method == "GET"]) == 5


@pytest.mark.parametrize(
    ("after", "read", "known"),
    [
        pytest.param(10, 5, "elsewhere", id="read elsewhere since"),
        pytest.param(10, -5, "here", id="read here since"),
        pytest.param(24, 5, "elsewhere", id="read here long ago"),
        pytest.param(25, 5, "now", id="read long ago here and there"),
    ],
)
def test_tags_that_were_read_elsewhere(
    azure: SimulatedAzure, image: ImageId, after: int, read: int, known: str
) -> None:
    """Of what this process read and what another did the later one counts, until it is old, too."""
    clock = Clock()
    gallery = Gallery(azure.endpoint, None, now=clock.now)
    elsewhere = Tags(clock.at + timedelta(seconds=read), {"read": "elsewhere"})
    azure.set_tags(str(image), {"read": "here"})
    gallery.tags(image)
    azure.set_tags(str(image), {"read": "now"})
    clock.at += timedelta(seconds=after)
    assert gallery.recent_tags(image, elsewhere).values == {"read": known}


def test_a_slow_reading_is_no_recent_one(
    azure: SimulatedAzure, image: ImageId, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two readings that overlap the one that was asked for later is the recent one, whichever comes last."""
    clock = Clock()
    gallery = Gallery(azure.endpoint, None, now=clock.now)
    read, others = Gallery._tags, Gallery(azure.endpoint, None, now=clock.now)

    def slow(self: Gallery, thing: GalleryId | ImageId) -> Any:
        found = read(self, thing)
        if self is gallery and thing not in gallery._recent:
            azure.set_tags(str(thing), {"team": "others"})
            clock.at += timedelta(seconds=1)
            others.tags(thing)
            gallery._recent[thing] = others._recent[thing]
        return found

    monkeypatch.setattr(Gallery, "_tags", slow)
    assert gallery.tags(image).values == {"os": "linux"}
    assert gallery.recent_tags(image).values == {"team": "others"}


def test_versions_over_several_pages(azure: SimulatedAzure, gallery: Gallery, image: ImageId) -> None:
    """Every version of every page is listed with what a list knows, which is not the state of regions."""
    azure.set_behaviour(page_size=3)
    for number in range(7):
        azure.add_version(str(image), f"1.0.{number}", regions=["westeurope", Region("eastus2", replicas=2)])
    found = gallery.versions(image)
    assert {version.number.name for version in found} == {f"1.0.{number}" for number in range(7)}
    assert len(azure.requests) == 3
    assert {(region.name, region.replicas, region.state) for version in found for region in version.regions} == {
        ("westeurope", 1, RegionState.UNKNOWN),
        ("eastus2", 2, RegionState.UNKNOWN),
    }


def test_a_version_with_the_state_of_its_regions(azure: SimulatedAzure, gallery: Gallery, image: ImageId) -> None:
    """One version is read with states, publish date, tags and disks."""
    published = datetime(2025, 2, 3, 4, 5, 6, tzinfo=UTC)
    azure.set_behaviour(failing_regions={"eastus2": -1}, replicate=Pace.at_once())
    azure.add_version(
        str(image),
        "1.0.3",
        regions=["westeurope", "eastus2"],
        published=published,
        tags={"build": "7"},
        excluded=True,
        safety_flag=True,
        completed=False,
        size_gib=64,
    )
    version = gallery.version(version_id())
    assert {region.name: region.state for region in version.regions} == {
        "westeurope": RegionState.COMPLETED,
        "eastus2": RegionState.FAILED,
    }
    assert version.regions[1].details
    assert (version.state, version.home, version.disk_gib) == (ProvisioningState.SUCCEEDED, "westeurope", 64)
    assert (version.tags, version.excluded, version.removal_allowed) == ({"build": "7"}, True, True)
    assert version.published == published


def test_a_write_that_adds_sizes_and_removes(azure: SimulatedAzure, gallery: Gallery, image: ImageId) -> None:
    """One PATCH brings all lines about, returns at once, and loses no field of a region that stays, known or not."""
    extra = {"excludeFromLatest": True, "newIn2031": {"deep": [1, "two"]}}
    azure.set_behaviour(update=Pace.after(60))
    azure.add_version(
        str(image),
        "1.0.3",
        regions=["westeurope", "eastus2", Region("southeastasia", storage_account_type="Standard_ZRS", extra=extra)],
    )
    gallery.images(image.gallery)
    before = set(threading.enumerate())
    with quickly():
        write(gallery, Line("westeurope", Action.SIZE, "", 5), GONE, MORE)
    assert set(threading.enumerate()) <= before  # none that polls
    (sent,) = azure.writes()
    body = sent.body["properties"]
    stored = azure.show(str(version_id())) or {}
    assert sent.method == "PATCH"
    assert body["safetyProfile"]["allowDeletionOfReplicatedLocations"] is True
    assert "publishedDate" not in body["publishingProfile"]
    assert stored["properties"]["publishingProfile"]["targetRegions"] == [
        {"name": "West Europe", "regionalReplicaCount": 5, "storageAccountType": "Standard_LRS"},
        {"name": "Southeast Asia", "regionalReplicaCount": 1, "storageAccountType": "Standard_ZRS", **extra},
        {"name": "UK South", "regionalReplicaCount": 2, "storageAccountType": "Premium_LRS"},
    ]
    assert not [request for request in azure.requests if "capsOperations" in request.path]


def test_regions_that_a_write_took_out_are_seen_to_leave(
    azure: SimulatedAzure, gallery: Gallery, image: ImageId
) -> None:
    """A region that is on its way out is no target region any more, and still to be seen, in no list."""
    azure.set_behaviour(update=Pace.at_once(), removal=Pace.after(60))
    azure.add_version(str(image), "1.0.3", regions=THREE)
    assert gallery.version(version_id()).leaving == ()
    write(gallery, GONE)
    after = gallery.version(version_id())
    assert (after.leaving, after.region("eastus2")) == (("eastus2",), None)
    assert [version.leaving for version in gallery.versions(image)] == [()]


def test_a_region_that_a_write_lost_is_seen_to_leave(azure: SimulatedAzure, gallery: Gallery, image: ImageId) -> None:
    """What somebody added after we read, and our write took out unknowingly, is seen by reading once more."""
    azure.set_behaviour(update=Pace.at_once(), removal=Pace.after(60))
    azure.add_version(str(image), "1.0.3", regions=THREE, safety_flag=True)
    before = gallery.version(version_id())
    write(gallery, MORE)
    gallery.write(VersionPlan(before, Role.KEPT, (Line("japaneast", Action.ADD, "", 1),)))
    after = gallery.version(version_id())
    assert [region.name for region in after.regions] == [*THREE, "japaneast"]
    assert after.leaving == ("uksouth",)


def test_the_flag_in_a_write_of_its_own(azure: SimulatedAzure, gallery: Gallery, image: ImageId) -> None:
    """Where flag and removal may not share a write, the write asks for the flag first; then it goes through."""
    azure.set_behaviour(flag_with_removal=False, update=Pace.at_once())
    azure.add_version(str(image), "1.0.3", regions=THREE)
    with pytest.raises(FlagFirst):
        write(gallery, GONE)
    gallery.unlock(gallery.version(version_id()))
    assert len(gallery.version(version_id()).regions) == 3
    write(gallery, GONE)
    assert [region.name for region in gallery.version(version_id()).regions] == ["westeurope", "southeastasia"]


def platform_keys(_: str) -> dict[str, Any]:
    """Give what a region says of a confidential VM's disk that is encrypted without any set."""
    return {"osDiskImage": {"securityProfile": {"confidentialVMEncryptionType": "EncryptedVMGuestStateOnlyWithPmk"}}}


def os_disk(region: str) -> dict[str, Any]:
    """Give what a region says of an encrypted OS disk."""
    return {"osDiskImage": {"diskEncryptionSetId": encryption_set(region)}}


def data_disks(region: str) -> dict[str, Any]:
    """Give what a region says of an encrypted OS disk and two encrypted data disks."""
    sets = [{"lun": lun, "diskEncryptionSetId": encryption_set(region)} for lun in (0, 7)]
    return {**os_disk(region), "dataDiskImages": sets}


def confidential(region: str) -> dict[str, Any]:
    """Give what a region says of a confidential VM's disk whose key is the customer's."""
    security = {
        "confidentialVMEncryptionType": "EncryptedWithCmk",
        "secureVMDiskEncryptionSetId": encryption_set(region),
    }
    return {"osDiskImage": {"securityProfile": security}}


@pytest.mark.parametrize("shape", [os_disk, data_disks, confidential, platform_keys])
def test_an_encrypted_version_gets_regions(
    azure: SimulatedAzure, gallery: Gallery, image: ImageId, shape: Callable[[str], dict[str, Any]]
) -> None:
    """Read, planned and written, an encrypted version comes to the regions that have a set, encrypted as at home."""
    azure.set_behaviour(update=Pace.at_once())
    regions = [Region(name, extra={"encryption": shape(name)}) for name in ("eastus2", "westeurope")]
    azure.add_version(str(image), "1.0.3", regions=regions)
    wanted = ("westeurope", "eastus2", "uksouth", "southeastasia")
    policy = Policy(
        tuple(RegionTarget(name, 2) for name in wanted), encryption_sets={"uksouth": encryption_set("uksouth")}
    )
    version = gallery.version(version_id())
    definition = Definition(image, (version,))
    (made,) = plan(definition, policy, now=datetime(2025, 3, 1, tzinfo=UTC)).versions
    gallery.write(made)
    came = {region.name: region for region in gallery.version(version_id()).regions}
    encrypted = shape is not platform_keys
    assert version.encrypted == encrypted
    assert set(came) == {*wanted} - ({"southeastasia"} if encrypted else set())
    assert {name: region.wire["encryption"] for name, region in came.items()} == {name: shape(name) for name in came}
    assert {region.replicas for region in came.values()} == {2}
    assert {region.encrypted for region in came.values()} == {encrypted}


def test_an_encrypted_version_leaves_regions(azure: SimulatedAzure, gallery: Gallery, image: ImageId) -> None:
    """Regions of an encrypted version that stay keep their sets when others go."""
    azure.set_behaviour(update=Pace.at_once())
    regions = [Region(name, extra={"encryption": data_disks(name)}) for name in THREE]
    azure.add_version(str(image), "1.0.3", regions=regions)
    write(gallery, GONE)
    assert {region.name: region.wire["encryption"] for region in gallery.version(version_id()).regions} == {
        name: data_disks(name) for name in ("westeurope", "southeastasia")
    }


def test_more_replicas_in_a_region(azure: SimulatedAzure, gallery: Gallery, image: ImageId) -> None:
    """Additional replica sets are counted as Azure counts them, and survive a write."""
    sets = {"additionalReplicaSets": [{"storageAccountType": "PremiumV2_LRS", "regionalReplicaCount": 60}]}
    azure.set_behaviour(update=Pace.at_once())
    azure.add_version(str(image), "1.0.3", regions=[Region("westeurope", extra=sets)])
    assert [(region.replicas, region.more_replicas) for region in gallery.version(version_id()).regions] == [(1, 60)]
    with pytest.raises(Refused, match="101"):
        write(gallery, Line("westeurope", Action.SIZE, "", 41))
    write(gallery, Line("westeurope", Action.SIZE, "", 40))
    assert [(region.replicas, region.more_replicas) for region in gallery.version(version_id()).regions] == [(40, 60)]


@pytest.mark.parametrize("scope", ["the group", "the gallery", "the definition", "the version"])
def test_what_is_locked(
    azure: SimulatedAzure, gallery: Gallery, writes: dict[str, Callable[[Gallery], Any]], scope: str
) -> None:
    """A resource lock refuses every write for good, with Azure's own code, and hides nothing from reads."""
    scopes = {
        "the group": str(IMAGE.gallery).partition("/providers/")[0],
        "the gallery": str(IMAGE.gallery),
        "the definition": str(IMAGE),
        "the version": str(version_id()),
    }
    azure.lock(scopes[scope].upper())
    for act in writes.values():
        with pytest.raises(Locked, match="locked") as caught:
            act(gallery)
        assert caught.value.code == "ScopeLocked"
    for act in READS.values():
        act(gallery)
    assert azure.writes() == []


@pytest.mark.parametrize("call", READS)
def test_what_is_not_there(call: str) -> None:
    """404 is Absent, whatever is asked for and at whichever level it is missing."""
    with SimulatedAzure() as empty, pytest.raises(Absent):
        READS[call](Gallery(empty.endpoint, None))


def test_a_version_that_went_before_the_write(
    azure: SimulatedAzure, gallery: Gallery, writes: dict[str, Callable[[Gallery], Any]]
) -> None:
    """A write to a version that is gone is refused as Absent and makes no new version."""
    fault = Fault("PATCH", "versions", 404, "ResourceNotFound", "gone", times=2)
    azure.set_behaviour(faults=[fault])
    for act in writes.values():
        with pytest.raises(Absent):
            act(gallery)
    assert azure.writes() == []


LATER = timedelta(seconds=30)
ANSWERS = {
    "429 with header": (Fault("*", "", 429, "TooManyRequests", "slow down", 120), Retry, timedelta(seconds=120)),
    "429 with text": (
        Fault("*", "", 429, "ResourceCollectionRequestsThrottled", "Too many; try after 120 seconds."),
        Retry,
        timedelta(seconds=120),
    ),
    "429, header before text": (
        Fault("*", "", 429, "ResourceRequestsThrottled", "Please try after 300 seconds.", 17),
        Retry,
        timedelta(seconds=17),
    ),
    "429 with neither": (Fault("*", "", 429, "SubscriptionRequestsThrottled", "slow down"), Retry, LATER),
    "429 for a week": (Fault("*", "", 429, "TooManyRequests", "no", 604800), Retry, timedelta(days=6)),
    "503 with header": (Fault("*", "", 503, "ServiceUnavailable", "no", 120), Retry, timedelta(seconds=120)),
    "503": (Fault("*", "", 503, "ServiceUnavailable", "no"), Retry, LATER),
    "500": (Fault("*", "", 500, "InternalServerError", "no"), Retry, LATER),
    "502": (Fault("*", "", 502, "BadGateway", "no"), Retry, LATER),
    "504": (Fault("*", "", 504, "GatewayTimeout", "no"), Retry, LATER),
    "408": (Fault("*", "", 408, "RequestTimeout", "no"), Retry, LATER),
    "409": (Fault("*", "", 409, "Conflict", "somebody else writes"), Retry, LATER),
    "401": (Fault("*", "", 401, "AuthenticationFailed", "who are you"), ClientAuthenticationError, None),
    "403": (Fault("*", "", 403, "AuthorizationFailed", "you may not"), HttpResponseError, None),
    "501": (Fault("*", "", 501, "NotImplemented", "what"), HttpResponseError, None),
    "400": (Fault("*", "", 400, "InvalidParameter", "bad"), Refused, None),
    "immutable": (Fault("*", "", 409, "PropertyChangeNotAllowed", "Changing is not allowed."), Refused, None),
    "locked": (Fault("*", "", 409, "ScopeLocked", "The scope is locked."), Locked, None),
    "flag": (Fault("*", "", 400, "BadRequest", FLAG_TEXT), FlagFirst, None),
}


@pytest.mark.parametrize("call", [*READS, "write", "unlock"])
def test_what_refusals_mean(
    azure: SimulatedAzure, gallery: Gallery, writes: dict[str, Callable[[Gallery], Any]], call: str
) -> None:
    """Every call tells "not now", with how long, from "never" and from what nobody expected; none of them sleeps."""
    act = {**READS, **writes}[call]
    for label, (fault, expected, after) in ANSWERS.items():
        azure.set_behaviour(faults=[fault])
        before = len(azure.requests)
        with quickly(), pytest.raises((Refused, Retry, HttpResponseError)) as caught:
            act(gallery)
        assert type(caught.value) is expected, label
        assert getattr(caught.value, "after", None) == after, label
        assert len(azure.requests) == before + 1, label
    assert azure.writes() == []


def test_refusals_keep_what_azure_said(azure: SimulatedAzure, gallery: Gallery, image: ImageId) -> None:
    """A refusal carries Azure's own code and words."""
    azure.add_version(str(image), "1.0.3", regions=THREE)
    with pytest.raises(Refused, match="replicas") as caught:
        write(gallery, Line("westeurope", Action.SIZE, "", 5000))
    assert caught.value.code == "InvalidParameter"


def test_a_write_while_another_is_under_way(azure: SimulatedAzure, gallery: Gallery, image: ImageId) -> None:
    """Where Azure answers 409 to a write while the version is Updating, that is "not now"."""
    azure.set_behaviour(write_while_updating="conflict", update=Pace.after(60))
    azure.add_version(str(image), "1.0.3", regions=THREE)
    write(gallery, MORE)
    with pytest.raises(Retry, match="409"):
        write(gallery, MORE)


@pytest.mark.parametrize(
    "second",
    [
        pytest.param(reply(503), id="503"),
        pytest.param(reply(429, {"error": {"code": "TooManyRequests", "message": "no"}}, Retry_After="120"), id="429"),
        pytest.param(b"", id="closed"),
        pytest.param(reply(200, {"value": []})[:-1], id="broken off"),
    ],
)
def test_half_a_list_is_no_list(azure: SimulatedAzure, image: ImageId, second: bytes) -> None:
    """When a page in the middle of a list fails, the whole list is "not now"."""
    azure.add_version(str(image), "1.0.1")
    shown = azure.show(str(version_id("1.0.1")))
    with Server() as server:
        more = f"{server.url}{image}/versions?api-version=2024-03-03&$skiptoken=next"
        server.answers = [reply(200, {"value": [shown], "nextLink": more}), second]
        with quickly(), pytest.raises(Retry):
            Gallery(server.url, None).versions(image)
        assert len(server.taken) > 1
        server.taken.clear()
        server.answers = [reply(200, {"value": [shown], "nextLink": more}), reply(200, {"value": []})]
        assert len(Gallery(server.url, None).versions(image)) == 1


@pytest.mark.parametrize("call", READS)
def test_nobody_answers(call: str) -> None:
    """When nobody takes the connection, that is "not now"."""
    with quickly(), pytest.raises(Retry, match="no answer from Azure"):
        READS[call](Gallery(NOBODY, None))


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="none"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{", id="broken off"),
        pytest.param(b"what?\r\n\r\n", id="not HTTP"),
    ],
)
def test_half_an_answer(writes: dict[str, Callable[[Gallery], Any]], answer: bytes) -> None:
    """A call whose answer breaks off is "not now": a write may have been taken, and is not sent twice."""
    for act in [READS["version"], *writes.values()]:
        with Server(answer) as server, quickly():
            with pytest.raises(Retry):
                act(Gallery(server.url, None))
            assert len([taken for taken in server.taken if taken.method == "PATCH"]) <= 1


@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize(
    ("told", "after"),
    [
        ("9" * 30, LONGEST_DELAY),
        ("9" * 5000, LONGEST_DELAY),
        ("-5", UNHURRIED),
        ("0", UNHURRIED),
        ("1e3", UNHURRIED),
        ("soon", UNHURRIED),
        ("", UNHURRIED),
        ("Sat, 31 Feb 2026 07:28:00 GMT", UNHURRIED),
        ("Wed, 21 Oct 2015 07:28:00 GMT", UNHURRIED),
        ("Fri, 21 Oct 2095 07:28:00 GMT", LONGEST_DELAY),
    ],
)
def test_waits_that_cannot_be_read(told: str, after: timedelta, *, gated: bool) -> None:
    """A Retry-After that says nothing is half a minute, as if there were none; one beyond all bounds is the longest."""
    answer = reply(429, {"error": {"code": "TooManyRequests", "message": "no"}}, Retry_After=told)
    with Server(answer) as server, pytest.raises(Retry) as caught:
        READS["version"](Gallery(server.url, None, Throttle() if gated else None))
    assert caught.value.after == after


@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_write_is_taken(writes: dict[str, Callable[[Gallery], Any]], status: int) -> None:
    """A write that is answered 200, 201 or 202 is taken; nothing in the body matters, and nothing is polled."""
    for act in writes.values():
        for content in (b"", {}, b"<html>"):
            poll = "http://127.0.0.1:9/poll"
            with Server(reply(status, content, Azure_AsyncOperation=poll, Location=poll)) as server:
                act(Gallery(server.url, None))
            assert [taken.method for taken in server.taken] == ["PATCH"]


@pytest.mark.parametrize("status", [201, 202])
def test_a_read_is_not_taken(status: int) -> None:
    """The same answer to a read is nobody's expectation, and propagates."""
    for act in READS.values():
        with Server(reply(status, {})) as server, pytest.raises(HttpResponseError):
            act(Gallery(server.url, None))


def test_a_list_with_one_that_cannot_be_read(azure: SimulatedAzure, image: ImageId) -> None:
    """A version of a list that cannot be read makes the list Malformed; the others are not judged without it."""
    azure.add_version(str(image), "1.0.1")
    shown = azure.show(str(version_id("1.0.1")))
    odd = {"name": "1.0.2", "location": "westeurope", "properties": 5}
    for bad in ({}, {"name": "latest"}, {"name": "1.0.2"}, odd):
        with Server(reply(200, {"value": [shown, bad]})) as server, pytest.raises(Malformed):
            Gallery(server.url, None).versions(image)


@pytest.mark.parametrize("content", [None, "", [], 7, True, "all is well"], ids=repr)
@pytest.mark.parametrize("call", READS)
def test_answers_of_another_shape(call: str, content: Any) -> None:
    """JSON that is no object is an answer that cannot be read, whatever was asked."""
    with Server(reply(200, content)) as server, pytest.raises(Malformed):
        READS[call](Gallery(server.url, None))


@pytest.mark.parametrize("tags", [7, "build=1", ["build"]], ids=repr)
@pytest.mark.parametrize("call", ["tags of a gallery", "tags of an image"])
def test_tags_of_another_shape(call: str, tags: Any) -> None:
    """Tags that are none are an answer that cannot be read, and not no tags: one of them could protect."""
    with Server(reply(200, {"tags": tags})) as server, pytest.raises(Malformed):
        READS[call](Gallery(server.url, None))


@pytest.mark.parametrize(
    "value",
    [
        None,
        7,
        {"1.0.3": {}},
        "all",
        [None],
        ["x"],
        [7],
        [{}],
        *([{"name": name}] for name in (None, "", [], "../x")),
    ],
    ids=repr,
)
@pytest.mark.parametrize("call", ["images", "versions"])
def test_lists_of_another_shape(call: str, value: Any) -> None:
    """A list of anything but resources with names that Azure could have given is an answer that cannot be read."""
    with Server(reply(200, {"value": value})) as server, pytest.raises(Malformed):
        READS[call](Gallery(server.url, None))


@pytest.mark.parametrize("name", ["a/../../b?c#d", "a b", "a\n", "\u212aelvin", "a" * 81, "..", "%2e%2e", "\ud800"])
def test_hostile_names(name: str) -> None:
    """A list that names an image definition as Azure names none is refused: names end up in URLs and in messages."""
    with Server(reply(200, {"value": [{"name": name}]})) as server, pytest.raises(Malformed) as caught:
        Gallery(server.url, None).images(IMAGE.gallery)
    assert str(caught.value).encode()


def test_no_credential_leaves_over_plain_http(
    azure: SimulatedAzure, gallery: Gallery, writes: dict[str, Callable[[Gallery], Any]]
) -> None:
    """No request to a simulated Azure carries an Authorization header."""
    for act in [*READS.values(), *writes.values()]:
        act(gallery)
    assert len(azure.requests) >= 7
    assert not [request for request in azure.requests if "authorization" in request.headers]


@pytest.mark.parametrize("call", READS)
def test_a_credential_is_not_sent_over_plain_http(call: str) -> None:
    """With a credential an http endpoint is not even asked."""
    tokens = Tokens()
    with Server(reply(200, {})) as server:
        with pytest.raises(Retry):
            READS[call](Gallery(server.url, tokens))
        assert (server.taken, tokens.asked) == ([], [])


@pytest.mark.parametrize("call", READS)
def test_https_wants_a_credential(call: str) -> None:
    """Without a credential an https endpoint is not asked anything."""
    with pytest.raises(ValueError, match="credential"):
        READS[call](Gallery(NOBODY.replace("http:", "https:"), None))


@pytest.mark.parametrize("call", READS)
def test_a_credential_that_has_no_token(call: str) -> None:
    """In Azure a token is asked for, for this endpoint only; that there is none is nobody's expectation."""
    tokens = Tokens(ClientAuthenticationError("the identity has no token"))
    endpoint = NOBODY.replace("http:", "https:")
    with pytest.raises(ClientAuthenticationError):
        READS[call](Gallery(endpoint, tokens))
    assert set(tokens.asked) == {(f"{endpoint}/.default",)}


@pytest.mark.parametrize("status", [200, 201, 202, 400, 403, 404, 409, 429, 500, 501])
def test_poll_urls_stay_secret(
    journal: pytest.LogCaptureFixture, writes: dict[str, Callable[[Gallery], Any]], status: int
) -> None:
    """The poll URL of a write is in no log record and in no exception, not even in the ones that caused it."""
    poll = f"http://127.0.0.1:9/capsOperations/1?s={SECRET}"
    content = {"error": {"code": "Any", "message": "any"}} if status >= 400 else {}
    texts = []
    for act in writes.values():
        with Server(reply(status, content, Azure_AsyncOperation=poll, Location=poll)) as server:
            try:
                act(Gallery(server.url, None))
            except (LookupError, Refused, Retry, HttpResponseError) as fault:
                logging.getLogger("gallery_fanout").warning("failed", exc_info=fault)
                texts.append("".join(traceback.format_exception(fault)))
    assert bool(texts) == (status >= 400)
    assert SECRET not in logged(journal.records) + "".join(texts)
