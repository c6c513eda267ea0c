"""What holds of every plan, and of every way from a plan to the state that it wants.

A story is such a way: pass after pass plans, its writes are applied, and Azure gets on with them, until nothing moves.
"""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.core.model import Definition, ImageVersion, ProvisioningState, Region, RegionState
from shared.core.names import VersionNumber
from shared.core.plan import Action, Line, Plan, Role, VersionPlan
from shared.core.planner import plan
from shared.core.policy import Mode, Policy
from shared.core.tags import protects
from shared.core.target_regions import RegionTarget
from tests.core import strategies
from tests.core.build import DAY, HOME, MINUTE, NOW, SECOND, definition, region, version

SUCCEEDED, UPDATING = ProvisioningState.SUCCEEDED, ProvisioningState.UPDATING
COMPLETED, REPLICATING = RegionState.COMPLETED, RegionState.REPLICATING
MOST_PASSES = 80


# The simulated Azure.


@dataclass(frozen=True)
class Azure:
    """How Azure gets on.

    :param heals: whether regions that failed become complete in the end.
    :param slow: whether a version becomes complete in one region at a time.
    """

    heals: bool = True
    slow: bool = False


@dataclass(frozen=True)
class Pass:
    """One pass: what it found, when, and what it planned."""

    found: Definition
    now: datetime
    made: Plan

    @property
    def written(self) -> list[VersionPlan]:
        """The versions that are written: those that change, and are not being written already."""
        return [each for each in self.made.versions if each.changes and not each.version.changing]


def apply(one: Pass) -> Definition:
    """Begin what a plan says: Azure takes each write, and is at work on it."""
    after = {each.version.number: _applied(each) for each in one.written}
    return replace(one.found, versions=tuple(after.get(each.number, each) for each in one.found.versions))


def _applied(each: VersionPlan) -> ImageVersion:
    regions = tuple(found for line in each.lines if (found := _after(each.version.region(line.region), line)))
    return replace(each.version, regions=regions, state=UPDATING)


def _after(there: Region | None, line: Line) -> Region | None:
    if line.action is Action.REMOVE:
        return None
    if line.action is Action.ADD:
        assert there is None
        return Region(line.region, line.replicas, line.storage_account_type, state=REPLICATING)
    if line.action is Action.SIZE:
        assert there is not None
        state = REPLICATING if line.replicas > there.replicas and there.complete else there.state
        return replace(there, replicas=line.replicas, state=state, since=there.since if state is COMPLETED else None)
    return there


def settled(before: Definition, now: datetime, azure: Azure) -> Definition:
    """Let Azure get on with what it is at; since when a region is complete is noticed now."""
    return replace(before, versions=tuple(_settled(each, now, azure) for each in before.versions))


def _settled(each: ImageVersion, now: datetime, azure: Azure) -> ImageVersion:
    regions, moved = [], False
    for there in each.regions:
        stuck = there.state is RegionState.FAILED and not azure.heals
        done = there.complete or not (stuck or (azure.slow and moved))
        moved |= done and not there.complete
        regions.append(replace(there, state=COMPLETED, since=there.since or now) if done else there)
    finished = each.state is UPDATING and not any(there.state is REPLICATING for there in regions)
    return replace(each, regions=tuple(regions), state=SUCCEEDED if finished else each.state)


def converge(before: Definition, policy: Policy, azure: Azure, *, cap: int | None = None) -> list[Pass]:
    """Plan and apply until nothing moves; the last pass is the one that finds it so."""
    found, now, story = before, NOW, []
    for _ in range(MOST_PASSES):
        one = Pass(found, now, plan(found, policy, now=now, cap=cap))
        story.append(one)
        found, due = settled(apply(one), now, azure), _due(one.made)
        if found == one.found and due is None:
            return story
        now = max(now + MINUTE, due or now)
    raise AssertionError(f"{MOST_PASSES} passes, and something still moves")


def _due(made: Plan) -> datetime | None:
    """Find the last time that something waits for."""
    return max((line.until for each in made.versions for line in each.lines if line.until), default=None)


