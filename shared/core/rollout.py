"""A rollout: the bringing of one version to the regions of the policy, from the first write to the last region.

Azure is the truth about regions. This is what Azure does not hold: since when, what was said, who looks next.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Self

from shared.core.model import ImageVersion, RegionState
from shared.core.plan import Action, Line

STARTED, COMPLETED, STALLED = "started", "completed", "stalled"

MOST_ASKS = 2
"""How often a failed region is asked for again before people are left to look at it."""

SLOW_LOOK = timedelta(hours=1)
"""The pause between two looks at a rollout whose deadline has passed."""

_LOST_AFTER = timedelta(minutes=2)
_REFUSAL_LASTS = timedelta(minutes=50)
_MOST_DOUBLINGS = 20  # from a second to beyond the week that a message can wait; more would overflow a timedelta


@dataclass(frozen=True, slots=True)
class Rollout:
    """What is remembered of a rollout.

    :param number: a version can be rolled out again, after the policy changed; this tells the rollouts apart.
    :param completed: region -> when it was first seen ``Completed``.
    :param asks: failed region -> how often it was asked for again.
    :param announced: what was announced, so that it is said once.
    :param look: number of the next look at it; ``0`` before anybody looks.
    :param look_due: when that look should come; long past it, the look was lost and is made again.
    :param looker: the message that has taken the look; copies of it end.
    :param refused: the regions of a write that Azure refused; the same write is not tried again for a while.
    """

    started: datetime
    deadline: datetime
    number: int = 1
    completed: Mapping[str, datetime] = field(default_factory=dict)
    asks: Mapping[str, int] = field(default_factory=dict)
    announced: frozenset[str] = frozenset()
    look: int = 0
    look_due: datetime | None = None
    looker: str = ""
    finished: datetime | None = None
    refused: str = ""
    refused_at: datetime | None = None

    @property
    def open(self) -> bool:
        """Whether it still waits for regions."""
        return self.finished is None

    def unwatched(self, now: datetime) -> bool:
        """Whether nobody looks at it: nobody ever did, or the message with the next look was lost."""
        return self.open and (self.look_due is None or now > self.look_due + _LOST_AFTER)

    def saying(self, *what: str) -> Self:
        """Remember that something was announced."""
        return replace(self, announced=self.announced | set(what))

    def looking(self, look: int, due: datetime) -> Self:
        """Remember when the next look comes; the first message that comes with it takes it."""
        return replace(self, look=look, look_due=due, looker="")

    def taking(self, look: int, looker: str) -> Self:
        """Give a look to a message, unless another has it or the looks are further already."""
        taken = look < self.look or (look == self.look and self.looker not in ("", looker))
        if taken or not self.open:
            return self
        return replace(self, look=look, looker=looker)

    def has(self, look: int, looker: str) -> bool:
        """Whether a look is this message's."""
        return self.open and self.look == look and self.looker == looker

    def unlooked(self) -> Self:
        """Remember that nobody looks any more."""
        return replace(self, look_due=None)

    def refusing(self, regions: str, now: datetime) -> Self:
        """Remember that Azure refused a write."""
        return replace(self, refused=regions, refused_at=now)

    def refused_lately(self, regions: str, now: datetime) -> bool:
        """Whether Azure refused the same write a short time ago; an hourly sweep is late enough to ask again."""
        return self.refused_at is not None and regions == self.refused and now < self.refused_at + _REFUSAL_LASTS

    def seen(self, version: ImageVersion, now: datetime) -> Self:
        """Remember since when regions are complete."""
        new = {region.name: now for region in version.regions if region.complete and region.name not in self.completed}
        return replace(self, completed={**self.completed, **new}) if new else self

    def asking(self, regions: Iterable[str]) -> Self:
        """Remember that failed regions were asked for again."""
        return replace(self, asks={**self.asks, **{region: self.asks.get(region, 0) + 1 for region in regions}})

    def finish(self, now: datetime) -> Self:
        """Remember that all regions are complete."""
        return replace(self, finished=now).saying(COMPLETED)

    def to_json(self) -> dict[str, Any]:
        """Give the stored form."""
        return {
            "number": self.number,
            "started": self.started.isoformat(),
            "deadline": self.deadline.isoformat(),
            "completed": {region: at.isoformat() for region, at in self.completed.items()},
            "asks": dict(self.asks),
            "announced": sorted(self.announced),
            "look": self.look,
            "lookDue": _iso(self.look_due),
            "looker": self.looker,
            "finished": _iso(self.finished),
            "refused": self.refused,
            "refusedAt": _iso(self.refused_at),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read the stored form."""
        return cls(
            number=stored["number"],
            started=datetime.fromisoformat(stored["started"]),
            deadline=datetime.fromisoformat(stored["deadline"]),
            completed={region: datetime.fromisoformat(at) for region, at in stored["completed"].items()},
            asks=stored["asks"],
            announced=frozenset(stored["announced"]),
            look=stored["look"],
            look_due=_time(stored["lookDue"]),
            looker=stored["looker"],
            finished=_time(stored["finished"]),
            refused=stored["refused"],
            refused_at=_time(stored["refusedAt"]),
        )


def begin(before: Rollout | None, *, now: datetime, deadline: timedelta) -> Rollout:
    """Start a rollout, or go on with the one that is open."""
    if before is not None and before.open:
        return before
    return Rollout(started=now, deadline=now + deadline, number=before.number + 1 if before else 1)


def join(before: Rollout | None, *, now: datetime, deadline: timedelta) -> Rollout:
    """Follow a rollout that somebody else started: its end is news, its start is not."""
    return before or begin(None, now=now, deadline=deadline).saying(STARTED)


def recorded(before: Rollout | None, version: ImageVersion, *, now: datetime) -> Rollout:
    """Remember a version that was complete when first seen: recorded, not announced."""
    return before or Rollout(started=now, deadline=now).saying(STARTED).seen(version, now).finish(now)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a version has come, by what Azure says of each region that the policy wants.

    :param missing: regions that the version should have and has not; somebody must write again.
    :param waiting: regions where Azure is still at work.
    :param failed: regions where Azure gave up.
    """

    missing: tuple[str, ...]
    waiting: tuple[str, ...]
    failed: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether VMs can be made in every region that the policy wants and Azure can give."""
        return not (self.missing or self.waiting or self.failed)


def progress(version: ImageVersion, lines: Iterable[Line]) -> Progress:
    """Hold a version against the lines of its plan (:func:`shared.core.planner.spread`).

    Regions that somebody else added are theirs to look after: a rollout neither waits for them nor repairs them.
    """
    missing, waiting, failed = [], [], []
    for line in lines:
        if not line.named:
            continue
        region = version.region(line.region)
        if line.changes:
            missing.append(line.region)
        elif region is not None and region.state is RegionState.FAILED:
            failed.append(line.region)
        elif line.action is Action.KEEP and region is not None and not region.complete:
            waiting.append(line.region)
    return Progress(tuple(missing), tuple(waiting), tuple(failed))


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a look at a rollout comes to.

    :param complete: it is over, and well.
    :param stray: regions are missing that were asked for: somebody else decided, and the definition wants a new pass.
    :param ask_again: failed regions to ask for once more.
    :param failed: failed regions that nobody was told of yet.
    :param stalled: the deadline has passed, and nobody was told yet.
    """

    complete: bool = False
    stray: bool = False
    ask_again: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    stalled: bool = False


def judge(rollout: Rollout, seen: Progress, *, now: datetime) -> Judgement:
    """Decide what a look at a rollout comes to."""
    if seen.complete:
        return Judgement(complete=True)
    if seen.missing:
        return Judgement(stray=True)
    return Judgement(
        ask_again=tuple(region for region in seen.failed if rollout.asks.get(region, 0) < MOST_ASKS),
        failed=tuple(region for region in seen.failed if failure(region) not in rollout.announced),
        stalled=now > rollout.deadline and STALLED not in rollout.announced,
    )


def failure(region: str) -> str:
    """Name the announcement that a region failed."""
    return f"failed:{region}"


def pause(look: int, first: timedelta, longest: timedelta) -> timedelta:
    """Give the pause after the given look (1, 2, ...): doubling from the first to the longest."""
    doublings = min(max(look - 1, 0), _MOST_DOUBLINGS)
    return min(first * (1 << doublings), longest)


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
