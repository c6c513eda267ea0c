import json
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.adapters.gallery_json import read_version, unlock_body, write_body
from shared.core.errors import Malformed
from shared.core.model import Definition, ImageVersion, ProvisioningState, RegionState
from shared.core.plan import Action, Line, Role, VersionPlan
from shared.core.planner import plan
from shared.core.policy import Policy
from shared.core.target_regions import RegionTarget
from tests.adapters.support import encryption_set, version_id

HOME_SET, SEA_SET, UK_SET = encryption_set("westeurope"), encryption_set("southeastasia"), encryption_set("uksouth")


def encrypted_with(encryption: str) -> dict[str, Any]:
    """Give what the regions of the resource say of its disk, each with its own disk encryption set."""
    return {"osDiskImage": {"diskEncryptionSetId": encryption, "securityProfile": {"kind": "x"}}}


HOME_REGION = {
    "name": "West Europe",
    "regionalReplicaCount": 3,
    "storageAccountType": "Standard_ZRS",
    "encryption": encrypted_with(HOME_SET),
    "additionalReplicaSets": [{"storageAccountType": "Premium_LRS", "regionalReplicaCount": 4}],
    "newIn2031": {"deep": [1, None]},
}
AWAY_REGION = {"name": "East US 2", "storageAccountType": "Standard_LRS", "excludeFromLatest": True}
RESOURCE: dict[str, Any] = {
    "id": str(version_id()),
    "name": "1.0.3",
    "location": "westeurope",
    "tags": {"build": "4711"},
    "properties": {
        "provisioningState": "Succeeded",
        "publishingProfile": {
            "targetRegions": [HOME_REGION, AWAY_REGION],
            "replicaCount": 2,
            "excludeFromLatest": False,
            "publishedDate": "2025-02-28T19:34:56.1234567+08:00",
            "endOfLifeDate": "2027-01-01T00:00:00+00:00",
            "storageAccountType": "Standard_LRS",
            "replicationMode": "Full",
            "newIn2031": "kept",
        },
        "storageProfile": {"osDiskImage": {"sizeInGB": 30}, "dataDiskImages": [{"lun": 0, "sizeInGB": 4}, {"lun": 1}]},
        "safetyProfile": {
            "allowDeletionOfReplicatedLocations": False,
            "blockDeletionBeforeEndOfLife": True,
            "reportedForPolicyViolation": False,
            "policyViolations": [{"category": "Other"}],
        },
        "replicationStatus": {
            "aggregatedState": "InProgress",
            "summary": [
                {"region": "westeurope", "state": "Completed", "details": "", "progress": 100},
                {"region": "eastus2", "state": "Replicating", "details": "on its way", "progress": 40},
            ],
        },
    },
}


ON: Any = True


def changed(value: Any, *path: Any) -> dict[str, Any]:
    """Give the resource with another value at a path; ``...`` takes away what is there."""
    resource = deepcopy(RESOURCE)
    *way, last = path
    inner: Any = resource
    for step in way:
        inner = inner[step]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return resource


def published(text: Any) -> dict[str, Any]:
    """Give the resource with another publish date."""
    return changed(text, "properties", "publishingProfile", "publishedDate")


def more(sets: Any) -> dict[str, Any]:
    """Give the resource with other additional replica sets at home."""
    return changed(sets, "properties", "publishingProfile", "targetRegions", 0, "additionalReplicaSets")


def read(resource: Any) -> ImageVersion:
    """Read it as version 1.0.3."""
    return read_version(version_id(), resource)