@dataclass(frozen=True)
class Story:
    """A gallery, a policy, an Azure, and how they came to rest."""

    before: Definition
    policy: Policy
    azure: Azure
    cap: int | None
    passes: list[Pass]

    def __repr__(self) -> str:
        """Say what happened, for whoever has to understand a failure."""
        passes = [
            f"{one.now:%H:%M} {each.version.number} {each.role} {each.version.state}: {line.region} {line.action}"
            f" to {line.replicas}, {line.reason}"
            for one in self.passes
            for each in one.made.versions
            for line in each.lines
        ]
        return "\n".join([str(self.policy), str(self.before.usage), str(self.azure), f"cap {self.cap}", *passes[:200]])

    @property
    def last(self) -> Pass:
        """The pass that finds that nothing moves any more."""
        return self.passes[-1]

    @property
    def writes(self) -> Counter[VersionNumber]:
        """How often each version is written."""
        return Counter(each.version.number for one in self.passes for each in one.written)


def tell(before: Definition, policy: Policy, azure: Azure, cap: int | None = None) -> Story:
    """Make the story of a gallery."""
    return Story(before, policy, azure, cap, converge(before, policy, azure, cap=cap))


azures = st.builds(Azure, heals=st.booleans(), slow=st.booleans())
caps = st.sampled_from([None, 1, 1, 2])
stories = st.builds(tell, strategies.definitions(), strategies.policies, azures, caps)
often = settings(max_examples=150)


# What a plan may do, said once more in other words than the planner's.


def _good(each: ImageVersion) -> bool:
    repaired = each.state is ProvisioningState.FAILED and each.repairable
    return (each.state in (SUCCEEDED, UPDATING) or repaired) and not each.shallow


def _newest(before: Definition) -> ImageVersion | None:
    good = [each for each in before.versions if _good(each) and not each.excluded]
    return max(good, key=lambda each: each.number, default=None)


def _protected(before: Definition, each: ImageVersion, policy: Policy) -> bool:
    return before.protected_by is not None or protects(each.tags, policy.protect_tag)


def _may_be_pruned(before: Definition, each: ImageVersion, policy: Policy) -> bool:
    return (
        _good(each)
        and each.state is not UPDATING
        and not _protected(before, each, policy)
        and each.published is not None
        and not before.usage.unknown
        and each.number not in before.refused
        and (each.removal_allowed or policy.unlocks_regions)
        and policy.mode is not Mode.REPLICATE
    )


def _may_leave_to_the_newest(one: Pass, each: ImageVersion, name: str, policy: Policy) -> bool:
    newest = _newest(one.found)
    there = newest and newest.region(name)
    return (
        newest is not None
        and newest.number > each.number
        and there is not None
        and there.state is COMPLETED
        and (not policy.prune_grace or (there.since is not None and there.since + policy.prune_grace <= one.now))
    )


def _older_one_is_to_leave(one: Pass, name: str, policy: Policy) -> bool:
    newest = _newest(one.found)
    there = newest and newest.region(name)
    if there is None or there.state is RegionState.FAILED:
        return False
    return any(
        (place := each.version.region(name)) is not None
        and (name != each.version.home or place.replicas > policy.home_replicas)
        and not one.found.usage.reason(each.version.number, name)
        and _may_be_pruned(one.found, each.version, policy)
        for each in one.made.versions
        if each.role is Role.OLDER
    )


def _may_leave_as_surplus(one: Pass, each: VersionPlan, name: str, policy: Policy) -> bool:
    version = each.version
    skipped = {line.region for line in each.lines if line.action is Action.SKIP}
    return (
        policy.exclusive
        and each.role is Role.KEPT
        and policy.target(name) is None
        and not _older_one_is_to_leave(one, name, policy)
        and all(
            (there := version.region(target.region)) is not None and there.state is COMPLETED
            for target in policy.regions
            if target.region not in skipped
        )
    )


def _wave_is_through(version: ImageVersion, wave: int, policy: Policy, now: datetime, skipped: set[str]) -> bool:
    for target in policy.regions:
        if target.wave != wave or target.region in skipped:
            continue
        there = version.region(target.region)
        small = there is not None and there.replicas < target.replicas and target.region not in version.refused
        if there is None or not there.complete or small:
            return False
        if policy.wave_bake and (there.since is None or there.since + policy.wave_bake > now):
            return False
    return True


