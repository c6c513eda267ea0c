"""Nothing on a region is lost by a write."""

from copy import deepcopy
from typing import Any

import pytest

from local.azure import Region
from tests.flows.world import HOME, THREE, World, short

pytestmark = pytest.mark.flow

SETS = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/keys/providers/Microsoft.Compute"


def _encryption(region: str) -> dict[str, Any]:
    return {"encryption": {"osDiskImage": {"diskEncryptionSetId": f"{SETS}/diskEncryptionSets/{region}"}}}


def _target_regions(world: World, version: str) -> dict[str, dict[str, Any]]:
    shown = world.azure.show(f"{world.image}/versions/{version}")
    assert shown
    regions = shown["properties"]["publishingProfile"]["targetRegions"]
    return {short(region["name"]): deepcopy(region) for region in regions}


def test_regions_that_stay_are_unchanged_by_a_replication(world: World) -> None:
    """Storage type, additional replica sets, regional excludeFromLatest and a future field survive a replication."""
    extra = {
        "additionalReplicaSets": [{"storageAccountType": "PremiumV2_LRS", "regionalReplicaCount": 2}],
        "excludeFromLatest": True,
        "aFieldOfTheFuture": {"kept": ["as", "it", "is"]},
    }
    world.start(regions=[*THREE, "uksouth=2=premium_lrs"])
    regions = [HOME, Region("eastus2", replicas=3, storage_account_type="Standard_ZRS", extra=extra)]
    world.azure.publish(world.image, "1.0.3", home=HOME, regions=regions)
    world.until(lambda: world.regions("1.0.3"))
    before = _target_regions(world, "1.0.3")

    world.until(lambda: world.complete_in("1.0.3", [*THREE, "uksouth"]))

    after = _target_regions(world, "1.0.3")
    assert {name: after[name] for name in before} == before
    assert before["eastus2"]["aFieldOfTheFuture"] == {"kept": ["as", "it", "is"]}
    assert (after["uksouth"]["regionalReplicaCount"], after["uksouth"]["storageAccountType"]) == (2, "Premium_LRS")


def test_encryption_survives_a_change_of_replicas(world: World) -> None:
    """An encrypted version gets the replicas that the policy wants and keeps every disk encryption set; a region that
    no set is given for is left out, and that does not hold up the others.
    """
    world.start(regions=[f"{HOME}=2", "eastus2", "uksouth"])
    regions = [Region(region, extra=_encryption(region)) for region in (HOME, "eastus2")]
    world.azure.publish(world.image, "1.0.3", home=HOME, regions=regions)
    world.until(lambda: world.regions("1.0.3"))
    before = _target_regions(world, "1.0.3")
    world.until(lambda: world.told()["rollout.completed 1.0.3"])

    before[HOME]["regionalReplicaCount"] = 2
    assert _target_regions(world, "1.0.3") == before
    assert before["eastus2"]["encryption"] == _encryption("eastus2")["encryption"]


@pytest.mark.parametrize("together", [True, False])
def test_home_is_unchanged_by_a_prune(world: World, together: bool) -> None:  # noqa: FBT001  a row of the table
    """An encrypted older version keeps its home region's every field when it is pruned, whether Azure takes the safety
    flag together with the removal or wants it first.
    """
    world.azure.set_behaviour(flag_with_removal=together)
    regions = [Region(region, extra=_encryption(region)) for region in THREE]
    world.azure.add_version(world.image, "1.0.0", home=HOME, regions=regions, tags={"team": "images"})
    before = _target_regions(world, "1.0.0")
    world.start()
    world.azure.publish(world.image, "1.0.3", home=HOME)
    world.until(lambda: world.complete_in("1.0.0", [HOME]) and world.told()["prune.completed 1.0.0"])

    assert _target_regions(world, "1.0.0") == {HOME: before[HOME]}
    shown = world.azure.show(f"{world.image}/versions/1.0.0")
    assert shown
    assert shown["tags"] == {"team": "images"}
    wanted = [("1.0.0", [HOME])] if together else [("1.0.0", []), ("1.0.0", [HOME])]
    assert [write for write in world.writes() if write[0] == "1.0.0"] == wanted