def test_everything_that_azure_says_is_read() -> None:
    """Display names, states, counts of all kinds, encryption, disks, tags and profiles are read."""
    version = read(RESOURCE)
    home, away = version.regions
    assert (version.home, version.state, version.disk_gib) == ("westeurope", ProvisioningState.SUCCEEDED, 34)
    assert version.published == datetime(2025, 2, 28, 11, 34, 56, 123456, tzinfo=UTC)
    assert (version.excluded, version.shallow, version.removal_allowed) == (False, False, False)
    assert version.tags == {"build": "4711"}
    assert (home.name, home.replicas, home.storage_account_type) == ("westeurope", 3, "Standard_ZRS")
    assert (home.encrypted, home.state, home.progress, home.wire) == (True, RegionState.COMPLETED, 100, HOME_REGION)
    assert (away.name, away.replicas, away.encrypted, away.wire) == ("eastus2", 2, False, AWAY_REGION)
    assert (home.more_replicas, away.more_replicas) == (4, 0)
    assert (away.state, away.progress, away.details) == (RegionState.REPLICATING, 40, "on its way")
    assert version.leaving == ()
    assert version.publishing == RESOURCE["properties"]["publishingProfile"]
    assert version.safety == RESOURCE["properties"]["safetyProfile"]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2025-03-01T12:00:00.1234567+00:00", datetime(2025, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)),
        ("2025-03-01T12:00:00.9999999-07:00", datetime(2025, 3, 1, 19, 0, 0, 999999, tzinfo=UTC)),
        ("2025-03-01T12:00:00.5+05:30", datetime(2025, 3, 1, 6, 30, 0, 500000, tzinfo=UTC)),
        ("2025-03-01T12:00:00Z", datetime(2025, 3, 1, 12, 0, tzinfo=UTC)),
        ("2025-03-01T12:00:00.1234567", None),  # without an offset it is no point in time
        ("", None),
        (None, None),
        (..., None),
    ],
)
def test_publish_dates(text: Any, moment: datetime | None) -> None:
    """A publish date is read with any decimals and offset, and one that is missing is unknown, never old."""
    assert read(published(text)).published == moment


@pytest.mark.parametrize(
    ("resource", "seen"),
    [
        pytest.param(changed("Teleporting", "properties", "provisioningState"), {"state": "Unknown"}, id="state"),
        pytest.param(changed(..., "properties", "provisioningState"), {"state": "Unknown"}, id="no state"),
        pytest.param(changed(None, "tags"), {"tags": {}}, id="tags null"),
        pytest.param(changed(..., "tags"), {"tags": {}}, id="no tags"),
        pytest.param(changed("West Europe", "location"), {"home": "westeurope"}, id="home as display name"),
        pytest.param(
            changed("Shallow", "properties", "publishingProfile", "replicationMode"), {"shallow": True}, id="shallow"
        ),
        pytest.param(
            changed(ON, "properties", "publishingProfile", "excludeFromLatest"), {"excluded": True}, id="excluded"
        ),
        pytest.param(
            changed(ON, "properties", "safetyProfile", "allowDeletionOfReplicatedLocations"),
            {"removal_allowed": True},
            id="removal allowed",
        ),
        pytest.param(
            changed(None, "properties", "safetyProfile"), {"removal_allowed": False, "safety": {}}, id="no safety"
        ),
        pytest.param(changed(None, "properties", "storageProfile"), {"disk_gib": 0}, id="no disks"),
        pytest.param(changed(None, "properties", "publishingProfile"), {"regions": (), "published": None}, id="bare"),
        pytest.param(changed(None, "properties"), {"regions": (), "state": "Unknown"}, id="no properties"),
    ],
)
def test_what_may_be_missing_or_new(resource: dict[str, Any], seen: dict[str, Any]) -> None:
    """What Azure leaves out, nulls or adds is read as unknown, empty or false."""
    version = read(resource)
    assert {name: getattr(version, name) for name in seen} == seen


