"""What each HTTP status means for a post: the one table for every kind of receiver."""

from shared.core.delivery import Verdict

_AGAIN = {408, 425, 429}
"""Of those below 500: too slow, too early, too many. They pass by themselves."""


def _meaning(status: int) -> Verdict:
    if status // 100 == 2:
        return Verdict.POSTED
    return Verdict.AGAIN if status in _AGAIN or status // 100 == 5 else Verdict.REFUSED


STATUSES = {status: _meaning(status) for status in range(100, 600)}
"""Every status that HTTP can have, known or not."""
