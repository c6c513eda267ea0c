import pytest

from shared.core.model import ProvisioningState, RegionState
from shared.core.plan import Action
from shared.core.planner import plan
from tests.core.build import (
    EVERYWHERE,
    HOME,
    HOUR,
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
    tables,
    usage,
    version,
    version_id,
)

SIZE, KEEP, REMOVE, WAIT, ADD, SKIP = (
    Action.SIZE,
    Action.KEEP,
    Action.REMOVE,
    Action.WAIT,
    Action.ADD,
    Action.SKIP,
)
FAILED, REPLICATING, UNKNOWN = RegionState.FAILED, RegionState.REPLICATING, RegionState.UNKNOWN
SINCE = NOW - 14 * MINUTE - 20 * SECOND
GRACE = {"prune_grace": HOUR}
NAMED = "the policy names it; complete"
HIDDEN = "1.0.2 is complete here, and hidden from latest"

# The first table above the module, row by row: a region of 1.0.1, the same region of 1.0.2 (the newest), what else is
# given, and the line.

OLDER = [
    pytest.param(
        [
            (region(HOME), region(HOME), {}, KEEP, "its home region"),
            (region(HOME, replicas=2), region(HOME), {"home_replicas": 3}, KEEP, "its home region"),
            (region(HOME), None, {}, KEEP, "its home region"),
            (region(HOME), region(HOME, REPLICATING), {}, KEEP, "its home region"),
            (region(HOME), region(HOME, since=NOW), GRACE, KEEP, "its home region"),
            (region(HOME), region(HOME), {"by": "web"}, KEEP, "its home region"),
        ],
        id="its home, with no more than HOME_REPLICA_COUNT replicas",
    ),
    pytest.param(
        [
            (region("eastus2"), region("eastus2"), {"by": "scale set web"}, KEEP, "scale set web references 1.0.1"),
            (region(HOME, replicas=2), region(HOME), {"by": "VM build"}, KEEP, "VM build references 1.0.1"),
            (region("eastus2"), None, {"by": "VM build"}, KEEP, "VM build references 1.0.1"),
            (region("eastus2"), region("eastus2", REPLICATING), {"by": "VM a"}, KEEP, "VM a references 1.0.1"),
            (region("eastus2"), region("eastus2", since=NOW), {**GRACE, "by": "VM a"}, KEEP, "VM a references 1.0.1"),
        ],
        id="a resource here references exactly this version",
    ),
    pytest.param(
        [
            (region("eastus2"), region("eastus2", FAILED), {}, KEEP, "1.0.2 is not complete here: failed"),
            (region(HOME, replicas=2), region(HOME, FAILED), {}, KEEP, "1.0.2 is not complete here: failed"),
            (region("uksouth"), None, {}, KEEP, "1.0.2 is not here"),
            (region("uksouth"), None, GRACE, KEEP, "1.0.2 is not here"),
        ],
        id="the newest KEPT version failed here, or is not to come here",
    ),
    pytest.param(
        [
            (region("eastus2"), region("eastus2", hidden=True), {}, KEEP, HIDDEN),
            (region("uksouth"), region("uksouth", hidden=True, since=NOW), GRACE, KEEP, HIDDEN),
        ],
        id='the newest is complete, and hidden from "latest" here; not home',
    ),
    pytest.param(
        [
            (region("eastus2"), None, {}, WAIT, "1.0.2 is still to come here"),
            (region("eastus2"), None, {"regions": "uksouth; eastus2"}, WAIT, "1.0.2 is still to come here"),
            (region("eastus2"), region("eastus2", REPLICATING), {}, WAIT, "1.0.2 is not complete here: replicating"),
            (
                region("eastus2"),
                region("eastus2", REPLICATING, progress=40),
                {},
                WAIT,
                "1.0.2 is not complete here: 40 % replicated",
            ),
            (
                region("eastus2"),
                region("eastus2", UNKNOWN),
                GRACE,
                WAIT,
                "1.0.2 is not complete here: in an unknown state",
            ),
            (
                region("uksouth"),
                region("uksouth", REPLICATING),
                {},
                WAIT,
                "1.0.2 is not complete here: replicating",
            ),
            (
                region(HOME, replicas=2),
                region(HOME, REPLICATING),
                {},
                WAIT,
                "1.0.2 is not complete here: replicating",
            ),
        ],
        id="the newest is still on its way here",
    ),
    pytest.param(
        [
            (
                region("eastus2"),
                region("eastus2", since=SINCE),
                GRACE,
                WAIT,
                "1.0.2 complete here since 14 min; PRUNE_GRACE is 1 h",
            ),
            (
                region(HOME, replicas=2),
                region(HOME, since=NOW),
                GRACE,
                WAIT,
                "1.0.2 complete here; PRUNE_GRACE is 1 h",
            ),
            (region("eastus2"), region("eastus2"), GRACE, WAIT, "1.0.2 complete here; PRUNE_GRACE is 1 h"),
        ],
        id="the newest is complete here, for less than PRUNE_GRACE",
    ),
    pytest.param(
        [
            (
                region(HOME, replicas=2),
                region(HOME),
                {},
                SIZE,
                "its home region, where 1 of 2 replicas are enough",
            ),
            (
                region(HOME, replicas=5),
                region(HOME, since=NOW - HOUR),
                {**GRACE, "home_replicas": 3},
                SIZE,
                "its home region, where 3 of 5 replicas are enough",
            ),
        ],
        id="the newest is complete here; the version's home",
    ),
    pytest.param(
        [
            (region("eastus2"), region("eastus2"), {}, REMOVE, "1.0.2 complete here"),
            (region("eastus2"), region("eastus2", since=SINCE), {}, REMOVE, "1.0.2 complete here since 14 min"),
            (region("eastus2"), region("eastus2", since=NOW - HOUR), GRACE, REMOVE, "1.0.2 complete here since 1 h"),
            (region("uksouth", FAILED), region("uksouth"), {}, REMOVE, "1.0.2 complete here"),
        ],
        id="the newest is complete here",
    ),
]


