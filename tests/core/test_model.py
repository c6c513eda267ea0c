import pytest

from shared.core.model import ProvisioningState, RegionState
from tests.core.build import HOME, definition, region, version, version_id


@pytest.mark.parametrize("kind", [ProvisioningState, RegionState])
@pytest.mark.parametrize("text", ["Unknown", "Whatever Azure adds", "", "None", "succeeded", "completed"])
def test_unknown_states(kind, text):
    """A state that we do not know is Unknown, never taken for one that we do."""
    assert kind(text) is kind.UNKNOWN


@pytest.mark.parametrize(
    ("state", "changing"),
    [(state, state.value in ("Creating", "Updating")) for state in ProvisioningState],
)
def test_changing(state, changing):
    """A version is changing while it is Creating or Updating."""
    assert version("1.0.0", state=state).changing is changing


@pytest.mark.parametrize("state", ProvisioningState)
@pytest.mark.parametrize("repairable", [False, True])
def test_good(state, repairable):
    """A version counts when Azure calls it so; of all the others only a Failed one that we can still repair does."""
    counts = {"Succeeded", "Updating", *(["Failed"] if repairable else [])}
    assert version("1.0.0", state=state, repairable=repairable).good is (state.value in counts)


def test_what_is_not_known_of_a_version():
    """Unless told otherwise no region of a version is on its way out, none was refused, and nothing is repaired."""
    plain = version("1.0.0", state=ProvisioningState.FAILED)
    assert (plain.leaving, plain.refused, plain.repairable, plain.good) == ((), {}, False, False)


def test_only_completed_is_complete():
    """Of all states of a region only Completed says that VMs can be made there."""
    assert [state for state in RegionState if region(HOME, state).complete] == [RegionState.COMPLETED]


def test_encrypted():
    """A version is encrypted when a region of it is."""
    assert version("1.0.0", region(HOME, encrypted=True)).encrypted
    assert not version("1.0.0", HOME).encrypted


def test_lookups():
    """Regions and versions are found by name and number, and None stands for those that are not there."""
    one = version("1.0.0", HOME, "eastus2")
    assert one.region("eastus2") == region("eastus2")
    assert one.region("uksouth") is None
    assert definition(one).version(version_id("1.0.0").number) is one
    assert definition(one).version(version_id("1.0.1").number) is None
