"""What a webhook's answer means, and how long to wait before it is tried again."""

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
_PAUSES = tuple(
    timedelta(seconds=seconds) for seconds in (5, 15, 60, 5 * 60, 15 * 60, 30 * 60, 3600, 2 * 3600, 4 * 3600)
)


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
