"""The prunes that one pass asked for: machines hear of each, people of all of them together."""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import batched
from typing import Any, Self

from shared.core.fitting import fitted
from shared.core.names import VersionNumber

_IDS = uuid.UUID("0c7bb2f4-0d0e-4bb1-9d38-9f0b8f5f6d6e")
_LARGEST = 100  # more in one message is not read
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
        """Remember what is about to be asked for; a pass that was killed asks again."""
        return replace(self, asked=self.asked | {number.name for number in numbers})

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


def batches(numbers: Sequence[VersionNumber], ticket: str) -> Iterator[tuple[str, tuple[VersionNumber, ...]]]:
    """Name the batches of a pass: the same again when its message is delivered again; none for a single prune.

    :param ticket: of the message that the pass is made for.
    """
    if len(numbers) > 1:
        for index, some in enumerate(batched(numbers, _LARGEST, strict=False)):
            yield str(uuid.uuid5(_IDS, f"{ticket}|{index}")), some
