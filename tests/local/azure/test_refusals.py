import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError

from local.azure import ArmError, Region
from local.azure.regions import DISPLAY, display, short
from tests.local.azure.support import API, ask, body_for

DES = {"osDiskImage": {"diskEncryptionSetId": "/subscriptions/s/resourceGroups/g/providers/x/diskEncryptionSets/one"}}
OTHER_DES = {
    "osDiskImage": {"diskEncryptionSetId": "/subscriptions/s/resourceGroups/g/providers/x/diskEncryptionSets/2"}
}
ZRS = {"storageAccountType": "Standard_ZRS"}


def encrypted(name, encryption=DES):
    """Return a target region with a disk encryption set."""
    return {"name": name, "encryption": encryption}


CREATIONS = [
    pytest.param(("eastus2", "westeurope", "East US 2"), {}, "Duplicate regions", id="twice"),
    pytest.param(("eastus2",), {}, "must contain the location", id="without-home"),
    pytest.param((), {}, "must contain the location", id="nowhere"),
    pytest.param(("westeurope", "atlantis"), {}, "'atlantis'", id="no-such-region"),
    pytest.param(("westeurope",), {"replicaCount": 101}, "101", id="too-many"),
    pytest.param(("westeurope", "uksouth"), {"replicaCount": 51}, "102", id="too-many-in-all"),
    pytest.param(("westeurope",), {"replicaCount": 0}, "out of range", id="no-replica"),
    pytest.param(("westeurope", "uksouth"), {"replicationMode": "Shallow"}, "", id="shallow"),
    pytest.param((encrypted("westeurope"), "uksouth"), {}, "encryption", id="half-encrypted"),
]


@pytest.mark.parametrize(("regions", "publishing", "words"), CREATIONS)
def test_a_creation_is_refused(azure, image, regions, publishing, words):
    """A PUT that Azure would refuse is 400 InvalidParameter, and no version is there afterwards."""
    status, _, body = ask("PUT", f"{azure.endpoint}{image}/versions/1.0.1?{API}", body_for(*regions, **publishing))
    assert (status, body["error"]["code"]) == (400, "InvalidParameter")
    assert words in body["error"]["message"]
    assert azure.versions(image) == {}


@pytest.mark.parametrize("name", ["1.0", "1.0.0.0", "latest", "1.0.x", "1.0.2147483648", "-1.0.0"])
def test_a_version_is_named_by_three_numbers(azure, image, name):
    """Names are Major.Minor.Patch, 32 bits each."""
    status, _, body = ask("PUT", f"{azure.endpoint}{image}/versions/{name}?{API}", body_for("westeurope"))
    assert (status, body["error"]["code"]) == (400, "InvalidParameter")


@pytest.mark.parametrize(
    ("part", "code"),
    [("storageProfile", "InvalidParameter"), ("location", "LocationRequired")],
)
def test_a_new_version_says_where_it_is_and_what_it_is_made_from(azure, image, part, code):
    """Without a source or a location nothing is created."""
    body = body_for("westeurope")
    body.pop(part, None)
    body["properties"].pop(part, None)
    status, _, answer = ask("PUT", f"{azure.endpoint}{image}/versions/1.0.1?{API}", body)
    assert (status, answer["error"]["code"]) == (400, code)


@pytest.mark.parametrize(
    "body", [None, [], {"properties": 1}, {"properties": {"publishingProfile": {"targetRegions": 1}}}]
)
def test_a_body_that_is_no_version_is_refused(azure, image, body):
    """A body of another shape is 400, not 500."""
    status, _, answer = ask("PUT", f"{azure.endpoint}{image}/versions/1.0.1?{API}", body)
    assert (status, answer["error"]["code"]) == (400, "InvalidRequestContent")


def test_a_version_needs_its_definition(azure, image):
    """A PUT below a definition that is not there is 404."""
    status, _, body = ask("PUT", f"{azure.endpoint}{image}-no/versions/1.0.1?{API}", body_for("westeurope"))
    assert (status, body["error"]["code"]) == (404, "ParentResourceNotFound")


CHANGES = [
    pytest.param([{"name": "westeurope"}, {"name": "eastus2", **ZRS}], id="another-storage-type"),
    pytest.param([{"name": "westeurope"}, encrypted("eastus2")], id="encryption-added-to-one"),
    pytest.param([encrypted("westeurope"), encrypted("eastus2")], id="encryption-added-to-all"),
]


