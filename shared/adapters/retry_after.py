"""How long the outside asks to be left alone."""

from datetime import timedelta

_DIGITS = 9
"""A number with more digits is beyond all waits, and soon beyond what a timedelta holds."""


def retry_after(*texts: str) -> timedelta | None:
    """Read the first of some texts that is a whole number of seconds; ``None`` when none is."""
    seconds = next((int(text[:_DIGITS]) for text in texts if text.isdecimal()), None)
    return None if seconds is None else timedelta(seconds=seconds)
