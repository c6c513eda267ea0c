"""The prunes that one pass asked for: machines hear of each, people of all of them together."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Self

from shared.core.fitting import fitted
from shared.core.names import VersionNumber
from shared.core.times import iso, moment

_IDS = uuid.UUID("0c7bb2f4-0d0e-4bb1-9d38-9f0b8f5f6d6e")
LARGEST = 100
"""Prunes in one message to people; more are not read."""

_LONGEST_FACTS = 1000  # characters of JSON for each prune


@dataclass(frozen=True, slots=True)
class Batch:
    """The prunes of one pass, until the last of them has ended.

    :param asked: the versions, by number.
    :param ended: what came of those that have ended: the data of its status, or ``None`` when nothing was pruned.
    :param begun: when it was first asked for; tells it from a later one of the same message.
    :param prunes: when each prune that is to be told of had been asked for; tells it from a later one of the version.
    """

    asked: frozenset[str] = frozenset()
    ended: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)
    begun: datetime | None = None
    prunes: Mapping[str, datetime] = field(default_factory=dict)

    def asking(self, numbers: Iterable[VersionNumber], now: datetime) -> Self:
        """Remember what is about to be asked for.

        A pass that was killed asks again: what has neither ended nor is asked for again is not waited for, because
        perhaps nobody was told to prune it.
        """
        asked = frozenset({number.name for number in numbers} | self.ended.keys())
        return replace(self, asked=asked, begun=self.begun or now)

    def nothing(self, number: VersionNumber) -> Self | None:
        """Remember that nothing came of one. That it was pruned stays so, because its message may come twice."""
        if number.name in self.ended:
            return self
        return None if self.over else replace(self, ended={**self.ended, number.name: None})

    def pruning(self, number: VersionNumber, facts: Mapping[str, Any], asked: datetime) -> Self | None:
        """Remember that one was pruned; ``None`` when all had ended before, and people hear of them without it."""
        if self.ended.get(number.name):
            return self
        if self.over:
            return None
        ended = {**self.ended, number.name: fitted(facts, _LONGEST_FACTS)}
        return replace(self, ended=ended, prunes={**self.prunes, number.name: asked})

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
        return {
            "asked": sorted(self.asked),
            "ended": dict(self.ended),
            "begun": iso(self.begun),
            "prunes": {name: asked.isoformat() for name, asked in self.prunes.items()},
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read the stored form."""
        prunes = {name: datetime.fromisoformat(asked) for name, asked in stored.get("prunes", {}).items()}
        return cls(frozenset(stored["asked"]), stored["ended"], moment(stored.get("begun")), prunes)


def batch_name(ticket: str, index: int) -> str:
    """Name a batch of a pass: the same when its message is delivered again.

    :param ticket: of the message that the pass is made for.
    """
    return str(uuid.uuid5(_IDS, f"{ticket}|{index}"))