@pytest.mark.parametrize(
    ("status", "states"),
    [
        (..., ("Unknown", "Unknown")),  # as in every list
        (None, ("Unknown", "Unknown")),
        ({"aggregatedState": "Unknown"}, ("Unknown", "Unknown")),
        ({"summary": [{"region": "East US 2", "state": "Failed", "progress": 0}]}, ("Unknown", "Failed")),
        ({"summary": [{"region": "westeurope", "state": "Melting"}]}, ("Unknown", "Unknown")),
        ({"summary": [{"region": "ukwest", "state": "Completed"}, {"region": "eastus2"}]}, ("Unknown", "Unknown")),
    ],
)
def test_states_of_regions(status: Any, states: tuple[str, str]) -> None:
    """A region is complete only when Azure says so of this very region; all else, also a new state, is unknown."""
    assert tuple(region.state for region in read(changed(status, "properties", "replicationStatus")).regions) == states


@pytest.mark.parametrize(
    ("status", "leaving"),
    [
        (..., ()),
        (None, ()),
        ({"summary": None}, ()),
        ({"summary": []}, ()),
        ({"summary": [{"region": "West Europe"}, {"region": "EASTUS2", "state": "Failed"}]}, ()),
        ({"summary": [{"region": "ukwest", "state": "Completed"}]}, ("ukwest",)),
        ({"summary": [{"region": "UK West", "state": "Melting"}, {"region": "ukwest"}]}, ("ukwest",)),
        (
            {"summary": [{"region": each} for each in ("uksouth", "westeurope", "japaneast", "eastus2")]},
            ("japaneast", "uksouth"),
        ),
    ],
)
def test_regions_on_their_way_out(status: Any, leaving: tuple[str, ...]) -> None:
    """Regions that Azure still shows and that are no target regions are leaving, each once, in whatever state."""
    version = read(changed(status, "properties", "replicationStatus"))
    assert version.leaving == leaving
    assert [region.name for region in version.regions] == ["westeurope", "eastus2"]


def test_a_version_without_target_regions_leaves_all() -> None:
    """Where Azure shows regions and lists no target, all of them are leaving, and none is taken for a target."""
    version = read(changed(None, "properties", "publishingProfile"))
    assert (version.regions, version.leaving) == ((), ("eastus2", "westeurope"))


def test_regions_on_their_way_out_stay_out() -> None:
    """A write does not bring back what is leaving, unless the plan adds it."""
    leaving = [{"region": name, "state": "Completed"} for name in ("westeurope", "eastus2", "uksouth")]
    version = read(changed({"summary": leaving}, "properties", "replicationStatus"))
    for lines, names in (((), ["West Europe", "East US 2"]), ((ADD_PLAIN,), ["West Europe", "East US 2", "uksouth"])):
        body = write_body(VersionPlan(version, Role.KEPT, lines))
        assert [region["name"] for region in body["properties"]["publishingProfile"]["targetRegions"]] == names


def test_a_part_writes_the_other_regions_as_they_are() -> None:
    """A part of a plan, also one without lines, sends every other region as it came."""
    whole = VersionPlan(read(RESOURCE), Role.KEPT, (SIZE, REMOVE, ADD, ADD_PLAIN))
    for part, regions in (
        (whole.part(), [HOME_REGION, AWAY_REGION]),
        (whole.part(ADD), [HOME_REGION, AWAY_REGION, NEW]),
        (whole.part(REMOVE), [HOME_REGION]),
        (whole.part(SIZE, ADD), [{**HOME_REGION, "regionalReplicaCount": 7}, AWAY_REGION, NEW]),
    ):
        body = write_body(part)
        assert body["properties"]["publishingProfile"]["targetRegions"] == regions
        assert ("safetyProfile" in body["properties"]) == bool(part.removals)


@pytest.mark.parametrize(
    ("count", "whole", "replicas"), [(5, 2, 5), (None, 2, 2), (..., 4, 4), (None, None, 1), (..., ..., 1)]
)
def test_replicas(count: Any, whole: Any, replicas: int) -> None:
    """A region without a count of its own takes the version's, and without that it has one."""
    resource = changed(count, "properties", "publishingProfile", "targetRegions", 0, "regionalReplicaCount")
    if whole is ...:
        del resource["properties"]["publishingProfile"]["replicaCount"]
    else:
        resource["properties"]["publishingProfile"]["replicaCount"] = whole
    assert read(resource).regions[0].replicas == replicas


