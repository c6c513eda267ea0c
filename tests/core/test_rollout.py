import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.core.model import RegionState
from shared.core.planner import spread
from shared.core.rollout import (
    COMPLETED,
    MOST_ASKS,
    STARTED,
    Intent,
    Judgement,
    Progress,
    Rollout,
    begin,
    failure,
    join,
    judge,
    patience,
    pause,
    progress,
    recorded,
    stall,
)
from tests.core import strategies
from tests.core.build import DAY, HOME, HOUR, MINUTE, NOW, SECOND, planned, policy, region, version

POLICY = policy("westeurope=2=standard_zrs eastus2; southeastasia")
TARGETS = POLICY.regions
OPEN = Rollout(started=NOW, deadline=NOW + DAY)
DONE = OPEN.finish(NOW + HOUR)
ENDED = OPEN.end("superseded by 1.0.4", NOW + HOUR)
INTENT = Intent(NOW + HOUR, DAY, TARGETS)

_region_names = st.sampled_from(strategies.REGIONS)
_texts = st.lists(st.text(), max_size=3).map(tuple)
rollouts = st.builds(
    Rollout,
    started=strategies.moments,
    deadline=strategies.moments,
    number=st.integers(1, 9),
    targets=strategies.targets(),
    wave=st.integers(1, 5),
    cause=st.text(),
    supersedes=_texts,
    warnings=_texts,
    completed=st.dictionaries(_region_names, strategies.moments),
    asks=st.dictionaries(_region_names, st.integers(0, 3)),
    announced=st.frozensets(
        st.sampled_from([STARTED, COMPLETED]) | st.integers(1, 5).map(stall) | _region_names.map(failure)
    ),
    look=st.integers(0, 50),
    look_due=st.none() | strategies.moments,
    looker=st.text(),
    finished=st.none() | strategies.moments,
    ended=st.text(),
    refused=st.text(),
    refused_at=st.none() | strategies.moments,
)


@given(rollouts)
def test_json_round_trip(rollout):
    """Any rollout is read from what was stored of it as it was."""
    assert Rollout.from_json(json.loads(json.dumps(rollout.to_json()))) == rollout


@pytest.mark.parametrize(("rollout", "is_open"), [(OPEN, True), (DONE, False), (ENDED, False)])
def test_open_is_stored(rollout, is_open):
    """Whether a rollout is open is stored too, to find those that are."""
    assert rollout.to_json()["open"] is rollout.open is is_open


# How rollouts begin and end.


def test_begin():
    """A first rollout starts now, has its deadline and all that the pass wanted, and nothing was said of it."""
    intent = Intent(NOW, DAY, TARGETS, cause="1.0.4 was deleted", supersedes=("1.0.2",), warnings=("beware",))
    assert begin(None, intent) == Rollout(
        started=NOW,
        deadline=NOW + DAY,
        number=1,
        targets=TARGETS,
        wave=1,
        cause="1.0.4 was deleted",
        supersedes=("1.0.2",),
        warnings=("beware",),
    )


def test_begin_goes_on_with_an_open_rollout():
    """Asked for again, a rollout that is open goes on: it learns of new regions, and of nothing else."""
    before = replace(OPEN, number=3, wave=2, completed={HOME: NOW}).saying(STARTED).looking(4, NOW)
    assert begin(before, replace(INTENT, warnings=("beware",))) == replace(before, targets=TARGETS)
    assert begin(before, Intent(NOW, DAY)).targets == ()


@pytest.mark.parametrize(
    ("before", "now", "cause"),
    [
        ("", "", ""),
        ("", "1.0.4 was deleted", "1.0.4 was deleted"),
        ("1.0.5 failed", "1.0.4 was deleted", "1.0.5 failed"),
    ],
)
def test_the_first_cause_stays(before, now, cause):
    """A rollout that goes on keeps the cause that it had, and takes the pass's when it had none."""
    assert begin(replace(OPEN, cause=before), replace(INTENT, cause=now)).cause == cause


