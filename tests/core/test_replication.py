from dataclasses import replace

import pytest

from shared.core.model import RegionState
from shared.core.plan import Action, Line
from shared.core.planner import limit_warning, replicas_after, spread
from tests.core.build import (
    HOME,
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    actions,
    old,
    planned,
    policy,
    region,
    tables,
    version,
    version_id,
)

ADD, SIZE, KEEP, SKIP, WAIT = Action.ADD, Action.SIZE, Action.KEEP, Action.SKIP, Action.WAIT
FAILED, REPLICATING, UNKNOWN = RegionState.FAILED, RegionState.REPLICATING, RegionState.UNKNOWN
COMPLETE = "the policy names it; complete"
NO_SET = "the version is encrypted, and ENCRYPTION_SETS has no disk encryption set for this region"
TOO_MANY = "the version would have {} replicas in all, and Azure takes 100"
AWAY = "LocationNotAvailable: uksouth is not available"
REFUSED = f"Azure refused it: {AWAY}"
ENCRYPTED = version("1.0.2", region(HOME, encrypted=True))


def unwanted(*regions, **more):
    """Make a version that Azure would not have in uksouth a short time ago."""
    return version("1.0.2", *regions, refused={"uksouth": AWAY}, **more)


def found(subject, by):
    """Say what a kept version's lines say: region -> action and reason."""
    return {line.region: (line.action, line.reason) for line in spread(subject, by, NOW)}


# The table above the module, row by row: a version, the policy, and what becomes of one region.

