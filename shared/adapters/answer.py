"""What a receiver of statuses answers."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    :param status: the HTTP status; ``0`` when no answer came.
    :param reason: for people.
    :param retry_after: how long the receiver asked to be left alone.
    """

    status: int
    reason: str
    retry_after: timedelta | None = None