@pytest.mark.parametrize("examples", OLDER)
def test_regions_of_an_older_version(examples):
    """The first row of the table that fits decides about a region of an older version."""
    for older, newest, given, action, reason in examples:
        tuning = dict(given)
        used = usage(("1.0.1", older.name, tuning.pop("by"))) if "by" in tuning else usage()
        subject = version("1.0.1", older, home=HOME)
        beside = version("1.0.2", *([newest] if newest else ["northeurope"]), home="northeurope")
        (line,) = planned(subject, beside, by=policy(**tuning), usage=used).of(subject.number).lines
        assert (line.region, line.action, line.reason) == (older.name, action, reason)


# The second table above the module, row by row: regions of the kept version, what else is given, and the line of one.

FIRST = "older versions leave first"
EXCLUSIVE = [
    pytest.param(
        [
            ([HOME, "eastus2", "southeastasia"], {"regions": "eastus2 southeastasia"}, HOME, KEEP, "its home region"),
            ([HOME], {"regions": "eastus2"}, HOME, KEEP, "its home region"),
            (
                [HOME, "eastus2"],
                {"regions": "eastus2", "older": [region(HOME, replicas=2)]},
                HOME,
                KEEP,
                "its home region",
            ),
        ],
        id="its home",
    ),
    pytest.param(
        [
            ([*EVERYWHERE, "uksouth"], {"at": "uksouth"}, "uksouth", KEEP, "scale set web references 1.0.2"),
            ([HOME, "uksouth"], {"at": "uksouth"}, "uksouth", KEEP, "scale set web references 1.0.2"),
            (
                [*EVERYWHERE, "uksouth"],
                {"at": "uksouth", "older": [HOME, "uksouth"]},
                "uksouth",
                KEEP,
                "scale set web references 1.0.2",
            ),
        ],
        id="a resource here references exactly this version",
    ),
    pytest.param(
        [
            ([*EVERYWHERE, "uksouth"], {"older": [HOME, "uksouth"]}, "uksouth", WAIT, FIRST),
            ([HOME, "uksouth"], {"older": [HOME, "uksouth"]}, "uksouth", WAIT, FIRST),
            ([*EVERYWHERE, "uksouth"], {"older": [HOME, "uksouth"], **GRACE}, "uksouth", WAIT, FIRST),
            ([*EVERYWHERE, region("uksouth", REPLICATING)], {"older": [HOME, "uksouth"]}, "uksouth", WAIT, FIRST),
            (
                ["northeurope", *EVERYWHERE],
                {"older": [region("northeurope", replicas=2)], "home": "northeurope"},
                "northeurope",
                WAIT,
                FIRST,
            ),
        ],
        id="an older version is still to leave it",
    ),
    pytest.param(
        [
            ([HOME, "eastus2", "uksouth"], {}, "uksouth", WAIT, None),
            ([HOME, "eastus2", region("southeastasia", REPLICATING), "uksouth"], {}, "uksouth", WAIT, None),
            ([HOME, "eastus2", region("southeastasia", FAILED), "uksouth"], {}, "uksouth", WAIT, None),
            ([HOME, "eastus2", region("southeastasia", UNKNOWN), "uksouth"], {}, "uksouth", WAIT, None),
            ([*EVERYWHERE, "uksouth"], {"regions": "westeurope=2"}, "uksouth", WAIT, None),
            ([HOME, "uksouth"], {"regions": "westeurope; eastus2", "wave_bake": HOUR}, "uksouth", WAIT, None),
        ],
        id="the version is not complete in every region that it can have",
    ),
    pytest.param(
        [
            ([*EVERYWHERE, "uksouth"], {}, "uksouth", REMOVE, None),
            ([*EVERYWHERE, region("uksouth", FAILED)], {}, "uksouth", REMOVE, None),
            ([*EVERYWHERE, "uksouth"], {"at": "eastus2"}, "uksouth", REMOVE, None),
            ([*EVERYWHERE, "uksouth"], {"prune_grace": HOUR}, "uksouth", REMOVE, None),
            ([region(HOME, encrypted=True), region("uksouth", encrypted=True)], {}, "uksouth", REMOVE, None),
            ([*EVERYWHERE, "uksouth"], {"refused": {"uksouth": "no"}}, "uksouth", REMOVE, None),
            ([HOME, "eastus2", "uksouth"], {"refused": {"southeastasia": "no"}}, "uksouth", REMOVE, None),
            ([*EVERYWHERE, "uksouth"], {"older": [HOME, "eastus2"]}, "uksouth", REMOVE, None),
            ([*EVERYWHERE, "uksouth"], {"older": ["uksouth"], "home": "uksouth"}, "uksouth", REMOVE, None),
            ([*EVERYWHERE, region("uksouth", FAILED)], {"older": [HOME, "uksouth"]}, "uksouth", REMOVE, None),
        ],
        id="any other",
    ),
]
EXCLUSIVE_REASONS = {
    WAIT: "leaves once the version is complete in every region of the policy, which is exclusive",
    REMOVE: "the policy is exclusive, and does not name it",
}


