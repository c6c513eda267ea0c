import pytest

from shared.core.model import ProvisioningState, RegionState
from shared.core.plan import Action, Line, Role
from shared.core.planner import may_leave
from shared.core.policy import Mode
from shared.core.usage import Usage
from tests.core.build import (
    EVERYWHERE,
    HOME,
    HOUR,
    NOW,
    actions,
    lines,
    old,
    planned,
    policy,
    reasons,
    region,
    tables,
    usage,
    version,
    version_id,
)

SIZE, KEEP, REMOVE, ADD = Action.SIZE, Action.KEEP, Action.REMOVE, Action.ADD
UPDATING = ProvisioningState.UPDATING
TAG = {"gallery-fanout-keep": "true"}
OLDER = version_id("1.0.1").number

# The table above the module, row by row: an older version, what is known beside it, the policy, and the reason.

ROWS = [
    pytest.param(
        [
            (old(tags=TAG), {}, {}, "the tag gallery-fanout-keep is on the version"),
            (old(tags={"dontTouch": ""}), {}, {"protect_tag": "DontTouch"}, "the tag DontTouch is on the version"),
            (old(), {"protected_by": "the gallery"}, {}, "the tag gallery-fanout-keep is on the gallery"),
            (
                old(),
                {"protected_by": "the image definition"},
                {},
                "the tag gallery-fanout-keep is on the image definition",
            ),
            (
                old(tags=TAG, state=UPDATING, published=None),
                {"protected_by": "the gallery"},
                {},
                "the tag gallery-fanout-keep is on the version",
            ),
        ],
        id="the protecting tag on it, on its definition or on its gallery",
    ),
    pytest.param(
        [
            (old(state=UPDATING), {}, {}, "a write to it is under way"),
            (old(state=UPDATING, published=None), {}, {}, "a write to it is under way"),
        ],
        id="Updating: somebody's write is under way",
    ),
    pytest.param(
        [
            (old(published=None), {}, {}, "its publish date is not known"),
            (old(published=None), {"usage": Usage(unknown="x")}, {}, "its publish date is not known"),
        ],
        id="its publish date is not known",
    ),
    pytest.param(
        [
            (
                old(),
                {"usage": Usage(unknown="Azure Resource Graph is throttled")},
                {},
                "what is in use is not known: Azure Resource Graph is throttled",
            ),
            (
                old(),
                {"usage": Usage(unknown="no answer"), "refused": {OLDER: "locked"}},
                {},
                "what is in use is not known: no answer",
            ),
        ],
        id="what is in use is not known",
    ),
    pytest.param(
        [
            (
                old(),
                {"refused": {OLDER: "ScopeLocked: there is a lock"}},
                {},
                "Azure refused to prune it: ScopeLocked: there is a lock",
            ),
            (old(), {"refused": {OLDER: "no"}}, {"unlocks_regions": False}, "Azure refused to prune it: no"),
        ],
        id="Azure refused to prune it a short time ago (a lock, for example)",
    ),
    pytest.param(
        [
            (
                old(),
                {},
                {"unlocks_regions": False},
                "its safety flag forbids removal, and PRUNE_UNLOCKS_REGIONS is false",
            ),
            (
                old(),
                {},
                {"unlocks_regions": False, "mode": Mode.OBSERVE},
                "its safety flag forbids removal, and PRUNE_UNLOCKS_REGIONS is false",
            ),
        ],
        id="its safety flag forbids removal, and we may not set it",
    ),
    pytest.param([(old(), {}, {"mode": Mode.REPLICATE}, "mode replicate never prunes")], id="MODE replicate"),
    pytest.param(
        [(old(), {"cap": 0}, {}, "the cap of 0 prunes per pass is reached; a later pass goes on")],
        id="the cap of the pass is reached",
    ),
]


@pytest.mark.parametrize("examples", ROWS)
def test_holds(examples):
    """The first row of the table that fits turns every change into a KEEP line with its reason, replicas untouched."""
    for older, given, tuning, reason in examples:
        found = planned(older, version("1.0.2", *EVERYWHERE), by=policy(**tuning), **given).of(OLDER)
        assert found.lines == tuple(Line(each.name, KEEP, reason, each.replicas) for each in older.regions)
        assert (found.changes, found.removals, found.prunes, found.replicates) == ((), (), False, False)


def test_the_rows_are_those_of_the_module():
    """The table above the module and that of its test have the same rows in the same order."""
    assert tables("protection") == [[row.id for row in ROWS]]


@pytest.mark.parametrize("examples", ROWS)
def test_holds_of_an_exclusive_policy(examples):
    """What holds an older version holds a kept one against an exclusive policy, too."""
    for older, given, tuning, reason in examples:
        held = planned(older, by=policy(HOME, exclusive=True, **tuning), **given)
        assert set(actions(held, "1.0.1").values()) == {KEEP}
        assert {reasons(held, "1.0.1")[name] for name in ("eastus2", "southeastasia")} == {reason}