@pytest.mark.parametrize(
    ("sets", "replicas"),
    [
        (..., 0),
        (None, 0),
        ([], 0),
        ([{"storageAccountType": "PremiumV2_LRS"}], 1),
        ([{"storageAccountType": "PremiumV2_LRS", "regionalReplicaCount": None}], 1),
        ([{"regionalReplicaCount": 2}, {"regionalReplicaCount": 30}, {}], 33),
    ],
)
def test_more_replicas(sets: Any, replicas: int) -> None:
    """Replicas in additional sets are counted by themselves, and the region's own stay what they are."""
    region = read(more(sets)).regions[0]
    assert (region.more_replicas, region.replicas) == (replicas, 3)


@pytest.mark.parametrize(
    "resource",
    [
        pytest.param(changed(..., "location"), id="no location"),
        pytest.param(changed("", "location"), id="empty location"),
        pytest.param(changed("../evil", "location"), id="location that is no region"),
        pytest.param(changed(["x"], "properties"), id="properties as list"),
        pytest.param(changed("all", "properties", "publishingProfile", "targetRegions"), id="regions as text"),
        pytest.param(changed({}, "properties", "publishingProfile", "targetRegions", 0), id="nameless region"),
        pytest.param(changed(7, "properties", "publishingProfile", "targetRegions", 0, "name"), id="numeric name"),
        pytest.param(
            changed("3", "properties", "publishingProfile", "targetRegions", 0, "regionalReplicaCount"), id="count"
        ),
        pytest.param(changed("2", "properties", "publishingProfile", "replicaCount"), id="version's count"),
        pytest.param(more("all"), id="more replicas as text"),
        pytest.param(more([5]), id="more replicas as number"),
        pytest.param(more([{"regionalReplicaCount": "3"}]), id="more replicas as digits"),
        pytest.param(more([{"regionalReplicaCount": True}]), id="more replicas as boolean"),
        pytest.param(changed([{}], "properties", "replicationStatus", "summary"), id="nameless status"),
        pytest.param(
            changed([{"region": "../evil"}], "properties", "replicationStatus", "summary"), id="status of no region"
        ),
        pytest.param(changed("west\u00a0europe", "location"), id="location with a blank that is no space"),
        pytest.param(changed("all", "properties", "replicationStatus"), id="status as text"),
        pytest.param(changed("30", "properties", "storageProfile", "osDiskImage", "sizeInGB"), id="size as text"),
        pytest.param(changed("build=1", "tags"), id="tags as text"),
        pytest.param(published("last week"), id="date in words"),
        pytest.param(published(1740830400), id="date as number"),
        pytest.param(published("2025-02-30T00:00:00Z"), id="no such date"),
    ],
)
def test_shapes_that_are_not_understood(resource: dict[str, Any]) -> None:
    """An answer of another shape is Malformed, and the error names the version; nothing is guessed."""
    with pytest.raises(Malformed, match=r"versions/1\.0\.3"):
        read(resource)


def nested(depth: int) -> Any:
    """Give an object in an object, so deep."""
    value: Any = {}
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.mark.parametrize("depth", [10, 100, 2_000])
def test_absurd_depth(depth: int) -> None:
    """A version that is absurdly deep where it is read deeply is read, or is Malformed."""
    with suppress(Malformed):
        assert read(changed(nested(depth), "properties", "publishingProfile", "targetRegions", 0, "encryption"))


def test_words_of_azure() -> None:
    """What Azure says of a region can be told on: no half letters, no lines, not endless."""
    details = "Replication failed:\r\n\ud800" + "x" * 5000
    status = [{"region": "West Europe", "state": "Failed", "details": details}]
    region = read(changed(status, "properties", "replicationStatus", "summary")).regions[0]
    assert region.details.startswith("Replication failed: ?xxx")
    assert len(region.details) == 1000


