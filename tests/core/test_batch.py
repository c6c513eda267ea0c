import json

from hypothesis import given
from hypothesis import strategies as st

from shared.core.batch import Batch, batch_name
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
    """A pass that was killed and asks again waits for what it asks for now, and forgets nothing that has ended."""
    batch = Batch().asking([ONE, TWO]).ending(ONE, FACTS).asking([THREE])
    assert batch == Batch(frozenset({"1.0.1", "1.0.3"}), {"1.0.1": FACTS})
    assert batch.ending(TWO, FACTS).ending(THREE, None).pruned.keys() == {ONE, TWO}


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
    """The batches of a pass have the same names when its message comes again, and no other pass has them."""
    names = {batch_name(ticket, index) for ticket in ("ticket", "another") for index in range(3)}
    assert len(names) == 6
    assert batch_name("ticket", 1) in names
