import pytest

from local.azure import ArmError
from tests.local.azure.support import API, ask


def test_tags_are_replaced_at_once(azure, image):
    """A gallery, a definition and a version show the new tags only, in any casing of the id, and nothing else moves."""
    version = azure.add_version(image, "1.0.1", tags={"old": "1"})
    before = azure.show(version)
    for resource in (image.rsplit("/", 2)[0], image, version):
        azure.set_tags(resource.upper(), {"new": "2"})
        assert ask("GET", f"{azure.endpoint}{resource}?{API}")[2]["tags"] == {"new": "2"}
    assert azure.show(version) == before | {"tags": {"new": "2"}}


def test_tags_of_a_new_version_are_replaced_while_it_replicates(azure, image):
    """There is no operation and no event: a version that is Creating stays so."""
    version = azure.publish(image, "1.0.1")
    azure.set_tags(version, {"keep": "yes"})
    assert azure.show(version)["properties"]["provisioningState"] == "Creating"
    assert azure.deliveries == azure.requests == []


def test_what_is_absent_has_no_tags(azure, image):
    """Tags of an absent resource raise ArmError, whatever it would be."""
    for absent in (f"{image}/versions/9.9.9", f"{image}s", f"{image.rsplit('/', 2)[0]}s"):
        with pytest.raises(ArmError, match="404"):
            azure.set_tags(absent, {})


def test_somebody_excludes_a_version(azure, image):
    """Exclusion is a write like any other: `update` does it, and the version is Updating meanwhile."""
    version = azure.add_version(image, "1.0.1")
    azure.update(version, lambda resource: resource["properties"]["publishingProfile"].update(excludeFromLatest=True))
    shown = azure.show(version)["properties"]
    assert (shown["publishingProfile"]["excludeFromLatest"], shown["provisioningState"]) == (True, "Updating")