def _shape(each: ImageVersion) -> list[tuple[str, int, str | None]]:
    return sorted((there.name, there.replicas, there.storage_account_type or "") for there in each.regions)


def _shapes(of: Definition) -> dict[VersionNumber, list[tuple[str, int, str | None]]]:
    return {each.number: _shape(each) for each in of.versions}


# The properties.


@often
@given(stories)
def test_an_applied_plan_leaves_nothing_to_do(story):
    """When a plan has been applied, Azure has settled and time has passed, the next plan is empty, now and later."""
    assert story.last.made.empty
    assert story.last.made.worth_a_look is None
    assert story.last.made.capped == 0
    assert plan(story.last.found, story.policy, now=story.last.now + DAY).empty


@often
@given(stories)
def test_removals_are_safe(story):
    """A region is removed only when nothing holds it: no home, no use, no protection, and the newest complete there."""
    for one in story.passes:
        for each in one.made.versions:
            for line in each.removals:
                assert line.region != each.version.home
                assert not story.before.usage.reason(each.version.number, line.region)
                assert _may_be_pruned(one.found, each.version, story.policy)
                assert (
                    _may_leave_to_the_newest(one, each.version, line.region, story.policy)
                    if each.role is Role.OLDER
                    else _may_leave_as_surplus(one, each, line.region, story.policy)
                )


@given(stories)
def test_replicas_are_only_taken_from_the_homes_of_older_versions(story):
    """A region that stays loses replicas only as the home of an older version that may be pruned, unless in use."""
    for one in story.passes:
        for each in one.made.versions:
            for line in each.changes:
                there = each.version.region(line.region)
                if line.action is Action.SIZE and line.replicas < there.replicas:
                    assert each.role is Role.OLDER
                    assert line.region == each.version.home
                    assert line.replicas == story.policy.home_replicas
                    assert not story.before.usage.reason(each.version.number, line.region)
                    assert _may_be_pruned(one.found, each.version, story.policy)
                    assert _may_leave_to_the_newest(one, each.version, line.region, story.policy)


@given(strategies.definitions(), strategies.policies, st.booleans())
def test_kept_versions_end_in_every_region(before, policy, slow):
    """Kept and staged versions end complete in the policy's regions with its replicas, where they are not skipped."""
    last = tell(before, policy, Azure(heals=True, slow=slow)).last
    for each in last.made.versions:
        if not each.kept or _protected(before, each.version, policy):
            continue
        for line in each.lines:
            there, target = each.version.region(line.region), policy.target(line.region)
            if target and not line.over_limit:
                refused = line.region in each.version.refused
                assert (there is None) == (line.action is Action.SKIP)
                assert there is None or (there.complete and (there.replicas >= target.replicas or refused))


@given(stories)
def test_kept_versions_lose_nothing_that_is_named(story):
    """A kept or staged version loses no region that the policy names, and without an exclusive policy none at all."""
    for each in story.last.made.versions:
        if not each.kept:
            continue
        for there in story.before.version(each.version.number).regions:
            if story.policy.target(there.name) or not story.policy.exclusive or each.role is Role.STAGED:
                assert each.version.region(there.name).replicas >= there.replicas


@given(stories)
def test_older_versions_gain_nothing(story):
    """An older version gets no region and no replica, and always keeps its home."""
    for each in story.last.made.versions:
        if each.role is Role.OLDER:
            before = story.before.version(each.version.number)
            assert each.version.region(each.version.home)
            for there in each.version.regions:
                assert there.replicas <= before.region(there.name).replicas


@given(stories)
def test_no_more_writes_than_versions_that_differ(story):
    """A kept version is written once per wave in which it differs, and once to leave what the policy excludes."""
    for each in story.last.made.versions:
        number = each.version.number
        before = story.before.version(number)
        waves = {
            target.wave
            for target in story.policy.regions
            if (there := before.region(target.region)) is None or there.replicas < target.replicas
        }
        surplus = story.policy.exclusive and any(story.policy.target(there.name) is None for there in before.regions)
        most = {Role.KEPT: len(waves) + surplus, Role.STAGED: len(waves)}
        assert each.role is Role.OLDER or story.writes[number] <= most.get(each.role, 0)


