import pytest

from shared.core.model import ProvisioningState, RegionState
from shared.core.plan import Action, Role
from shared.core.planner.roles import newest_of, rank, withdrawn
from tests.core.build import (
    EVERYWHERE,
    HOME,
    actions,
    definition,
    old,
    planned,
    policy,
    region,
    tables,
    version,
    version_id,
)

ADD, KEEP, REMOVE = Action.ADD, Action.KEEP, Action.REMOVE
CREATING, UPDATING, FAILED = ProvisioningState.CREATING, ProvisioningState.UPDATING, ProvisioningState.FAILED
STATES = ["Creating", "Failed", "Deleting", "Migrating", "Unknown"]

# The first table above the module, row by row: versions of that kind, others beside them, what they count for.

ROLES = [
    pytest.param(
        [version(f"2.0.{patch}", state=ProvisioningState(state)) for patch, state in enumerate(STATES)],
        [version("1.0.0")],
        Role.ALONE,
        set(),
        id="Creating, Failed, Deleting, Migrating, unknown",
    ),
    pytest.param(
        [
            version("2.0.0", shallow=True),
            version("2.0.1", shallow=True, excluded=True),
            version("2.0.2", shallow=True, state=FAILED, repairable=True),
        ],
        [version("1.0.0")],
        Role.ALONE,
        set(),
        id="shallow",
    ),
    pytest.param(
        [version("2.0.0", state=FAILED, repairable=True), version("1.9.0", state=UPDATING)],
        [version("1.0.0"), version("3.0.0", excluded=True)],
        Role.KEPT,
        {("eastus2", ADD), ("southeastasia", ADD)},
        id="good, not excluded from latest, among the newest KEEP_LATEST",
    ),
    pytest.param(
        [
            version("2.0.0", excluded=True),
            version("1.9.0", excluded=True, state=UPDATING),
            version("1.8.0", excluded=True, state=FAILED, repairable=True),
        ],
        [version("1.0.0")],
        Role.STAGED,
        {("eastus2", ADD), ("southeastasia", ADD)},
        id="good, excluded from latest, newer than the newest KEPT",
    ),
    pytest.param(
        [
            version("1.0.0", *EVERYWHERE),
            version("1.0.3", *EVERYWHERE, state=FAILED, repairable=True),
            version("1.0.5", *EVERYWHERE, excluded=True),
        ],
        [version("2.0.0", *EVERYWHERE), version("2.0.1", *EVERYWHERE)],
        Role.OLDER,
        {("eastus2", REMOVE), ("southeastasia", REMOVE)},
        id="any other good one",
    ),
]


@pytest.mark.parametrize(("subjects", "others", "role", "changes"), ROLES)
def test_roles(subjects, others, role, changes):
    """The first row of the table that fits gives a version its role and what happens to it."""
    made = planned(*subjects, *others, by=policy(keep_latest=2))
    for subject in subjects:
        found = made.of(subject.number)
        assert found.role is role
        assert {(line.region, line.action) for line in found.changes} == changes
        assert bool(found.reason) == (role is Role.ALONE)
        assert found.kept == (role in (Role.KEPT, Role.STAGED))


# The second table above the module, row by row: what became of 1.0.4, which was the newest, and what is said of it.

WITHDRAWN = [
    pytest.param([([], "1.0.4 was deleted")], id="is not there"),
    pytest.param(
        [
            ([version("1.0.4", state=FAILED)], "1.0.4 is left alone: its provisioning state is Failed"),
            ([version("1.0.4", state=CREATING)], "1.0.4 is left alone: its provisioning state is Creating"),
            (
                [version("1.0.4", shallow=True, excluded=True)],
                "1.0.4 is left alone: it is shallow, and Azure cannot replicate that",
            ),
        ],
        id="ALONE",
    ),
    pytest.param(
        [
            ([version("1.0.4", excluded=True)], "1.0.4 is excluded from latest"),
            ([version("1.0.4", excluded=True, state=UPDATING)], "1.0.4 is excluded from latest"),
        ],
        id="excluded from latest",
    ),
    pytest.param(
        [
            ([version("1.0.4")], ""),
            ([version("1.0.4", state=UPDATING)], ""),
            ([version("1.0.4", state=FAILED, repairable=True)], ""),
            ([version("1.0.4"), version("1.0.5")], ""),
            ([version("1.0.5")], ""),
            ([version("1.0.4", excluded=True), version("1.0.5")], ""),
        ],
        id="anything else",
    ),
]


@pytest.mark.parametrize("examples", WITHDRAWN)
def test_withdrawn(examples):
    """The first row of the table that fits says why the newest is an older version than it was."""
    for versions, reason in examples:
        made = planned(version("1.0.3"), *versions, newest_before=version_id("1.0.4").number)
        assert made.withdrawn == reason


def test_the_rows_are_those_of_the_module():
    """The tables above the module and those of its test have the same rows in the same order."""
    assert tables("roles") == [[row.id for row in ROLES], [row.id for row in WITHDRAWN]]


@pytest.mark.parametrize(
    ("versions", "before"),
    [
        pytest.param([version("1.0.3")], None, id="nobody knows what was the newest"),
        pytest.param([version("1.0.3", state=FAILED)], "1.0.4", id="nothing is the newest now"),
        pytest.param([], "1.0.4", id="nothing is left"),
        pytest.param([version("1.0.04")], "1.0.4", id="it is spelled otherwise"),
    ],
)
def test_nothing_is_withdrawn(versions, before):
    """Where there is no newest, or none that it could be compared with, nothing was withdrawn."""
    assert planned(*versions, newest_before=before and version_id(before).number).withdrawn == ""


