"""What a receiver's answer means, and how long to wait before it is tried again."""

from datetime import timedelta
from enum import Enum, auto
from http import HTTPStatus


class Verdict(Enum):
    """What an answer means."""

    POSTED = auto()
    AGAIN = auto()
    REFUSED = auto()


_AGAIN = frozenset(
    {
        0,  # no answer at all
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_EARLY,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)
_HOUR = 3600
_PAUSES = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 15, 60, 300, 900, 1800, _HOUR, 2 * _HOUR, 3 * _HOUR, 4 * _HOUR, 6 * _HOUR, 7 * _HOUR)
)
"""Between the tries: a day in all, less ten minutes, so that the last try is made before the message is given up."""


def verdict(status: int) -> Verdict:
    """Say what an HTTP status means; ``0`` is no answer."""
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Verdict.POSTED
    if status in _AGAIN or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Verdict.AGAIN
    return Verdict.REFUSED


def pause(attempt: int) -> timedelta:
    """Give the pause after the given number of vain tries before this one: growing, hours in the end."""
    return _PAUSES[min(max(attempt, 0), len(_PAUSES) - 1)]


def wait(attempt: int, asked: timedelta | None, left: timedelta) -> timedelta | None:
    """Say how long to wait before the next try; ``None`` when it is time to give up.

    :param asked: how long the receiver wants to be left alone: no try comes sooner, unless it would be the last one.
    :param left: how long the status is worth a try.
    """
    return min(max(pause(attempt), asked or timedelta(0)), left) if left > timedelta(0) else None
