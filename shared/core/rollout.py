"""A rollout: the bringing of one version to the regions of the policy, from the first write to the last region.

Azure is the truth about regions. This is what Azure does not hold: since when, what was said, who looks next.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Self
from zlib import crc32

from shared.core.messages import LONGEST_DELAY
from shared.core.model import ImageVersion, RegionState
from shared.core.plan import Action, Line
from shared.core.policy import Policy
from shared.core.target_regions import RegionTarget, StorageAccountType
from shared.core.times import iso, lately, moment

STARTED, COMPLETED, STALLED = "started", "completed", "stalled"

REPAIRS = ("asked for again", "taken out and put back", "taken out and put back once more")
"""What is tried with a failed region, in this order, before people are left to look at it."""

SLOW_LOOK = timedelta(hours=1)
"""The pause between two looks at a rollout whose deadline has passed."""

_LOST_AFTER = timedelta(minutes=2)
_MOST_DOUBLINGS = 20  # from a second to beyond the week that a message can wait; more would overflow a timedelta


@dataclass(frozen=True, slots=True)
class Repair:
    """What was tried with a failed region.

    :param tries: how many of :data:`REPAIRS`.
    :param due: when the last of them should have been done; it is not judged before.
    """

    tries: int
    due: datetime


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why Azure would not have a region, and when it said so."""

    reason: str
    at: datetime


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
    :param repairs: failed region -> what was tried with it.
    :param gave_up: whether nothing is left to try with any region that failed.
    :param asked: region -> when the last write of ours left that asked Azure for it.
    :param known: the regions that the last write of ours knew of, until somebody has looked back at it.
    :param refusals: region -> why Azure would not have it.
    :param most: how many changes one write may carry, while a refused one is split; ``0`` for all.
    :param announced: what was announced, so that it is said once.
    :param look: number of the next look at it; ``0`` before anybody looks.
    :param look_due: when that look should come; long past it, the look was lost and is made again.
    :param looker: the message that has taken the look; copies of it end.
    :param ended: why it was ended before it was complete.
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
    repairs: Mapping[str, Repair] = field(default_factory=dict)
    gave_up: bool = False
    asked: Mapping[str, datetime] = field(default_factory=dict)
    known: frozenset[str] = frozenset()
    refusals: Mapping[str, Refusal] = field(default_factory=dict)
    most: int = 0
    announced: frozenset[str] = frozenset()
    look: int = 0
    look_due: datetime | None = None
    looker: str = ""
    finished: datetime | None = None
    ended: str = ""

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

    def writing(self, known: frozenset[str]) -> Self:
        """Remember that a write is about to leave, that has to be looked back at."""
        return replace(self, known=known)

    def looked_back(self) -> Self:
        """Remember that somebody has looked back at the last write."""
        return replace(self, known=frozenset())

    def asking(self, regions: Iterable[str], at: datetime) -> Self:
        """Remember that a write asked for regions."""
        return replace(self, asked={**self.asked, **dict.fromkeys(regions, at)})

    def has_asked(self, region: str, since: datetime) -> bool:
        """Whether a write has asked for a region after somebody wanted it there."""
        return region in self.asked and self.asked[region] >= since

    def refusing(self, regions: Iterable[str], reason: str, now: datetime) -> Self:
        """Remember that Azure would not have regions, of which each stood alone or all are meant."""
        refusals = {**self.refusals, **dict.fromkeys(regions, Refusal(reason, now))}
        return replace(self, refusals=refusals, most=0)

    def news_of(self, regions: Iterable[str], reason: str) -> bool:
        """Whether a refusal is news, and not the same as when it was last asked."""
        known = [self.refusals.get(region) for region in regions]
        return any(refusal is None or refusal.reason != reason for refusal in known)

    def splitting(self, most: int) -> Self:
        """Remember how many changes one write may carry, to find out which one Azure refuses."""
        return replace(self, most=most)

    def seen(self, version: ImageVersion, now: datetime) -> Self:
        """Remember since when regions are complete; one that is not any more begins anew.

        A version as a list has it says nothing of that.
        """
        if all(region.state is RegionState.UNKNOWN for region in version.regions):
            return self
        complete = {region.name: self.completed.get(region.name, now) for region in version.regions if region.complete}
        return self if complete == self.completed else replace(self, completed=complete)

    def met(self, version: ImageVersion, now: datetime) -> Self:
        """Remember how a write found the version: what was complete before the first one was so from the start."""
        return self.seen(version, now if self.asked else self.started)

    def looked_at(self, version: ImageVersion, now: datetime, known: frozenset[str]) -> Self:
        """Remember what a look saw; it looked back at the last write, too, if that is still the one that it knew of."""
        after = self.seen(version, now)
        return after.looked_back() if self.known == known else after

    def recall(self, version: ImageVersion, now: datetime) -> ImageVersion:
        """Give a version with what is remembered of its regions: since when they are complete, and which were refused.

        A refusal counts for a while: an hourly sweep is late enough to ask again.
        """
        regions = tuple(replace(region, since=self.completed.get(region.name)) for region in version.regions)
        refused = {name: each.reason for name, each in self.refusals.items() if lately(each.at, now)}
        return replace(version, regions=regions, refused=refused)

    def aim(self, policy: Policy) -> Policy:
        """Give the policy that the rollout follows: the regions are those that it was asked for."""
        return replace(policy, regions=self.targets) if self.targets else policy

    def entering(self, wave: int, now: datetime, deadline: timedelta) -> Self:
        """Start a wave, which has its own time; one that was started before goes on."""
        return replace(self, wave=wave, deadline=now + deadline) if wave > self.wave else self

    def tries(self, region: str) -> int:
        """Count what was tried with a failed region."""
        return self.repairs[region].tries if region in self.repairs else 0

    def repairing(self, dues: Mapping[str, datetime]) -> Self:
        """Remember that something is tried with failed regions, and until when."""
        more = {region: Repair(self.tries(region) + 1, due) for region, due in dues.items()}
        return replace(self, repairs={**self.repairs, **more})

    def giving_up(self, *, hopeless: bool = True) -> Self:
        """Remember whether nothing is left to try with any region that failed."""
        return replace(self, gave_up=hopeless)

    def exhausted(self, region: str, now: datetime) -> bool:
        """Whether everything was tried with a failed region."""
        return self.tries(region) >= len(REPAIRS) and now > self.repairs[region].due

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
            "repairs": {region: [each.tries, each.due.isoformat()] for region, each in self.repairs.items()},
            "gaveUp": self.gave_up,
            "asked": {region: at.isoformat() for region, at in self.asked.items()},
            "known": sorted(self.known),
            "refusals": {region: [each.reason, each.at.isoformat()] for region, each in self.refusals.items()},
            "most": self.most,
            "announced": sorted(self.announced),
            "look": self.look,
            "lookDue": iso(self.look_due),
            "looker": self.looker,
            "finished": iso(self.finished),
            "ended": self.ended,
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
            repairs={
                region: Repair(tries, datetime.fromisoformat(due)) for region, (tries, due) in stored["repairs"].items()
            },
            gave_up=stored["gaveUp"],
            asked={region: datetime.fromisoformat(at) for region, at in stored.get("asked", {}).items()},
            known=frozenset(stored.get("known", ())),
            refusals={
                region: Refusal(reason, datetime.fromisoformat(at))
                for region, (reason, at) in stored["refusals"].items()
            },
            most=stored["most"],
            announced=frozenset(stored["announced"]),
            look=stored["look"],
            look_due=moment(stored["lookDue"]),
            looker=stored["looker"],
            finished=moment(stored["finished"]),
            ended=stored["ended"],
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

    def is_news(self, before: Rollout | None) -> bool:
        """Whether people should hear of the rollout though nothing is left to do: why it is, or whose place it took."""
        return bool(self.cause) or not set(self.supersedes) <= set(before.supersedes if before else ())


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
        refusals=before.refusals if before else {},
    )


