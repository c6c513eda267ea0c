"""Whatever comes from outside, a line of the log is one line."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.journal import note, warn
from shared.core.errors import Malformed, Refused
from shared.core.names import Name
from tests.fuzz.mutations import odd_texts, odd_values, spoiled, tried
from tests.fuzz.samples import EVENT

_values = st.one_of(
    odd_texts,
    odd_values,
    spoiled([EVENT["subject"], "a b=c"]),
    odd_texts.map(Name),
    odd_texts.map(Malformed),
    odd_texts.map(lambda text: Refused(text, text)),
    st.lists(odd_texts, max_size=4),
    st.lists(odd_texts, max_size=4).map(tuple),
    st.binary(max_size=20),
)


class Lines(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(message)s"))
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        self.lines.append(self.format(record))


@pytest.fixture(scope="module")
def lines():
    """What the app logs."""
    logger, handler = logging.getLogger("gallery_fanout"), Lines()
    level, logger.propagate = logger.level, False
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield handler.lines
    logger.removeHandler(handler)
    logger.setLevel(level)
    logger.propagate = True


@given(_values, _values, st.sampled_from([note, warn]))
@tried(100)
def test_one_call_is_one_line(lines, first, second, write):
    """One call is one line that can be printed and encoded, with the event's name first."""
    lines.clear()
    write("event.dropped", reason=first, version=second)
    (line,) = lines
    assert line.isprintable()
    assert line.splitlines() == [line]
    assert line.encode()
    assert line.startswith("event.dropped reason=")


@given(odd_texts | spoiled([EVENT["subject"], "x version=y", "' version='"]))
@tried(100)
def test_a_value_makes_no_field(lines, text):
    """A value cannot be mistaken for another field: it stands alone, or in quotes that only it can end."""
    lines.clear()
    note("event.dropped", reason=text)
    (line,) = lines
    told = line.removeprefix("event.dropped reason=")
    quoted = told[:1] in "'\"" and told[:1] == told[-1:] and len(told) > 1
    assert quoted or not set(told) & {" ", "="}
