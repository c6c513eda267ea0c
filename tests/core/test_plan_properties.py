from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.core.model import Definition, ImageVersion, ProvisioningState, Region, RegionState
from shared.core.plan import Action, Plan, Role, VersionPlan
from shared.core.planner import plan, protects
from shared.core.policy import Mode, Policy
from tests.core import strategies
from tests.core.build import definition, region, version


def apply(before: Definition, made: Plan) -> Definition:
    """Do what a plan says, at once and without failures."""
    return replace(before, versions=tuple(_applied(made.of(each.number)) for each in before.versions))


def _applied(each: VersionPlan) -> ImageVersion:
    regions = []
    for line in each.lines:
        there = each.version.region(line.region)
        if line.action is Action.ADD:
            regions.append(Region(line.region, line.replicas, line.storage_account_type, state=RegionState.COMPLETED))
        elif line.action in (Action.SIZE, Action.KEEP):
            assert there is not None
            regions.append(replace(there, replicas=line.replicas))
    return replace(each.version, regions=tuple(regions))


def settled(before: Definition) -> Definition:
    """Let Azure finish everything that it is at."""
    return replace(
        before,
        versions=tuple(
            replace(each, regions=tuple(replace(there, state=RegionState.COMPLETED) for there in each.regions))
            for each in before.versions
        ),
    )


def converge(before: Definition, policy: Policy, *, cap: int | None = None) -> tuple[Definition, int]:
    """Plan and apply until nothing changes; say how many rounds that took."""
    for rounds in range(20):
        made = plan(before, policy, cap=cap)
        if made.empty:
            return before, rounds
        before = apply(before, made)
    raise AssertionError("twenty rounds, and the plan still wants changes")


def _newest(before: Definition) -> ImageVersion | None:
    good = [
        each
        for each in before.versions
        if each.state in (ProvisioningState.SUCCEEDED, ProvisioningState.UPDATING)
        and not each.excluded
        and not each.shallow
    ]
    return max(good, key=lambda each: each.number, default=None)


def _protected(before: Definition, each: ImageVersion, policy: Policy) -> bool:
    return before.protected_by is not None or protects(each.tags, policy.protect_tag)


@given(strategies.definitions(), strategies.policies)
def test_applied_plans_converge(before, policy):
    """A plan that is applied leaves nothing, or only the prunes that waited for it; after those the plan is empty."""
    assert converge(before, policy)[1] <= 2
    assert converge(settled(before), policy)[1] <= 2


@given(strategies.definitions(), strategies.policies)
def test_one_round_is_enough_when_the_newest_is_everywhere(before, policy):
    """Once the newest version is Completed wherever it will be, one round ends it: the next plan is empty."""
    converged, _ = converge(settled(before), replace(policy, mode=Mode.REPLICATE))
    assert converge(converged, policy)[1] <= 1


@given(strategies.definitions(), strategies.policies, st.integers(1, 3))
def test_capped_plans_converge_to_the_same(before, policy, cap):
    """The cap makes it take longer, and nothing else."""
    capped, _ = converge(before, policy, cap=cap)
    assert capped == converge(before, policy)[0]


@settings(max_examples=300)
@given(strategies.definitions(), strategies.policies, st.none() | st.integers(1, 2))
def test_removals_are_safe(before, policy, cap):
    """No region is removed that is a home, where the newest is not Completed, or of a version that is protected."""
    newest = _newest(before)
    for each in plan(before, policy, cap=cap).versions:
        for line in each.removals:
            there = newest.region(line.region)
            assert line.region != each.version.home
            assert there.state is RegionState.COMPLETED
            assert each.version.number < newest.number
            assert each.version.published is not None
            assert each.version.state is ProvisioningState.SUCCEEDED
            assert not each.version.shallow
            assert not _protected(before, each.version, policy)
            assert each.version.removal_allowed or policy.unlocks_regions
            assert policy.mode is not Mode.REPLICATE


@given(strategies.definitions(), strategies.policies)
def test_a_version_that_must_not_change_does_not(before, policy):
    """A protected version, and one that is not good, has no line that changes anything."""
    for each in plan(before, policy).versions:
        version = each.version
        good = version.state in (ProvisioningState.SUCCEEDED, ProvisioningState.UPDATING) and not version.shallow
        if not good or _protected(before, version, policy):
            assert not each.changes
            assert each.reason


@given(strategies.definitions(), strategies.policies)
def test_kept_versions_end_in_every_region(before, policy):
    """Kept and staged versions end with at least the policy's regions and replicas, unless encrypted or protected."""
    converged, _ = converge(before, policy)
    for each in plan(converged, policy).versions:
        version = each.version
        if each.role not in (Role.KEPT, Role.STAGED) or _protected(before, version, policy):
            continue
        for target in policy.regions:
            there = version.region(target.region)
            assert there.replicas >= target.replicas if there else version.encrypted


@given(strategies.definitions(), strategies.policies)
def test_kept_versions_lose_nothing(before, policy):
    """A version that is kept, staged or left alone loses no region and no replica."""
    for each in plan(before, policy).versions:
        if each.role is Role.OLDER:
            continue
        after = _applied(each)
        for there in each.version.regions:
            assert after.region(there.name).replicas >= there.replicas


@given(strategies.definitions(), strategies.policies)
def test_older_versions_gain_nothing(before, policy):
    """An older version gets no region and no replica, and always keeps its home."""
    for each in plan(before, policy).versions:
        if each.role is not Role.OLDER:
            continue
        after = _applied(each)
        assert after.region(after.home) is not None
        for there in after.regions:
            assert there.replicas <= each.version.region(there.name).replicas


@given(strategies.definitions(), strategies.policies)
def test_storage_types_are_never_changed(before, policy):
    """A region that a version has keeps its storage type, and every region of a version has exactly one line."""
    for each in plan(before, policy).versions:
        named = [line.region for line in each.lines]
        assert len(named) == len(set(named))
        assert {there.name for there in each.version.regions} <= set(named)
        for line in each.lines:
            there = each.version.region(line.region)
            if there and line.action is not Action.REMOVE:
                assert line.storage_account_type == there.storage_account_type
            assert line.reason


@given(strategies.definitions(), strategies.policies)
def test_order_of_versions_is_nothing(before, policy):
    """The order in which Azure lists versions makes no difference."""
    assert plan(replace(before, versions=before.versions[::-1]), policy) == plan(before, policy)


@given(strategies.definitions(), strategies.policies, st.integers(1, 3))
def test_a_pass_prunes_no_more_than_the_cap(before, policy, cap):
    """A pass prunes at most as many versions as the cap allows, and says so exactly when more are waiting."""
    free, made = plan(before, policy), plan(before, policy, cap=cap)
    wanted = sum(each.prunes for each in free.versions)
    assert sum(each.prunes for each in made.versions) == min(wanted, cap)
    assert made.capped == (wanted > cap)


@given(strategies.policies, st.integers(1, 4), st.integers(0, 3))
def test_converged_definitions_plan_nothing(policy, newer, older):
    """A gallery that is as the policy wants it has nothing to do."""
    everywhere = [
        region(target.region, replicas=target.replicas) for target in policy.regions if target.region != "westeurope"
    ]
    home = region("westeurope", replicas=max(policy.home_replicas, 3))
    kept = [version(f"2.0.{patch}", home, *everywhere) for patch in range(min(newer, policy.keep_latest))]
    small = region("westeurope", replicas=policy.home_replicas)
    rest = [version(f"1.0.{patch}", small) for patch in range(older if len(kept) == policy.keep_latest else 0)]
    assert plan(definition(*kept, *rest), policy).empty
