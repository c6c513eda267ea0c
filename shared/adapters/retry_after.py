"""When somebody says "not now", and for how long."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

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


def retry_after_header(text: str, now: datetime) -> timedelta | None:
    """Read a ``Retry-After``: a number of seconds or a date (RFC 9110); ``None`` when it is neither."""
    seconds = retry_after(text.strip())
    if seconds is not None:
        return seconds
    try:
        at = parsedate_to_datetime(text)
        return max((at if at.tzinfo else at.replace(tzinfo=UTC)) - now, timedelta(0))
    except (ValueError, OverflowError):  # a year that no calendar has, also seen from another time zone
        return None
