"""Points in time as the gallery writes them."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import cycle
from typing import Final

_NANOSECONDS: Final = 1_000_000_000
# Captured answers carry the offset of whichever machine answered: +08:00 as well as +00:00.
_OFFSETS: Final = (timezone(timedelta(hours=8)), UTC, timezone(timedelta(hours=-7)))


def written(at: float, zone: timezone = UTC) -> str:
    """Write seconds since 1970 with seven fractional digits and an offset (seen in captured traffic)."""
    whole, nanoseconds = divmod(round(at * _NANOSECONDS), _NANOSECONDS)
    moment = datetime.fromtimestamp(whole, zone)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{nanoseconds // 100:07d}{moment:%:z}"


def utc(at: float) -> str:
    """Write seconds since 1970 as Event Grid does: seven fractional digits and a Z (documented)."""
    return written(at).removesuffix("+00:00") + "Z"


def parsed(text: str) -> float:
    """Return the seconds since 1970 of an ISO 8601 text; without an offset it is UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


class Stamps:
    """Writes points in time, each in the next of three offsets."""

    def __init__(self) -> None:
        self._zones = cycle(_OFFSETS)

    def write(self, at: float) -> str:
        """Write seconds since 1970 in the next offset."""
        return written(at, next(self._zones))
