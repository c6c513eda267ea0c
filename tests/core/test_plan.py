from dataclasses import replace

import pytest

from shared.core.model import ProvisioningState, RegionState
from shared.core.plan import Action, Line, Plan, Role, VersionPlan
from shared.core.planner import could_prune, plan, rank
from shared.core.policy import Mode
from shared.core.usage import Usage
from tests.core.build import (
    EVERYWHERE,
    HOME,
    HOUR,
    IMAGE,
    MINUTE,
    NOW,
    SECOND,
    actions,
    definition,
    lines,
    old,
    planned,
    policy,
    reasons,
    region,
    version,
    version_id,
)

UPDATING = ProvisioningState.UPDATING


def test_empty_definition():
    """An image definition without versions plans nothing."""
    made = planned()
    assert made.empty
    assert (made.image, made.versions, made.newest, made.prunes, made.capped) == (IMAGE, (), None, 0, 0)
    assert made.of(version_id("1.0.0").number) is None


def test_versions_are_planned_newest_first():
    """A plan goes from the newest version to the oldest, by number."""
    made = planned(version("1.0.9"), version("1.0.11"), version("1.0.10"))
    assert [str(each.version.number) for each in made.versions] == ["1.0.11", "1.0.10", "1.0.9"]


@pytest.mark.parametrize(("many", "crowded"), [(8_999, {}), (9_000, {HOME: 9_000})])
def test_crowded_regions(many, crowded):
    """A region that is home to nearly as many versions as Azure takes is named."""
    line = VersionPlan(version("1.0.1", HOME), Role.OLDER, ())
    assert Plan(IMAGE, (line,) * many).crowded == crowded


def test_plan_of_a_publish():
    """After a publish the new version replicates, and the old one waits for it."""
    made = planned(old(), version("1.0.2"))
    newest, older = made.versions
    assert (newest.replicates, newest.prunes) == (True, False)
    assert [line.region for line in newest.changes] == ["eastus2", "southeastasia"]
    assert (older.replicates, older.prunes) == (False, False)
    assert not made.empty


def test_plan_of_a_converged_definition():
    """When the newest is everywhere and the older ones are at home, nothing is to be done."""
    made = planned(version("1.0.1"), version("1.0.2", *EVERYWHERE))
    assert made.empty
    assert made.prunes == 0


def test_removals():
    """The removals of a prune are the regions that it leaves, without its home."""
    made = planned(old(), version("1.0.2", *EVERYWHERE))
    found = made.of(version_id("1.0.1").number)
    assert [line.region for line in found.removals] == ["eastus2", "southeastasia"]
    assert [line.region for line in found.changes] == list(EVERYWHERE)
    assert found.prunes
    assert made.prunes == 1


def test_a_prune_of_replicas_alone():
    """An older version that only has too many replicas at home is pruned, too."""
    found = planned(version("1.0.1", region(HOME, replicas=3)), version("1.0.2")).of(version_id("1.0.1").number)
    assert (found.prunes, found.replicates, found.removals) == (True, False, ())


def test_part():
    """A part of a plan brings about the lines that it is given, and nothing else; all else that it says stays."""
    whole = planned(old(), version("1.0.2", *EVERYWHERE)).of(version_id("1.0.1").number)
    home, east, asia = whole.lines
    part = whole.part(home, asia)
    assert (part.lines, part.changes, part.removals) == ((home, asia), (home, asia), (asia,))
    assert (part.version, part.role, part.reason) == (whole.version, whole.role, whole.reason)
    assert whole.lines == (home, east, asia)
    assert part.part(east).changes == (east,)


def test_what_a_write_knows_of():
    """A write knows of the regions that the version has, of those on their way out, and of those that it adds."""
    leaving = replace(version("1.0.2", HOME, "uksouth"), leaving=("japaneast",))
    assert planned(leaving).of(leaving.number).known == {HOME, "uksouth", "japaneast", "eastus2", "southeastasia"}