@pytest.mark.parametrize("examples", EXCLUSIVE)
def test_regions_that_an_exclusive_policy_does_not_name(examples):
    """The first row of the table that fits decides about a region that an exclusive policy does not name."""
    for regions, given, name, action, reason in examples:
        tuning = dict(given)
        used = usage(("1.0.2", tuning.pop("at"), "scale set web")) if "at" in tuning else usage()
        home, refused = tuning.pop("home", HOME), tuning.pop("refused", {})
        older = [version("1.0.1", *tuning.pop("older"), home=home)] if "older" in tuning else []
        newest = version("1.0.2", *regions, refused=refused)
        made = planned(*older, newest, by=policy(**tuning, exclusive=True), usage=used)
        line = lines(made, "1.0.2")[name]
        assert (line.action, line.reason) == (action, reason or EXCLUSIVE_REASONS[action])


def test_the_rows_are_those_of_the_module():
    """The tables above the module and those of its test have the same rows in the same order."""
    assert tables("pruning") == [[row.id for row in OLDER], [row.id for row in EXCLUSIVE]]


def test_reasons_of_pruning():
    """Each region of an older version has its reason in plain words."""
    older = version("1.0.1", region(HOME, replicas=3), *EVERYWHERE[1:], "uksouth", "japaneast")
    newest = version("1.0.4", HOME, region("eastus2", since=SINCE), region("southeastasia", FAILED), "japaneast")
    made = planned(older, newest, usage=usage(("1.0.1", "japaneast", "scale set web-prod")))
    assert reasons(made, "1.0.1") == {
        HOME: "its home region, where 1 of 3 replicas are enough",
        "eastus2": "1.0.4 complete here since 14 min",
        "southeastasia": "1.0.4 is not complete here: failed",
        "uksouth": "1.0.4 is not here",
        "japaneast": "scale set web-prod references 1.0.1",
    }


def test_a_region_that_goes_has_no_replicas_and_one_that_stays_has_its_own():
    """A line tells how many replicas its region will have, and its storage type while it stays."""
    zrs = {"storage_account_type": "Standard_ZRS"}
    older = version("1.0.1", region(HOME, replicas=5, **zrs), region("eastus2", **zrs), region("uksouth", **zrs))
    found = lines(planned(older, version("1.0.2", *EVERYWHERE), by=policy(home_replicas=2)), "1.0.1")
    assert {name: (line.action, line.replicas, line.storage_account_type) for name, line in found.items()} == {
        HOME: (SIZE, 2, "Standard_ZRS"),
        "eastus2": (REMOVE, 0, None),
        "uksouth": (KEEP, 1, "Standard_ZRS"),
    }