ROWS = [
    pytest.param(
        [
            (version("1.0.2"), policy(HOME), HOME, KEEP, COMPLETE),
            (version("1.0.2", region(HOME, replicas=4)), policy("westeurope=3"), HOME, KEEP, COMPLETE),
            (version("1.0.2", "eastus2"), policy("westeurope; eastus2"), "eastus2", KEEP, COMPLETE),
            (ENCRYPTED, policy(HOME), HOME, KEEP, COMPLETE),
            (version("1.0.2", HOME, region("uksouth", replicas=99)), policy(), HOME, KEEP, COMPLETE),
            (unwanted(HOME, "uksouth"), policy("westeurope uksouth"), "uksouth", KEEP, COMPLETE),
            (
                unwanted(HOME, region("uksouth", FAILED)),
                policy("westeurope uksouth"),
                "uksouth",
                KEEP,
                "the policy names it; failed",
            ),
        ],
        id="named, there, with enough replicas",
    ),
    pytest.param(
        [
            (ENCRYPTED, policy(), "eastus2", SKIP, NO_SET),
            (unwanted(region(HOME, encrypted=True)), policy("westeurope uksouth"), "uksouth", SKIP, NO_SET),
            (ENCRYPTED, policy(encryption_sets={"southeastasia": "set"}), "eastus2", SKIP, NO_SET),
            (ENCRYPTED, policy("uksouth=9; eastus2", encryption_sets={"uksouth": "set"}), "eastus2", SKIP, NO_SET),
            (
                version("1.0.2", region(HOME, replicas=99, encrypted=True)),
                policy("westeurope eastus2=9 uksouth=9", encryption_sets={"uksouth": "set"}),
                "eastus2",
                SKIP,
                NO_SET,
            ),
        ],
        id="named, not there, the version encrypted, no set for the region",
    ),
    pytest.param(
        [
            (unwanted(), policy("westeurope uksouth"), "uksouth", SKIP, REFUSED),
            (unwanted(HOME, "uksouth"), policy("westeurope uksouth=2"), "uksouth", KEEP, REFUSED),
            (unwanted(HOME, region("uksouth", FAILED)), policy("uksouth=2"), "uksouth", KEEP, REFUSED),
            (unwanted(region(HOME, replicas=99)), policy("westeurope eastus2 uksouth"), "uksouth", SKIP, REFUSED),
            (unwanted(region(HOME, REPLICATING)), policy("westeurope; uksouth"), "uksouth", SKIP, REFUSED),
            (
                unwanted(region(HOME, encrypted=True)),
                policy("westeurope uksouth", encryption_sets={"uksouth": "set"}),
                "uksouth",
                SKIP,
                REFUSED,
            ),
        ],
        id="named, and Azure refused it a short time ago",
    ),
    pytest.param(
        [
            (version("1.0.2", region(HOME, replicas=99)), policy(), "eastus2", SKIP, TOO_MANY.format(101)),
            (version("1.0.2", region(HOME, replicas=99)), policy(), "southeastasia", SKIP, TOO_MANY.format(101)),
            (
                version("1.0.2", region(HOME, replicas=99)),
                policy("westeurope; eastus2; uksouth=9"),
                "uksouth",
                SKIP,
                TOO_MANY.format(109),
            ),
            (
                version("1.0.2", HOME, region("uksouth", replicas=99)),
                policy("westeurope=2"),
                HOME,
                KEEP,
                TOO_MANY.format(101),
            ),
            (
                unwanted(region(HOME, replicas=99)),
                policy("eastus2 eastus=1 uksouth"),
                "eastus",
                SKIP,
                TOO_MANY.format(101),
            ),
        ],
        id="named, and the version would pass 100 replicas in all",
    ),
    pytest.param(
        [
            (version("1.0.2"), policy("eastus2; southeastasia"), "southeastasia", WAIT, None),
            (version("1.0.2"), policy("eastus2; westeurope=2"), HOME, WAIT, None),
            (
                version("1.0.2", region(HOME, REPLICATING)),
                policy("westeurope; eastus2; southeastasia"),
                "southeastasia",
                WAIT,
                None,
            ),
        ],
        id="named, in a wave after one that is not through",
    ),
    pytest.param(
        [
            (version("1.0.2"), policy(), "eastus2", ADD, "the policy names it"),
            (version("1.0.2"), policy("westeurope; eastus2"), "eastus2", ADD, "the policy names it"),
            (ENCRYPTED, policy(encryption_sets={"eastus2": "set"}), "eastus2", ADD, "the policy names it"),
            (version("1.0.2", region(HOME, replicas=98)), policy(), "eastus2", ADD, "the policy names it"),
            (unwanted(), policy("westeurope uksouth eastus2"), "eastus2", ADD, "the policy names it"),
            (unwanted(region(HOME, replicas=99)), policy("eastus2 uksouth=9"), "eastus2", ADD, "the policy names it"),
        ],
        id="named, not there",
    ),
    pytest.param(
        [
            (version("1.0.2"), policy("westeurope=3"), HOME, SIZE, "the policy wants 3 replicas, it has 1"),
            (
                version("1.0.2", region(HOME, FAILED, replicas=2)),
                policy("westeurope=3"),
                HOME,
                SIZE,
                "the policy wants 3 replicas, it has 2",
            ),
        ],
        id="named, there, with fewer replicas",
    ),
    pytest.param(
        [
            (version("1.0.2"), policy("eastus2"), HOME, KEEP, "its home region"),
            (version("1.0.2", HOME, "uksouth"), policy(), "uksouth", KEEP, "somebody added it; the policy does not"),
            (
                version("1.0.2", HOME, region("uksouth", FAILED)),
                policy("eastus2; southeastasia"),
                "uksouth",
                KEEP,
                "somebody added it; the policy does not",
            ),
            (unwanted(HOME, "uksouth"), policy(), "uksouth", KEEP, "somebody added it; the policy does not"),
        ],
        id="not named: its home, or somebody put it there",
    ),
]


@pytest.mark.parametrize("examples", ROWS)
def test_regions_of_a_kept_version(examples):
    """The first row of the table that fits decides about a region of a version that belongs everywhere."""
    for subject, by, name, action, reason in examples:
        said = found(subject, by)[name]
        assert said == (action, reason or said[1])


def test_the_rows_are_those_of_the_module():
    """The table above the module and that of its test have the same rows in the same order."""
    assert tables("replication") == [[row.id for row in ROWS]]