def test_superseded_versions_add_up():
    """A rollout that goes on remembers every version that it superseded, each once, in the order of their ends."""
    before = replace(OPEN, supersedes=("1.0.2", "1.0.1"))
    again = begin(before, replace(INTENT, supersedes=("1.0.1", "1.0.3")))
    assert again.supersedes == ("1.0.2", "1.0.1", "1.0.3")


@pytest.mark.parametrize("before", [DONE, ENDED], ids=["done", "ended"])
def test_begin_after_the_end(before):
    """A version can be rolled out again after its rollout ended: another number, nothing said, regions remembered."""
    before = replace(before, wave=3, asks={HOME: 2}, completed={HOME: NOW}, refused="a=1", refused_at=NOW)
    again = begin(before.saying(stall(1)).looking(7, NOW), Intent(NOW + DAY, HOUR, TARGETS))
    assert again == Rollout(
        started=NOW + DAY, deadline=NOW + DAY + HOUR, number=2, targets=TARGETS, completed={HOME: NOW}
    )


@pytest.mark.parametrize("before", [None, DONE, ENDED], ids=["first", "done", "ended"])
def test_join(before):
    """A rollout that somebody else started is followed; its start is no news."""
    joined = join(before, INTENT)
    assert joined == begin(before, INTENT).saying(STARTED)
    assert joined.open


def test_join_an_open_rollout():
    """A rollout that is open is gone on with; when its start was not told yet, it is still to be told."""
    assert join(OPEN, INTENT) == begin(OPEN, INTENT)
    assert STARTED not in join(OPEN, INTENT).announced


def test_recorded():
    """A version that was complete when first seen is remembered as over, with nothing left to announce."""
    seen = recorded(None, version("1.0.2", HOME, region("eastus2", RegionState.FAILED)), now=NOW)
    assert not seen.open
    assert seen.announced == {STARTED, COMPLETED}
    assert seen.completed == {HOME: NOW}
    assert not seen.unwatched(NOW + DAY)


@pytest.mark.parametrize("before", [OPEN, DONE])
def test_recorded_before(before):
    """What is remembered of a version stays, an open rollout has its end still to announce, and regions add up."""
    assert recorded(before, version("1.0.2"), now=NOW + DAY) == replace(before, completed={HOME: NOW + DAY})


def test_finish():
    """A rollout that is complete is over since then, and its end is not announced again."""
    assert (DONE.finished, DONE.ended, DONE.announced) == (NOW + HOUR, "", {COMPLETED})


def test_end():
    """A rollout that is ended before it was complete is over, says why, and announces nothing."""
    assert (ENDED.finished, ENDED.ended, ENDED.announced) == (NOW + HOUR, "superseded by 1.0.4", frozenset())
    assert not ENDED.unwatched(NOW + DAY)


@pytest.mark.parametrize("over", [DONE, ENDED], ids=["done", "ended"])
def test_what_is_over_does_not_end_again(over):
    """A rollout that is over stays as it ended."""
    assert over.end("1.0.3 is gone", NOW + DAY) is over


# What a rollout aims at, and since when it has it.


def test_aim():
    """A rollout follows the regions that it was asked for, and the policy of today in all else."""
    today = policy("uksouth", wave_bake=HOUR, encryption_sets={"eastus2": "set"})
    assert replace(OPEN, targets=TARGETS).aim(today) == replace(today, regions=TARGETS)


def test_aim_of_a_rollout_that_was_found():
    """A rollout that nobody asked for follows the policy."""
    assert OPEN.aim(POLICY) is POLICY


@pytest.mark.parametrize(
    ("wave", "deadline"), [(1, NOW + DAY), (2, NOW + DAY), (3, NOW + 2 * HOUR), (4, NOW + 2 * HOUR)]
)
def test_entering_a_wave(wave, deadline):
    """A wave that starts has its own time; one that was started before keeps the time that it has."""
    second = replace(OPEN, wave=2)
    assert second.entering(wave, NOW + HOUR, HOUR) == replace(second, wave=max(wave, 2), deadline=deadline)