def test_a_part_is_of_the_kind_that_it_brings_about():
    """A part prunes when it takes a region out, replicates when it adds one, and without lines changes nothing."""
    whole = planned(version("1.0.2")).of(version_id("1.0.2").number)
    gone = Line("eastus2", Action.REMOVE, "it failed; taken out to be put back")
    assert [(part.replicates, part.prunes) for part in (whole, whole.part(gone), whole.part())] == [
        (True, False),
        (False, True),
        (False, False),
    ]


def test_what_is_stored_more_and_less():
    """Replicas that come count, in new regions and in those that are there; with a region all that it holds goes."""
    spread = version("1.0.2", region("eastus2", replicas=2, more_replicas=4))
    grown = planned(spread, by=policy("westeurope=3 eastus2=5")).of(spread.number)
    assert (grown.gib_added, grown.gib_freed) == (30 * (3 + 3), 0)
    assert [grown.replicas_before(name) for name in (HOME, "eastus2")] == [0, 2]
    gone = grown.part(Line("eastus2", Action.REMOVE, "so"))
    assert (gone.gib_added, gone.gib_freed) == (0, 30 * (2 + 4))


def test_settled_regions():
    """A region is settled where it is complete as the policy names it, and at home; not what is kept for a reason."""
    made = planned(old(), version("1.0.2", HOME, "eastus2", region("southeastasia", RegionState.FAILED), "uksouth"))
    assert {name: line.settled for name, line in lines(made, "1.0.2").items()} == {
        HOME: True,
        "eastus2": True,
        "southeastasia": False,
        "uksouth": False,
    }
    assert not any(line.settled for line in lines(made, "1.0.1").values())
    sized = planned(version("1.0.1"), version("1.0.2", *EVERYWHERE))
    assert lines(sized, "1.0.1")[HOME].settled


@pytest.mark.parametrize(
    ("action", "changes", "wants"),
    [
        (Action.ADD, True, True),
        (Action.SIZE, True, True),
        (Action.KEEP, False, False),
        (Action.REMOVE, True, True),
        (Action.WAIT, False, True),
        (Action.SKIP, False, False),
    ],
)
def test_actions_that_write(action, changes, wants):
    """Adding, sizing and removing ask for a write; waiting asks for one later; keeping and skipping for none."""
    line = Line(HOME, action, "so")
    assert (line.changes, line.wants_change) == (changes, wants)


# The cap of a pass.


def capped(number):
    """Say that the cap was reached."""
    return f"the cap of {number} prunes per pass is reached; a later pass goes on"


@pytest.mark.parametrize(
    ("cap", "pruned", "waiting"),
    [
        (None, [4, 3, 2, 1, 0], 0),
        (6, [4, 3, 2, 1, 0], 0),
        (5, [4, 3, 2, 1, 0], 0),
        (4, [3, 2, 1, 0], 1),
        (2, [1, 0], 3),
        (0, [], 5),
    ],
)
def test_cap(cap, pruned, waiting):
    """The cap lets the oldest prunes through first, and the plan says how many are waiting."""
    made = planned(*[version(f"1.0.{patch}", *EVERYWHERE) for patch in range(6)], cap=cap)
    assert [each.version.number.patch for each in made.versions if each.prunes] == pruned
    assert (made.prunes, made.capped) == (len(pruned), waiting)


@pytest.mark.parametrize(("cap", "pruned", "waiting"), [(4, 2, 0), (3, 1, 1), (2, 0, 2), (1, 0, 2)])
def test_prunes_that_azure_is_still_at_count(cap, pruned, waiting):
    """Older versions that are Updating count against the cap: a pass adds only what is left of it."""
    running = [version(f"1.0.{patch}", state=UPDATING) for patch in range(2)]
    made = planned(*running, *[version(f"1.0.{patch}", *EVERYWHERE) for patch in range(2, 5)], cap=cap)
    assert (made.prunes, made.capped) == (pruned, waiting)


