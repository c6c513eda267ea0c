"""What Azure does not hold of image definitions and versions. Losing it loses history, never correctness."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from shared.adapters.claims import Claim, take
from shared.adapters.keys import TABLE, partition
from shared.adapters.table import Key, Table, Values
from shared.core.batch import Batch
from shared.core.memory import Memory
from shared.core.names import ImageId, VersionId, VersionNumber
from shared.core.pruning import Pruning
from shared.core.rollout import Rollout
from shared.core.turn import Turn

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

    from shared.settings import Storage


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is remembered of an image definition, as a plan wants to know it.

    :param running: its rollouts that are not over.
    :param prunings: its prunes that are under way, or were refused.
    :param batches: the rows of its batches.
    """

    memory: Memory = field(default_factory=Memory)
    running: Mapping[VersionNumber, Rollout] = field(default_factory=dict)
    prunings: Mapping[VersionNumber, Pruning] = field(default_factory=dict)
    batches: frozenset[str] = frozenset()

    def has_batch(self, batch: str) -> bool:
        """Whether a batch is remembered."""
        return _batch_row(batch) in self.batches


class Rollouts:
    """What is remembered of versions, by what it is about."""

    def __init__(self, storage: "Storage", credential: "TokenCredential | None") -> None:
        self._table = Table(TABLE, storage, credential)

    def remembered(self, image: ImageId) -> Remembered:
        """Read what a plan for an image definition wants to know, at once."""
        found = self._table.gather(partition(image), "definition", "prune|", "batch|")
        return Remembered(
            Memory.from_json(found["definition"]) if "definition" in found else Memory(),
            {number: Rollout.from_json(values) for number, values in _of_kind("rollout", found)},
            {number: Pruning.from_json(values) for number, values in _of_kind("prune", found)},
            frozenset(key for key in found if key.startswith("batch|")),
        )

    def rollout(self, version: VersionId) -> Rollout | None:
        """Read what is remembered of a version's rollout."""
        values, _ = self._table.read(_key("rollout", version))
        return Rollout.from_json(values) if values else None

    def last_seen(self, version: VersionId) -> Rollout | None:
        """Give a version's rollout as this process last saw it, without a call; it may have gone on since."""
        values = self._table.known(_key("rollout", version))
        return Rollout.from_json(values) if values else None

    def change_rollout(self, version: VersionId, change: Callable[[Rollout | None], Rollout]) -> Rollout:
        """Change what is remembered; ``change`` may be called again when somebody else wrote meanwhile."""

        def apply(values: Values | None) -> Values:
            return change(Rollout.from_json(values) if values else None).to_json()

        return Rollout.from_json(self._table.change(_key("rollout", version), apply))

    def amend_rollout(self, version: VersionId, rollout: Rollout, change: Callable[[Rollout], Rollout]) -> Rollout:
        """Change what is remembered of a rollout that was read before; it stands in where the row was lost since."""
        return self.change_rollout(version, lambda before: change(before or rollout))

    def touch_rollout(self, version: VersionId, change: Callable[[Rollout], Rollout]) -> Rollout | None:
        """Change what is remembered of a rollout, if anything is; give it as it is then."""

        def apply(values: Values | None) -> Values | None:
            return change(Rollout.from_json(values)).to_json() if values else None

        values = self._table.change(_key("rollout", version), apply)
        return Rollout.from_json(values) if values else None

    def pruning(self, version: VersionId) -> Pruning | None:
        """Read the prune that is under way, as it was remembered before it was written."""
        values, _ = self._table.read(_key("prune", version))
        return Pruning.from_json(values) if values else None

    def remember_pruning(self, version: VersionId, pruning: Pruning | None) -> None:
        """Remember a prune before it is written; ``None`` forgets it, once its end is told."""
        if pruning is None:
            self._table.delete(_key("prune", version))
        else:
            self._table.change(_key("prune", version), lambda _: pruning.to_json())

    def forget_pruning(self, version: VersionId, asked: datetime) -> None:
        """Forget the prune that was asked for then, if it is still remembered; not a later one of the version."""
        values, etag = self._table.read(_key("prune", version))
        if values and Pruning.from_json(values).asked == asked:
            self._table.delete(_key("prune", version), etag)

    def ask_for_batch(
        self, image: ImageId, batch: str, numbers: Sequence[VersionNumber], now: datetime
    ) -> Batch | None:
        """Remember that prunes are about to be asked for together; ``None``: one alone, that waits for no other."""

        def ask(known: Batch | None) -> Batch | None:
            return (known or Batch()).asking(numbers, now) if known or len(numbers) > 1 else None

        return self._change_batch(image, batch, ask)

    def pruned_in_batch(
        self, version: VersionId, batch: str, facts: Mapping[str, Any], asked: datetime
    ) -> Batch | None:
        """Remember that a prune of a batch is done; ``None`` when the batch is over without it, or forgotten."""
        return self._change_batch(
            version.image, batch, lambda known: known and known.pruning(version.number, facts, asked)
        )

    def ended_in_batch(self, version: VersionId, batch: str) -> Batch | None:
        """Remember that a message of a batch has come to its end; ``None`` as for :meth:`pruned_in_batch`."""
        return self._change_batch(version.image, batch, lambda known: known and known.nothing(version.number))

    def _change_batch(self, image: ImageId, batch: str, change: Callable[[Batch | None], Batch | None]) -> Batch | None:
        def apply(values: Values | None) -> Values | None:
            changed = change(Batch.from_json(values) if values else None)
            return changed.to_json() if changed else None

        values = self._table.change(_batch_key(image, batch), apply)
        return Batch.from_json(values) if values else None

    def forget_batch(self, image: ImageId, batch: str) -> None:
        """Forget a batch, once its end is told."""
        self._table.delete(_batch_key(image, batch))

    def memory(self, image: ImageId) -> Memory:
        """Read what is remembered of an image definition."""
        values, _ = self._table.read((partition(image), "definition"))
        return Memory.from_json(values) if values else Memory()

    def remember(self, image: ImageId, change: Callable[[Memory], Memory]) -> Memory:
        """Change what is remembered of an image definition; ``change`` may be called more than once."""

        def apply(values: Values | None) -> Values:
            return change(Memory.from_json(values) if values else Memory()).to_json()

        return Memory.from_json(self._table.change((partition(image), "definition"), apply))

    def change_turn(self, image: ImageId, change: Callable[[Turn], Turn]) -> Turn:
        """Change whose turn it is to have a pass over an image definition; ``change`` may be called more than once."""

        def apply(values: Values | None) -> Values:
            return change(Turn.from_json(values) if values else Turn()).to_json()

        return Turn.from_json(self._table.change((partition(image), "turn"), apply))

    def claim(self, version: VersionId, holder: str, *, now: datetime, lasting: timedelta) -> Claim | None:
        """Become the only writer of a version, for a while; ``None`` when another holder is."""
        key = _key("claim", version)
        _, etag = take(self._table, key, holder, now, lasting)
        return Claim(self._table, key, holder, lasting, etag) if etag else None


def _of_kind(kind: str, found: Mapping[str, Values]) -> Iterator[tuple[VersionNumber, Values]]:
    for key, values in found.items():
        if key.startswith(f"{kind}|"):
            yield VersionNumber.parse(key.removeprefix(f"{kind}|")), values


def _key(kind: str, version: VersionId) -> Key:
    return partition(version.image), f"{kind}|{version.number}"


def _batch_key(image: ImageId, batch: str) -> Key:
    return partition(image), _batch_row(batch)


def _batch_row(batch: str) -> str:
    """Give the row of a batch. Its name comes from a message, and may hold what a key cannot."""
    return f"batch|{sha256(batch.encode(errors='replace')).hexdigest()}"
