"""Words, numbers and durations, as people write and read them."""

import re
from datetime import timedelta

from shared.core.errors import Malformed

_LONGEST_SHOWN = 160  # about a line
_LONGEST_WORDS = 1000


def shown(text: str) -> str:
    """Quote text from outside for an error: control characters escaped, not longer than a line."""
    return repr(text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 3]}...")


def plain(words: object) -> str:
    """Give somebody's words, or what came in their place, for people: one line, not endless, of what can be seen."""
    seen = (each if each.isprintable() or each.isspace() else "?" for each in str(words))
    return " ".join("".join(seen).split())[:_LONGEST_WORDS]


def whole(text: str, least: int, most: int) -> int:
    """Read a whole number within bounds.

    :raises Malformed: for anything else.
    """
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not least <= int(text) <= most:
        raise Malformed(f"{shown(text)} is not a whole number from {least} to {most}")
    return int(text)


def span(length: timedelta, *, rough: bool = False) -> str:
    """Say a duration in its two largest units: ``2 h 5 min``, ``14 min 20 s``.

    :param rough: leave the seconds out beside minutes.
    """
    minutes, seconds = divmod(max(round(length.total_seconds()), 0), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return _pair(days, "d", hours, "h")
    if hours:
        return _pair(hours, "h", minutes, "min")
    return _pair(minutes, "min", 0 if rough else seconds, "s") if minutes else f"{seconds} s"


def _pair(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large} {large_unit} {small} {small_unit}" if small else f"{large} {large_unit}"
