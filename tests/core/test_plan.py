from types import MappingProxyType

import pytest

from shared.core.model import ProvisioningState, RegionState
from shared.core.plan import Action, Line, Role
from shared.core.planner import plan, protects, rank, spread
from shared.core.policy import Mode
from tests.core.build import HOME, definition, policy, region, version, version_id

ADD, SIZE, KEEP, REMOVE, SKIP = Action.ADD, Action.SIZE, Action.KEEP, Action.REMOVE, Action.SKIP
FAILED, REPLICATING, UNKNOWN = RegionState.FAILED, RegionState.REPLICATING, RegionState.UNKNOWN
EVERYWHERE = (HOME, "eastus2", "southeastasia")


def actions(made, number):
    """Say what a plan does with each region of a version."""
    return {line.region: line.action for line in made.of(version_id(number).number).lines}


def reasons(made, number):
    """Say why a plan does that."""
    return {line.region: line.reason for line in made.of(version_id(number).number).lines}


def old(**more):
    """Make an older version that is in all three regions, with two replicas at home."""
    return version("1.0.1", region(HOME, replicas=2), "eastus2", "southeastasia", **more)


# The first table above the planner, row by row.


@pytest.mark.parametrize(
    ("subjects", "others", "role", "changes"),
    [
        pytest.param(
            [
                version(f"2.0.{patch}", state=ProvisioningState(state))
                for patch, state in enumerate(["Creating", "Failed", "Deleting", "Migrating", "Unknown", "New in 2031"])
            ],
            [version("1.0.0")],
            Role.ALONE,
            set(),
            id="Creating, Failed, Deleting, Migrating, unknown",
        ),
        pytest.param([version("2.0.0", shallow=True)], [version("1.0.0")], Role.ALONE, set(), id="shallow"),
        pytest.param(
            [version("2.0.0"), version("1.9.0", state=ProvisioningState.UPDATING)],
            [version("1.0.0"), version("3.0.0", excluded=True)],
            Role.KEPT,
            {("eastus2", ADD), ("southeastasia", ADD)},
            id="good, not excluded from latest, among the newest KEEP_LATEST",
        ),
        pytest.param(
            [version("2.0.0", excluded=True), version("1.9.0", excluded=True)],
            [version("1.0.0")],
            Role.STAGED,
            {("eastus2", ADD), ("southeastasia", ADD)},
            id="good, excluded from latest, newer than the newest KEPT",
        ),
        pytest.param(
            [version("1.0.0", *EVERYWHERE), version("1.0.5", *EVERYWHERE, excluded=True)],
            [version("2.0.0", *EVERYWHERE), version("2.0.1", *EVERYWHERE)],
            Role.OLDER,
            {("eastus2", REMOVE), ("southeastasia", REMOVE)},
            id="any other good one",
        ),
    ],
)
def test_roles(subjects, others, role, changes):
    """The first row of the table that fits gives a version its role and what happens to it."""
    made = plan(definition(*subjects, *others), policy(keep_latest=2))
    for subject in subjects:
        found = made.of(subject.number)
        assert found.role is role
        assert {(line.region, line.action) for line in found.changes} == changes
        assert bool(found.reason) == (role is Role.ALONE)


# The second table above the planner, row by row: what the newest looks like, and what the older version then does.


@pytest.mark.parametrize(
    "examples",
    [
        pytest.param(
            [
                ([region(HOME, FAILED)], {HOME: KEEP}),
                (["eastus2", "southeastasia"], {HOME: KEEP}),
                (EVERYWHERE, {HOME: SIZE}),
            ],
            id="its home",
        ),
        pytest.param(
            [
                (EVERYWHERE, {"eastus2": REMOVE, "southeastasia": REMOVE}),
                ([HOME, "eastus2", region("southeastasia", FAILED)], {"eastus2": REMOVE}),
            ],
            id="the newest is complete here",
        ),
        pytest.param(
            [
                ([HOME, "eastus2", region("southeastasia", FAILED)], {"southeastasia": KEEP}),
                ([HOME, "eastus2", "southeastasia"], {"uksouth": KEEP, "eastus2": REMOVE}),
            ],
            id="the newest failed here, or is not to come here",
        ),
        pytest.param(
            [
                ([HOME, "eastus2"], {HOME: KEEP, "eastus2": KEEP, "southeastasia": KEEP}),
                ([HOME, "eastus2", region("southeastasia", REPLICATING)], {"eastus2": KEEP, "southeastasia": KEEP}),
                ([HOME, "eastus2", region("southeastasia", UNKNOWN)], {"eastus2": KEEP, "southeastasia": KEEP}),
                ([*EVERYWHERE, region("uksouth", REPLICATING)], {"eastus2": KEEP, "uksouth": KEEP}),
            ],
            id="the newest is still on its way here",
        ),
    ],
)
def test_pruning_by_region(examples):
    """The first row of the table that fits decides about a region of an older version."""
    older = version("1.0.1", region(HOME, replicas=2), "eastus2", "southeastasia", "uksouth")
    for newest, expected in examples:
        found = actions(plan(definition(older, version("1.0.2", *newest)), policy()), "1.0.1")
        assert {name: found[name] for name in expected} == expected