def test_seen_keeps_the_first_time():
    """A region is complete since it was first seen so; one that is not complete is not remembered."""
    first = OPEN.seen(version("1.0.2", HOME, region("eastus2", RegionState.REPLICATING)), NOW + HOUR)
    assert first.completed == {HOME: NOW + HOUR}
    second = first.seen(version("1.0.2", HOME, "eastus2"), NOW + DAY)
    assert second.completed == {HOME: NOW + HOUR, "eastus2": NOW + DAY}
    assert second.seen(version("1.0.2", HOME, "eastus2"), NOW + 2 * DAY) is second


@pytest.mark.parametrize(
    "lost", [[HOME], [HOME, region("eastus2", RegionState.REPLICATING)]], ids=["gone", "replicating"]
)
def test_a_region_that_is_not_complete_any_more_begins_anew(lost):
    """A region that was complete, and is not, is complete since it is so again."""
    before = replace(OPEN, completed={HOME: NOW, "eastus2": NOW})
    meanwhile = before.seen(version("1.0.2", *lost), NOW + HOUR)
    assert meanwhile.completed == {HOME: NOW}
    assert meanwhile.seen(version("1.0.2", HOME, "eastus2"), NOW + DAY).completed["eastus2"] == NOW + DAY


def test_dated():
    """A version is given the times since when its regions are complete, and nothing else of it is touched."""
    found = version("1.0.2", region(HOME, since=NOW - DAY), "eastus2", region("uksouth", RegionState.FAILED))
    dated = replace(OPEN, completed={"eastus2": NOW, "japaneast": NOW}).dated(found)
    assert {each.name: each.since for each in dated.regions} == {HOME: None, "eastus2": NOW, "uksouth": None}
    assert OPEN.dated(dated) == OPEN.dated(found)


def test_seen_and_dated():
    """What was seen of a version dates all its complete regions, and no other."""
    found = version("1.0.2", HOME, region("eastus2", RegionState.REPLICATING))
    dated = recorded(None, found, now=NOW).dated(found)
    assert [each.since for each in dated.regions] == [NOW, None]


# Who looks at a rollout, and what was said of it.


@pytest.mark.parametrize(
    ("rollout", "now", "unwatched"),
    [
        (OPEN, NOW, True),
        (OPEN.looking(1, NOW), NOW, False),
        (OPEN.looking(1, NOW), NOW - HOUR, False),
        (OPEN.looking(1, NOW), NOW + 120 * SECOND, False),
        (OPEN.looking(1, NOW), NOW + 121 * SECOND, True),
        (OPEN.looking(1, NOW).unlooked(), NOW, True),
        (DONE, NOW, False),
        (DONE.looking(1, NOW), NOW + DAY, False),
    ],
)
def test_unwatched(rollout, now, unwatched):
    """Nobody looks when nobody ever did or the look is long overdue; a rollout that is over needs no look."""
    assert rollout.unwatched(now) is unwatched


def test_unlooked_keeps_its_number():
    """A rollout that nobody looks at goes on counting looks where it was, so that old messages stay doubles."""
    assert OPEN.looking(7, NOW).unlooked().look == 7


def test_saying():
    """What was announced adds up, by region and by wave."""
    said = OPEN.saying(STARTED).saying(stall(2), failure(HOME)).announced
    assert said == {STARTED, "stalled:2", "failed:westeurope"}


def test_asking_counts():
    """Each time that a failed region is asked for again is counted for that region."""
    assert OPEN.asking([HOME]).asking([HOME, "eastus2"]).asks == {HOME: 2, "eastus2": 1}


@pytest.mark.parametrize(
    ("regions", "later", "refused"),
    [
        ("a=1,b=1", timedelta(0), True),
        ("a=1,b=1", timedelta(minutes=49), True),
        ("a=1,b=1", timedelta(minutes=50), False),
        ("a=1,b=2", timedelta(0), False),
    ],
)
def test_refused_lately(regions, later, refused):
    """A write that Azure refused is not tried again for a while; another one is, and an hourly sweep too."""
    assert OPEN.refusing("a=1,b=1", NOW).refused_lately(regions, NOW + later) is refused