def join(before: Rollout | None, intent: Intent) -> Rollout:
    """Follow a rollout that somebody else started: its end is news, its start is not, unless it supersedes another."""
    joined = begin(before, intent)
    return joined if intent.supersedes or (before is not None and before.open) else joined.saying(STARTED)


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
    :param repair: failed regions with which something is to be tried now.
    :param failed: failed regions that nobody was told of yet.
    :param lost: failed regions with which nothing is left to try, and nobody was told yet.
    :param hopeless: regions failed, and nothing is left to try with any of them.
    :param stalled: the deadline has passed with regions not done, and nobody was told yet.
    """

    complete: bool = False
    stray: bool = False
    repair: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    hopeless: bool = False
    stalled: bool = False


def judge(rollout: Rollout, seen: Progress, *, now: datetime) -> Judgement:
    """Decide what a look at a rollout comes to."""
    if seen.complete:
        return Judgement(complete=True)
    if seen.missing:
        return Judgement(stray=True)
    tried = [region for region in seen.failed if region not in rollout.repairs or now > rollout.repairs[region].due]
    exhausted = [region for region in tried if rollout.exhausted(region, now)]
    return Judgement(
        repair=tuple(region for region in tried if region not in exhausted),
        failed=tuple(region for region in seen.failed if failure(region) not in rollout.announced),
        lost=tuple(region for region in exhausted if failure(region, lost=True) not in rollout.announced),
        hopeless=bool(exhausted) and len(exhausted) == len(seen.failed),
        stalled=rollout.late(seen, now) and stall(rollout.wave) not in rollout.announced,
    )


def failure(region: str, *, lost: bool = False) -> str:
    """Name the announcement that a region failed, or that nothing is left to try with it."""
    return f"{'lost' if lost else 'failed'}:{region}"


def stall(wave: int) -> str:
    """Name the announcement that a wave stalled."""
    return f"{STALLED}:{wave}"


def pause(look: int, first: timedelta, longest: timedelta, *, seed: str = "") -> timedelta:
    """Give the pause after the given look (1, 2, ...): doubling from the first to the longest.

    :param seed: takes up to a quarter off pauses above the first, so that many rollouts are not looked at in step.
    """
    doublings = min(max(look - 1, 0), _MOST_DOUBLINGS)
    whole = min(first * (1 << doublings), longest)
    return max(whole * (1 - crc32(seed.encode()) / 2**34), first) if seed else whole


def repair_delay(tries: int, first: timedelta, longest: timedelta) -> timedelta:
    """Give the pause before something is tried with a failed region, after so many tries in vain: growing."""
    return min(longest * tries, LONGEST_DELAY) if tries else first


def patience(waited: timedelta, first: timedelta, longest: timedelta) -> timedelta:
    """Give the pause of somebody who has waited so long already: half as long again, from the first to the longest."""
    return min(max(waited / 2, first), longest)