@pytest.mark.parametrize(
    ("older", "given", "tuning"),
    [
        pytest.param(old(tags={"gallery-fanout-keep": " False "}), {}, {}, id="tag says false"),
        pytest.param(old(tags={"gallery-fanout-keeper": "true"}), {}, {}, id="another tag"),
        pytest.param(old(removal_allowed=True), {}, {"unlocks_regions": False}, id="flag already set"),
        pytest.param(old(), {}, {"mode": Mode.OBSERVE}, id="mode observe plans in full"),
        pytest.param(old(), {"refused": {version_id("1.0.2").number: "no"}}, {}, id="another version was refused"),
        pytest.param(old(), {"usage": usage(("1.0.2", "eastus2", "VM a"))}, {}, id="another version is in use"),
        pytest.param(old(), {"usage": usage(("1.0.1", "uksouth", "VM a"))}, {}, id="in use in another region"),
        pytest.param(old(), {"cap": 1}, {}, id="within the cap"),
    ],
)
def test_no_holds(older, given, tuning):
    """What only looks like a protection holds nothing back."""
    made = planned(older, version("1.0.2", *EVERYWHERE), by=policy(**tuning), **given)
    assert actions(made, "1.0.1") == {HOME: SIZE, "eastus2": REMOVE, "southeastasia": REMOVE}


@pytest.mark.parametrize(
    ("given", "tuning"),
    [
        pytest.param({"usage": Usage(unknown="no answer")}, {}, id="usage unknown"),
        pytest.param({"refused": {version_id("1.0.2").number: "locked"}}, {}, id="refused"),
        pytest.param({}, {"unlocks_regions": False}, id="safety flag"),
        pytest.param({}, {"mode": Mode.REPLICATE}, id="mode replicate"),
        pytest.param({"cap": 0}, {}, id="cap"),
    ],
)
@pytest.mark.parametrize("exclusive", [False, True])
def test_what_holds_prunes_does_not_hold_replication(given, tuning, exclusive):
    """Whatever forbids to prune a version, it comes to the regions that the policy names."""
    made = planned(version("1.0.2", published=None), by=policy(exclusive=exclusive, **tuning), **given)
    assert actions(made, "1.0.2") == {HOME: KEEP, "eastus2": ADD, "southeastasia": ADD}


@pytest.mark.parametrize(
    ("region_of_it", "allowed", "unlocks", "may"),
    [
        ("eastus2", False, True, True),
        ("eastus2", True, True, True),
        ("eastus2", True, False, True),
        ("eastus2", False, False, False),
        (HOME, True, True, False),
        (HOME, False, False, False),
    ],
)
def test_may_leave(region_of_it, allowed, unlocks, may):
    """A failed region may be taken out unless it is the home, or the safety flag forbids it and we may not set it."""
    assert may_leave(old(removal_allowed=allowed), region_of_it, policy(unlocks_regions=unlocks)) is may


def test_holds_leave_other_reasons_alone():
    """A hold replaces the reasons of changes only; a region that stays anyway says why it stays."""
    newest = version("1.0.2", HOME, "eastus2", region("southeastasia", RegionState.FAILED))
    assert reasons(planned(old(published=None), newest), "1.0.1") == {
        HOME: "its publish date is not known",
        "eastus2": "its publish date is not known",
        "southeastasia": "1.0.2 is not complete here: failed",
    }


@pytest.mark.parametrize(
    "given",
    [{"usage": Usage(unknown="no answer")}, {"by": policy(mode=Mode.REPLICATE, prune_grace=HOUR)}],
    ids=["usage unknown", "mode replicate"],
)
def test_what_is_held_does_not_wait(given):
    """A version that is held waits for nothing: no line says until when."""
    newest = version("1.0.2", *(region(name, since=NOW) for name in EVERYWHERE))
    found = lines(planned(old(), newest, **{"by": policy(prune_grace=HOUR), **given}), "1.0.1")
    assert {(line.action, line.until) for line in found.values()} == {(KEEP, None)}


@pytest.mark.parametrize("protected_by", ["the gallery", "the image definition"])
def test_protected_definition(protected_by):
    """A tag on the gallery or the definition protects every version: none gets regions, none loses any."""
    made = planned(old(), version("1.0.2"), protected_by=protected_by)
    assert made.empty
    assert made.of(version_id("1.0.2").number).reason == f"the tag gallery-fanout-keep is on {protected_by}"


def test_tagged_kept_version_gets_nothing():
    """A tagged version is left alone also when it is the newest, and says so."""
    reason = "the tag gallery-fanout-keep is on the version"
    found = planned(version("1.0.2", tags=TAG)).of(version_id("1.0.2").number)
    assert (found.role, found.reason, found.changes) == (Role.KEPT, reason, ())
    assert found.lines == (Line(HOME, KEEP, reason, 1),)


def test_a_version_that_is_left_alone_says_why_it_is_not_good():
    """The state of a version is said rather than its tag: that is what somebody has to look at."""
    failed = old(state=ProvisioningState.FAILED, tags=TAG)
    assert planned(failed, version("1.0.2")).of(OLDER).reason == "its provisioning state is Failed"