@often
@given(stories)
def test_an_older_version_is_written_once(story):
    """However slowly the newest comes, an older version is pruned by one write, and one more per failure that heals."""
    newest, after = _newest(story.before), _shapes(story.last.found)
    for each in story.last.made.versions:
        if each.role is Role.OLDER:
            changed = _shape(story.before.version(each.version.number)) != after[each.version.number]
            failed = sum(there.state is RegionState.FAILED for there in newest.regions)
            writes = story.writes[each.version.number]
            assert changed <= writes <= changed + (failed if story.azure.heals else 0)


@often
@given(stories)
def test_no_wave_starts_early(story):
    """A region of a wave is added or sized only when every wave before is complete and baked, but for skipped ones."""
    for one in story.passes:
        for each in one.made.versions:
            skipped = {line.region for line in each.lines if line.action is Action.SKIP}
            for line in each.changes:
                if each.kept and line.named:
                    for wave in range(1, line.wave):
                        assert _wave_is_through(each.version, wave, story.policy, one.now, skipped)


@given(stories)
def test_a_version_that_must_not_change_does_not(story):
    """A version that is left alone or protected keeps its regions and replicas as they are, and says why."""
    after = _shapes(story.last.found)
    for each in story.last.made.versions:
        before = story.before.version(each.version.number)
        if not _good(before) or _protected(story.before, before, story.policy):
            assert story.writes[before.number] == 0
            assert after[before.number] == _shape(before)
            assert each.reason
            assert {line.reason for line in each.lines} <= {each.reason}
        else:
            assert each.role is not Role.ALONE
            assert not each.reason


@given(stories)
def test_no_more_prunes_than_the_cap(story):
    """A pass prunes no more than the cap leaves beside what Azure is still at, and counts what waits."""
    for one in story.passes:
        free = plan(one.found, story.policy, now=one.now)
        roles = {each.version.number: each.role for each in one.made.versions}
        busy = sum(each.state is UPDATING and roles[each.number] is Role.OLDER for each in one.found.versions)
        left = free.prunes if story.cap is None else max(story.cap - busy, 0)
        assert one.made.prunes == min(free.prunes, left)
        assert one.made.capped == free.prunes - one.made.prunes
        assert free.capped == 0


@given(strategies.definitions(), strategies.policies, azures, st.integers(1, 3))
def test_the_cap_changes_nothing_but_the_pace(before, policy, azure, cap):
    """Passes with a cap come to rest where those without come to rest."""
    slow, fast = tell(before, policy, azure, cap), tell(before, policy, azure)
    assert _shapes(slow.last.found) == _shapes(fast.last.found)


@given(strategies.definitions(), strategies.policies, caps, st.randoms(use_true_random=False))
def test_order_of_versions_is_nothing(before, policy, cap, random):
    """The order in which Azure lists versions makes no difference."""
    shuffled = list(before.versions)
    random.shuffle(shuffled)
    again = plan(replace(before, versions=tuple(shuffled)), policy, now=NOW, cap=cap)
    assert again == plan(before, policy, now=NOW, cap=cap)
    assert [each.version.number for each in again.versions] == sorted(
        (each.number for each in before.versions), reverse=True
    )


@given(stories)
def test_every_region_has_one_line_with_a_reason(story):
    """Each region that a version has, and each that the policy wants for it, has one line, and each line a reason."""
    named = {target.region for target in story.policy.regions}
    for one in story.passes:
        for each in one.made.versions:
            wanted = named if each.kept and not each.reason else set()
            regions = [line.region for line in each.lines]
            assert len(regions) == len(set(regions))
            assert set(regions) == wanted | {there.name for there in each.version.regions}
            assert {line.region for line in each.lines if line.named} == wanted
            assert all(line.reason.strip() == line.reason != "" for line in each.lines)


