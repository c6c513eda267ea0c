"""When somebody says "not now", and for how long."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

NOT_NOW = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses that pass by themselves."""

UNHURRIED = timedelta(seconds=30)
"""How long to wait when nobody says how long."""

_DIGITS = 9
"""A number with more digits is beyond all waits, and soon beyond what a timedelta holds."""

_NUMBER = re.compile(r"(\d+)(?:\.(\d+))?")


def retry_after(*texts: str) -> timedelta | None:
    """Read the first of some texts that is a number of seconds, a part of one as a whole; ``None`` when none is."""
    found = next(filter(None, map(_NUMBER.fullmatch, texts)), None)
    if found is None:
        return None
    whole, part = found.groups("0")
    return timedelta(seconds=int(whole[:_DIGITS]) + bool(part.strip("0")))


def retry_after_header(text: str, now: datetime) -> timedelta | None:
    """Read a ``Retry-After``: a number of seconds or a date (RFC 9110); ``None`` when it is neither."""
    seconds = retry_after(text.strip())
    if seconds is not None:
        return seconds
    at = moment(text)
    try:
        return None if at is None else max(at - now, timedelta(0))
    except OverflowError:  # a year that no calendar has, seen from another time zone
        return None


def moment(text: str) -> datetime | None:
    """Read a date of any of HTTP's forms; ``None`` when it is none."""
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # a year that no calendar has
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