# One write instead of several: while one region of a version waits, its other regions wait with it.


def test_one_region_that_waits_keeps_the_others():
    """While the newest is on its way, the older version's lines say where to; regions that stay anyway say why."""
    older = version("1.0.1", region(HOME, replicas=2), *EVERYWHERE[1:], "uksouth")
    newest = version("1.0.2", HOME, "eastus2", region("southeastasia", REPLICATING, progress=40))
    made = planned(older, newest)
    together = "waits for southeastasia, so that one write removes all"
    assert {name: (line.action, line.reason) for name, line in lines(made, "1.0.1").items()} == {
        HOME: (WAIT, together),
        "eastus2": (WAIT, together),
        "southeastasia": (WAIT, "1.0.2 is not complete here: 40 % replicated"),
        "uksouth": (KEEP, "1.0.2 is not here"),
    }
    assert not made.of(version_id("1.0.1").number).prunes


def test_the_last_of_several_waits_says_until_when():
    """When time alone is waited for, all regions wait until the last of them may go."""
    newest = version(
        "1.0.2", region(HOME, since=NOW - 2 * HOUR), region("eastus2", since=SINCE), region("southeastasia", since=NOW)
    )
    found = lines(planned(old(), newest, by=policy(**GRACE)), "1.0.1")
    assert {line.until for line in found.values()} == {NOW + HOUR}
    assert {name: line.reason for name, line in found.items()} == {
        HOME: "waits for eastus2, so that one write removes all",
        "eastus2": "1.0.2 complete here since 14 min; PRUNE_GRACE is 1 h",
        "southeastasia": "1.0.2 complete here; PRUNE_GRACE is 1 h",
    }


def test_nobody_knows_until_when_a_region_replicates():
    """When a region is waited for that is not only a matter of time, no line says until when."""
    newest = version("1.0.2", region(HOME, since=NOW), region("eastus2", since=NOW), region("southeastasia", UNKNOWN))
    found = lines(planned(old(), newest, by=policy(**GRACE)), "1.0.1")
    assert {(line.action, line.until) for line in found.values()} == {(WAIT, None)}


@pytest.mark.parametrize(
    ("since", "until"),
    [
        pytest.param(None, NOW + HOUR, id="since unknown"),
        pytest.param(NOW, NOW + HOUR, id="just now"),
        pytest.param(NOW - HOUR + SECOND, NOW + SECOND, id="a second to go"),
        pytest.param(NOW - HOUR, None, id="over"),
    ],
)
def test_grace(since, until):
    """A region may go when the newest has been complete for the whole grace; a time nobody knows has yet to begin."""
    older, newest = version("1.0.1", HOME, "eastus2"), version("1.0.2", HOME, region("eastus2", since=since))
    line = lines(planned(older, newest, by=policy(**GRACE)), "1.0.1")["eastus2"]
    assert (line.action, line.until) == (WAIT if until else REMOVE, until)


def test_without_grace_it_does_not_matter_since_when():
    """Without grace a region goes as soon as the newest is complete there, also when nobody knows since when."""
    assert actions(planned(old(), version("1.0.2", *EVERYWHERE)), "1.0.1") == {
        HOME: SIZE,
        "eastus2": REMOVE,
        "southeastasia": REMOVE,
    }


def test_older_versions_wait_for_all_waves():
    """An older version leaves its regions when the newest has come through all waves to which it goes there."""
    by = policy("westeurope; eastus2; southeastasia", wave_bake=HOUR)
    for newest in (
        [region(HOME, since=NOW)],
        [region(HOME, since=NOW - HOUR)],
        [region(HOME, since=NOW - HOUR), region("eastus2", since=NOW)],
    ):
        found = lines(planned(old(), version("1.0.2", *newest), by=by), "1.0.1")
        assert {line.action for line in found.values()} == {WAIT}
        assert {line.until for line in found.values()} == {None}
        assert found["southeastasia"].reason == "1.0.2 is still to come here"
    assert planned(old(), version("1.0.2", *EVERYWHERE), by=by).of(old().number).prunes