def test_reasons_of_pruning():
    """Each region of an older version has its reason in plain words."""
    older = version("1.0.1", region(HOME, replicas=3), "eastus2", "southeastasia", "uksouth")
    newest = version("1.0.2", HOME, "eastus2", region("southeastasia", FAILED))
    assert reasons(plan(definition(older, newest), policy()), "1.0.1") == {
        HOME: "its home region, where 1 of 3 replicas are enough",
        "eastus2": "1.0.2 is complete here",
        "southeastasia": "1.0.2 is not complete here: failed",
        "uksouth": "1.0.2 is not here",
    }


def test_waiting_names_the_region():
    """While the newest is on its way, the older version's lines say where to; regions that stay anyway say why."""
    newest = version("1.0.2", HOME, "eastus2", region("southeastasia", REPLICATING, progress=40))
    waits = "waits until 1.0.2 is in southeastasia too, so that one write removes all"
    assert reasons(plan(definition(old(), newest), policy()), "1.0.1") == {
        HOME: waits,
        "eastus2": waits,
        "southeastasia": "1.0.2 is not complete here: 40 % replicated",
    }


def test_newest_on_its_way_only_where_the_older_version_is():
    """The older version does not wait for regions that it is not in, nor for the newest at its own home."""
    older = version("1.0.1", HOME, "eastus2")
    newest = version("1.0.2", region(HOME, REPLICATING), "eastus2", region("southeastasia", REPLICATING))
    assert actions(plan(definition(older, newest), policy()), "1.0.1") == {HOME: KEEP, "eastus2": REMOVE}


def test_encrypted_newest_is_not_awaited_where_it_cannot_go():
    """An encrypted newest version does not come to new regions: the older one stays there, and leaves the others."""
    newest = version("1.0.2", region(HOME, encrypted=True), region("eastus2", encrypted=True))
    made = plan(definition(old(), newest), policy())
    assert actions(made, "1.0.1") == {HOME: SIZE, "eastus2": REMOVE, "southeastasia": KEEP}


def test_protected_newest_is_not_awaited_where_it_will_not_go():
    """A tagged newest version gets no new regions: the older one stays there, and does not wait for ever elsewhere."""
    newest = version("1.0.2", HOME, "eastus2", tags={"gallery-fanout-keep": "true"})
    made = plan(definition(old(), newest), policy())
    assert actions(made, "1.0.1") == {HOME: SIZE, "eastus2": REMOVE, "southeastasia": KEEP}
    assert reasons(made, "1.0.1")["southeastasia"] == "1.0.2 is not here"


TAG = "the tag gallery-fanout-keep is on the version"


