import json

from hypothesis import given
from hypothesis import strategies as st

from shared.core.batch import Batch, batches
from tests.core.build import version_id

NUMBERS = [version_id(f"1.0.{patch}").number for patch in range(205)]
ONE, TWO, THREE = NUMBERS[1:4]
FACTS = {"regionsRemoved": ["eastus2"], "regionsKept": [], "gibFreed": 30}


def test_a_batch_is_over_when_the_last_has_ended():
    """A batch waits for everything that was asked for, whatever came of it."""
    batch = Batch().asking([ONE, TWO])
    assert not batch.over
    assert not batch.ending(TWO, FACTS).over
    assert batch.ending(TWO, FACTS).ending(ONE, None).over


def test_what_was_pruned():
    """What was pruned is told from the oldest version on; what was not is left out."""
    batch = Batch().asking([ONE, TWO, THREE]).ending(THREE, FACTS).ending(ONE, FACTS).ending(TWO, None)
    assert list(batch.pruned) == [ONE, THREE]


def test_messages_that_come_twice():
    """That a version was pruned stays known; that nothing came of a message can turn out better."""
    batch = Batch().asking([ONE]).ending(ONE, None).ending(ONE, FACTS).ending(ONE, None)
    assert batch.pruned == {ONE: FACTS}


def test_a_pass_that_asks_again():
    """A pass that was killed and asks again adds to what was asked for, and forgets nothing."""
    batch = Batch().asking([ONE, TWO]).ending(ONE, FACTS).asking([TWO, THREE])
    assert batch == Batch(frozenset({"1.0.1", "1.0.2", "1.0.3"}), {"1.0.1": FACTS})


def test_facts_of_any_size():
    """What is remembered of a prune is short, so that a batch can be read and written at once."""
    long = {"regionsKept": [{"name": "eastus2", "reason": "x" * 500}] * 50, "gibFreed": 30}
    facts = Batch().asking([ONE]).ending(ONE, long).pruned[ONE]
    assert len(json.dumps(facts)) <= 1000
    assert facts["gibFreed"] == 30


@given(st.lists(st.sampled_from(NUMBERS)), st.dictionaries(st.sampled_from(NUMBERS), st.none() | st.just(FACTS)))
def test_json_round_trip(asked, ended):
    """Any batch is read from what was stored of it as it was."""
    batch = Batch().asking(asked)
    for number, facts in ended.items():
        batch = batch.ending(number, facts)
    assert Batch.from_json(json.loads(json.dumps(batch.to_json()))) == batch


def test_names_of_batches():
    """A pass has a batch for each hundred prunes, with the same names when its message comes again."""
    named = dict(batches(NUMBERS, "ticket"))
    assert [len(some) for some in named.values()] == [100, 100, 5]
    assert dict(batches(NUMBERS, "ticket")) == named
    assert not dict(batches(NUMBERS, "another")).keys() & named.keys()


def test_a_single_prune_is_no_batch():
    """One prune alone, or none, needs nobody to wait for."""
    assert list(batches([ONE], "ticket")) == list(batches([], "ticket")) == []
