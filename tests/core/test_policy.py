import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.errors import Malformed
from shared.core.policy import (
    MOST_REPLICAS,
    Mode,
    Policy,
    RegionDefaults,
    RegionTarget,
    StorageAccountType,
    parse_target_regions,
)
from tests.core.strategies import REGIONS

LRS, ZRS = StorageAccountType.STANDARD_LRS, StorageAccountType.STANDARD_ZRS
PREMIUM, PREMIUM_V2 = StorageAccountType.PREMIUM_LRS, StorageAccountType.PREMIUM_V2_LRS


@pytest.mark.parametrize(
    ("text", "targets"),
    [
        ("westeurope", [("westeurope", 1, None)]),
        (
            "westeurope=3=standard_zrs eastus2=2 southeastasia",
            [("westeurope", 3, ZRS), ("eastus2", 2, None), ("southeastasia", 1, None)],
        ),
        ("westeurope=standard_lrs", [("westeurope", 1, LRS)]),
        ("westeurope=2=Premium_LRS", [("westeurope", 2, PREMIUM)]),
        ("westeurope=2=PREMIUMV2_LRS", [("westeurope", 2, PREMIUM_V2)]),
        ('"West US 2"=2 eastus2', [("westus2", 2, None), ("eastus2", 1, None)]),
        ("'West US 2=2' eastus2", [("westus2", 2, None), ("eastus2", 1, None)]),
        (r"West\ US\ 2=2", [("westus2", 2, None)]),
        ("  westeurope\n\teastus2  ", [("westeurope", 1, None), ("eastus2", 1, None)]),
        ("WestEurope=007", [("westeurope", 7, None)]),
        ("westeurope=1vms", [("westeurope", 1, None)]),
        ("westeurope=20vms", [("westeurope", 1, None)]),
        ("westeurope=21vms", [("westeurope", 2, None)]),
        ("westeurope=120VMs=standard_zrs", [("westeurope", 6, ZRS)]),
        ("westeurope=100", [("westeurope", 100, None)]),
        ("westeurope=60 eastus2=40", [("westeurope", 60, None), ("eastus2", 40, None)]),
    ],
)
def test_target_regions(text, targets):
    """The syntax of --target-regions, with quotes and =Nvms, names regions in order, with replicas and storage."""
    assert parse_target_regions(text, RegionDefaults()) == tuple(RegionTarget(*target) for target in targets)


def test_defaults_fill_what_a_region_leaves_open():
    """Replicas, storage type and sizing rule come from the defaults where a region does not say them itself."""
    defaults = RegionDefaults(replicas=2, vms_per_replica=50, storage_account_type=ZRS)
    assert parse_target_regions("westeurope eastus2=1 uksouth=51vms northeurope=premium_lrs", defaults) == (
        RegionTarget("westeurope", 2, ZRS),
        RegionTarget("eastus2", 1, ZRS),
        RegionTarget("uksouth", 2, ZRS),
        RegionTarget("northeurope", 2, PREMIUM),
    )