def test_nothing_was_refused():
    """A rollout that Azure never refused may be written."""
    assert not OPEN.refused_lately("", NOW)


# How far a version has come.

REGIONS = "westeurope eastus2=2 southeastasia uksouth japaneast"


def come(seen, by):
    """Say how far a version has come, by its own lines."""
    return progress(seen, spread(seen, by, NOW))


def test_progress():
    """Each region of the policy is complete, missing, waited for or failed; too few replicas are missing, too."""
    seen = version(
        "1.0.2",
        HOME,
        "eastus2",
        region("southeastasia", RegionState.REPLICATING),
        region("uksouth", RegionState.FAILED),
    )
    assert come(seen, policy(REGIONS)) == Progress(
        missing=("eastus2", "japaneast"), waiting=("southeastasia",), failed=("uksouth",)
    )


def test_progress_in_waves():
    """Regions of waves that have not started come later; those of later waves that are there count as they are."""
    seen = version(
        "1.0.2",
        HOME,
        region("eastus2", RegionState.REPLICATING),
        region("uksouth", RegionState.FAILED),
        region("northeurope", RegionState.FAILED),
        region("brazilsouth", RegionState.UNKNOWN),
    )
    by = policy("westeurope eastus2; southeastasia uksouth; japaneast northeurope=2 brazilsouth")
    assert come(seen, by) == Progress(
        missing=(),
        waiting=("eastus2", "brazilsouth"),
        failed=("uksouth",),
        later=("southeastasia", "japaneast", "northeurope"),
    )


def test_progress_while_a_wave_bakes():
    """While a wave bakes nothing is missing or waited for, and the version is not complete."""
    seen = version("1.0.2", region(HOME, since=NOW))
    found = come(seen, policy("westeurope; eastus2", wave_bake=HOUR))
    assert found == Progress((), (), (), later=("eastus2",))
    assert not found.complete


def test_progress_when_a_wave_is_due():
    """When a wave is due its regions are missing: somebody must write."""
    seen = version("1.0.2", region(HOME, since=NOW - HOUR))
    assert come(seen, policy("westeurope; eastus2", wave_bake=HOUR)).missing == ("eastus2",)


def test_progress_of_unknown_state():
    """A region of which Azure says nothing is waited for: Succeeded proves nothing."""
    seen = version("1.0.2", HOME, region("eastus2", RegionState.UNKNOWN))
    assert come(seen, policy("westeurope eastus2")).waiting == ("eastus2",)


def test_progress_complete():
    """A version is complete when every region of every wave is Completed."""
    assert come(version("1.0.2", HOME, "eastus2"), policy("westeurope; eastus2")).complete


@pytest.mark.parametrize(
    ("seen", "by"),
    [
        pytest.param(version("1.0.2", region(HOME, encrypted=True)), policy("westeurope eastus2"), id="no set"),
        pytest.param(version("1.0.2", region(HOME, replicas=99)), policy("westeurope eastus2=2"), id="100 replicas"),
    ],
)
def test_progress_does_not_wait_for_skipped_regions(seen, by):
    """Regions that a version cannot come to are not waited for."""
    assert come(seen, by).complete


def test_progress_beyond_the_limit():
    """A region that is there and gets no more replicas is waited for until it is complete."""
    seen = version("1.0.2", region(HOME, replicas=99), region("eastus2", RegionState.REPLICATING))
    assert come(seen, policy("westeurope eastus2=2")) == Progress((), ("eastus2",), ())


@pytest.mark.parametrize("state", RegionState)
def test_progress_leaves_others_alone(state):
    """A region that the policy does not name, also the home, is neither waited for nor counted as failed."""
    seen = version("1.0.2", region(HOME, state), "eastus2", region("uksouth", state))
    assert come(seen, policy("eastus2")).complete