def test_a_wave_that_stops_stops_pruning():
    """Where a failed wave keeps the newest from coming, the older version stays in all its regions."""
    newest = version("1.0.2", region(HOME, FAILED))
    assert actions(planned(old(), newest, by=policy("westeurope; eastus2; southeastasia")), "1.0.1") == {
        HOME: KEEP,
        "eastus2": WAIT,
        "southeastasia": WAIT,
    }


def test_the_newest_is_waited_for_only_where_the_older_version_is():
    """The older version does not wait for regions that it is not in, nor for the newest at its own home."""
    older = version("1.0.1", HOME, "eastus2")
    newest = version("1.0.2", region(HOME, REPLICATING), "eastus2", region("southeastasia", REPLICATING))
    assert actions(planned(older, newest), "1.0.1") == {HOME: KEEP, "eastus2": REMOVE}


@pytest.mark.parametrize(
    ("newest", "given"),
    [
        pytest.param(
            [region(HOME, encrypted=True), region("eastus2", encrypted=True)], {}, id="encrypted, and no set for it"
        ),
        pytest.param([region(HOME, replicas=99), "eastus2"], {}, id="100 replicas reached"),
        pytest.param([HOME, "eastus2"], {"tags": {"gallery-fanout-keep": "true"}}, id="tagged"),
    ],
)
def test_the_newest_is_not_waited_for_where_it_will_not_come(newest, given):
    """Where the newest cannot come the older one stays, and does not wait for ever to leave the other regions."""
    made = planned(old(), version("1.0.2", *newest, **given))
    assert actions(made, "1.0.1") == {HOME: SIZE, "eastus2": REMOVE, "southeastasia": KEEP}
    assert reasons(made, "1.0.1")["southeastasia"] == "1.0.2 is not here"


def test_a_tagged_newest_is_waited_for_where_it_is_on_its_way():
    """A tagged newest version gets no new regions, and is waited for where it is replicating already."""
    newest = version("1.0.2", HOME, region("eastus2", REPLICATING), tags={"gallery-fanout-keep": "true"})
    assert actions(planned(old(), newest), "1.0.1") == {HOME: WAIT, "eastus2": WAIT, "southeastasia": KEEP}


def test_only_the_newest_is_waited_for():
    """With KEEP_LATEST 2 only the newest has to be complete where an older version leaves."""
    second = version("1.0.2", region("eastus2", FAILED), HOME)
    made = planned(old(), second, version("1.0.3", *EVERYWHERE), by=policy(keep_latest=2))
    assert actions(made, "1.0.1") == {HOME: SIZE, "eastus2": REMOVE, "southeastasia": REMOVE}
    assert actions(made, "1.0.2") == {HOME: KEEP, "eastus2": KEEP, "southeastasia": ADD}


def test_a_staged_version_lets_nothing_go():
    """A staged version that is complete everywhere is no reason for an older one to leave."""
    staged = version("1.0.3", *EVERYWHERE, excluded=True)
    made = planned(old(), version("1.0.2"), staged)
    assert not made.of(old().number).prunes


# Exclusive policies.


def test_every_kept_version_obeys_an_exclusive_policy():
    """Each kept version leaves what an exclusive policy does not name when it is complete itself; staged ones stay."""
    places = [*EVERYWHERE, "uksouth"]
    versions = [
        version("1.0.1", *places[1:]),
        version("1.0.2", *places),
        version("1.0.3", *places),
        version("1.0.4", *places, excluded=True),
    ]
    made = planned(*versions, by=policy(keep_latest=3, exclusive=True))
    assert {number: actions(made, number).get("uksouth") for number in ("1.0.1", "1.0.2", "1.0.3", "1.0.4")} == {
        "1.0.1": WAIT,
        "1.0.2": REMOVE,
        "1.0.3": REMOVE,
        "1.0.4": KEEP,
    }
    assert [str(each.version.number) for each in made.versions if each.prunes] == ["1.0.3", "1.0.2"]
    assert [str(each.version.number) for each in made.versions if each.replicates] == ["1.0.1"]


def test_a_policy_that_is_not_exclusive():
    """Unless the policy is exclusive, regions that somebody added stay."""
    made = planned(version("1.0.2", *EVERYWHERE, "uksouth"))
    assert reasons(made, "1.0.2")["uksouth"] == "somebody added it; the policy does not"
    assert made.empty


