"""When Azure says "not now", and for how long."""

from datetime import timedelta

NOT_NOW = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses that pass by themselves."""

UNHURRIED = timedelta(seconds=30)
"""How long to wait when nobody says how long."""

_DIGITS = 9
"""A number with more digits is beyond all waits, and soon beyond what a timedelta holds."""


def retry_after(*texts: str) -> timedelta | None:
    """Read the first of some texts that is a whole number of seconds; ``None`` when none is."""
    seconds = next((int(text[:_DIGITS]) for text in texts if text.isdecimal()), None)
    return None if seconds is None else timedelta(seconds=seconds)