def test_progress_of_a_protected_version():
    """A version that is left alone has nothing to wait for."""
    seen = version("1.0.2", region(HOME, RegionState.FAILED), tags={"gallery-fanout-keep": "true"})
    assert progress(seen, planned(seen, by=policy(REGIONS)).versions[0].lines).complete


@pytest.mark.parametrize(
    "seen",
    [
        Progress((HOME,), (), ()),
        Progress((), (HOME,), ()),
        Progress((), (), (HOME,)),
        Progress((), (), (), (HOME,)),
    ],
    ids=["missing", "waiting", "failed", "later"],
)
def test_progress_incomplete(seen):
    """One region that is missing, waited for, failed or to come later is enough to be incomplete."""
    assert not seen.complete


# What a look at a rollout comes to.

NOTHING = Progress((), (), ())
FAILED_HOME = Progress((), (), (HOME,))
WAITING = Progress((), (HOME,), ())
BAKING = Progress((), (), (), ("eastus2",))
LATE = NOW + DAY + SECOND


@pytest.mark.parametrize(
    ("rollout", "seen", "now", "judgement"),
    [
        pytest.param(OPEN, NOTHING, NOW, Judgement(complete=True), id="complete"),
        pytest.param(OPEN, NOTHING, LATE, Judgement(complete=True), id="complete, though late"),
        pytest.param(OPEN, Progress(("a",), ("b",), ("c",)), LATE, Judgement(stray=True), id="stray before all else"),
        pytest.param(OPEN, Progress(("a",), (), (), ("b",)), NOW, Judgement(stray=True), id="a wave is due"),
        pytest.param(OPEN, WAITING, NOW, Judgement(), id="waiting"),
        pytest.param(OPEN, WAITING, NOW + DAY, Judgement(), id="at its deadline"),
        pytest.param(OPEN, WAITING, LATE, Judgement(stalled=True), id="late"),
        pytest.param(OPEN.saying(stall(1)), WAITING, LATE, Judgement(), id="late, and said"),
        pytest.param(
            replace(OPEN, wave=2).saying(stall(1)),
            WAITING,
            LATE,
            Judgement(stalled=True),
            id="late, said of a wave before",
        ),
        pytest.param(OPEN, BAKING, NOW, Judgement(), id="baking"),
        pytest.param(OPEN, BAKING, LATE, Judgement(), id="baking, and not late for that"),
        pytest.param(OPEN, FAILED_HOME, NOW, Judgement(ask_again=(HOME,), failed=(HOME,)), id="failed"),
        pytest.param(
            replace(OPEN, asks={HOME: MOST_ASKS}).saying(failure(HOME)),
            FAILED_HOME,
            LATE,
            Judgement(stalled=True),
            id="failed, and late",
        ),
        pytest.param(OPEN.saying(failure(HOME)), FAILED_HOME, NOW, Judgement(ask_again=(HOME,)), id="failed, and said"),
        pytest.param(
            replace(OPEN, asks={HOME: MOST_ASKS - 1}).saying(failure(HOME)),
            FAILED_HOME,
            NOW,
            Judgement(ask_again=(HOME,)),
            id="asked once",
        ),
        pytest.param(
            replace(OPEN, asks={HOME: MOST_ASKS}).saying(failure(HOME)), FAILED_HOME, NOW, Judgement(), id="given up"
        ),
        pytest.param(
            replace(OPEN, asks={HOME: MOST_ASKS}),
            Progress((), ("eastus2",), (HOME, "uksouth"), ("japaneast",)),
            LATE,
            Judgement(ask_again=("uksouth",), failed=(HOME, "uksouth"), stalled=True),
            id="everything at once",
        ),
    ],
)
def test_judge(rollout, seen, now, judgement):
    """A look comes to the end, to a new pass, or to what is to be asked for and said, each thing once."""
    assert judge(rollout, seen, now=now) == judgement