@given(stories)
def test_lines_tell_what_a_region_will_be(story):
    """A line has the replicas and the storage type that its region will have; only its action changes them."""
    for one in story.passes:
        for each in one.made.versions:
            for line in each.lines:
                there = each.version.region(line.region)
                if line.action is Action.ADD:
                    assert there is None
                    assert line.replicas == story.policy.target(line.region).replicas
                    assert bool(line.encryption_set) == each.version.encrypted
                elif line.action in (Action.KEEP, Action.SIZE):
                    assert line.storage_account_type == there.storage_account_type
                    assert (line.replicas == there.replicas) == (line.action is Action.KEEP)
                elif line.action is not Action.WAIT:
                    assert (line.replicas, line.changes) == (0, there is not None)


@given(stories)
def test_nothing_waits_for_the_past(story):
    """Only lines that wait say until when, and that lies ahead; the plan is worth a look when the first of them is."""
    for one in story.passes:
        waits = [line for each in one.made.versions for line in each.lines if line.until]
        assert all(line.until > one.now and line.action is Action.WAIT for line in waits)
        dues = {line.until for each in one.made.versions if not each.kept for line in each.lines if line.until}
        assert one.made.worth_a_look == min(dues, default=None)


@given(stories)
def test_what_waits_for_time_goes_on_in_time(story):
    """A line that waits until some time says the same until just before, and something else from then on."""
    for one in story.passes:
        if any(there.complete and not there.since for each in one.found.versions for there in each.regions):
            continue  # what nobody knows since when bakes from whenever it is first looked at
        for each in one.made.versions:
            for line in each.lines:
                if line.until:
                    early, due = (_line(one, story, each, line, line.until - before) for before in (SECOND, 0 * SECOND))
                    assert (early.action, early.until) == (Action.WAIT, line.until)
                    assert due.until != line.until
                    assert due.action is not Action.WAIT or due.named


def _line(one: Pass, story: Story, each: VersionPlan, line: Line, now: datetime) -> Line:
    made = plan(one.found, story.policy, now=max(now, one.now))
    return next(found for found in made.of(each.version.number).lines if found.region == line.region)


@given(strategies.definitions(), strategies.policies)
def test_withdrawn_versions(before, policy):
    """A newest version is called withdrawn exactly when it is not good, not there or excluded, and an older one is."""
    made, was = plan(before, policy, now=NOW), before.newest_before
    version, newest = was and before.version(was), _newest(before)
    gone = version is None or not _good(version) or version.excluded
    assert bool(made.withdrawn) == bool(was and newest and newest.number < was and gone)
    assert made.newest == newest


@given(strategies.policies, st.integers(1, 4), st.integers(0, 3))
def test_converged_definitions_plan_nothing(policy, newer, older):
    """A gallery that is as the policy wants it has nothing to do."""
    everywhere = [region(target.region, replicas=target.replicas) for target in policy.regions if target.region != HOME]
    wanted = policy.target(HOME)
    home = region(HOME, replicas=wanted.replicas if wanted else policy.home_replicas)
    kept = [version(f"2.0.{patch}", home, *everywhere) for patch in range(min(newer, policy.keep_latest))]
    small = region(HOME, replicas=policy.home_replicas)
    rest = [version(f"1.0.{patch}", small) for patch in range(older if len(kept) == policy.keep_latest else 0)]
    made = plan(definition(*kept, *rest), policy, now=NOW)
    assert made.empty
    assert made.worth_a_look is None


@pytest.mark.parametrize("slow", [False, True])
def test_a_long_history_goes_in_capped_passes(slow):
    """Dozens of old versions are pruned in passes of the cap, oldest first, each by one write, until none is left."""
    places = ["eastus2", "southeastasia", "uksouth"]
    history = [version(f"1.0.{patch}", HOME, *places) for patch in range(25)]
    policy = Policy(tuple(RegionTarget(name, 1) for name in [HOME, *places]))
    story = tell(definition(*history, version("1.0.25", HOME)), policy, Azure(slow=slow), cap=10)
    prunes = [[each.version.number.patch for each in one.written if each.prunes] for one in story.passes]
    assert [sorted(each) for each in prunes if each] == [list(range(10)), list(range(10, 20)), list(range(20, 24 + 1))]
    assert set(story.writes.values()) == {1}
