"""A message that nobody could handle, as it is kept for people."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that nobody could handle.

    :param queue: the queue that it was in.
    :param name: its id in the poison queue.
    :param body: its text.
    """

    queue: str
    name: str
    body: str
    reason: str
    at: datetime