def test_staged_versions_are_spread_like_kept_ones():
    """A staged version's lines are those of a kept one."""
    made = planned(version("1.0.3", excluded=True), version("1.0.2"))
    assert actions(made, "1.0.3") == actions(made, "1.0.2") == {HOME: KEEP, "eastus2": ADD, "southeastasia": ADD}


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
    lines = spread(kept, policy("westeurope=2=standard_zrs eastus2=3 southeastasia=2=standard_zrs japaneast"), NOW)
    named = {"named": True, "wave": 1}
    assert lines == (
        Line(HOME, SIZE, "the policy wants 2 replicas, it has 1", 2, "Premium_LRS", **named),
        Line("eastus2", KEEP, COMPLETE, 4, settled=True, **named),
        Line("southeastasia", ADD, "the policy names it", 2, "Standard_ZRS", **named),
        Line("japaneast", ADD, "the policy names it", 1, None, **named),
        Line("uksouth", KEEP, "somebody added it; the policy does not", 1),
        Line("northeurope", KEEP, "its home region", 1, settled=True),
    )


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        (region(HOME), "complete"),
        (region(HOME, REPLICATING), "replicating"),
        (region(HOME, REPLICATING, progress=0), "0 % replicated"),
        (region(HOME, REPLICATING, progress=77), "77 % replicated"),
        (region(HOME, FAILED, progress=77), "failed"),
        (region(HOME, UNKNOWN), "in an unknown state"),
        (region(HOME, RegionState("Paused")), "in an unknown state"),
    ],
)
def test_state_of_a_region_in_words(shown, words):
    """A region that stays says how far it is."""
    assert found(version("1.0.2", shown), policy(HOME))[HOME] == (KEEP, f"the policy names it; {words}")


# Waves: what the first wave looks like, and what the lines of the next one then say.

SINCE = NOW - 14 * MINUTE - 20 * SECOND
LONG_AGO = NOW - HOUR
BAKE = 30 * MINUTE
BAKES = {"wave_bake": BAKE}
LARGER = {"regions": "westeurope eastus2=2; southeastasia uksouth=2"}
SETS = {"encryption_sets": {"southeastasia": "set", "uksouth": "set"}}
GOES = (ADD, "the policy names it", None)


def waits(reason, until=None):
    """Say what a line says that waits for a wave."""
    return (WAIT, reason, until)


@pytest.mark.parametrize(
    ("first_wave", "given", "said"),
    [
        pytest.param([HOME], {}, waits("wave 1 comes first: eastus2 is not done"), id="adding"),
        pytest.param(
            [HOME, region("eastus2", REPLICATING)],
            {},
            waits("wave 1 comes first: eastus2 is replicating"),
            id="replicating",
        ),
        pytest.param(
            [HOME, region("eastus2", REPLICATING, progress=40)],
            {},
            waits("wave 1 comes first: eastus2 is 40 % replicated"),
            id="replicating, 40 %",
        ),
        pytest.param(
            [HOME, region("eastus2", UNKNOWN)],
            {},
            waits("wave 1 comes first: eastus2 is in an unknown state"),
            id="in an unknown state",
        ),
        pytest.param([HOME, region("eastus2", FAILED)], {}, waits("wave 1 is stopped: eastus2 failed"), id="failed"),
        pytest.param(
            [region(HOME, REPLICATING), region("eastus2", FAILED)],
            {},
            waits("wave 1 is stopped: eastus2 failed"),
            id="failed, after one that replicates",
        ),
        pytest.param(
            [region("eastus2", FAILED)], {}, waits("wave 1 is stopped: eastus2 failed"), id="failed, after one to add"
        ),
        pytest.param(
            [region(HOME, FAILED), region("eastus2", FAILED)],
            {},
            waits("wave 1 is stopped: westeurope failed"),
            id="failed, both",
        ),
        pytest.param([HOME, "eastus2"], LARGER, waits("wave 1 comes first: eastus2 is not done"), id="sized"),
        pytest.param(
            [HOME, region("eastus2", FAILED)],
            LARGER,
            waits("wave 1 is stopped: eastus2 failed"),
            id="sized, and failed",
        ),
        pytest.param(
            [region(HOME, since=LONG_AGO), region("eastus2", since=SINCE)],
            BAKES,
            waits("wave 1 is complete since 14 min; it bakes for 30 min", SINCE + BAKE),
            id="complete, but baking",
        ),
        pytest.param(
            [region(HOME, since=SINCE), region("eastus2", since=LONG_AGO)],
            BAKES,
            waits("wave 1 is complete since 14 min; it bakes for 30 min", SINCE + BAKE),
            id="complete, but baking since the last of its regions",
        ),
        pytest.param(
            [region(HOME, since=NOW), region("eastus2", since=NOW)],
            BAKES,
            waits("wave 1 is complete; it bakes for 30 min", NOW + BAKE),
            id="complete just now",
        ),
        pytest.param(
            [region(HOME, since=LONG_AGO), region("eastus2", since=NOW + SECOND)],
            BAKES,
            waits("wave 1 is complete; it bakes for 30 min", NOW + SECOND + BAKE),
            id="complete, by a clock that is ahead",
        ),
        pytest.param(
            [region(HOME, since=LONG_AGO), "eastus2"],
            BAKES,
            waits("wave 1 is complete since nobody knows when; it bakes for 30 min"),
            id="complete, since unknown",
        ),
        pytest.param(
            [region(HOME, since=NOW - BAKE), region("eastus2", since=LONG_AGO)], BAKES, GOES, id="baked just now"
        ),
        pytest.param([HOME, "eastus2"], {}, GOES, id="complete, since unknown, and nothing bakes"),
        pytest.param(
            [region(HOME, encrypted=True, since=LONG_AGO)], {**BAKES, **SETS}, GOES, id="complete but for a skipped one"
        ),
        pytest.param([region("japaneast", encrypted=True)], {**BAKES, **SETS}, GOES, id="all skipped"),
    ],
)
def test_waves(first_wave, given, said):
    """A wave starts when the one before is complete and baked; until then its lines say what it waits for."""
    by = policy(**{"regions": "westeurope eastus2; southeastasia uksouth=2", **given})
    later = [line for line in spread(version("1.0.2", *first_wave), by, NOW) if line.wave == 2]
    assert [(line.region, line.replicas) for line in later] == [("southeastasia", 1), ("uksouth", 2)]
    assert {(line.action, line.reason, line.until) for line in later} == {said}