BAD_PART = "is not a number of replicas, '<N>vms' or a storage type in its place"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "no region is named"),
        (" \n", "no region is named"),
        ('""', "'' is not the name of a region"),
        ("westeurope;eastus2", "waves (';') are not supported yet"),
        ('"west europe', "a quotation mark or a backslash is left open"),
        ("westeurope\\", "a quotation mark or a backslash is left open"),
        ("we", "'we' is not the name of a region"),
        ("=3", "'' is not the name of a region"),
        ("westeurope,eastus2", "'westeurope,eastus2' is not the name of a region"),
        ("westeurope=", f"'westeurope=': '' {BAD_PART}"),
        ("westeurope=0", f"'westeurope=0': '0' {BAD_PART}"),
        ("westeurope=0vms", f"'westeurope=0vms': '0vms' {BAD_PART}"),
        ("westeurope=-1", f"'westeurope=-1': '-1' {BAD_PART}"),
        ("westeurope=1.5", f"'westeurope=1.5': '1.5' {BAD_PART}"),
        ("westeurope=99999", f"'westeurope=99999': '99999' {BAD_PART}"),
        ("westeurope=\u0663", f"'westeurope=\u0663': '\u0663' {BAD_PART}"),
        ("westeurope=vms", f"'westeurope=vms': 'vms' {BAD_PART}"),
        ("westeurope=ultra_lrs", f"'westeurope=ultra_lrs': 'ultra_lrs' {BAD_PART}"),
        ("westeurope=3=4", f"'westeurope=3=4': '4' {BAD_PART}"),
        ("westeurope=zrs=3", f"'westeurope=zrs=3': 'zrs' {BAD_PART}"),
        ("westeurope=standard_zrs=3", f"'westeurope=standard_zrs=3': '3' {BAD_PART}"),
        ("westeurope=standard_zrs=standard_lrs", f"'westeurope=standard_zrs=standard_lrs': 'standard_lrs' {BAD_PART}"),
        ("westeurope=1=standard_zrs=x", f"'westeurope=1=standard_zrs=x': 'x' {BAD_PART}"),
        ("westeurope eastus2 westeurope", "westeurope is named twice"),
        ("'West US 2' westus2", "westus2 is named twice"),
        ("westeurope=101", "101 replicas in all, and Azure takes 100 per version"),
        ("westeurope=60 eastus2=41", "101 replicas in all, and Azure takes 100 per version"),
        ("westeurope=2001vms", "101 replicas in all, and Azure takes 100 per version"),
    ],
)
def test_faults(text, fault):
    """Each fault is told as it is."""
    with pytest.raises(Malformed) as caught:
        parse_target_regions(text, RegionDefaults())
    assert str(caught.value) == fault


def test_all_faults_at_once():
    """One reading tells every fault."""
    with pytest.raises(Malformed) as caught:
        parse_target_regions("we westeurope=0 eastus2=99 eastus2=98 uksouth=3", RegionDefaults())
    assert str(caught.value) == (
        f"'we' is not the name of a region; 'westeurope=0': '0' {BAD_PART}; eastus2 is named twice; "
        f"{MOST_REPLICAS + 1} replicas in all, and Azure takes {MOST_REPLICAS} per version"
    )


@given(
    st.lists(
        st.builds(
            RegionTarget, st.sampled_from(REGIONS), st.integers(1, 20), st.none() | st.sampled_from(StorageAccountType)
        ),
        min_size=1,
        max_size=5,
        unique_by=lambda target: target.region,
    )
)
def test_target_regions_round_trip(targets):
    """Any regions that are written in the syntax are read as they were meant."""
    words = [
        "=".join([each.region, str(each.replicas), *([each.storage_account_type] if each.storage_account_type else [])])
        for each in targets
    ]
    assert parse_target_regions(" ".join(words), RegionDefaults()) == tuple(targets)


@given(st.text() | st.text(alphabet="westurop2=019vms_lrz \"'\\;", min_size=1))
def test_any_text_as_target_regions(text):
    """Any text names regions within Azure's limit, each once, or is Malformed, and nothing else is raised."""
    try:
        targets = parse_target_regions(text, RegionDefaults())
    except Malformed:
        return
    assert 1 <= sum(target.replicas for target in targets) <= MOST_REPLICAS
    assert len({target.region for target in targets}) == len(targets) > 0
    assert all(target.replicas >= 1 for target in targets)


def test_target_of_a_region():
    """A policy tells what it says of a region, and None of one that it does not name."""
    policy = Policy(parse_target_regions("westeurope=3 eastus2", RegionDefaults()))
    assert policy.target("westeurope") == RegionTarget("westeurope", 3)
    assert policy.target("uksouth") is None


def test_policy_defaults():
    """A policy that names regions only prunes with care: one kept, ten a pass, the tag obeyed."""
    policy = Policy(())
    assert (policy.keep_latest, policy.home_replicas, policy.prune_cap) == (1, 1, 10)
    assert (policy.mode, policy.unlocks_regions, policy.protect_tag) == (Mode.FULL, True, "gallery-fanout-keep")
