from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.core.model import ImageVersion, ProvisioningState, Region, RegionState
from shared.core.names import GalleryId, ImageId, Name
from shared.core.plan import Plan, VersionPlan
from shared.core.planner import spread
from shared.core.policy import Mode
from shared.core.pruning import Pruning
from shared.core.rollout import STARTED, Repair, Rollout, progress, stall
from shared.core.status import (
    Crowd,
    DefinitionStatus,
    Finished,
    Kept,
    Level,
    LookSeen,
    PassSeen,
    Place,
    Pruned,
    Running,
    Standing,
    Sweep,
    SweptGallery,
    Versions,
    VersionSeen,
    after_look,
    after_pass,
    after_prune,
    crowds,
    estimate,
    level,
    places,
    troubles,
)
from tests.core.build import (
    DAY,
    EVERYWHERE,
    HOME,
    HOUR,
    IMAGE,
    MINUTE,
    NOW,
    old,
    planned,
    policy,
    region,
    usage,
    version,
    version_id,
)

NEW = version("1.0.3", *EVERYWHERE)
ROLLOUT = Rollout(started=NOW - HOUR, deadline=NOW + HOUR, announced=frozenset({STARTED}))


def _plan(made: Plan, number: str = "1.0.3") -> VersionPlan:
    found = made.of(version_id(number).number)
    assert found
    return found


def _standings(made: Plan, number: str = "1.0.3", *, asks: bool = True) -> dict[str, Standing]:
    return {place.region: place.standing for place in places(_plan(made, number), asks=asks)}


def _seen(made: Plan, *, mode: Mode = Mode.FULL, **more: Any) -> DefinitionStatus:
    return after_pass(None, PassSeen(made, mode, "a test", NOW, **more))


def _look(version: ImageVersion, rollout: Rollout = ROLLOUT, *, hopeless: bool = False) -> LookSeen:
    lines = spread(version, policy(), NOW)
    return LookSeen(version, rollout, lines, progress(version, lines), hopeless, NOW)


BEFORE = _seen(planned(NEW))


# How a version stands in a region


@pytest.mark.parametrize(
    ("there", "standing"),
    [
        (region("eastus2", RegionState.COMPLETED), Standing.COMPLETE),
        (region("eastus2", RegionState.REPLICATING, progress=45), Standing.REPLICATING),
        (region("eastus2", RegionState.FAILED), Standing.FAILED),
        (region("eastus2", RegionState.UNKNOWN), Standing.REQUESTED),
    ],
)
def test_a_region_that_is_wanted_stands_as_azure_says(there: Region, standing: Standing) -> None:
    """Where a version is wanted and there, it stands as Azure says."""
    assert _standings(planned(version("1.0.3", HOME, there)))["eastus2"] is standing


def test_a_region_that_is_to_come() -> None:
    """What is to come is asked for, or missing where nobody may ask; a region of a later wave waits, with its wave."""
    made = planned(version("1.0.3", HOME), by=policy(f"{HOME} eastus2; southeastasia"))
    assert _standings(made) == {
        HOME: Standing.COMPLETE,
        "eastus2": Standing.REQUESTED,
        "southeastasia": Standing.WAITING,
    }
    assert _standings(made, asks=False)["eastus2"] is Standing.MISSING
    assert [place.wave for place in places(_plan(made))] == [1, 1, 2]


def test_a_region_that_cannot_come_is_skipped() -> None:
    """A region that Azure refused is skipped, with Azure's words."""
    made = planned(version("1.0.3", HOME, refused={"eastus2": "LocationNotAvailable"}))
    (skipped,) = [place for place in places(_plan(made)) if place.standing is Standing.SKIPPED]
    assert (skipped.region, skipped.reason) == ("eastus2", "Azure refused it: LocationNotAvailable")


def test_a_region_that_nobody_wants() -> None:
    """A region that the policy does not name is unwanted; the home is not, nor is any of a protected version."""
    added = version("1.0.3", *EVERYWHERE, "japaneast")
    assert _standings(planned(added))["japaneast"] is Standing.UNWANTED
    assert _standings(planned(added, by=policy("eastus2")))[HOME] is Standing.COMPLETE
    protected = replace(added, tags={"gallery-fanout-keep": "yes"})
    assert set(_standings(planned(protected)).values()) == {Standing.COMPLETE}


def test_a_region_that_an_exclusive_policy_takes_out() -> None:
    """A region that an exclusive policy does not name leaves, or is unwanted while it has to wait."""
    added = version("1.0.3", *EVERYWHERE, "japaneast")
    assert _standings(planned(added, by=policy(exclusive=True)))["japaneast"] is Standing.LEAVING
    waits = version("1.0.3", HOME, "japaneast")
    assert _standings(planned(waits, by=policy(exclusive=True)))["japaneast"] is Standing.UNWANTED