@pytest.mark.parametrize(
    ("seen", "now", "late"),
    [
        (WAITING, NOW + DAY, False),
        (WAITING, LATE, True),
        (FAILED_HOME, LATE, True),
        (BAKING, LATE, False),
        (NOTHING, LATE, False),
    ],
    ids=["at its deadline", "waiting", "failed", "baking", "complete"],
)
def test_late(seen, now, late):
    """A rollout is late when regions are not done after its deadline; one that only bakes is not."""
    assert OPEN.late(seen, now) is late


def test_a_failure_is_said_and_asked_for_a_bounded_number_of_times():
    """However often a failed region is looked at, it is said once and asked for twice, and stalling is said once."""
    rollout, said, asked, stalled = OPEN, 0, 0, 0
    for look in range(1, 30):
        found = judge(rollout, FAILED_HOME, now=NOW + look * HOUR)
        said, asked, stalled = said + len(found.failed), asked + len(found.ask_again), stalled + found.stalled
        rollout = rollout.asking(found.ask_again).saying(*map(failure, found.failed))
        rollout = rollout.saying(stall(rollout.wave)) if found.stalled else rollout
    assert (said, asked, stalled) == (1, MOST_ASKS, 1)


# Pauses.


def test_pauses_double():
    """The pause doubles from the first to the longest."""
    pauses = [pause(look, timedelta(seconds=15), timedelta(minutes=10)) for look in range(1, 9)]
    assert [each.total_seconds() for each in pauses] == [15, 30, 60, 120, 240, 480, 600, 600]


_intervals = st.timedeltas(SECOND, timedelta(days=6))


@given(st.integers(1, 10**6), _intervals, _intervals)
@example(10**6, timedelta(days=6), timedelta(days=6))
@example(10**6, SECOND, timedelta(days=6))
def test_any_pause(look, one, other):
    """Whatever the interval and the number of looks, a pause lies between first and longest and never shrinks."""
    first, longest = sorted([one, other])
    assert first <= pause(look, first, longest) <= pause(look + 1, first, longest) <= longest
    assert pause(10**6, first, longest) == longest


@pytest.mark.parametrize("look", [0, -1, -(2**40)])
def test_a_look_that_cannot_be_waits_like_the_first(look):
    """A look number that no message of ours has still gives a pause, the first one."""
    assert pause(look, timedelta(seconds=15), timedelta(minutes=10)) == timedelta(seconds=15)


@pytest.mark.parametrize(
    ("waited", "wait"),
    [(0 * MINUTE, MINUTE), (MINUTE, MINUTE), (2 * MINUTE, MINUTE), (3 * MINUTE, 90 * SECOND), (DAY, 10 * MINUTE)],
)
def test_patience(waited, wait):
    """Who has waited long waits half as long again, from the first pause to the longest."""
    assert patience(waited, MINUTE, 10 * MINUTE) == wait


@given(st.timedeltas(timedelta(0), timedelta(days=60)), _intervals, _intervals)
def test_any_patience(waited, one, other):
    """Whatever was waited, the pause lies between first and longest, and never shrinks while one waits."""
    first, longest = sorted([one, other])
    assert first <= patience(waited, first, longest) <= patience(waited + SECOND, first, longest) <= longest


# Looks, each of which belongs to one message.


@pytest.mark.parametrize(
    ("look", "looker", "given"),
    [
        (3, "me", True),  # nobody has it yet
        (4, "me", True),  # a crash came between the message and its record
        (2, "me", False),  # the looks are further already
    ],
)
def test_a_look_that_is_free(look, looker, given):
    """A look is given to the first message that comes with it, unless the looks are further already."""
    assert OPEN.looking(3, NOW).taking(look, looker).has(look, looker) is given


@pytest.mark.parametrize(("looker", "given"), [("me", True), ("you", False)])
def test_a_look_that_is_taken(looker, given):
    """A message that is delivered again goes on with its look; a copy of it gets none."""
    taken = OPEN.looking(3, NOW).taking(3, "me")
    assert taken.taking(3, looker).has(3, looker) is given


def test_a_look_at_what_is_over():
    """Nobody has a look at a rollout that is over."""
    assert not DONE.taking(9, "me").has(9, "me")