@pytest.mark.parametrize(
    ("older", "given", "reason"),
    [
        pytest.param(old(tags={"gallery-fanout-keep": "true"}), {}, TAG, id="tag"),
        pytest.param(old(tags={"Gallery-Fanout-KEEP": ""}), {}, TAG, id="tag in another case, without a value"),
        pytest.param(
            old(tags={"frozen": "1"}), {"protect_tag": "Frozen"}, "the tag Frozen is on the version", id="own tag"
        ),
        pytest.param(old(state=ProvisioningState.UPDATING), {}, "a write to it is under way", id="updating"),
        pytest.param(old(published=None), {}, "its publish date is not known", id="no date"),
        pytest.param(old(), {"mode": Mode.REPLICATE}, "mode replicate never prunes", id="mode"),
        pytest.param(
            old(),
            {"unlocks_regions": False},
            "its safety flag forbids removal, and PRUNE_UNLOCKS_REGIONS is false",
            id="safety flag",
        ),
        pytest.param(
            old(state=ProvisioningState.FAILED), {}, "its provisioning state is Failed", id="provisioning state"
        ),
        pytest.param(old(shallow=True), {}, "it is shallow, and Azure cannot replicate that", id="shallow"),
    ],
)
def test_holds(older, given, reason):
    """Whatever protects a version turns all its changes into KEEP lines with that reason, replicas untouched."""
    made = plan(definition(older, version("1.0.2", *EVERYWHERE)), policy(**given))
    found = made.of(older.number)
    assert found.lines == tuple(Line(each.name, KEEP, reason, each.replicas) for each in older.regions)
    assert (found.changes, found.removals, found.prunes, found.replicates) == ((), (), False, False)


@pytest.mark.parametrize(
    ("older", "given"),
    [
        pytest.param(old(tags={"gallery-fanout-keep": " False "}), {}, id="tag says false"),
        pytest.param(old(tags={"gallery-fanout-keeper": "true"}), {}, id="another tag"),
        pytest.param(old(removal_allowed=True), {"unlocks_regions": False}, id="flag already set"),
        pytest.param(old(), {"mode": Mode.OBSERVE}, id="mode observe plans in full"),
    ],
)
def test_no_holds(older, given):
    """What only looks like a protection holds nothing back."""
    made = plan(definition(older, version("1.0.2", *EVERYWHERE)), policy(**given))
    assert actions(made, "1.0.1") == {HOME: SIZE, "eastus2": REMOVE, "southeastasia": REMOVE}


def test_holds_leave_other_reasons_alone():
    """A hold replaces the reasons of changes only; a region that stays anyway says why it stays."""
    newest = version("1.0.2", HOME, "eastus2", region("southeastasia", FAILED))
    made = plan(definition(old(published=None), newest), policy())
    assert reasons(made, "1.0.1") == {
        HOME: "its publish date is not known",
        "eastus2": "its publish date is not known",
        "southeastasia": "1.0.2 is not complete here: failed",
    }


@pytest.mark.parametrize("protected_by", ["the gallery", "the image definition"])
def test_protected_definition(protected_by):
    """A tag on the gallery or the definition protects every version: none gets regions, none loses any."""
    made = plan(definition(old(), version("1.0.2"), protected_by=protected_by), policy())
    assert made.empty
    assert made.of(version_id("1.0.2").number).reason == f"the tag gallery-fanout-keep is on {protected_by}"


def test_tagged_kept_version_gets_nothing():
    """A tagged version is left alone also when it is the newest, and says so."""
    made = plan(definition(version("1.0.2", tags={"gallery-fanout-keep": "x"})), policy())
    found = made.of(version_id("1.0.2").number)
    assert (found.role, found.reason, found.changes) == (Role.KEPT, TAG, ())
    assert found.lines == (Line(HOME, KEEP, TAG, 1),)


@pytest.mark.parametrize(
    ("tags", "protected"),
    [
        ({}, False),
        (None, False),
        ("gallery-fanout-keep", False),
        (["gallery-fanout-keep"], False),
        ({"gallery-fanout-keep": "true"}, True),
        ({"gallery-fanout-keep": "false"}, False),
        ({"gallery-fanout-keep": "FALSE "}, False),
        ({"gallery-fanout-keep": ""}, True),
        ({"gallery-fanout-keep": "no"}, True),
        ({"gallery-fanout-keep": None}, True),
        ({"GALLERY-FANOUT-KEEP": "0"}, True),
        (MappingProxyType({"gallery-fanout-keep": "true"}), True),
    ],
)
def test_protecting_tag(tags, protected):
    """The tag protects in any letter case and with any value but false."""
    assert protects(tags, "gallery-fanout-keep") is protected


def test_home_keeps_its_replicas_when_they_are_few():
    """A pruned version's home region is never sized up."""
    older = version("1.0.1", region(HOME, replicas=2), "eastus2")
    made = plan(definition(older, version("1.0.2", *EVERYWHERE)), policy(home_replicas=3))
    assert actions(made, "1.0.1") == {HOME: KEEP, "eastus2": REMOVE}


