from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.core.errors import Malformed
from shared.core.text import plain, shown, span, whole
from tests.core.build import DAY, HOUR, MINUTE, SECOND

UNITS = {"d": DAY, "h": HOUR, "min": MINUTE, "s": SECOND}
durations = st.timedeltas(timedelta(0), timedelta(days=4000))


def said(words: str) -> tuple[timedelta, list[str]]:
    """Read a duration as people do: how long it is, and its units."""
    parts = words.split(" ")
    numbers, units = parts[::2], parts[1::2]
    return sum((int(number) * UNITS[unit] for number, unit in zip(numbers, units, strict=True)), timedelta(0)), units


@pytest.mark.parametrize(
    ("text", "least", "most", "number"),
    [
        ("1", 1, 1, 1),
        ("0", 0, 10, 0),
        ("007", 1, 10, 7),
        ("999999999", 0, 999_999_999, 999_999_999),
    ],
)
def test_whole_numbers(text, least, most, number):
    """Plain digits within the bounds, both of them included, are a whole number."""
    assert whole(text, least, most) == number


@pytest.mark.parametrize(
    "text", ["", " ", " 1", "1 ", "1\n", "+1", "-1", "1.0", "1e1", "1_0", "0x1", "one", "0", "11", "9" * 10, "\u0663"]
)
def test_not_whole_numbers(text):
    """Anything else is refused, with what was given and what is wanted."""
    with pytest.raises(Malformed) as caught:
        whole(text, 1, 10)
    assert str(caught.value) == f"{text!r} is not a whole number from 1 to 10"


def test_a_long_text_is_shown_by_its_beginning():
    """A long text is quoted by what fits into a line, also where it is no number."""
    assert shown("x" * 160) == repr("x" * 160)
    with pytest.raises(Malformed, match=r"^'x{157}\.\.\.' is not"):
        whole("x" * 1000, 1, 10)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("All is well.", "All is well."),
        (" one\n\ttwo\u2028three ", "one two three"),
        ("caf\u00e9 \U0001f600", "caf\u00e9 \U0001f600"),
        ("half \ud800 a letter", "half ? a letter"),
        ("\x1b[2J\0 \u202edraw", "?[2J? ?draw"),
        (7, "7"),
        (["\udfff"], "['\\udfff']"),
        ("x" * 5000, "x" * 1000),
    ],
)
def test_plain_words(words, told):
    """Somebody's words are one line of what can be seen, and not endless."""
    assert plain(words) == told


@given(st.text() | st.text(st.characters(categories=["Cs", "Cc", "Zs", "Zl"])))
def test_any_words(text):
    """Any words can be printed, and are as they were when they are plain already."""
    assert plain(text).isprintable()
    assert plain(plain(text)) == plain(text)


@given(st.text() | st.integers(-20, 20).map(str), st.integers(-10, 10), st.integers(-10, 10))
def test_any_text_as_whole_number(text, least, most):
    """Any text is a number within the bounds, or Malformed, and nothing else is raised."""
    try:
        number = whole(text, least, most)
    except Malformed:
        return
    assert least <= number <= most
    assert number == int(text)


@pytest.mark.parametrize(
    ("length", "words", "roughly"),
    [
        (-HOUR, "0 s", "0 s"),
        (timedelta(0), "0 s", "0 s"),
        (timedelta(seconds=0.4), "0 s", "0 s"),
        (timedelta(seconds=0.6), "1 s", "1 s"),
        (59 * SECOND, "59 s", "59 s"),
        (timedelta(seconds=59.6), "1 min", "1 min"),
        (MINUTE, "1 min", "1 min"),
        (14 * MINUTE + 20 * SECOND, "14 min 20 s", "14 min"),
        (59 * MINUTE + 59 * SECOND, "59 min 59 s", "59 min"),
        (HOUR, "1 h", "1 h"),
        (HOUR + 59 * SECOND, "1 h", "1 h"),
        (2 * HOUR + 5 * MINUTE, "2 h 5 min", "2 h 5 min"),
        (DAY, "1 d", "1 d"),
        (DAY + 59 * MINUTE, "1 d", "1 d"),
        (3 * DAY + 4 * HOUR + 5 * MINUTE, "3 d 4 h", "3 d 4 h"),
        (400 * DAY, "400 d", "400 d"),
    ],
)
def test_spans(length, words, roughly):
    """A duration is said in its two largest units, without those that are zero; roughly, without seconds."""
    assert span(length) == words
    assert span(length, rough=True) == roughly


@given(durations, st.booleans())
@example(length=timedelta(seconds=59.5), rough=True)
def test_any_span(length, rough):
    """A duration in words is at most its largest unit's next smaller one too short, and never nothing for something."""
    total, units = said(span(length, rough=rough))
    rounded = timedelta(seconds=round(length.total_seconds()))
    smallest = {"d": HOUR, "h": MINUTE, "min": MINUTE if rough else SECOND, "s": SECOND}[units[0]]
    assert rounded - smallest < total <= rounded
    assert total or length <= SECOND / 2
    assert len(units) <= 2


@given(durations, durations)
def test_longer_spans_do_not_sound_shorter(one, other):
    """Of two durations the longer one is not said to be the shorter one."""
    shorter, longer = sorted([one, other])
    assert said(span(shorter))[0] <= said(span(longer))[0]
