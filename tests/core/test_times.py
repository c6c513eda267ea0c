import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.times import iso, moment
from tests.core import strategies
from tests.core.build import NOW


@given(st.none() | strategies.moments)
def test_times_round_trip(at):
    """Any time, also none, is read from what was stored of it as it was, offset and all."""
    again = moment(iso(at))
    assert again == at
    assert (again and again.utcoffset()) == (at and at.utcoffset())


@pytest.mark.parametrize("nothing", [None, ""])
def test_no_time(nothing):
    """Where no time is stored there is none."""
    assert moment(nothing) is None


def test_stored_form():
    """A time is stored in the form of ISO 8601, as other programs may read it."""
    assert iso(NOW) == "2025-03-01T12:00:00+00:00"