def test_home_is_sized_down_to_the_count():
    """A pruned version's home region is sized down to HOME_REPLICA_COUNT and keeps its storage type."""
    older = version("1.0.1", region(HOME, replicas=5, storage_account_type="Standard_ZRS"))
    (line,) = plan(definition(older, version("1.0.2")), policy(HOME, home_replicas=2)).of(older.number).changes
    assert (line.action, line.replicas, line.storage_account_type) == (SIZE, 2, "Standard_ZRS")


def test_spread():
    """A version that is kept gets what the policy names, keeps what somebody added, and each line says why."""
    kept = version(
        "1.0.2",
        region(HOME, replicas=1, storage_account_type="Premium_LRS"),
        region("eastus2", replicas=4),
        "uksouth",
        "northeurope",
        home="northeurope",
    )
    lines = spread(kept, policy("westeurope=2=standard_zrs eastus2=3 southeastasia=2=standard_zrs japaneast"))
    assert lines == (
        Line(HOME, SIZE, "the policy wants 2 replicas, it has 1", 2, "Premium_LRS", named=True),
        Line("eastus2", KEEP, "the policy names it; complete", 4, named=True),
        Line("southeastasia", ADD, "the policy names it", 2, "Standard_ZRS", named=True),
        Line("japaneast", ADD, "the policy names it", 1, None, named=True),
        Line("uksouth", KEEP, "somebody added it; the policy does not", 1),
        Line("northeurope", KEEP, "its home region", 1),
    )


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (region(HOME), "complete"),
        (region(HOME, REPLICATING), "replicating"),
        (region(HOME, REPLICATING, progress=0), "0 % replicated"),
        (region(HOME, REPLICATING, progress=77), "77 % replicated"),
        (region(HOME, FAILED, progress=77), "failed"),
        (region(HOME, UNKNOWN), "its state is not known"),
        (region(HOME, RegionState("Paused")), "its state is not known"),
    ],
)
def test_state_of_a_region_in_words(found, words):
    """A region that stays says how far it is."""
    assert spread(version("1.0.2", found), policy(HOME))[0].reason == f"the policy names it; {words}"


def test_encrypted_version_is_not_spread():
    """An encrypted version gets no region without a disk encryption set; its replicas are sized all the same."""
    kept = version("1.0.2", region(HOME, encrypted=True))
    made = plan(definition(kept), policy("westeurope=2 eastus2"))
    assert actions(made, "1.0.2") == {HOME: SIZE, "eastus2": SKIP}
    skipped = made.of(kept.number).lines[1]
    assert "no disk encryption set" in skipped.reason
    assert not skipped.changes
    assert skipped.named
    assert skipped.replicas == 0


def test_updating_version_stays_the_newest():
    """Our own write makes a version Updating; it stays the newest, and the one before it stays older."""
    updating = version("1.0.2", HOME, state=ProvisioningState.UPDATING)
    made = plan(definition(version("1.0.1"), updating), policy())
    assert made.newest == updating
    assert made.of(version_id("1.0.1").number).role is Role.OLDER


@pytest.mark.parametrize(
    "withdrawn",
    [
        {"state": ProvisioningState.FAILED},
        {"state": ProvisioningState.DELETING},
        {"excluded": True},
        {"shallow": True},
    ],
)
def test_withdrawing(withdrawn):
    """When the newest fails, goes or is excluded, the one before it comes back to every region."""
    made = plan(definition(version("1.0.1"), version("1.0.2", *EVERYWHERE, **withdrawn)), policy())
    assert made.newest.number == version_id("1.0.1").number
    assert actions(made, "1.0.1") == {HOME: KEEP, "eastus2": ADD, "southeastasia": ADD}
    assert not made.of(version_id("1.0.2").number).changes


def test_nothing_is_pruned_without_a_newest():
    """Where no version is kept, none is older: nothing loses a region."""
    versions = [version("1.0.2", *EVERYWHERE, state=ProvisioningState.FAILED), old(excluded=True)]
    made = plan(definition(*versions), policy())
    assert made.newest is None
    assert [each.role for each in made.versions] == [Role.ALONE, Role.STAGED]
    assert made.empty


