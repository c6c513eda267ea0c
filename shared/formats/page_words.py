"""The words of the page: times, states, how far and how long."""

from datetime import UTC, datetime, timedelta

from shared.core.status import DefinitionStatus, Place, Running, Standing, estimate
from shared.core.text import span

_LATELY = timedelta(seconds=5)

_WORDS = {
    Standing.COMPLETE: "complete",
    Standing.REPLICATING: "replicating",
    Standing.FAILED: "failed",
    Standing.REQUESTED: "asked for",
    Standing.MISSING: "missing",
    Standing.WAITING: "waiting",
    Standing.SKIPPED: "skipped",
    Standing.UNWANTED: "not wanted",
    Standing.LEAVING: "leaving",
    Standing.THERE: "there",
}


def ago(at: datetime, now: datetime) -> str:
    """Say when something was: ``12 min ago``, ``just now``, ``in 3 h``."""
    if abs(now - at) < _LATELY:
        return "just now"
    return f"{span(now - at, rough=True)} ago" if at < now else f"in {span(at - now, rough=True)}"


def clock(at: datetime) -> str:
    """Say a time in full: ``21 Nov 2026, 10:45:12 UTC``."""
    utc = at.astimezone(UTC)
    return f"{utc.day} {utc:%b %Y, %H:%M:%S} UTC"


def lasting(seconds: float) -> str:
    """Say a duration."""
    return span(timedelta(seconds=seconds), rough=True)


def word(place: Place) -> str:
    """Say how a version stands in a region."""
    if place.standing is Standing.REPLICATING and place.progress is not None:
        return f"{place.progress} %"
    if place.standing is Standing.WAITING and place.wave:
        return f"waiting for wave {place.wave}"
    return _WORDS[place.standing]


def hint(place: Place, now: datetime) -> str:
    """Say more of it: why, how many replicas, since when."""
    told = [_WORDS[place.standing], place.reason if place.reason != _WORDS[place.standing] else ""]
    if place.replicas:
        told.append("1 replica" if place.replicas == 1 else f"{place.replicas} replicas")
    if place.since and place.standing is Standing.COMPLETE:
        told.append(f"seen complete {ago(place.since, now)}")
    return f"{place.region}: {'; '.join(each for each in told if each)}"


def going(running: Running, status: DefinitionStatus, now: datetime) -> str:
    """Say how far a rollout is, and how long it will take."""
    told = [f"is in {running.done} of {running.of} regions"]
    if running.waves > 1:
        told.append(f"wave {running.wave} of {running.waves}")
    told.append(f"running for {span(now - running.started, rough=True)}")
    return ", ".join(told) + _prospect(running, status, now)


def _prospect(running: Running, status: DefinitionStatus, now: datetime) -> str:
    usual = estimate(status)
    if usual is None:
        return ""
    earlier = f"from {len(status.finished)} earlier {'one' if len(status.finished) == 1 else 'ones'}"
    late = ", longer than usual" if now - running.started > usual else ""
    return f"; about {span(usual, rough=True)} in all, {earlier}{late}"


def count(number: int, one: str, many: str = "") -> str:
    """Say how many: ``1 version``, ``2 versions``."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}".replace(",", " ")