@pytest.mark.parametrize(
    "others",
    [
        pytest.param([version("1.0.0", *EVERYWHERE, published=None), version("1.0.5", *EVERYWHERE)], id="held"),
        pytest.param([version("1.0.0", *EVERYWHERE, shallow=True), version("1.0.5", *EVERYWHERE)], id="left alone"),
        pytest.param([version("1.0.5", *EVERYWHERE, state=UPDATING)], id="newest, Updating"),
        pytest.param(
            [version("1.0.5", *EVERYWHERE), version("1.0.6", excluded=True, state=UPDATING)], id="staged, Updating"
        ),
    ],
)
def test_cap_does_not_count_what_is_not_pruned(others):
    """Versions that are held, left alone or brought to regions cost nothing of the cap."""
    made = planned(old(), *others, by=policy(f"{HOME}=2 eastus2"), cap=1)
    assert made.of(version_id("1.0.1").number).prunes
    assert made.of(version_id("1.0.5").number).replicates
    assert made.capped == 0


def test_cap_gives_its_reason():
    """A prune that waits for a later pass keeps its regions for that reason; a region that stays anyway says why."""
    versions = [version(f"1.0.{patch}", *EVERYWHERE, "uksouth") for patch in range(2)]
    made = planned(*versions, version("1.0.2", *EVERYWHERE), cap=1)
    assert reasons(made, "1.0.1") == {
        HOME: "its home region",
        "eastus2": capped(1),
        "southeastasia": capped(1),
        "uksouth": "1.0.2 is not here",
    }
    assert actions(made, "1.0.1") == dict.fromkeys([*EVERYWHERE, "uksouth"], Action.KEEP)


def test_cap_counts_exclusive_policies():
    """A kept version that leaves regions because its policy is exclusive is a prune that the cap counts, the last."""
    newest = version("1.0.2", *EVERYWHERE, "uksouth")
    made = planned(old(), newest, by=policy(exclusive=True), cap=1)
    assert made.of(old().number).prunes
    assert reasons(made, "1.0.2")["uksouth"] == capped(1)
    assert made.capped == 1


# The mode of a pass.


@pytest.mark.parametrize(
    ("mode", "newest", "older"),
    [
        (Mode.FULL, {Action.KEEP, Action.ADD}, {Action.KEEP, Action.REMOVE}),
        (Mode.OBSERVE, {Action.KEEP, Action.ADD}, {Action.KEEP, Action.REMOVE}),
        (Mode.REPLICATE, {Action.KEEP, Action.ADD}, {Action.KEEP}),
    ],
)
def test_modes_are_filters_over_one_plan(mode, newest, older):
    """Modes observe and full plan the same; replicate takes the prunes away, and nothing else."""
    by = policy("westeurope eastus2", mode=mode)
    made = planned(version("1.0.1", HOME, "southeastasia"), version("1.0.2", HOME, "southeastasia"), by=by)
    assert set(actions(made, "1.0.2").values()) == newest
    assert set(actions(made, "1.0.1").values()) == older


def test_modes_make_the_same_lines():
    """A plan in mode replicate differs from the full one only in lines by which a version would lose something."""
    versions = [old(), version("1.0.2", *EVERYWHERE, "uksouth")]
    full, replicating = (
        planned(*versions, by=policy(mode=mode, exclusive=True)) for mode in (Mode.FULL, Mode.REPLICATE)
    )
    for number in ("1.0.1", "1.0.2"):
        for name, line in lines(full, number).items():
            kept = lines(replicating, number)[name]
            assert kept == line or (line.changes and kept.reason == "mode replicate never prunes")


# What a plan says beside its lines.


def test_warnings():
    """A plan warns of what was wrong with its policy, then of versions with too many replicas, newest first."""
    versions = [version("1.0.2", region(HOME, replicas=60)), version("1.0.3", region(HOME, replicas=99))]
    made = planned(*versions, by=policy(keep_latest=2, warnings=("a tag is malformed",)))
    assert made.warnings == (
        "a tag is malformed",
        "1.0.3 gets no more regions and replicas: the version would have 101 replicas in all, and Azure takes 100",
        "1.0.2 has 62 replicas in all; Azure advises 50 at most",
    )