def test_later_waves_wait_for_the_first_that_is_not_through():
    """Every later wave says which wave comes first, however many lie between."""
    by = policy("westeurope; eastus2; southeastasia; uksouth")
    reason = "wave 2 comes first: eastus2 is replicating"
    assert found(version("1.0.2", HOME, region("eastus2", REPLICATING)), by) == {
        HOME: (KEEP, COMPLETE),
        "eastus2": (KEEP, "the policy names it; replicating"),
        "southeastasia": (WAIT, reason),
        "uksouth": (WAIT, reason),
    }


def test_regions_of_later_waves_that_are_there_already():
    """A region of a later wave that is there already stays, whatever its state; one with too few replicas waits."""
    seen = version("1.0.2", "southeastasia", region("uksouth", FAILED), region("japaneast", replicas=2))
    by = policy("westeurope; southeastasia; uksouth; japaneast=3")
    lines = {line.region: line for line in spread(seen, by, NOW)}
    assert {name: line.action for name, line in lines.items()} == {
        HOME: ADD,
        "southeastasia": KEEP,
        "uksouth": KEEP,
        "japaneast": WAIT,
    }
    assert (lines["japaneast"].replicas, lines["japaneast"].named, lines["japaneast"].wave) == (3, True, 4)


def test_a_wave_that_was_overtaken_is_still_waited_for():
    """Somebody may add a region of a later wave; the waves after it wait for the earlier ones all the same."""
    said = found(version("1.0.2", HOME, "southeastasia"), policy("westeurope; eastus2; southeastasia; uksouth"))
    assert said["eastus2"] == (ADD, "the policy names it")
    assert said["uksouth"] == (WAIT, "wave 2 comes first: eastus2 is not done")


def test_each_wave_bakes():
    """Every wave bakes, from its own last region on."""
    seen = version("1.0.2", region(HOME, since=LONG_AGO), region("eastus2", since=SINCE))
    (_, _, third) = spread(seen, policy("westeurope; eastus2; southeastasia", wave_bake=BAKE), NOW)
    assert third.reason == "wave 2 is complete since 14 min; it bakes for 30 min"
    assert third.until == SINCE + BAKE


# Regions that Azure refused a short time ago.


@pytest.mark.parametrize(
    "first_wave",
    [[HOME], [HOME, "uksouth"]],
    ids=["not there", "there, with fewer replicas"],
)
def test_a_refused_region_holds_up_no_wave(first_wave):
    """The next wave does not wait for what Azure will not have: it starts when the rest of this one is complete."""
    lines = spread(unwanted(*first_wave), policy("westeurope uksouth=2; eastus2"), NOW)
    assert {line.region: line.action for line in lines if line.wave == 2} == {"eastus2": ADD}