@pytest.mark.parametrize("regions", CHANGES)
def test_what_cannot_change_is_refused(azure, image, versions, place, regions):
    """Storage type and encryption of an existing region are immutable: 409 PropertyChangeNotAllowed."""
    version = azure.add_version(image, "1.0.1", regions=["westeurope", "eastus2"])
    before = azure.show(version)
    with pytest.raises(ResourceExistsError) as refusal:
        versions.begin_update(*place, "1.0.1", {"properties": {"publishingProfile": {"targetRegions": regions}}})
    assert (refusal.value.status_code, refusal.value.error.code) == (409, "PropertyChangeNotAllowed")
    assert azure.show(version) == before


def test_an_encrypted_version_stays_encrypted(azure, image):
    """Another set in an existing region is 409, a new region without one is 400, with one it is accepted."""
    home = Region("westeurope", extra={"encryption": DES})
    url = f"{azure.endpoint}{azure.add_version(image, '1.0.1', regions=[home])}?{API}"

    def write(*regions):
        return ask("PATCH", url, {"properties": {"publishingProfile": {"targetRegions": regions}}})[0]

    assert write(encrypted("westeurope", OTHER_DES)) == 409
    assert write(encrypted("westeurope"), {"name": "uksouth"}) == 400
    assert write(encrypted("westeurope"), encrypted("uksouth", OTHER_DES)) == 200


def test_an_existing_region_must_say_its_own_storage_type(azure, image):
    """A region that omits its type takes the profile's; where that differs it counts as a change."""
    regions = ["westeurope", Region("uksouth", storage_account_type="Standard_ZRS")]
    url = f"{azure.endpoint}{azure.add_version(image, '1.0.1', regions=regions)}?{API}"
    body = {"properties": {"publishingProfile": {"targetRegions": [{"name": "westeurope"}, {"name": "uksouth"}]}}}
    status, _, answer = ask("PATCH", url, body)
    assert (status, answer["error"]["code"]) == (409, "PropertyChangeNotAllowed")
    assert "Standard_ZRS" in answer["error"]["message"]


def test_the_source_and_the_location_stay(azure, image):
    """A version is made from one thing in one place."""
    url = f"{azure.endpoint}{azure.add_version(image, '1.0.1')}?{API}"
    moved = body_for("northeurope") | {"location": "northeurope"}
    assert ask("PUT", url, moved)[2]["error"]["code"] == "InvalidResourceLocation"
    assert ask("PUT", url, body_for("westeurope"))[2]["error"]["code"] == "PropertyChangeNotAllowed"


def home_alone(flag=None):
    """Return the body of a PATCH that leaves the home region only, with the safety flag or without."""
    safety = {} if flag is None else {"safetyProfile": {"allowDeletionOfReplicatedLocations": flag}}
    return {"properties": {"publishingProfile": {"targetRegions": [{"name": "westeurope"}]}, **safety}}


@pytest.mark.parametrize(
    ("stored", "sent", "together", "code"),
    [
        (False, None, True, "BadRequest"),
        (False, False, True, "BadRequest"),
        (True, False, True, "BadRequest"),
        (True, None, True, None),
        (False, True, True, None),
        (False, True, False, "BadRequest"),
        (True, True, False, None),
        (True, None, False, None),
    ],
)
def test_a_replicated_region_leaves_only_with_the_safety_flag(home_and_away, stored, sent, together, code):
    """The flag counts as it would be afterwards; with the switch, only if it was so before too."""
    refusal = home_and_away(stored, home_alone(sent), flag_with_removal=together)
    assert (refusal and refusal.error.code) == code
    assert refusal is None or "Complete set of target locations not specified" in refusal.error.message


@pytest.fixture
def home_and_away(azure, image, versions, place):
    """Return a function that updates a version in two regions and returns how that was refused, if it was."""

    def update(stored, body, **behaviour):
        azure.set_behaviour(**behaviour)
        azure.add_version(image, "1.0.1", regions=["westeurope", "eastus2"], safety_flag=stored)
        try:
            versions.begin_update(*place, "1.0.1", body, polling=False)
        except HttpResponseError as refusal:
            return refusal
        return None

    return update


def test_the_flag_alone_opens_the_way(azure, image, versions, place):
    """Where flag and removal may not share a write, the flag is written first and the removal is then accepted."""
    azure.set_behaviour(flag_with_removal=False)
    version = azure.add_version(image, "1.0.1", regions=["westeurope", "eastus2"])
    flag = {"properties": {"safetyProfile": {"allowDeletionOfReplicatedLocations": True}}}
    for body in (flag, home_alone()):
        versions.begin_update(*place, "1.0.1", body, polling=False)
    assert len(azure.writes(version)) == 2


def target(name, storage=None, sets=None):
    """Return a target region with a storage type, and with additional replicas of some."""
    extra = {"additionalReplicaSets": [{"storageAccountType": each} for each in sets]} if sets else {}
    return {"name": name, **({"storageAccountType": storage} if storage else {}), **extra}


