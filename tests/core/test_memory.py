import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.memory import Memory
from shared.core.tags import Tagged, Tags
from tests.core import strategies
from tests.core.build import HOUR, MINUTE, NOW, SECOND, version_id

NUMBER = version_id("1.0.3").number
TAGS = Tagged(Tags(NOW, {"gallery-fanout-keep": "true"}), Tags(NOW - SECOND, {}))
memories = st.builds(
    Memory,
    newest=st.none() | strategies.numbers,
    next_pass=st.none() | strategies.moments,
    reported=st.text(),
    said=st.lists(st.text(), max_size=5).map(tuple),
    reports=st.integers(0, 9),
    tags=st.none() | strategies.tagged,
)


@given(memories)
def test_json_round_trip(memory):
    """What is remembered of a definition is read from what was stored of it as it was."""
    again = Memory.from_json(json.loads(json.dumps(memory.to_json())))
    assert again == memory
    assert str(again.newest) == str(memory.newest)


def test_nothing_is_remembered_at_first():
    """At first nothing is remembered, and that can be stored too."""
    assert Memory.from_json(Memory().to_json()) == Memory(None, None, "", ())


@pytest.mark.parametrize(
    ("next_pass", "due", "expected"),
    [
        pytest.param(None, NOW + HOUR, False, id="none is coming"),
        pytest.param(NOW + HOUR, NOW + HOUR, True, id="one comes just then"),
        pytest.param(NOW + MINUTE, NOW + HOUR, True, id="one comes before"),
        pytest.param(NOW + HOUR + SECOND, NOW + HOUR, False, id="one comes later"),
        pytest.param(NOW - HOUR, NOW + HOUR, False, id="one was to come, and is lost or done"),
        pytest.param(NOW, NOW + HOUR, False, id="this is it"),
        pytest.param(NOW + 2 * SECOND, NOW + HOUR, False, id="this is it, a little early"),
        pytest.param(NOW + 3 * SECOND, NOW + HOUR, True, id="one comes soon"),
        pytest.param(NOW + SECOND, NOW + SECOND, False, id="this is it, and another is due at once"),
    ],
)
def test_expects(next_pass, due, expected):
    """A pass need not be asked for when another comes by then; the one that is running is not another."""
    assert Memory(next_pass=next_pass).expects(due, NOW) is expected


def test_what_is_remembered():
    """Each thing is remembered beside the others."""
    memory = Memory().expecting(NOW).having(NUMBER).reporting("plan").saying("a").saying("b").ruled_by(TAGS)
    assert memory == Memory(NUMBER, NOW, "plan", ("a", "b"), reports=1, tags=TAGS)


def test_only_the_latest_sayings_are_remembered():
    """Of what was said the latest fifty are remembered, so that what is stored cannot grow for ever."""
    memory = Memory()
    for number in range(60):
        memory = memory.saying(str(number))
    assert memory.said == tuple(str(number) for number in range(10, 60))


@pytest.mark.parametrize("name", ["reports", "tags"])
def test_what_an_earlier_release_stored(name):
    """A row without what was added since is read as of a definition of which nothing was reported, or read."""
    stored = {each: value for each, value in Memory().to_json().items() if each != name}
    assert Memory.from_json(stored) == Memory()


def _with(tags: Tagged, **others: Tags) -> Tagged:
    return replace(tags, **others)


@pytest.mark.parametrize(
    ("remembered", "expected"),
    [
        pytest.param(None, False, id="none are remembered"),
        pytest.param(TAGS, False, id="the same"),
        pytest.param(_with(TAGS, image=replace(TAGS.image, at=NOW - HOUR)), False, id="the same, from before"),
        pytest.param(_with(TAGS, image=Tags(NOW - SECOND, {})), True, id="earlier ones of the definition"),
        pytest.param(_with(TAGS, gallery=Tags(NOW - HOUR, {"team": "x"})), True, id="earlier ones of the gallery"),
        pytest.param(_with(TAGS, image=Tags(NOW + SECOND, {})), False, id="later ones"),
    ],
)
def test_tags_that_mislead(remembered, expected):
    """Remembered tags mislead when others have been read since; then those are remembered, and later ones stay."""
    memory = Memory(tags=remembered)
    assert memory.misleads(TAGS) is expected
    assert not memory.ruled_by(TAGS).misleads(TAGS)
    assert memory.ruled_by(TAGS).tags == TAGS.or_later(remembered)