def test_a_wave_that_azure_refused_stops_the_next():
    """The next wave does wait when Azure will not have any region of this one; a region without a set stops nobody."""
    by = policy("westeurope; uksouth=2; eastus2")
    third = spread(unwanted(HOME), by, NOW)[2]
    assert (third.action, third.reason) == (WAIT, "wave 2 is stopped: Azure refused uksouth")
    encrypted = version("1.0.2", region(HOME, encrypted=True))
    lines = spread(encrypted, replace(by, encryption_sets={"eastus2": "a set"}), NOW)
    assert [line.action for line in lines] == [KEEP, SKIP, ADD]


def test_a_refused_region_bakes_like_any_other_where_it_is():
    """A region whose replicas Azure refused is there: its wave bakes from its completion on."""
    seen = unwanted(region(HOME, since=LONG_AGO), region("uksouth", since=SINCE))
    lines = {line.region: line for line in spread(seen, policy("westeurope uksouth=2; eastus2", **BAKES), NOW)}
    assert (lines["eastus2"].action, lines["eastus2"].until) == (WAIT, SINCE + BAKE)


def test_lines_of_refused_regions():
    """A region that Azure refused has the replicas that it has, is named, and is neither a limit nor worth a look."""
    seen = unwanted(region(HOME, REPLICATING), "uksouth", region("eastus2", storage_account_type="Premium_LRS"))
    seen = replace(seen, refused={**seen.refused, "eastus2": "no zones", "japaneast": "unknown"})
    lines = spread(seen, policy("westeurope uksouth=2; eastus2=5=standard_zrs; japaneast=3"), NOW)
    assert lines[1:] == (
        Line("uksouth", KEEP, REFUSED, 1, named=True, wave=1),
        Line("eastus2", KEEP, "Azure refused it: no zones", 1, "Premium_LRS", named=True, wave=2),
        Line("japaneast", SKIP, "Azure refused it: unknown", 0, named=True, wave=3),
    )


def test_a_refused_region_costs_nothing():
    """Replicas that Azure refused do not count against its limit: others may have them."""
    made = planned(unwanted(region(HOME, replicas=40)), by=policy("westeurope eastus2=10 uksouth=60"))
    assert actions(made, "1.0.2") == {HOME: KEEP, "eastus2": ADD, "uksouth": SKIP}
    assert made.warnings == ()


# Encryption and storage of regions that are added.


def test_encryption_sets():
    """An encrypted version goes where there is a set for it, with that set, and is skipped elsewhere."""
    lines = spread(ENCRYPTED, policy("westeurope=2 eastus2=3 southeastasia=4", encryption_sets={"eastus2": "set"}), NOW)
    named = {"named": True, "wave": 1}
    assert lines == (
        Line(HOME, SIZE, "the policy wants 2 replicas, it has 1", 2, **named),
        Line("eastus2", ADD, "the policy names it", 3, encryption_set="set", **named),
        Line("southeastasia", SKIP, NO_SET, 0, **named),
    )


def test_encryption_sets_are_for_encrypted_versions():
    """A version that is not encrypted goes everywhere, without sets."""
    lines = spread(version("1.0.2"), policy(encryption_sets={"eastus2": "set"}), NOW)
    assert {(line.region, line.encryption_set) for line in lines if line.action is ADD} == {
        ("eastus2", None),
        ("southeastasia", None),
    }


def test_storage_of_the_policy_is_for_new_regions():
    """The policy's storage type is for regions that are added; a region that is there keeps its own."""
    seen = version("1.0.2", region(HOME, storage_account_type="Premium_LRS"), "eastus2")
    by = policy("westeurope=2=standard_zrs eastus2=standard_zrs; southeastasia=standard_zrs uksouth")
    stored = {line.region: line.storage_account_type for line in spread(seen, by, NOW)}
    assert stored == {HOME: "Premium_LRS", "eastus2": None, "southeastasia": "Standard_ZRS", "uksouth": None}


# Limits: how many replicas the version would have in all, and what is said of that.


def limited(number, *regions, **given):
    """Plan for one kept version; give its plan and what is warned of."""
    made = planned(version(number, *regions), by=policy(**given))
    return made.of(version_id(number).number), made.warnings