def test_an_exclusive_policy_leaves_the_regions_it_names_alone():
    """Lines of regions that the policy names are the same whether it is exclusive or not."""
    newest = version("1.0.2", HOME, region("eastus2", FAILED), "uksouth")
    plain, strict = (planned(newest, by=policy(exclusive=each)) for each in (False, True))
    assert {name: line for name, line in lines(strict, "1.0.2").items() if line.named} == {
        name: line for name, line in lines(plain, "1.0.2").items() if line.named
    }


def test_an_exclusive_policy_makes_room():
    """Where only surplus regions keep a version from coming, for 100 replicas, they leave, and then it comes."""
    crowded = version("1.0.2", HOME, region("uksouth", replicas=90))
    by = policy("westeurope eastus2=20", exclusive=True)
    assert actions(planned(crowded, by=by), "1.0.2") == {HOME: KEEP, "eastus2": SKIP, "uksouth": REMOVE}
    assert actions(planned(version("1.0.2"), by=by), "1.0.2") == {HOME: KEEP, "eastus2": ADD}


def test_older_versions_leave_first():
    """However long older versions wait to leave, the newest stays until they have; then it leaves, and all is done."""
    by = policy(HOME, exclusive=True, prune_grace=HOUR)
    newest = version("1.0.2", region(HOME, since=NOW), region("eastus2", since=NOW))
    older = version("1.0.1", HOME, "eastus2")
    waiting = planned(older, newest, by=by)
    assert lines(waiting, "1.0.2")["eastus2"].reason == "older versions leave first"
    assert (waiting.empty, waiting.worth_a_look) == (True, NOW + HOUR)
    due = plan(definition(older, newest), by, now=NOW + HOUR)
    assert (actions(due, "1.0.1")["eastus2"], actions(due, "1.0.2")["eastus2"]) == (REMOVE, WAIT)
    last = plan(definition(version("1.0.1"), newest), by, now=NOW + HOUR)
    assert actions(last, "1.0.2") == {HOME: KEEP, "eastus2": REMOVE}


@pytest.mark.parametrize(
    ("older", "given"),
    [
        pytest.param({"published": None}, {}, id="its publish date is not known"),
        pytest.param({"tags": {"gallery-fanout-keep": "true"}}, {}, id="tagged"),
        pytest.param({"shallow": True}, {}, id="left alone"),
        pytest.param({}, {"usage": usage(("1.0.1", "uksouth", "VM a"))}, id="in use there"),
        pytest.param({}, {"refused": {version_id("1.0.1").number: "locked"}}, id="Azure refused to prune it"),
    ],
)
def test_what_an_older_version_keeps_is_not_waited_for(older, given):
    """Where an older version stays, the newest does not stay with it for ever."""
    held = version("1.0.1", HOME, "uksouth", **older)
    made = planned(held, version("1.0.2", *EVERYWHERE, "uksouth"), by=policy(exclusive=True), **given)
    assert actions(made, "1.0.1")["uksouth"] is KEEP
    assert actions(made, "1.0.2")["uksouth"] is REMOVE


def test_an_older_version_that_is_being_written_is_waited_for():
    """A write to an older version (its safety flag, say) holds it for a moment only: it leaves first all the same."""
    updating = version("1.0.1", HOME, "uksouth", state=ProvisioningState.UPDATING)
    made = planned(updating, version("1.0.2", *EVERYWHERE, "uksouth"), by=policy(exclusive=True))
    assert lines(made, "1.0.2")["uksouth"].reason == FIRST


def test_every_kept_version_lets_older_ones_leave_first():
    """A surplus region of any kept version waits for older ones to leave it; its other ones wait with it."""
    places = [*EVERYWHERE, "uksouth", "japaneast"]
    versions = [version("1.0.1", HOME, "uksouth"), version("1.0.2", *places), version("1.0.3", *places)]
    made = planned(*versions, by=policy(keep_latest=2, exclusive=True))
    for number in ("1.0.2", "1.0.3"):
        assert reasons(made, number)["uksouth"] == FIRST
        assert reasons(made, number)["japaneast"] == "waits for uksouth, so that one write removes all"
        assert actions(made, number)["japaneast"] is WAIT


def test_surplus_regions_without_a_matter_of_time():
    """A region that waits for the version to be complete elsewhere does not say until when."""
    by = policy("westeurope; eastus2", exclusive=True, wave_bake=HOUR)
    made = planned(version("1.0.2", region(HOME, since=NOW), "uksouth"), by=by)
    assert lines(made, "1.0.2")["uksouth"].until is None
    assert lines(made, "1.0.2")["eastus2"].until == NOW + HOUR