def test_reasons_are_not_as_long_as_what_is_wrong() -> None:
    """Why a version cannot be read is said in a few lines at most."""
    for where in (["location"], ["properties", "publishingProfile", "replicaCount"]):
        with pytest.raises(Malformed) as caught:
            read(changed("\ud800" + "x" * 30_000, *where))
        assert len(str(caught.value)) <= 1000
        assert str(caught.value).encode()


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for step, inner in steps for found in [(*path, step), *_paths(inner, (*path, step))]]


_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(...)
_TELLING = st.sampled_from(
    ["eastus2", "West US 2", "Succeeded", "Completed", "2025-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999-23:59", "1"]
)
_JSON = st.recursive(
    _SCALARS.filter(lambda value: value is not ...) | _TELLING,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """The resource with up to four places changed to any JSON, or taken away."""
    resource = deepcopy(RESOURCE)
    for _ in range(draw(st.integers(1, 4))):
        path = draw(st.sampled_from(_paths(resource)))
        inner: Any = resource
        for step in path[:-1]:
            inner = inner[step]
        value = draw(_JSON | st.just(...))
        if value is ...:
            del inner[path[-1]]
        else:
            inner[path[-1]] = value
        if not resource:
            break
    return resource


NOW = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)
POLICIES = [
    Policy((RegionTarget("westeurope", 5), RegionTarget("westus2", 1)), encryption_sets={"westus2": SEA_SET}),
    Policy((RegionTarget("eastus2", 1), RegionTarget("westus2", 1, wave=2)), exclusive=True),
]


@given(mutated())
@settings(max_examples=400, deadline=None)
def test_nothing_but_malformed_escapes(resource: Any) -> None:
    """Whatever Azure answers is read or is Malformed, and what was read can be planned with and written back."""
    try:
        version = read(resource)
    except Malformed:
        return
    older = replace(version, id=version_id("1.0.2"))
    for policy in POLICIES:
        for made in plan(Definition(version.id.image, (version, older)), policy, now=NOW).versions:
            json.dumps(write_body(made))


@given(_JSON)
@settings(max_examples=100, deadline=None)
def test_any_json_at_all(resource: Any) -> None:
    """Any other JSON in place of a version is Malformed."""
    with pytest.raises(Malformed):
        read(resource)


ADD = Line("southeastasia", Action.ADD, "", 2, "Premium_LRS", SEA_SET)
ADD_PLAIN = Line("uksouth", Action.ADD, "", 1, encryption_set=UK_SET)
SIZE = Line("westeurope", Action.SIZE, "", 7)
KEEP = Line("westeurope", Action.KEEP, "", 3)
KEEP_AWAY = Line("eastus2", Action.KEEP, "", 2)
REMOVE = Line("eastus2", Action.REMOVE, "")
SKIP = Line("ukwest", Action.SKIP, "")
NEW = {
    "name": "southeastasia",
    "regionalReplicaCount": 2,
    "storageAccountType": "Premium_LRS",
    "encryption": encrypted_with(SEA_SET),
}
NEW_PLAIN = {"name": "uksouth", "regionalReplicaCount": 1, "encryption": encrypted_with(UK_SET)}
SAFE = {"allowDeletionOfReplicatedLocations": True, "blockDeletionBeforeEndOfLife": True}