@pytest.mark.parametrize(
    ("replicas", "warnings"),
    [
        (50, ()),
        (51, ("1.0.2 has 51 replicas in all; Azure advises 50 at most",)),
        (100, ("1.0.2 has 100 replicas in all; Azure advises 50 at most",)),
    ],
)
def test_replicas_within_the_limit(replicas, warnings):
    """Above 50 replicas in all regions and waves together it is warned; up to 100 are asked for."""
    each, warned = limited(
        "1.0.2", HOME, region("uksouth", replicas=10), regions=f"westeurope; eastus2={replicas - 11}"
    )
    assert warned == warnings
    assert replicas_after(each) == replicas
    assert not any(line.over_limit for line in each.lines)


def test_replicas_beyond_the_limit():
    """With more than 100 replicas in all nothing more is asked for, and reason and warning tell the sum."""
    each, warned = limited(
        "1.0.2",
        region(HOME, replicas=2),
        region("uksouth", replicas=60),
        regions="westeurope=5 eastus2=30; southeastasia=6=standard_zrs",
    )
    reason = "the version would have 101 replicas in all, and Azure takes 100"
    refused = {"named": True, "over_limit": True}
    assert each.lines == (
        Line(HOME, KEEP, reason, 2, wave=1, **refused),
        Line("eastus2", SKIP, reason, 0, wave=1, **refused),
        Line("southeastasia", SKIP, reason, 0, "Standard_ZRS", wave=2, **refused),
        Line("uksouth", KEEP, "somebody added it; the policy does not", 60),
    )
    assert warned == (f"1.0.2 gets no more regions and replicas: {reason}",)
    assert replicas_after(each) == 62


def test_what_is_refused_does_not_wait():
    """A region of a later wave that would be too many is not worth another look when the wave before is baked."""
    baking = [region(HOME, since=NOW), region("uksouth", replicas=99)]
    each, _ = limited("1.0.2", *baking, regions="westeurope; eastus2", wave_bake=HOUR)
    assert [(line.action, line.until) for line in each.lines if line.over_limit] == [(SKIP, None)]


def test_additional_replica_sets_count():
    """Replicas of additional replica sets count against the limits, also in regions that the policy does not name."""
    each, warned = limited("1.0.2", region(HOME, more_replicas=20), region("uksouth", more_replicas=28), regions=HOME)
    assert (replicas_after(each), warned) == (50, ())
    each, warned = limited("1.0.2", region(HOME, more_replicas=49), region("uksouth", more_replicas=48))
    assert replicas_after(each) == 99
    assert warned == (
        "1.0.2 gets no more regions and replicas: the version would have 101 replicas in all, and Azure takes 100",
    )


def test_a_version_that_has_more_already():
    """A version that has more than 100 replicas already keeps them, with the usual reasons and a warning."""
    each, warned = limited("1.0.2", region(HOME, replicas=120), regions=HOME)
    assert each.lines == (Line(HOME, KEEP, COMPLETE, 120, named=True, wave=1, settled=True),)
    assert warned == ("1.0.2 has 120 replicas in all; Azure advises 50 at most",)


def test_a_skipped_region_costs_nothing():
    """Replicas of a region that an encrypted version cannot come to do not count."""
    each, warned = limited("1.0.2", region(HOME, encrypted=True, replicas=40), regions="westeurope eastus2=60")
    assert actions_of(each) == {HOME: KEEP, "eastus2": SKIP}
    assert warned == ()


def actions_of(each):
    """Say what is done with each region of a version."""
    return {line.region: line.action for line in each.lines}


def test_older_versions_are_not_warned_of():
    """The limits are about versions that are kept; an older one loses replicas anyway."""
    huge = replace(old(), regions=(region(HOME, replicas=80),))
    made = planned(huge, version("1.0.2"))
    assert limit_warning(made.of(huge.number)) == ""
    assert made.warnings == ()


def test_replicas_that_leave_do_not_count():
    """Regions that leave because the policy is exclusive are not counted as replicas after the plan."""
    crowded = version("1.0.2", HOME, region("uksouth", replicas=60, more_replicas=30))
    made = planned(crowded, by=policy(HOME, exclusive=True))
    assert replicas_after(made.of(version_id("1.0.2").number)) == 1
    assert made.warnings == ()
