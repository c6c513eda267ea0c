"""A rollout: the bringing of one version to the regions of the policy, from the first write to the last region.

Azure is the truth about regions. This is what Azure does not hold: since when, what was said, who looks next.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Self

from shared.core.model import ImageVersion, RegionState
from shared.core.plan import Action, Line
from shared.core.policy import Policy
from shared.core.target_regions import RegionTarget, StorageAccountType
from shared.core.times import iso, moment

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

    :param deadline: of the wave that is under way.
    :param number: a version can be rolled out again, after the policy changed; this tells the rollouts apart.
    :param targets: the regions that it is to reach, as the policy named them when a pass last looked.
    :param wave: the last wave that was started.
    :param cause: why there is a rollout, where that is not simply the publishing: ``1.0.4 was deleted``.
    :param supersedes: older versions whose own rollouts ended for this one.
    :param warnings: what people should look at, said with its start.
    :param completed: region -> since when it has been seen ``Completed``, also from earlier rollouts of the version.
    :param asks: failed region -> how often it was asked for again.
    :param announced: what was announced, so that it is said once.
    :param look: number of the next look at it; ``0`` before anybody looks.
    :param look_due: when that look should come; long past it, the look was lost and is made again.
    :param looker: the message that has taken the look; copies of it end.
    :param ended: why it was ended before it was complete.
    :param refused: the regions of a write that Azure refused; the same write is not tried again for a while.
    """

    started: datetime
    deadline: datetime
    number: int = 1
    targets: tuple[RegionTarget, ...] = ()
    wave: int = 1
    cause: str = ""
    supersedes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    completed: Mapping[str, datetime] = field(default_factory=dict)
    asks: Mapping[str, int] = field(default_factory=dict)
    announced: frozenset[str] = frozenset()
    look: int = 0
    look_due: datetime | None = None
    looker: str = ""
    finished: datetime | None = None
    ended: str = ""
    refused: str = ""
    refused_at: datetime | None = None

    @property
    def open(self) -> bool:
        """Whether it still waits for regions."""
        return self.finished is None

    def late(self, seen: "Progress", now: datetime) -> bool:
        """Whether regions are not done by the deadline; a wave that only bakes is not late."""
        return now > self.deadline and bool(seen.waiting or seen.failed)

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
        """Remember since when regions are complete; one that is not any more begins anew."""
        complete = {region.name: self.completed.get(region.name, now) for region in version.regions if region.complete}
        return self if complete == self.completed else replace(self, completed=complete)

    def dated(self, version: ImageVersion) -> ImageVersion:
        """Give a version with what is remembered of its regions: since when they are complete."""
        regions = tuple(replace(region, since=self.completed.get(region.name)) for region in version.regions)
        return replace(version, regions=regions)

    def aim(self, policy: Policy) -> Policy:
        """Give the policy that the rollout follows: the regions are those that it was asked for."""
        return replace(policy, regions=self.targets) if self.targets else policy

    def entering(self, wave: int, now: datetime, deadline: timedelta) -> Self:
        """Start a wave, which has its own time; one that was started before goes on."""
        return replace(self, wave=wave, deadline=now + deadline) if wave > self.wave else self

    def asking(self, regions: Iterable[str]) -> Self:
        """Remember that failed regions were asked for again."""
        return replace(self, asks={**self.asks, **{region: self.asks.get(region, 0) + 1 for region in regions}})

    def finish(self, now: datetime) -> Self:
        """Remember that all regions are complete."""
        return replace(self, finished=now).saying(COMPLETED)

    def end(self, why: str, now: datetime) -> Self:
        """Remember that it was ended before it was complete; nobody looks any more."""
        return replace(self, finished=now, ended=why) if self.open else self

    def to_json(self) -> dict[str, Any]:
        """Give the stored form. ``open`` is a column of its own, to find those that are."""
        return {
            "open": self.open,
            "number": self.number,
            "started": self.started.isoformat(),
            "deadline": self.deadline.isoformat(),
            "targets": [[each.region, each.replicas, each.storage_account_type, each.wave] for each in self.targets],
            "wave": self.wave,
            "cause": self.cause,
            "supersedes": list(self.supersedes),
            "warnings": list(self.warnings),
            "completed": {region: at.isoformat() for region, at in self.completed.items()},
            "asks": dict(self.asks),
            "announced": sorted(self.announced),
            "look": self.look,
            "lookDue": iso(self.look_due),
            "looker": self.looker,
            "finished": iso(self.finished),
            "ended": self.ended,
            "refused": self.refused,
            "refusedAt": iso(self.refused_at),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read the stored form."""
        return cls(
            number=stored["number"],
            started=datetime.fromisoformat(stored["started"]),
            deadline=datetime.fromisoformat(stored["deadline"]),
            targets=tuple(_target(*target) for target in stored["targets"]),
            wave=stored["wave"],
            cause=stored["cause"],
            supersedes=tuple(stored["supersedes"]),
            warnings=tuple(stored["warnings"]),
            completed={region: datetime.fromisoformat(at) for region, at in stored["completed"].items()},
            asks=stored["asks"],
            announced=frozenset(stored["announced"]),
            look=stored["look"],
            look_due=moment(stored["lookDue"]),
            looker=stored["looker"],
            finished=moment(stored["finished"]),
            ended=stored["ended"],
            refused=stored["refused"],
            refused_at=moment(stored["refusedAt"]),
        )


def _target(region: str, replicas: int, storage: str | None, wave: int) -> RegionTarget:
    return RegionTarget(region, replicas, StorageAccountType(storage) if storage else None, wave)


@dataclass(frozen=True, slots=True)
class Intent:
    """What a pass wants of a rollout.

    :param deadline: how long a wave may take.
    """

    now: datetime
    deadline: timedelta
    targets: tuple[RegionTarget, ...] = ()
    cause: str = ""
    supersedes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def begin(before: Rollout | None, intent: Intent) -> Rollout:
    """Start a rollout, or go on with the one that is open."""
    if before is not None and before.open:
        return replace(
            before,
            targets=intent.targets,
            cause=before.cause or intent.cause,
            supersedes=tuple(dict.fromkeys((*before.supersedes, *intent.supersedes))),
        )
    return Rollout(
        started=intent.now,
        deadline=intent.now + intent.deadline,
        number=before.number + 1 if before else 1,
        targets=intent.targets,
        cause=intent.cause,
        supersedes=intent.supersedes,
        warnings=intent.warnings,
        completed=before.completed if before else {},
    )


def join(before: Rollout | None, intent: Intent) -> Rollout:
    """Follow a rollout that somebody else started: its end is news, its start is not."""
    joined = begin(before, intent)
    return joined if before is not None and before.open else joined.saying(STARTED)


def recorded(before: Rollout | None, version: ImageVersion, *, now: datetime) -> Rollout:
    """Remember how a version was found; what was already so when first seen is not announced."""
    if before is not None:
        return before.seen(version, now)
    return Rollout(started=now, deadline=now).saying(STARTED).seen(version, now).finish(now)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a version has come, by what Azure says of each region that the policy wants.

    :param missing: regions that the version should have and has not; somebody must write again.
    :param waiting: regions where Azure is still at work.
    :param failed: regions where Azure gave up.
    :param later: regions of waves that have not started.
    """

    missing: tuple[str, ...]
    waiting: tuple[str, ...]
    failed: tuple[str, ...]
    later: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether VMs can be made in every region that the policy wants and Azure can give."""
        return not (self.missing or self.waiting or self.failed or self.later)


def progress(version: ImageVersion, lines: Iterable[Line]) -> Progress:
    """Hold a version against the lines of its plan (:func:`shared.core.planner.replication.spread`).

    Regions that somebody else added are theirs to look after: a rollout neither waits for them nor repairs them.
    """
    missing, waiting, failed, later = [], [], [], []
    for line in lines:
        if not line.named:
            continue
        region = version.region(line.region)
        if line.changes:
            missing.append(line.region)
        elif line.action is Action.WAIT:
            later.append(line.region)
        elif region is not None and region.state is RegionState.FAILED:
            failed.append(line.region)
        elif line.action is Action.KEEP and region is not None and not region.complete:
            waiting.append(line.region)
    return Progress(tuple(missing), tuple(waiting), tuple(failed), tuple(later))


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a look at a rollout comes to.

    :param complete: it is over, and well.
    :param stray: regions are missing, because a wave is due or somebody else decided: the definition wants a new pass.
    :param ask_again: failed regions to ask for once more.
    :param failed: failed regions that nobody was told of yet.
    :param stalled: the deadline has passed with regions not done, and nobody was told yet.
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
        stalled=rollout.late(seen, now) and stall(rollout.wave) not in rollout.announced,
    )


def failure(region: str) -> str:
    """Name the announcement that a region failed."""
    return f"failed:{region}"


def stall(wave: int) -> str:
    """Name the announcement that a wave stalled."""
    return f"{STALLED}:{wave}"


def pause(look: int, first: timedelta, longest: timedelta) -> timedelta:
    """Give the pause after the given look (1, 2, ...): doubling from the first to the longest."""
    doublings = min(max(look - 1, 0), _MOST_DOUBLINGS)
    return min(first * (1 << doublings), longest)


def patience(waited: timedelta, first: timedelta, longest: timedelta) -> timedelta:
    """Give the pause of somebody who has waited so long already: half as long again, from the first to the longest."""
    return min(max(waited / 2, first), longest)