@pytest.mark.parametrize(
    ("lines", "regions"),
    [
        pytest.param((KEEP, KEEP_AWAY, ADD), [HOME_REGION, AWAY_REGION, NEW], id="add"),
        pytest.param((ADD_PLAIN,), [HOME_REGION, AWAY_REGION, NEW_PLAIN], id="add, lines for the others missing"),
        pytest.param((SIZE, KEEP_AWAY), [{**HOME_REGION, "regionalReplicaCount": 7}, AWAY_REGION], id="size"),
        pytest.param((KEEP, REMOVE), [HOME_REGION], id="remove"),
        pytest.param(
            (SIZE, REMOVE, ADD, ADD_PLAIN, SKIP),
            [{**HOME_REGION, "regionalReplicaCount": 7}, NEW, NEW_PLAIN],
            id="everything at once",
        ),
    ],
)
def test_a_write_carries_the_full_set(lines: tuple[Line, ...], regions: list[dict[str, Any]]) -> None:
    """Regions that stay travel back with every field, known or not; the plan's are added, sized and left out."""
    body = write_body(VersionPlan(read(RESOURCE), Role.OLDER, lines))
    assert body["properties"]["publishingProfile"]["targetRegions"] == regions


def test_a_region_without_count_gets_one_only_when_sized() -> None:
    """A region that took its count from the version is given one of its own when the plan sizes it."""
    sized = Line("eastus2", Action.SIZE, "", 4)
    body = write_body(VersionPlan(read(RESOURCE), Role.KEPT, (KEEP, sized)))
    assert body["properties"]["publishingProfile"]["targetRegions"][1] == {**AWAY_REGION, "regionalReplicaCount": 4}


def test_a_write_keeps_the_publishing_profile() -> None:
    """Everything else in the publishing profile goes back as it came, except the read-only publish date."""
    profile = write_body(VersionPlan(read(RESOURCE), Role.KEPT, (ADD,)))["properties"]["publishingProfile"]
    before = RESOURCE["properties"]["publishingProfile"]
    untold = {"targetRegions", "publishedDate"}
    assert "publishedDate" not in profile
    assert {name: value for name, value in profile.items() if name not in untold} == {
        name: value for name, value in before.items() if name not in untold
    }


@pytest.mark.parametrize(
    ("lines", "allowed", "safety"),
    [
        pytest.param((KEEP, REMOVE), False, SAFE, id="removal, flag false"),
        pytest.param((KEEP, REMOVE), None, SAFE, id="removal, flag missing"),
        pytest.param((KEEP, REMOVE), True, None, id="removal, flag true"),
        pytest.param((KEEP, ADD), False, None, id="no removal"),
        pytest.param((SIZE,), False, None, id="size"),
    ],
)
def test_the_safety_flag_is_set_for_removals_only(
    lines: tuple[Line, ...], allowed: object, safety: dict[str, Any] | None
) -> None:
    """A write sets the flag while it is not set and regions go; other safety fields stay, read-only ones do not."""
    flag = ... if allowed is None else allowed
    resource = changed(flag, "properties", "safetyProfile", "allowDeletionOfReplicatedLocations")
    body = write_body(VersionPlan(read(resource), Role.OLDER, lines))
    assert body["properties"].get("safetyProfile") == safety


def test_unlocking_writes_nothing_but_the_flag() -> None:
    """The write of the flag alone has no publishing profile, and keeps the other safety fields."""
    assert unlock_body(read(RESOURCE)) == {"properties": {"safetyProfile": SAFE}}


def test_a_write_changes_nothing_that_was_read() -> None:
    """Writing leaves what was read as it is: the same version can be planned with again."""
    resource = deepcopy(RESOURCE)
    write_body(VersionPlan(read(resource), Role.OLDER, (SIZE, REMOVE, ADD)))["properties"]["publishingProfile"]["x"] = 1
    assert resource == RESOURCE


PLATFORM_KEYS = {
    "osDiskImage": {"securityProfile": {"confidentialVMEncryptionType": "EncryptedVMGuestStateOnlyWithPmk"}},
    "dataDiskImages": [{"lun": 0}, {"lun": 3}],
}


