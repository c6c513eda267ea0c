import pytest
from azure.core.exceptions import ResourceExistsError

from tests.local.azure.support import API, SUBSCRIPTION, ask, body_for


@pytest.fixture
def version(azure, image):
    """Return the id of a version."""
    return azure.add_version(image, "1.0.1")


def statuses(azure, version):
    """Return how PUT, PATCH and DELETE of a version are answered."""
    url = f"{azure.endpoint}{version}?{API}"
    bodies = {"PUT": {"location": "westeurope"}, "PATCH": {"tags": {}}, "DELETE": None}
    return [ask(method, url, body)[0] for method, body in bodies.items()]


@pytest.mark.parametrize("parts", [None, -2, -4, 5, 3])
def test_a_lock_holds_for_whatever_lies_in_its_scope(azure, version, parts):
    """A lock on a version, its definition, its gallery, their group or their subscription refuses every write."""
    azure.lock("/".join(version.split("/")[:parts]).upper())
    before = azure.show(version)
    assert statuses(azure, version) == [409, 409, 409]
    assert azure.show(version) == before
    assert azure.writes() == []
    assert ask("GET", f"{azure.endpoint}{version}?{API}")[0] == 200


def test_a_refusal_names_the_scopes(azure, image, version, versions, place):
    """409 ScopeLocked, in ARM's words, with the locked scope as it was locked."""
    azure.lock(image)
    with pytest.raises(ResourceExistsError) as refusal:
        versions.begin_update(*place, "1.0.1", {"tags": {}})
    assert (refusal.value.status_code, refusal.value.error.code) == (409, "ScopeLocked")
    assert refusal.value.error.message == (
        f"The scope '{version}' cannot perform write operation because following scope(s) are locked: '{image}'. "
        "Please remove the lock and try again."
    )
    with pytest.raises(ResourceExistsError, match="cannot perform delete operation because following"):
        versions.begin_delete(*place, "1.0.1")


def test_a_lock_can_be_taken_off(azure, image, version):
    """Without the lock writes are accepted again, and other locks stay."""
    azure.lock(image)
    azure.lock(version)
    azure.unlock(image.upper())
    assert statuses(azure, version) == [409, 409, 409]
    azure.unlock(version)
    assert statuses(azure, version) == [200, 200, 202]
    with pytest.raises(KeyError):
        azure.unlock(version)


def test_a_lock_on_something_else_does_not_matter(azure, image, version):
    """Neither a version whose name begins the same nor another subscription is locked along."""
    azure.lock(f"{image}/versions/1.0")
    azure.lock(f"/subscriptions/{SUBSCRIPTION[:-1]}")
    azure.lock(f"{version}0")
    assert statuses(azure, version) == [200, 200, 202]


def test_a_version_that_is_not_there_yet_is_locked_too(azure, image):
    """Nothing is created in a locked scope."""
    azure.lock(image)
    assert ask("PUT", f"{azure.endpoint}{image}/versions/1.0.1?{API}", body_for("westeurope"))[0] == 409
    assert azure.versions(image) == {}


def test_test_code_reaches_past_a_lock(azure, image, version):
    """Only requests over HTTP meet locks."""
    azure.lock(image)
    azure.update(version, lambda resource: resource.update(tags={"a": "b"}))
    azure.set_tags(version, {"c": "d"})
    assert azure.show(version)["tags"] == {"c": "d"}
