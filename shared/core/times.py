"""Times as they are stored."""

from datetime import datetime


def iso(at: datetime | None) -> str | None:
    """Give the stored form."""
    return at.isoformat() if at else None


def moment(text: str | None) -> datetime | None:
    """Read the stored form."""
    return datetime.fromisoformat(text) if text else None
