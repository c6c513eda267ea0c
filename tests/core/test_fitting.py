import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.fitting import fitted

words = st.text(max_size=60)
data = st.dictionaries(
    st.sampled_from(["regions", "reason", "changes", "used"]),
    words | st.integers() | st.none() | st.lists(st.dictionaries(st.sampled_from("ab"), words | st.lists(words))),
)


@given(data)
def test_what_fits_stays_as_it_is(told):
    """Data that is small enough is told as it is."""
    assert fitted(told, len(json.dumps(told))) == told


def test_texts_give_way_first():
    """Long texts are cut before lists are, and say so."""
    told = fitted({"reason": "x" * 5000, "regions": [{"reason": "y" * 900}] * 20}, 20_000)
    assert told["reason"] == "x" * 997 + "..."
    assert told["regions"] == [{"reason": "y" * 900}] * 20
    assert "regionsCut" not in told


def test_lists_say_how_much_was_cut():
    """A list that was cut has beside it how many entries are missing, also where it stands in another."""
    told = fitted({"prunes": [{"kept": ["a" * 30] * 150}] * 80, "used": 7}, 40_000)
    assert (len(told["prunes"]), told["prunesCut"], told["used"]) == (20, 60, 7)
    assert (len(told["prunes"][0]["kept"]), told["prunes"][0]["keptCut"]) == (20, 130)


def test_cutting_again_adds_up():
    """What was cut already and is cut again says how much is missing in all."""
    assert fitted({"changes": ["x" * 30] * 50, "changesCut": 100}, 1000)["changesCut"] == 130


@pytest.mark.parametrize("many", [1, 100, 10_000])
def test_a_message_holds_it(many):
    """Whatever a policy, a plan or a name may bring, it fits into a message in the end."""
    lines = [{"version": "1.0.3", "region": "r" * 40, "action": "remove", "reason": "ä" * 2000}] * many
    told = fitted({"changes": lines, "warnings": ["w" * 3000] * 10}, 40_000)
    assert len(json.dumps(told)) <= 40_000