def confidential(encryption: str) -> dict[str, Any]:
    """Give what a region says of a confidential VM's disk whose key is the customer's."""
    return {
        "osDiskImage": {
            "securityProfile": {
                "confidentialVMEncryptionType": "EncryptedWithCmk",
                "secureVMDiskEncryptionSetId": encryption,
            }
        }
    }


def with_data_disks(encryption: str) -> dict[str, Any]:
    """Give what a region says of an OS disk and two data disks."""
    return {
        "osDiskImage": {"diskEncryptionSetId": encryption},
        "dataDiskImages": [
            {"lun": 0, "diskEncryptionSetId": encryption},
            {"lun": 3, "diskEncryptionSetId": encryption, "newIn2031": [encryption == "", None]},
        ],
    }


def everything(encryption: str) -> dict[str, Any]:
    """Give a confidential VM's OS disk beside data disks, one of which has no set."""
    disks = [{"lun": 0, "diskEncryptionSetId": encryption}, {"lun": 1, "diskEncryptionSetId": None}, {"lun": 2}]
    return {**confidential(encryption), "dataDiskImages": disks}


SHAPES = [
    pytest.param(encrypted_with, id="OS disk"),
    pytest.param(with_data_disks, id="data disks"),
    pytest.param(lambda each: {"dataDiskImages": with_data_disks(each)["dataDiskImages"]}, id="data disks alone"),
    pytest.param(confidential, id="confidential"),
    pytest.param(everything, id="everything"),
]


def with_regions(*regions: tuple[str, Any]) -> dict[str, Any]:
    """Give the resource with regions that are encrypted like that; ``...`` leaves a region without encryption."""
    wires = [{"name": name, **({} if each is ... else {"encryption": each})} for name, each in regions]
    return changed(wires, "properties", "publishingProfile", "targetRegions")


def added(resource: dict[str, Any], encryption: str | None) -> dict[str, Any]:
    """Give the region UK South as a write adds it, with that disk encryption set."""
    line = Line("uksouth", Action.ADD, "", 1, encryption_set=encryption)
    body = write_body(VersionPlan(read(resource), Role.KEPT, (line,)))
    region: dict[str, Any] = body["properties"]["publishingProfile"]["targetRegions"][-1]
    return region


@pytest.mark.parametrize("shape", SHAPES)
def test_an_added_region_is_encrypted_like_home(shape: Callable[[str], dict[str, Any]]) -> None:
    """A region comes to an encrypted version with all that home says of the disks, and its own set for each."""
    resource = with_regions(("eastus2", shape(encryption_set("eastus2"))), ("West Europe", shape(HOME_SET)))
    before = deepcopy(resource)
    assert [region.encrypted for region in read(resource).regions] == [True, True]
    assert read(resource).encrypted
    assert added(resource, UK_SET) == {"name": "uksouth", "regionalReplicaCount": 1, "encryption": shape(UK_SET)}
    assert resource == before


@pytest.mark.parametrize("shape", SHAPES)
def test_encrypted_regions_stay_as_they_are(shape: Callable[[str], dict[str, Any]]) -> None:
    """A write leaves the encryption of regions that stay alone: it cannot be changed."""
    before = [("West Europe", shape(HOME_SET)), ("eastus2", shape(encryption_set("eastus2")))]
    lines = (Line("westeurope", Action.SIZE, "", 5), Line("uksouth", Action.ADD, "", 1, encryption_set=UK_SET))
    body = write_body(VersionPlan(read(with_regions(*before)), Role.KEPT, lines))
    regions = body["properties"]["publishingProfile"]["targetRegions"]
    assert [(region["name"], region["encryption"]) for region in regions[:-1]] == before


@pytest.mark.parametrize("position", [0, 1, 2])
def test_the_home_region_is_the_example(position: int) -> None:
    """Where regions say different things, a new one is like home, wherever that stands among them."""
    regions = [("eastus2", encrypted_with(SEA_SET)), ("ukwest", encrypted_with(SEA_SET))]
    regions.insert(position, ("West Europe", confidential(HOME_SET)))
    assert added(with_regions(*regions), UK_SET)["encryption"] == confidential(UK_SET)