def test_an_older_version_is_there_or_leaves() -> None:
    """Of an older version nobody knows more than that a region has it, or that it leaves."""
    assert _standings(planned(old(), NEW), "1.0.1") == {
        HOME: Standing.THERE,
        "eastus2": Standing.LEAVING,
        "southeastasia": Standing.LEAVING,
    }


def test_a_failure_has_azures_words() -> None:
    """The reason of a failed region is what Azure says, or that it says nothing; it is one line, and not endless."""
    failed = region("eastus2", RegionState.FAILED, details="no\ncapacity" + "!" * 999)
    (told,) = [each.reason for each in places(_plan(planned(version("1.0.3", HOME, failed)))) if each.progress is None][
        1:2
    ]
    assert told.startswith("no capacity!!!")
    assert len(told) == 200
    silent = replace(failed, details="")
    assert places(_plan(planned(version("1.0.3", HOME, silent))))[1].reason == "Azure gives no reason"


# What a pass records


def test_a_settled_definition() -> None:
    """A pass over a definition where nothing is to do records the newest version and its regions, and nothing to do."""
    status = BEFORE
    assert (status.image, status.newest, status.versions, status.cause) == (IMAGE, "1.0.3", 1, "a test")
    assert (status.mode, status.seen, status.published) == ("full", NOW, NOW - HOUR)
    assert level(status) is Level.SETTLED
    assert troubles(status) == ()


def test_rollouts_that_run() -> None:
    """A rollout that is not over is recorded with how far it is, its wave, its failed regions and what was tried."""
    failed = region("eastus2", RegionState.FAILED)
    new = version("1.0.3", HOME, failed, region("southeastasia", RegionState.REPLICATING))
    rollout = replace(
        ROLLOUT,
        targets=policy(f"{HOME} eastus2; southeastasia").regions,
        repairs={"eastus2": Repair(2, NOW), HOME: Repair(1, NOW)},
        gave_up=True,
        cause="1.0.4 was deleted",
    )
    status = _seen(planned(new), running={new.number: rollout, version_id("1.0.9").number: ROLLOUT})
    (running,) = status.running
    assert (running.version, running.done, running.of, running.wave, running.waves) == ("1.0.3", 1, 3, 1, 2)
    assert (running.tries, running.lost, running.late, running.cause) == (
        {"eastus2": 2},
        True,
        False,
        "1.0.4 was deleted",
    )


@pytest.mark.parametrize("late", [{"deadline": NOW - MINUTE}, {"announced": frozenset({stall(1)})}])
def test_a_rollout_is_late(late: Mapping[str, Any]) -> None:
    """A rollout with regions not done by its deadline is late, and stays so once that was told."""
    new = version("1.0.3", HOME, region("eastus2", RegionState.REPLICATING), "southeastasia")
    (running,) = _seen(planned(new), running={new.number: replace(ROLLOUT, **late)}).running
    assert running.late


def test_prunes_that_run() -> None:
    """Prunes that a pass asks for, or that Azure is at, are recorded, and how many wait for the cap."""
    busy = version("1.0.2", "westeurope", "eastus2", state=ProvisioningState.UPDATING)
    first = version("1.0.0", *EVERYWHERE)
    made = planned(first, old(), busy, NEW, cap=2)
    status = _seen(made)
    assert (status.pruning, status.capped) == (("1.0.2", "1.0.0"), 1)
    assert level(status) is Level.RUNNING
    assert _seen(made, mode=Mode.REPLICATE).pruning == ()
    refused = _seen(made, refused={version_id("1.0.1").number: "ScopeLocked:\nno"}).refused
    assert refused == {"1.0.1": "ScopeLocked: no"}


def test_what_stays_and_why() -> None:
    """Older versions that stay in more than their home are recorded, by reason, and not without end."""
    made = planned(old(), NEW, usage=usage(("1.0.1", "eastus2", "scale set web")))
    assert _seen(made).kept == (Kept("1.0.1", ("eastus2",), "scale set web references 1.0.1"),)
    many = [version(f"0.0.{number}", *EVERYWHERE, tags={"gallery-fanout-keep": ""}) for number in range(12)]
    status = _seen(planned(*many, NEW))
    assert status.kept[0] == Kept("0.0.11", EVERYWHERE[1:], "the tag gallery-fanout-keep is on the version")
    assert (len(status.kept), status.more_kept) == (8, 4)


