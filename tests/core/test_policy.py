from datetime import timedelta

from shared.core.policy import InUse, Mode, Policy
from shared.core.target_regions import RegionDefaults, RegionTarget
from tests.core.build import policy


def test_target_of_a_region():
    """A policy tells what it says of a region, and None of one that it does not name."""
    made = policy("westeurope=3; eastus2")
    assert made.target("westeurope") == RegionTarget("westeurope", 3)
    assert made.target("eastus2") == RegionTarget("eastus2", 1, wave=2)
    assert made.target("uksouth") is None


def test_waves_of_a_policy():
    """A policy gives its regions wave by wave, each wave in the order in which it was named."""
    made = policy("westeurope eastus2; uksouth; southeastasia northeurope")
    assert [[target.region for target in wave] for wave in made.waves] == [
        ["westeurope", "eastus2"],
        ["uksouth"],
        ["southeastasia", "northeurope"],
    ]


def test_a_policy_without_regions_has_no_wave():
    """Where no region is named there is no wave."""
    assert Policy(()).waves == ()


def test_policy_defaults():
    """A policy that names regions only prunes with care: one kept, ten a pass, the tag and scale sets obeyed."""
    made = Policy(())
    assert (made.keep_latest, made.home_replicas, made.prune_cap) == (1, 1, 10)
    assert (made.mode, made.unlocks_regions, made.exclusive) == (Mode.FULL, True, False)
    assert (made.protect_tag, made.protect_in_use) == ("gallery-fanout-keep", InUse.SCALE_SETS)
    assert (made.wave_bake, made.prune_grace) == (timedelta(0), timedelta(0))
    assert (made.defaults, made.encryption_sets, made.warnings) == (RegionDefaults(1, 20, None), {}, ())
