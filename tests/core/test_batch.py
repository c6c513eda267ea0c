import json

from hypothesis import given
from hypothesis import strategies as st

from shared.core.batch import Batch, batch_name
from tests.core import strategies
from tests.core.build import HOUR, NOW, version_id

NUMBERS = [version_id(f"1.0.{patch}").number for patch in range(205)]
ONE, TWO, THREE = NUMBERS[1:4]
FACTS = {"regionsRemoved": ["eastus2"], "regionsKept": [], "gibFreed": 30}


def asked_for(*numbers):
    """Make a batch that was asked for now."""
    return Batch().asking(numbers, NOW)


def test_a_batch_is_over_when_the_last_has_ended():
    """A batch waits for everything that was asked for, whatever came of it."""
    batch = asked_for(ONE, TWO)
    assert not batch.over
    assert not batch.pruning(TWO, FACTS, NOW).over
    assert batch.pruning(TWO, FACTS, NOW).nothing(ONE).over


def test_what_was_pruned():
    """What was pruned is told from the oldest version on; what was not is left out."""
    batch = asked_for(ONE, TWO, THREE).pruning(THREE, FACTS, NOW).pruning(ONE, FACTS, NOW + HOUR).nothing(TWO)
    assert list(batch.pruned) == [ONE, THREE]
    assert batch.prunes == {"1.0.1": NOW + HOUR, "1.0.3": NOW}


def test_messages_that_come_twice():
    """That a version was pruned stays known; that nothing came of a message can turn out better."""
    batch = asked_for(ONE, TWO).nothing(ONE).pruning(ONE, FACTS, NOW).pruning(ONE, {}, NOW + HOUR).nothing(ONE)
    assert batch.pruned == {ONE: FACTS}
    assert batch.prunes == {"1.0.1": NOW}


def test_nobody_joins_a_batch_that_is_over():
    """Once all have ended people hear of them: what ends later is not remembered with them, and is told alone."""
    over = asked_for(ONE, THREE).pruning(ONE, FACTS, NOW).nothing(THREE)
    assert over.pruning(TWO, FACTS, NOW) is None
    assert over.pruning(THREE, FACTS, NOW) is None
    assert over.nothing(TWO) is None
    assert over.pruning(ONE, {}, NOW + HOUR) == over.nothing(ONE) == over.nothing(THREE) == over


def test_a_pass_that_asks_again():
    """A pass that was killed and asks again waits for what it asks for now, and forgets nothing that has ended."""
    batch = asked_for(ONE, TWO).pruning(ONE, FACTS, NOW).asking([THREE], NOW + HOUR)
    assert batch == Batch(frozenset({"1.0.1", "1.0.3"}), {"1.0.1": FACTS}, NOW, {"1.0.1": NOW})
    assert batch.pruning(TWO, FACTS, NOW).nothing(THREE).pruned.keys() == {ONE, TWO}


def test_facts_of_any_size():
    """What is remembered of a prune is short, so that a batch can be read and written at once."""
    long = {"regionsKept": [{"name": "eastus2", "reason": "x" * 500}] * 50, "gibFreed": 30}
    facts = asked_for(ONE).pruning(ONE, long, NOW).pruned[ONE]
    assert len(json.dumps(facts)) <= 1000
    assert facts["gibFreed"] == 30


names = st.sampled_from(NUMBERS).map(str)


@given(
    st.builds(
        Batch,
        st.frozensets(names),
        st.dictionaries(names, st.none() | st.just(FACTS)),
        st.none() | strategies.moments,
        st.dictionaries(names, strategies.moments),
    )
)
def test_json_round_trip(batch):
    """Any batch is read from what was stored of it as it was."""
    assert Batch.from_json(json.loads(json.dumps(batch.to_json()))) == batch


def test_what_was_stored_before_batches_had_times():
    """A batch that was stored without times is read all the same."""
    assert Batch.from_json({"asked": ["1.0.1"], "ended": {}}) == Batch(frozenset({"1.0.1"}))


def test_names_of_batches():
    """The batches of a pass have the same names when its message comes again, and no other pass has them."""
    names = {batch_name(ticket, index) for ticket in ("ticket", "another") for index in range(3)}
    assert len(names) == 6
    assert batch_name("ticket", 1) in names