def test_newer_versions_that_do_not_count() -> None:
    """A newer version that Azure is making runs; one that it calls Failed wants attention, and so does having none."""
    creating = version("1.0.4", state=ProvisioningState.CREATING)
    status = _seen(planned(NEW, creating))
    assert (status.newest, status.newer, level(status)) == ("1.0.3", {"1.0.4": "Creating"}, Level.RUNNING)
    broken = replace(creating, state=ProvisioningState.FAILED)
    assert troubles(_seen(planned(NEW, broken))) == ("1.0.4 is newer, and Azure calls it Failed",)
    assert troubles(_seen(planned(broken)))[0] == "no version counts as the latest"
    assert troubles(_seen(planned())) == ()
    older = version("1.0.2", state=ProvisioningState.FAILED)
    assert _seen(planned(older, NEW)).newer == {}


def test_a_pass_keeps_the_history() -> None:
    """A pass replaces everything but what came to its end before."""
    finished = (Finished("1.0.2", NOW - DAY, NOW - DAY + HOUR),)
    pruned = (Pruned("1.0.1", NOW, NOW, ("eastus2",), {}, 30),)
    before = replace(BEFORE, finished=finished, pruned=pruned, warnings=("old",))
    after = after_pass(before, PassSeen(planned(NEW), Mode.FULL, "again", NOW + HOUR))
    assert (after.finished, after.pruned, after.warnings, after.seen) == (finished, pruned, (), NOW + HOUR)


def test_observing_asks_for_nothing() -> None:
    """In mode observe what is wanted and not there is missing, and nothing runs."""
    status = _seen(planned(version("1.0.3", HOME)), mode=Mode.OBSERVE)
    assert [place.standing for place in status.places] == [Standing.COMPLETE, Standing.MISSING, Standing.MISSING]
    assert level(status) is Level.SETTLED


# What a look records


def test_a_look_records_how_far_it_is() -> None:
    """A look records the regions of the newest version and how far the rollout is, and leaves other rollouts alone."""
    other = Running("1.0.2", NOW, NOW, 1, 1, 0, 1)
    here = version("1.0.3", HOME, region("eastus2", RegionState.REPLICATING, progress=45), "southeastasia")
    after = after_look(replace(BEFORE, running=(other,)), _look(here))
    assert after
    assert [place.progress for place in after.places] == [None, 45, None]
    assert [(each.version, each.done, each.of) for each in after.running] == [("1.0.3", 2, 3), ("1.0.2", 0, 1)]
    assert after.cause == "a look at 1.0.3"
    assert level(after) is Level.RUNNING


def test_a_look_at_another_version_leaves_the_regions() -> None:
    """A look at a version that is not the newest says nothing about the newest's regions."""
    after = after_look(BEFORE, _look(version("1.0.2", HOME)))
    assert after
    assert after.places == BEFORE.places
    assert [each.version for each in after.running] == ["1.0.2"]


def test_nothing_is_recorded_where_no_pass_was() -> None:
    """Where no pass was recorded, a look and a prune record nothing."""
    assert after_look(None, _look(NEW)) is None
    assert after_prune(None, "1.0.1", None, NOW) is None


def test_a_complete_rollout_has_a_duration() -> None:
    """A look that finds all complete ends the rollout and records how long it took, once, and the last ten of them."""
    running = replace(BEFORE, running=(Running("1.0.3", NOW, NOW, 1, 1, 0, 3),))
    after = after_look(running, _look(NEW, replace(ROLLOUT, cause="1.0.4 was deleted")))
    assert after
    assert after.running == ()
    assert after.finished == (Finished("1.0.3", NOW - HOUR, NOW, "1.0.4 was deleted"),)
    assert after_look(after, _look(NEW)) == replace(after, finished=(Finished("1.0.3", NOW - HOUR, NOW),))
    many = tuple(Finished(f"0.0.{number}", NOW, NOW) for number in range(10))
    later = after_look(replace(BEFORE, finished=many), _look(NEW))
    assert later
    assert [each.version for each in later.finished] == [*(f"0.0.{number}" for number in range(1, 10)), "1.0.3"]


def test_what_never_began_has_no_duration() -> None:
    """A rollout whose every write was refused has not begun, and says nothing about how long one takes."""
    after = after_look(BEFORE, _look(NEW, replace(ROLLOUT, announced=frozenset())))
    assert after
    assert after.finished == ()


# What a prune records


PRUNING = Pruning(NOW - MINUTE, ("eastus2",), {HOME: "its home region"}, 30)


