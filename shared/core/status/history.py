"""What runs, what came to its end, and what stays where it is, as people are told of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from shared.core.plan import Line, VersionPlan
from shared.core.pruning import Pruning
from shared.core.rollout import STALLED, Progress, Rollout, progress
from shared.core.text import plain


@dataclass(frozen=True, slots=True)
class Running:
    """A rollout that is not over.

    :param deadline: of the wave that is under way.
    :param waves: how many waves there are in all.
    :param done: regions where the version is complete, of those that it can come to.
    :param late: whether the deadline has passed with regions not done.
    :param lost: whether regions failed, and nothing is left to try with any of them.
    :param tries: failed region -> how often something was tried with it.
    """

    version: str
    started: datetime
    deadline: datetime
    wave: int
    waves: int
    done: int
    of: int
    late: bool = False
    lost: bool = False
    cause: str = ""
    tries: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def seen(
        cls, plan: VersionPlan, rollout: Rollout, now: datetime, *, seen: Progress | None = None, lost: bool = False
    ) -> Self:
        """Say how far a rollout has come."""
        seen = seen or progress(plan.version, plan.lines)
        of = len(list(_wanted(plan.lines)))
        return cls(
            plan.version.number.name,
            rollout.started,
            rollout.deadline,
            rollout.wave,
            max((target.wave for target in rollout.targets), default=1),
            of - len(seen.missing) - len(seen.waiting) - len(seen.failed) - len(seen.later),
            of,
            rollout.late(seen, now) or any(said.startswith(STALLED) for said in rollout.announced),
            lost or rollout.gave_up,
            plain(rollout.cause),
            {region: repair.tries for region, repair in rollout.repairs.items() if region in seen.failed},
        )

    def to_json(self) -> dict[str, Any]:
        """Give the stored form."""
        return {
            "version": self.version,
            "started": self.started.isoformat(),
            "deadline": self.deadline.isoformat(),
            "wave": self.wave,
            "waves": self.waves,
            "done": self.done,
            "of": self.of,
            "late": self.late,
            "lost": self.lost,
            "cause": self.cause,
            "tries": dict(self.tries),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read the stored form."""
        times = {name: datetime.fromisoformat(stored[name]) for name in ("started", "deadline")}
        return cls(**{**stored, **times})


def _wanted(lines: Iterable[Line]) -> Iterable[Line]:
    return (line for line in lines if line.named and line.action != "skip")


@dataclass(frozen=True, slots=True)
class Finished:
    """A rollout that came to its end in every region."""

    version: str
    started: datetime
    finished: datetime
    cause: str = ""

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.finished - self.started).total_seconds()

    def to_json(self) -> list[str]:
        """Give the stored form."""
        return [self.version, self.started.isoformat(), self.finished.isoformat(), self.cause]

    @classmethod
    def from_json(cls, stored: Sequence[str]) -> Self:
        """Read the stored form."""
        version, started, finished, cause = stored
        return cls(version, datetime.fromisoformat(started), datetime.fromisoformat(finished), cause)


@dataclass(frozen=True, slots=True)
class Kept:
    """Where an older version stays besides its home, and why."""

    version: str
    regions: tuple[str, ...]
    reason: str

    def to_json(self) -> list[Any]:
        """Give the stored form."""
        return [self.version, list(self.regions), self.reason]

    @classmethod
    def from_json(cls, stored: Sequence[Any]) -> Self:
        """Read the stored form."""
        version, regions, reason = stored
        return cls(version, tuple(regions), reason)


@dataclass(frozen=True, slots=True)
class Pruned:
    """A prune that Azure shows.

    :param asked: tells it from later prunes of the version.
    :param kept: the regions that the version stays in, each with the reason.
    :param gib: what it freed at most.
    """

    version: str
    asked: datetime
    at: datetime
    removed: tuple[str, ...]
    kept: Mapping[str, str]
    gib: int

    @classmethod
    def of(cls, version: str, pruning: Pruning, now: datetime) -> Self:
        """Say what a prune did that has come to its end."""
        kept = {region: plain(reason) for region, reason in pruning.kept.items()}
        return cls(version, pruning.asked, now, pruning.removed, kept, pruning.gib_freed)

    def to_json(self) -> list[Any]:
        """Give the stored form."""
        asked, at = self.asked.isoformat(), self.at.isoformat()
        return [self.version, asked, at, list(self.removed), dict(self.kept), self.gib]

    @classmethod
    def from_json(cls, stored: Sequence[Any]) -> Self:
        """Read the stored form."""
        version, asked, at, removed, kept, gib = stored
        return cls(version, datetime.fromisoformat(asked), datetime.fromisoformat(at), tuple(removed), kept, gib)
