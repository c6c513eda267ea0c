import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.usage import Usage, Use
from tests.core.build import HOME, usage, version_id
from tests.core.strategies import REGIONS

ONE, TWO = version_id("1.0.1").number, version_id("1.0.2").number
uses = st.lists(
    st.builds(Use, st.sampled_from([ONE, TWO]), st.sampled_from(REGIONS), st.sampled_from(["a", "b", "c", "d"]))
)


@pytest.mark.parametrize(
    ("users", "reason"),
    [
        pytest.param([], "", id="nobody"),
        pytest.param(["scale set web-prod"], "scale set web-prod references 1.0.1", id="one"),
        pytest.param(["scale set web", "scale set web"], "scale set web references 1.0.1", id="one, found twice"),
        pytest.param(["VM b", "VM a"], "VM a and 1 more reference 1.0.1", id="two"),
        pytest.param(["VM c", "VM a", "VM b"], "VM a and 2 more reference 1.0.1", id="three"),
    ],
)
def test_reason(users, reason):
    """Who references a version is said by the first of them and how many more there are."""
    assert usage(*(("1.0.1", HOME, user) for user in users)).reason(ONE, HOME) == reason


def test_exactly_this_version_here():
    """A use counts for exactly the version that it names, and only in the region where it is."""
    found = usage(("1.0.1", HOME, "VM a"))
    assert found.reason(ONE, HOME)
    assert not found.reason(ONE, "eastus2")
    assert not found.reason(TWO, HOME)


def test_a_version_spelled_otherwise():
    """A use of 1.0.01 is a use of 1.0.1: numbers are compared, not their spelling."""
    assert usage(("1.0.01", HOME, "VM a")).reason(ONE, HOME) == "VM a references 1.0.1"


def test_nothing_known():
    """Usage that is not known says why, and uses that are known are known."""
    assert Usage(unknown="throttled").unknown == "throttled"
    assert usage().unknown == ""
    assert usage().ask_again is None


@given(uses, st.randoms(use_true_random=False))
def test_order_of_uses_is_nothing(found, random):
    """The order in which uses are found, and how often, makes no difference, and none is lost."""
    shuffled = [*found, *found]
    random.shuffle(shuffled)
    assert Usage.of(shuffled) == Usage.of(found)
    assert {(use.number, use.region) for use in found} == set(Usage.of(found).users)
    assert all(Usage.of(found).reason(use.number, use.region) for use in found)