def test_a_prune_that_is_done() -> None:
    """A prune that Azure shows is recorded once, runs no more, and is not refused any more; the last five are kept."""
    before = replace(BEFORE, pruning=("1.0.2", "1.0.1"), refused={"1.0.1": "locked", "1.0.0": "locked"})
    after = after_prune(before, "1.0.1", PRUNING, NOW)
    assert after
    assert after.pruned == (Pruned("1.0.1", NOW - MINUTE, NOW, ("eastus2",), {HOME: "its home region"}, 30),)
    assert (after.pruning, after.refused) == (("1.0.2",), {"1.0.0": "locked"})
    assert after_prune(after, "1.0.1", PRUNING, NOW + MINUTE) == after
    for number in range(6):
        after = after_prune(after, f"0.0.{number}", PRUNING, NOW)
        assert after
    assert [each.version for each in after.pruned] == [f"0.0.{number}" for number in range(5, 0, -1)]


def test_a_prune_that_is_refused() -> None:
    """A prune that Azure will not do wants attention, and is not among those that were done."""
    refused = PRUNING.refusing("ScopeLocked: no", NOW)
    after = after_prune(replace(BEFORE, pruning=("1.0.1",)), "1.0.1", refused, NOW)
    assert after
    assert troubles(after) == ("1.0.1 is not pruned: ScopeLocked: no",)
    assert (after.pruning, after.pruned) == ((), ())


def test_a_prune_that_was_not_needed() -> None:
    """A prune that was not needed runs no more, and nothing else is recorded."""
    assert after_prune(replace(BEFORE, pruning=("1.0.1",)), "1.0.1", None, NOW) == BEFORE


# What it wants of people


def test_failed_and_skipped_regions_want_attention() -> None:
    """A region that failed or cannot come wants attention, with what was tried and Azure's words."""
    stands = (
        Place("eastus2", Standing.FAILED, "no capacity"),
        Place("uksouth", Standing.FAILED, "no idea"),
        Place("westus3", Standing.FAILED, "no luck"),
        Place("japaneast", Standing.SKIPPED, "no set"),
    )
    running = Running("1.0.3", NOW, NOW, 1, 1, 0, 4, late=True, lost=True, tries={"eastus2": 1, "uksouth": 2})
    status = replace(BEFORE, places=stands, running=(running,))
    assert level(status) is Level.ATTENTION
    assert troubles(status) == (
        "eastus2 failed (one repair tried): no capacity",
        "uksouth failed (2 repairs tried): no idea",
        "westus3 failed: no luck",
        "japaneast is skipped: no set",
        "1.0.3 is late: 0 of 4 regions done by its deadline",
        "1.0.3: nothing is left to try with the regions that failed",
    )


def test_an_estimate_is_the_median() -> None:
    """A rollout will take as long as the median of those before, so that one odd one says little; none says nothing."""
    assert estimate(BEFORE) is None
    took = (10, 12, 500)
    finished = tuple(Finished("1.0.0", NOW, NOW + minutes * MINUTE) for minutes in took)
    assert estimate(replace(BEFORE, finished=finished)) == timedelta(minutes=12)


# Versions


def test_versions_and_regions() -> None:
    """A pass records each version with its role, its state and its regions, the newest first."""
    versions = Versions.seen(planned(old(), version("1.0.2", state=ProvisioningState.FAILED), NEW), Mode.FULL)
    assert [(row.version, row.role, row.state, len(row.places)) for row in versions.rows] == [
        ("1.0.3", "kept", "Succeeded", 3),
        ("1.0.2", "alone", "Failed", 1),
        ("1.0.1", "older", "Succeeded", 3),
    ]
    assert versions.rows[1].reason == "its provisioning state is Failed"
    missing = Versions.seen(planned(version("1.0.3", HOME)), Mode.OBSERVE)
    assert missing.rows[0].places[1].standing is Standing.MISSING


def test_of_a_long_history_what_there_is_to_say_of() -> None:
    """Of more than two hundred versions the older ones that are at home only are left out first, the oldest of them."""
    many = [version(f"0.0.{number}") for number in range(250)]
    versions = Versions.seen(planned(*many, version("0.0.250", *EVERYWHERE), NEW, old(), cap=0), Mode.FULL)
    numbers = [row.version for row in versions.rows]
    assert (len(numbers), versions.more) == (200, 53)
    assert numbers[:3] == ["1.0.3", "1.0.1", "0.0.250"]
    assert numbers[-1] == "0.0.53"


