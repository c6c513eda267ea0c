"""The prunes that one pass asked for: machines hear of each, people of all of them together."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from shared.core.fitting import fitted
from shared.core.names import VersionNumber

_IDS = uuid.UUID("0c7bb2f4-0d0e-4bb1-9d38-9f0b8f5f6d6e")
LARGEST = 100
"""Prunes in one message to people; more are not read."""

_LONGEST_FACTS = 1000  # characters of JSON for each prune


@dataclass(frozen=True, slots=True)
class Batch:
    """The prunes of one pass, until the last of them has ended.

    :param asked: the versions, by number.
    :param ended: what came of those that have ended: the data of its status, or ``None`` when nothing was pruned.
    """

    asked: frozenset[str] = frozenset()
    ended: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)

    def asking(self, numbers: Iterable[VersionNumber]) -> Self:
        """Remember what is about to be asked for.

        A pass that was killed asks again: what has neither ended nor is asked for again is not waited for, because
        perhaps nobody was told to prune it.
        """
        return replace(self, asked=frozenset({number.name for number in numbers} | self.ended.keys()))

    def ending(self, number: VersionNumber, facts: Mapping[str, Any] | None) -> Self:
        """Remember what came of one. That it was pruned stays so, because its message may come twice."""
        if self.ended.get(number.name):
            return self
        return replace(self, ended={**self.ended, number.name: fitted(facts, _LONGEST_FACTS) if facts else None})

    @property
    def over(self) -> bool:
        """Whether all have ended."""
        return self.asked <= self.ended.keys()

    @property
    def pruned(self) -> dict[VersionNumber, Mapping[str, Any]]:
        """What was pruned, oldest version first."""
        found = {VersionNumber.parse(name): facts for name, facts in self.ended.items() if facts}
        return dict(sorted(found.items()))

    def to_json(self) -> dict[str, Any]:
        """Give the stored form."""
        return {"asked": sorted(self.asked), "ended": dict(self.ended)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read the stored form."""
        return cls(frozenset(stored["asked"]), stored["ended"])


def batch_name(ticket: str, index: int) -> str:
    """Name a batch of a pass: the same when its message is delivered again.

    :param ticket: of the message that the pass is made for.
    """
    return str(uuid.uuid5(_IDS, f"{ticket}|{index}"))
