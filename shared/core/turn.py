"""Whose turn it is to have a pass over an image definition: messages that wait together share one.

A pass sees all that was so before it began. Whoever comes while another has one says so and ends; who had the pass then
sees to one more, which gathers for a little while before it begins, and whoever comes in that time ends at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from shared.core.times import iso, moment

GATHER = timedelta(seconds=2)
"""The time between a pass during which others came and the one that they share."""

_LASTS = timedelta(minutes=2)
_OVERDUE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Turn:
    """What is remembered of the passes over an image definition. It is held, or it gathers, or neither.

    :param holder: the ticket of the message that has a pass.
    :param until: when the turn ends by itself, for when its holder was killed and comes back late.
    :param others: whether others came meanwhile.
    :param gathers: when the message with the next pass is due; it is in its queue.
    """

    holder: str = ""
    until: datetime | None = None
    others: bool = False
    gathers: datetime | None = None

    def arrive(self, ticket: str, now: datetime, *, gathered: bool) -> Self:
        """Let a message come. It has the turn if it is the holder then; else its pass is left to another.

        :param gathered: whether it is the message that others left their passes to. It leaves them to nobody: while
            another has the turn it has to wait.
        """
        if self.gathers and now < self.gathers + _OVERDUE and not gathered:
            return self
        if self.until and now < self.until and self.holder != ticket:
            return self if gathered else replace(self, others=True)
        return type(self)(ticket, now + _LASTS)

    def leave(self, ticket: str, gathers: datetime | None = None) -> Self:
        """End a turn. It does not end while others are left without a pass, nor by who has lost it meanwhile.

        :param gathers: when the message with the next pass, which was put, is due.
        """
        if self.holder != ticket or (self.others and not gathers):
            return self
        return type(self)(gathers=gathers)

    def to_json(self) -> dict[str, Any]:
        """Give the stored form."""
        return {
            "holder": self.holder,
            "until": iso(self.until),
            "others": self.others,
            "gathers": iso(self.gathers),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read the stored form."""
        return cls(stored["holder"], moment(stored["until"]), stored["others"], moment(stored["gathers"]))