def test_a_version_that_left_regions() -> None:
    """What is seen of one version later replaces its regions, and no other's."""
    versions = Versions.seen(planned(old(), NEW), Mode.FULL)
    left = versions.left("1.0.1", ("eastus2", "southeastasia"))
    assert [place.region for place in left.rows[1].places] == [HOME]
    assert left.rows[0] == versions.rows[0]
    assert versions.left("9.9.9", ("eastus2",)) == versions


# Azure's limit of versions


def _holding(name: str, subscription: str = "1", **homes: int) -> DefinitionStatus:
    gallery = GalleryId(Name(f"{subscription * 8}-0000"), IMAGE.gallery.group, Name(f"gallery-{name}"))
    return DefinitionStatus(ImageId(gallery, Name(name)), NOW, "a test", homes=homes)


def test_a_pass_counts_versions_by_their_homes() -> None:
    """A pass records how many versions have their home in which region, those that do not count among them."""
    versions = (NEW, old(), version("1.0.2", home="eastus2"), version("1.0.4", state=ProvisioningState.FAILED))
    assert _seen(planned(*versions)).homes == {HOME: 3, "eastus2": 1}


def test_versions_count_over_all_definitions() -> None:
    """Where the definitions of a subscription together have nearly as many versions as Azure takes in a region, that is
    told of once, at the definition that has most; other regions and subscriptions count for themselves.
    """
    near = [_holding("a", eastus2=4_000, uksouth=4_000), _holding("b", eastus2=4_500), _holding("c", eastus2=500)]
    (crowd,) = crowds([*near, _holding("d", "2", eastus2=8_999)])
    assert crowd == Crowd("eastus2", 9_000, 3, near[1].image)
    assert crowd.news.about == near[1].image
    assert crowd.news.data == {
        "limit": "versions",
        "used": 9_000,
        "of": 10_000,
        "reason": "9000 versions have their home in eastus2, counted over 3 image definitions of which this one has "
        "most; Azure takes 10000 in a subscription and region, over all galleries",
    }
    assert crowds(near[:2]) == []


def test_what_one_definition_has_alone_is_told_by_its_pass() -> None:
    """A definition that alone has as many versions is not told of here."""
    assert crowds([_holding("a", eastus2=9_500), _holding("b", uksouth=10)]) == []


def test_a_hundred_more_versions_are_news_again() -> None:
    """The same hundred is the same news; a hundred more are news again. Of equals the first is named."""
    ids = []
    for used in (4_500, 4_549, 4_550):
        (crowd,) = crowds([_holding("b", eastus2=used), _holding("a", eastus2=used)])
        assert str(crowd.fullest.image) == "a"
        ids.append(crowd.news.id)
    assert ids[0] == ids[1] != ids[2]


# As it is stored


FULL = DefinitionStatus(
    IMAGE,
    NOW,
    "a sweep",
    "observe",
    "1.0.3",
    NOW - DAY,
    (Place("eastus2", Standing.REPLICATING, "because", 2, 45, 1, NOW), Place(HOME, Standing.COMPLETE)),
    {"1.0.4": "Failed"},
    (Running("1.0.3", NOW, NOW + DAY, 1, 2, 3, 4, late=True, lost=True, cause="why", tries={"eastus2": 1}),),
    ("1.0.2",),
    {"1.0.1": "locked"},
    (Finished("1.0.2", NOW, NOW + HOUR, "why"),),
    (Pruned("1.0.0", NOW, NOW + HOUR, ("eastus2",), {HOME: "home"}, 30),),
    (Kept("1.0.0", ("eastus2", "uksouth"), "in use"),),
    3,
    12,
    4,
    ("a warning",),
    {HOME: 3},
)
VERSIONS = Versions((VersionSeen("1.0.3", "kept", "Succeeded", HOME, NOW, "why", FULL.places),), 7)
SWEEP = Sweep(NOW, (SweptGallery("a", 3), SweptGallery("b", 0, "denied")))


@pytest.mark.parametrize("value", [FULL, BEFORE, VERSIONS, Versions(), SWEEP], ids=lambda value: type(value).__name__)
def test_what_is_stored_comes_back(value: Any) -> None:
    """What is stored comes back as it was."""
    assert type(value).from_json(value.to_json()) == value


def test_rows_of_a_release_before() -> None:
    """What a release before this one stored, without the home regions of versions, is read, and counts none."""
    stored = {name: value for name, value in FULL.to_json().items() if name != "homes"}
    assert DefinitionStatus.from_json(stored) == replace(FULL, homes={})


def test_a_sweep_says_what_it_did() -> None:
    """A sweep says for how many definitions it asked, and which galleries it could not list."""
    assert SWEEP.definitions == 3
    assert SWEEP.faults == (SweptGallery("b", 0, "denied"),)