def complete(*minutes):
    """Make the newest version, complete in the three regions since so many minutes."""
    places = zip(EVERYWHERE, minutes, strict=True)
    return version("1.0.3", *(region(name, since=NOW - minute * MINUTE) for name, minute in places))


@pytest.mark.parametrize(
    ("versions", "tuning", "due"),
    [
        pytest.param([old(), complete(1, 2, 3)], {}, None, id="nothing waits"),
        pytest.param([old(), complete(1, 2, 3)], {"prune_grace": HOUR}, NOW + 59 * MINUTE, id="the grace of one"),
        pytest.param(
            [old(), version("1.0.2", HOME, "eastus2"), complete(30, 20, 10)],
            {"prune_grace": HOUR},
            NOW + 40 * MINUTE,
            id="the first of two graces",
        ),
        pytest.param(
            [old(), version("1.0.3", region(HOME, since=NOW), region("eastus2", RegionState.REPLICATING))],
            {"prune_grace": HOUR},
            None,
            id="waits for Azure, too",
        ),
        pytest.param(
            [version("1.0.3", region(HOME, since=NOW))],
            {"regions": "westeurope; eastus2", "wave_bake": HOUR},
            None,
            id="only a wave bakes",
        ),
        pytest.param(
            [old(published=None), complete(1, 2, 3)],
            {"prune_grace": HOUR},
            None,
            id="held, so that time changes nothing",
        ),
    ],
)
def test_worth_a_look(versions, tuning, due):
    """A plan says when time alone will let a prune through; that of waves is looked after by whoever watches them."""
    assert planned(*versions, by=policy(**tuning)).worth_a_look == due


def test_time_alone_lets_a_prune_through():
    """A prune that waits for its grace goes at the time that its line names, and not a moment earlier."""
    waiting = definition(old(), complete(1, 2, 3))
    by = policy(prune_grace=HOUR)
    due = plan(waiting, by, now=NOW).worth_a_look
    assert plan(waiting, by, now=due - SECOND / 1000).empty
    assert plan(waiting, by, now=due).of(old().number).prunes


# What has to be known for a plan.


@pytest.mark.parametrize(
    ("versions", "tuning", "could"),
    [
        pytest.param([], {}, False, id="no versions"),
        pytest.param([version("1.0.2", *EVERYWHERE)], {}, False, id="no older version"),
        pytest.param([version("1.0.1"), version("1.0.2")], {}, False, id="older, at home"),
        pytest.param([version("1.0.1", region(HOME, replicas=2)), version("1.0.2")], {}, True, id="too many replicas"),
        pytest.param(
            [version("1.0.1", region(HOME, replicas=2)), version("1.0.2")], {"home_replicas": 2}, False, id="enough"
        ),
        pytest.param([version("1.0.1", HOME, "uksouth"), version("1.0.2")], {}, True, id="older, elsewhere"),
        pytest.param(
            [version("1.0.1", *EVERYWHERE, shallow=True), version("1.0.2")], {}, False, id="left alone, elsewhere"
        ),
        pytest.param([version("1.0.2", *EVERYWHERE)], {"exclusive": True}, True, id="exclusive"),
    ],
)
def test_could_prune(versions, tuning, could):
    """What is in use matters only where a version might lose a region or a replica."""
    by = policy(**tuning)
    assert could_prune(rank(versions, by), by) is could


def test_where_nothing_could_be_pruned_use_does_not_matter():
    """Where nothing could be pruned, the plan is the same whether it is known what is in use or not."""
    versions = [version("1.0.1"), version("1.0.2")]
    assert planned(*versions) == planned(*versions, usage=Usage(unknown="no answer"))


def test_kept_roles():
    """Kept and staged versions belong everywhere; older ones and those left alone do not."""
    kept = {
        each.role
        for each in planned(
            version("1.0.1"),
            version("1.0.2"),
            version("1.0.3", excluded=True),
            version("1.0.4", shallow=True),
        ).versions
        if each.kept
    }
    assert kept == {Role.KEPT, Role.STAGED}
