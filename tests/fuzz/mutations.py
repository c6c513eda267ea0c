"""What comes from outside, and good inputs with parts deleted, retyped, doubled, nested, lengthened or spoiled.

JSON is given as text, so that neither absurd depth nor a name that stands twice is lost on the way.
"""

import json
import os
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.core import strategies

_TIMES = int(os.environ.get("FUZZ_EXAMPLES", "1"))
_DEEPEST_LOOK = 8


def tried(examples: int) -> hypothesis_settings:
    """Try a claim so often, always alike; or ``FUZZ_EXAMPLES`` times as often, each time otherwise."""
    return hypothesis_settings(
        max_examples=examples * _TIMES,
        derandomize=_TIMES == 1,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )


LOOK_ALIKES = ("\u0131", "\u017f", "\u212a", "\u0430", "\uff41", "\u2215", "\u2024", "\uff0e", "\u0660", "\u00b2")
"""Letters, slashes, dots and digits that only look like those of ASCII, or become them in another letter case."""

CONTROLS = ("\0", "\t", "\n", "\r\n", "\x1b[2J", "\x7f", "\x85", "\u2028", "\u202e", "\ufeff")
TRAVERSALS = ("/..", "/.", "/./", "/../", "//", "/%2e%2e", "%2e", "%2F", "%252f", "\\", "\\..\\", "?", "#", "?x=/", ";")
ODD_TEXTS = (
    *LOOK_ALIKES,
    *CONTROLS,
    *TRAVERSALS,
    *("", " ", "'", '"', "`", "{image}", "{0.__class__}", "%s", "<b>", "&", "|", "=", "@", ":", ",", ".", "-", "~"),
    *("NaN", "Infinity", "1e999", "-1", "0x10", "1_0", "9" * 5000, "a" * 2000, "\ud800", "\U0001f600"),
)
odd_texts = st.sampled_from(ODD_TEXTS) | st.text(max_size=12)


def _deep(depth: int) -> Any:
    value: Any = None
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    return value


_NUMBERS = (0, -1, 1, 2**31, 2**63, 10**400, -(10**4000), 0.5, 1e308, float("inf"), float("nan"))
_SHALLOW = st.sampled_from([None, True, False, *_NUMBERS, [], {}, [None], {"": ""}, [[]]]).map(deepcopy)
_DEEP = st.sampled_from([3, 60]).map(_deep)
odd_values = st.one_of(_SHALLOW, _SHALLOW, odd_texts, strategies.json_values, _DEEP)

HOSTILE_JSON = (
    *("", "{", "nul", "NaN", "-Infinity", "\ufeff{}", '"\\ud800"', "9" * 5000, "1e999999"),
    *("[" * 20_000, '{"":' * 11_000, "[" * 60 + "]" * 60),
)
hostile_json = st.integers(0, len(HOSTILE_JSON) - 1).map(lambda which: HOSTILE_JSON[which])  # its own form is short


@st.composite
def spoiled(draw: st.DrawFn, good: Sequence[str]) -> str:
    """Give a good text with up to three places spoiled."""
    text = draw(st.sampled_from(good))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 6)))
        inner = draw(odd_texts | st.sampled_from([text[start:end] * 2, text[start:end].swapcase(), text[start:]]))
        text = text[:start] + inner + text[end:]
    return text


@st.composite
def spoiled_json(draw: st.DrawFn, good: Sequence[Any]) -> str:
    """Give good JSON with up to three parts deleted, retyped, doubled, nested, lengthened or spoiled."""
    holder = {"": deepcopy(draw(st.sampled_from(good)))}
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from(_paths(holder)))
        inner: Any = holder
        for step in way:
            inner = inner[step]
        _spoil(draw, inner, last)
        holder.setdefault("", None)
    return json.dumps(holder[""])


def outside(good: Sequence[Any]) -> st.SearchStrategy[str]:
    """Give anything that may come where one of these JSON values is expected, as text."""
    return st.one_of(
        spoiled_json(good),
        spoiled_json(good),
        spoiled([json.dumps(each) for each in good]),
        strategies.json_values.map(json.dumps),
        hostile_json,
        st.text(),
    )


def _spoil(draw: st.DrawFn, inner: Any, key: Any) -> None:
    value = inner[key]
    match draw(st.sampled_from(["delete", "retype", "retype", "double", "nest", "lengthen", "spoil", "rename"])):
        case "delete":
            del inner[key]
        case "double" if isinstance(inner, list):
            inner.insert(key, value)
        case "double" | "rename" if isinstance(inner, dict) and key:
            inner[draw(spoiled([key]))] = value
        case "nest":
            inner[key] = [value] if draw(st.booleans()) else {"value": value}
        case "lengthen" if isinstance(value, str):
            inner[key] = value[:40] * 150
        case "lengthen" if isinstance(value, list):
            inner[key] = value * 10
        case "spoil" if isinstance(value, str):
            inner[key] = draw(spoiled([value]))
        case _:
            inner[key] = draw(odd_values)


def _paths(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if len(way) > _DEEPEST_LOOK:
        return []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for key, each in items for path in [(*way, key), *_paths(each, (*way, key))]]