def test_empty_definition():
    """An image definition without versions plans nothing."""
    made = plan(definition(), policy())
    assert made.empty
    assert made.newest is None
    assert made.of(version_id("1.0.0").number) is None


def test_keep_latest_counts_good_versions_only():
    """Only good versions that are not excluded are counted against KEEP_LATEST; newest first, by number."""
    versions = [
        version("1.0.2"),
        version("1.0.10"),
        version("1.0.9", state=ProvisioningState.FAILED),
        version("1.0.8", excluded=True),
        version("1.0.7"),
    ]
    roles = {str(each.version.number): each.role for each in rank(versions, policy(keep_latest=2))}
    assert list(roles.items()) == [
        ("1.0.10", Role.KEPT),
        ("1.0.9", Role.ALONE),
        ("1.0.8", Role.OLDER),
        ("1.0.7", Role.KEPT),
        ("1.0.2", Role.OLDER),
    ]


def test_pruning_waits_for_the_newest_only():
    """With KEEP_LATEST 2 only the newest has to be complete where an older version leaves."""
    second = version("1.0.2", region("eastus2", FAILED), HOME)
    made = plan(definition(old(), second, version("1.0.3", *EVERYWHERE)), policy(keep_latest=2))
    assert actions(made, "1.0.1") == {HOME: SIZE, "eastus2": REMOVE, "southeastasia": REMOVE}
    assert actions(made, "1.0.2") == {HOME: KEEP, "eastus2": KEEP, "southeastasia": ADD}


def _five_prunes():
    return definition(*[version(f"1.0.{patch}", *EVERYWHERE) for patch in range(6)])


@pytest.mark.parametrize(
    ("cap", "pruned", "capped"),
    [
        (None, [4, 3, 2, 1, 0], False),
        (6, [4, 3, 2, 1, 0], False),
        (5, [4, 3, 2, 1, 0], False),
        (2, [1, 0], True),
        (0, [], True),
    ],
)
def test_cap(cap, pruned, capped):
    """The cap lets the oldest prunes through first, and the plan says that more are waiting."""
    made = plan(_five_prunes(), policy(), cap=cap)
    assert [each.version.number.patch for each in made.versions if each.prunes] == pruned
    assert made.capped is capped


def test_cap_gives_its_reason():
    """A prune that waits for the next pass keeps its regions for that reason; a region that stays anyway says why."""
    versions = [version(f"1.0.{patch}", *EVERYWHERE, "uksouth") for patch in range(2)]
    made = plan(definition(*versions, version("1.0.2", *EVERYWHERE)), policy(), cap=1)
    reason = "the cap of 1 prunes per pass is reached; the next pass goes on"
    assert reasons(made, "1.0.1") == {
        HOME: "its home region",
        "eastus2": reason,
        "southeastasia": reason,
        "uksouth": "1.0.2 is not here",
    }
    assert actions(made, "1.0.1") == dict.fromkeys([*EVERYWHERE, "uksouth"], KEEP)


def test_cap_does_not_count_what_is_not_pruned():
    """Versions that are held or brought to regions cost nothing of the cap."""
    held = version("1.0.0", *EVERYWHERE, published=None)
    made = plan(definition(held, old(), version("1.0.2", *EVERYWHERE)), policy(f"{HOME}=2 eastus2"), cap=1)
    assert made.of(version_id("1.0.1").number).prunes
    assert made.of(version_id("1.0.2").number).replicates
    assert not made.capped


def test_plan_of_a_publish():
    """After a publish the new version replicates, and the old one waits for it."""
    made = plan(definition(old(), version("1.0.2")), policy())
    newest, older = made.versions
    assert (newest.replicates, newest.prunes) == (True, False)
    assert [line.region for line in newest.changes] == ["eastus2", "southeastasia"]
    assert (older.replicates, older.prunes) == (False, False)
    assert not made.empty


def test_removals():
    """The removals of a prune are the regions that it leaves, without its home."""
    found = plan(definition(old(), version("1.0.2", *EVERYWHERE)), policy()).of(version_id("1.0.1").number)
    assert [line.region for line in found.removals] == ["eastus2", "southeastasia"]
    assert [line.region for line in found.changes] == list(EVERYWHERE)
    assert found.prunes