@pytest.mark.parametrize("nothing", [..., None, {}])
def test_another_region_stands_in_for_home(nothing: Any) -> None:
    """Where home says nothing of encryption, or is not there, the first region that does is the example."""
    others = [("ukwest", nothing), ("eastus2", encrypted_with(SEA_SET))]
    for regions in (others, [("West Europe", nothing), *others]):
        assert added(with_regions(*regions), UK_SET)["encryption"] == encrypted_with(UK_SET)


def test_platform_keys_need_no_set() -> None:
    """Encryption with the platform's keys alone goes along word for word, and does not make a version want sets."""
    resource = with_regions(("West Europe", PLATFORM_KEYS))
    assert not read(resource).encrypted
    assert added(resource, None)["encryption"] == PLATFORM_KEYS


@pytest.mark.parametrize("nothing", [..., None, {}])
def test_without_encryption_there_is_none(nothing: Any) -> None:
    """A region comes to a version that is not encrypted without a word of encryption."""
    resource = with_regions(("West Europe", nothing))
    assert not read(resource).encrypted
    assert added(resource, None) == {"name": "uksouth", "regionalReplicaCount": 1}


@pytest.mark.parametrize("name", ["diskEncryptionSetId", "secureVMDiskEncryptionSetId"])
@pytest.mark.parametrize("nothing", [None, ""])
def test_an_empty_set_is_none(name: str, nothing: Any) -> None:
    """A disk encryption set that Azure names as nothing is none, and stays none in a region that is added."""
    encryption = {"osDiskImage": {name: nothing, "securityProfile": {"kind": "x"}}}
    resource = with_regions(("West Europe", encryption))
    assert not read(resource).encrypted
    assert added(resource, None)["encryption"] == encryption


_SETS = st.sampled_from([HOME_SET, SEA_SET, None])
_ENCRYPTIONS = st.recursive(
    st.dictionaries(st.sampled_from(["diskEncryptionSetId", "secureVMDiskEncryptionSetId"]), _SETS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


@given(_ENCRYPTIONS)
@settings(max_examples=200, deadline=None)
def test_no_set_of_another_region(encryption: Any) -> None:
    """However deep they are, all sets in a region that is added are its own, and there are as many as at home."""
    resource = with_regions(("West Europe", encryption))
    named = [json.dumps(encryption).count(each) for each in (HOME_SET, SEA_SET)]
    given_to_it = json.dumps(added(resource, UK_SET))
    assert read(resource).encrypted == (sum(named) > 0)
    assert given_to_it.count(UK_SET) == sum(named)
    assert HOME_SET not in given_to_it
    assert SEA_SET not in given_to_it


@pytest.mark.parametrize(
    ("known", "action", "set_of_it"),
    [({"uksouth": UK_SET}, Action.ADD, UK_SET), ({"eastus2": SEA_SET}, Action.SKIP, None), ({}, Action.SKIP, None)],
)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_region_without_a_set_does_not_come(
    shape: Callable[[str], dict[str, Any]], known: dict[str, str], action: Action, set_of_it: str | None
) -> None:
    """What was read as encrypted is planned with the sets of the policy, and a region that has none is left out."""
    version = read(with_regions(("West Europe", shape(HOME_SET))))
    policy = Policy((RegionTarget("uksouth", 1),), encryption_sets=known)
    (made,) = plan(Definition(version.id.image, (version,)), policy, now=NOW).versions
    line = made.lines[0]
    assert (line.region, line.action, line.encryption_set) == ("uksouth", action, set_of_it)
    regions = write_body(made)["properties"]["publishingProfile"]["targetRegions"]
    assert [region["encryption"] for region in regions] == [
        shape(HOME_SET),
        *([shape(UK_SET)] if action is Action.ADD else []),
    ]
