"""Other people's decisions: tags, and writers beside us."""

from typing import Any

import pytest

from local.azure import Pace
from tests.flows.world import HOME, THREE, World, short

pytestmark = pytest.mark.flow

TAG = {"Gallery-Fanout-Keep": "yes"}


def test_a_tagged_version_is_left_alone(world: World) -> None:
    """A version with the tag keeps its regions and gets none, and older ones stay where it is not."""
    world.start()
    world.azure.publish(world.image, "1.0.3", home=HOME, tags=TAG)
    world.until(lambda: "reconcile.planned" in world.log() and world.quiet())
    assert world.writes() == []
    assert world.complete_in("1.0.2", THREE)


def test_a_tag_on_the_gallery_protects_all(world: World) -> None:
    """A tag on the gallery leaves every version of it alone."""
    gallery = world.azure.add_gallery("tagged", tags=TAG)
    image = world.azure.add_image(gallery, "ubuntu")
    world.azure.add_version(image, "1.0.0", home=HOME, regions=list(THREE))
    world.azure.add_version(image, "1.0.1", home=HOME, regions=list(THREE))
    world.gallery = gallery
    host = world.start()
    host.fire("sweep")
    world.until(lambda: "reconcile.planned" in world.log() and world.quiet())
    assert world.writes() == []


def test_a_rollout_that_others_stop(world: World) -> None:
    """Somebody who takes a region out of a rollout and tags the version has the last word; nothing goes in circles."""

    def take_out(version: dict[str, Any]) -> None:
        version["tags"] = dict(TAG)
        version["properties"]["safetyProfile"] = {"allowDeletionOfReplicatedLocations": True}
        profile = version["properties"]["publishingProfile"]
        profile["targetRegions"] = [each for each in profile["targetRegions"] if short(each["name"]) != "eastus2"]

    world.azure.set_behaviour(replicate_by_region={"southeastasia": Pace.after(5)})
    world.start()
    version = world.azure.publish(world.image, "1.0.3", home=HOME)
    world.until(lambda: world.regions("1.0.3").get("eastus2") == "Completed")
    world.azure.update(version, take_out)
    world.until(lambda: world.complete_in("1.0.3", [HOME, "southeastasia"]) and world.quiet())
    assert [write for write in world.writes() if write[0] == "1.0.3"] == [("1.0.3", list(THREE))]


def test_regions_of_others_are_theirs(world: World) -> None:
    """A region that the publisher added beside the policy stays, and a rollout neither waits for it nor repairs it."""
    world.azure.set_behaviour(failing_regions={"uksouth": -1})
    world.start()
    world.azure.publish(world.image, "1.0.3", home=HOME, regions=[HOME, "uksouth"])
    world.until(lambda: world.told()["rollout.completed 1.0.3"] and world.complete_in("1.0.2", [HOME]))
    assert world.regions("1.0.3") == {**dict.fromkeys(THREE, "Completed"), "uksouth": "Failed"}
    assert not world.told()["rollout.region-failed 1.0.3"]
    assert [name for name, _ in world.writes()].count("1.0.3") == 1