def test_a_good_version_that_is_not_the_newest_was_not_withdrawn():
    """A version that is there, good and not excluded gives no reason, whatever is taken for the newest."""
    versions = definition(version("1.0.3"), version("1.0.4"), newest_before=version_id("1.0.4").number)
    assert withdrawn(versions, version("1.0.3")) == ""


@pytest.mark.parametrize(
    "newest",
    [
        pytest.param([], id="deleted"),
        pytest.param([version("1.0.2", *EVERYWHERE, state=FAILED)], id="failed"),
        pytest.param([version("1.0.2", *EVERYWHERE, state=ProvisioningState.DELETING)], id="being deleted"),
        pytest.param([version("1.0.2", *EVERYWHERE, excluded=True)], id="excluded"),
        pytest.param([version("1.0.2", *EVERYWHERE, shallow=True)], id="shallow"),
    ],
)
def test_withdrawing(newest):
    """When the newest fails, goes or is excluded, the one before it comes back to every region, with a reason."""
    made = planned(version("1.0.1"), *newest, newest_before=version_id("1.0.2").number)
    assert made.newest.number == version_id("1.0.1").number
    assert actions(made, "1.0.1") == {HOME: KEEP, "eastus2": ADD, "southeastasia": ADD}
    assert made.withdrawn.startswith("1.0.2 ")
    assert not any(made.of(each.number).changes for each in newest)


@pytest.mark.parametrize("state", STATES)
def test_reason_of_a_state(state):
    """A version that is neither Succeeded nor Updating is left alone with its state as the reason."""
    (standing,) = rank([version("1.0.0", state=ProvisioningState(state))], policy())
    assert standing.reason == f"its provisioning state is {state}"


def test_a_state_that_azure_may_add():
    """A version in a state that we do not know is left alone."""
    (standing,) = rank([version("1.0.0", state=ProvisioningState("New in 2031"))], policy())
    assert (standing.role, standing.reason) == (Role.ALONE, "its provisioning state is Unknown")


def test_reason_of_a_shallow_version():
    """A shallow version is left alone because Azure cannot replicate it."""
    (standing,) = rank([version("1.0.0", shallow=True)], policy())
    assert standing.reason == "it is shallow, and Azure cannot replicate that"


def test_keep_latest_counts_good_versions_only():
    """Only good versions that are not excluded are counted against KEEP_LATEST; newest first, by number."""
    versions = [
        version("1.0.2"),
        version("1.0.10"),
        version("1.0.9", state=FAILED),
        version("1.0.8", excluded=True),
        version("1.0.7"),
        version("1.0.11", excluded=True),
    ]
    ranked = rank(versions, policy(keep_latest=2))
    assert [(str(each.version.number), each.role) for each in ranked] == [
        ("1.0.11", Role.STAGED),
        ("1.0.10", Role.KEPT),
        ("1.0.9", Role.ALONE),
        ("1.0.8", Role.OLDER),
        ("1.0.7", Role.KEPT),
        ("1.0.2", Role.OLDER),
    ]


def test_the_newest_is_the_newest_kept():
    """The newest is the newest version that is kept: no staged one, and none that is left alone."""
    versions = [version("1.0.1"), version("1.0.2"), version("1.0.3", excluded=True), version("1.0.4", state=FAILED)]
    assert newest_of(rank(versions, policy(keep_latest=2))).number == version_id("1.0.2").number


def test_updating_version_stays_the_newest():
    """Our own write makes a version Updating; it stays the newest, and the one before it stays older."""
    updating = version("1.0.2", HOME, state=UPDATING)
    made = planned(version("1.0.1"), updating)
    assert made.newest == updating
    assert made.of(version_id("1.0.1").number).role is Role.OLDER


def test_a_failed_version_stays_the_newest_while_it_is_repaired():
    """A version that is Failed because a region is stays the newest while that can be repaired, and not afterwards."""
    placed = [HOME, region("eastus2", RegionState.FAILED), "southeastasia"]
    for repairable, newest, asia in ((True, "1.0.2", REMOVE), (False, "1.0.1", KEEP)):
        made = planned(old(), version("1.0.2", *placed, state=FAILED, repairable=repairable))
        assert str(made.newest.number) == newest
        assert not made.of(version_id("1.0.2").number).changes
        assert actions(made, "1.0.1")["eastus2"] is KEEP
        assert actions(made, "1.0.1")["southeastasia"] is asia


@pytest.mark.parametrize("state", [state for state in STATES if state != "Failed"])
def test_other_states_are_not_repaired(state):
    """A rollout that could repair a region makes no other state good: the version is going, or not there yet."""
    (standing,) = rank([version("1.0.0", state=ProvisioningState(state), repairable=True)], policy())
    assert (standing.role, standing.reason) == (Role.ALONE, f"its provisioning state is {state}")


def test_no_version_is_older_than_none():
    """Where no version is kept, none is older: nothing loses a region."""
    made = planned(version("1.0.2", *EVERYWHERE, state=FAILED), old(excluded=True))
    assert made.newest is None
    assert [each.role for each in made.versions] == [Role.ALONE, Role.STAGED]
    assert made.empty
