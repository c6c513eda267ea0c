"""Times: as they are stored, and how long a refusal counts."""

from datetime import datetime, timedelta

_REFUSAL_LASTS = timedelta(minutes=50)


def lately(refused: datetime | None, now: datetime) -> bool:
    """Whether Azure refused something a short time ago; an hourly sweep is late enough to ask again."""
    return refused is not None and now < refused + _REFUSAL_LASTS


def iso(at: datetime | None) -> str | None:
    """Give the stored form."""
    return at.isoformat() if at else None


def moment(text: str | None) -> datetime | None:
    """Read the stored form."""
    return datetime.fromisoformat(text) if text else None