@pytest.fixture
def patch(azure, image):
    """Bring a version at home to more regions; what is answered: status, code and words."""
    version = azure.add_version(image, "1.0.1", regions=["westeurope"])

    def write(*regions):
        body = {"properties": {"publishingProfile": {"targetRegions": [{"name": "westeurope"}, *regions]}}}
        status, _, answer = ask("PATCH", f"{azure.endpoint}{version}?{API}", body)
        error = (answer or {}).get("error", {})
        return status, error.get("code"), error.get("message", "")

    return write


@pytest.mark.parametrize(
    ("region", "refused"),
    [
        (target("westus"), False),
        (target("westus", "Premium_LRS"), False),
        (target("westus", "Standard_ZRS"), True),
        (target("West US", "standard_zrs"), True),
        (target("westus", sets=["Premium_LRS", "Standard_ZRS"]), True),
        (target("westus", sets=["Premium_LRS"]), False),
        (target("westus", sets=[None]), False),
        (target("eastus2", "Standard_ZRS"), False),
    ],
)
def test_a_region_without_zones_has_no_zone_redundant_storage(azure, patch, region, refused):
    """Where there are no zones Standard_ZRS is refused, also for additional replicas; any other type is not."""
    azure.set_behaviour(zoneless_regions=frozenset({"West US"}))
    status, code, words = patch(target("uksouth"), region)
    assert (status, code) == ((400, "InvalidParameter") if refused else (200, None))
    assert ("'West US'" in words) == refused


def test_what_is_there_has_its_zones(azure, patch):
    """A region that has zone-redundant storage keeps it: the rule is about regions that are added."""
    assert patch(target("westus", "Standard_ZRS"))[0] == 200
    azure.set_behaviour(zoneless_regions=frozenset({"westus"}))
    assert patch(target("westus", "Standard_ZRS"), target("uksouth"))[0] == 200


def test_a_policy_disallows_a_region(azure, image, patch):
    """A write that a policy disallows is 403, with the policy's name, whoever asks; one without the region is not."""
    azure.set_behaviour(disallowed_regions=frozenset({"East US 2"}))
    status, code, words = patch(target("uksouth"), target("eastus2"))
    assert (status, code) == (403, "RequestDisallowedByPolicy")
    assert words.startswith("Resource '1.0.1' was disallowed by policy.")
    assert "allowed-locations" in words
    summary = azure.versions(image)["1.0.1"]["properties"]["replicationStatus"]["summary"]
    assert [each["region"] for each in summary] == ["westeurope"]
    assert patch(target("uksouth"))[0] == 200


def test_a_policy_looks_at_all_that_a_version_would_be(azure, patch):
    """A policy that came later disallows every write that leaves the region in, also one that is about another."""
    assert patch(target("eastus2"))[0] == 200
    azure.set_behaviour(disallowed_regions=frozenset({"eastus2"}))
    assert patch(target("eastus2"), target("uksouth"))[1] == "RequestDisallowedByPolicy"


def test_a_version_on_its_way_out_takes_no_writes(azure, image, versions, place):
    """A write to a Deleting version is 409."""
    azure.delete(azure.add_version(image, "1.0.1"))
    with pytest.raises(ResourceExistsError):
        versions.begin_update(*place, "1.0.1", {"tags": {"a": "b"}}, polling=False)


def test_a_deletion_before_the_end_of_life_may_be_blocked(azure, image, clock):
    """The block holds until the date, and for ever without one."""
    version = azure.add_version(image, "1.0.1")
    block = {"safetyProfile": {"blockDeletionBeforeEndOfLife": True}}
    url = f"{azure.endpoint}{version}?{API}"
    ask("PATCH", url, {"properties": block})
    with pytest.raises(ArmError, match="end of life"):
        azure.delete(version)
    ask("PATCH", url, {"properties": {"publishingProfile": {"endOfLifeDate": "2027-06-01T00:00:00Z"}}})
    assert ask("DELETE", url)[0] == 409
    clock.now += 365 * 86400
    assert ask("DELETE", url)[0] == 202


def test_test_code_cannot_put_an_impossible_version_there(azure, image):
    """Versions that are placed obey the same rules as written ones."""
    with pytest.raises(ArmError, match="Shallow"):
        azure.add_version(image, "1.0.1", regions=["westeurope", "uksouth"], shallow=True)


def test_region_names_have_two_spellings():
    """Each display name shortens to the short one, and an unknown name stays as it is."""
    assert len(DISPLAY) >= 60
    assert all(short(name) == key and display(key) == name for key, name in DISPLAY.items())
    assert display("atlantis") == "atlantis"
