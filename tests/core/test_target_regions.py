import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.errors import Malformed
from shared.core.target_regions import (
    ADVISED_REPLICAS,
    MOST_REPLICAS,
    RegionDefaults,
    RegionTarget,
    StorageAccountType,
    parse_target_regions,
    total_replicas,
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


@pytest.mark.parametrize(
    ("text", "waves"),
    [
        pytest.param("westeurope", {"westeurope": 1}, id="one wave"),
        pytest.param("westeurope; eastus2", {"westeurope": 1, "eastus2": 2}, id="two waves"),
        pytest.param("westeurope;eastus2;uksouth", {"westeurope": 1, "eastus2": 2, "uksouth": 3}, id="no blanks"),
        pytest.param(
            "westeurope=2 eastus2 ;\n uksouth=40vms=standard_zrs northeurope",
            {"westeurope": 1, "eastus2": 1, "uksouth": 2, "northeurope": 2},
            id="several regions in a wave",
        ),
        pytest.param('"West US 2";"East US 2"', {"westus2": 1, "eastus2": 2}, id="double quotes"),
        pytest.param("'West US 2=2';uksouth", {"westus2": 1, "uksouth": 2}, id="single quotes"),
        pytest.param(r"West\ US\ 2;uksouth", {"westus2": 1, "uksouth": 2}, id="backslashes"),
    ],
)
def test_waves(text, waves):
    """Waves are separated by semicolons and counted from 1, however their regions are spelled."""
    targets = parse_target_regions(text, RegionDefaults())
    assert {target.region: target.wave for target in targets} == waves


def test_defaults_fill_what_a_region_leaves_open():
    """Replicas, storage type and sizing rule come from the defaults where a region does not say them itself."""
    defaults = RegionDefaults(replicas=2, vms_per_replica=50, storage_account_type=ZRS)
    assert parse_target_regions("westeurope eastus2=1; uksouth=51vms northeurope=premium_lrs", defaults) == (
        RegionTarget("westeurope", 2, ZRS),
        RegionTarget("eastus2", 1, ZRS),
        RegionTarget("uksouth", 2, ZRS, wave=2),
        RegionTarget("northeurope", 2, PREMIUM, wave=2),
    )


BAD_PART = "is not a number of replicas, '<N>vms' or a storage type in its place"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "no region is named"),
        (" \n", "no region is named"),
        ('""', "'' is not the name of a region"),
        (";", "wave 1 names no region; wave 2 names no region"),
        (";;", "wave 1 names no region; wave 2 names no region; wave 3 names no region"),
        ("; westeurope", "wave 1 names no region"),
        ("westeurope;", "wave 2 names no region"),
        ("westeurope;;eastus2", "wave 2 names no region"),
        ("westeurope; ;eastus2", "wave 2 names no region"),
        ("westeurope; eastus2; westeurope", "westeurope is named twice"),
        ("'West US 2' uksouth; westus2=3", "westus2 is named twice"),
        ("'westeurope;eastus2'", "'westeurope;eastus2' is not the name of a region"),
        (r"westeurope\;eastus2", "'westeurope;eastus2' is not the name of a region"),
        ('westeurope; "eastus2', "a quotation mark or a backslash is left open"),
        ('"west europe', "a quotation mark or a backslash is left open"),
        ("westeurope\\", "a quotation mark or a backslash is left open"),
        ("we", "'we' is not the name of a region"),
        ("=3", "'' is not the name of a region"),
        ("westeurope,eastus2", "'westeurope,eastus2' is not the name of a region"),
        ("westeurope # eastus2", "'#' is not the name of a region"),
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
        ("westeurope=60; eastus2=41", "101 replicas in all, and Azure takes 100 per version"),
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
        parse_target_regions("we westeurope=0 eastus2=99; eastus2=98 uksouth=3;", RegionDefaults())
    assert str(caught.value) == (
        f"'we' is not the name of a region; 'westeurope=0': '0' {BAD_PART}; eastus2 is named twice; "
        f"wave 3 names no region; {MOST_REPLICAS + 1} replicas in all, and Azure takes {MOST_REPLICAS} per version"
    )


def _word(target: RegionTarget, quote: str) -> str:
    parts = [target.region, str(target.replicas)]
    return quote + "=".join([*parts, *([target.storage_account_type] if target.storage_account_type else [])]) + quote


@given(
    st.lists(
        st.tuples(
            st.sampled_from(REGIONS),
            st.integers(1, 20),
            st.none() | st.sampled_from(StorageAccountType),
            st.sampled_from([" ", "\n", ";", " ; "]),
            st.sampled_from(["", "'", '"']),
        ),
        min_size=1,
        max_size=5,
        unique_by=lambda target: target[0],
    )
)
def test_target_regions_round_trip(written):
    """Any regions and waves that are written in the syntax are read as they were meant."""
    text, wave, targets = "", 1, []
    for region, replicas, storage, separator, quote in written:
        wave += bool(text) and ";" in separator
        targets.append(RegionTarget(region, replicas, storage, wave))
        text += (separator if text else "") + _word(targets[-1], quote)
    assert parse_target_regions(text, RegionDefaults()) == tuple(targets)


@given(st.text() | st.text(alphabet="westurop2=019vms_lrz \"'\\;", min_size=1))
def test_any_text_as_target_regions(text):
    """Any text names regions within Azure's limit, each once, no wave empty, or is Malformed, and nothing else."""
    try:
        targets = parse_target_regions(text, RegionDefaults())
    except Malformed:
        return
    assert 1 <= total_replicas(targets) <= MOST_REPLICAS
    assert len({target.region for target in targets}) == len(targets) > 0
    assert all(target.replicas >= 1 for target in targets)
    waves = [target.wave for target in targets]
    assert waves == sorted(waves)
    assert set(waves) == set(range(1, max(waves) + 1))


def test_limits():
    """Azure takes 100 replicas of a version and advises 50, all regions and waves together."""
    assert (MOST_REPLICAS, ADVISED_REPLICAS) == (100, 50)
    assert total_replicas(parse_target_regions("westeurope=3; eastus2=2 uksouth", RegionDefaults())) == 6
