import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.core.model import RegionState
from shared.core.planner import plan, spread
from shared.core.rollout import (
    COMPLETED,
    MOST_ASKS,
    STALLED,
    STARTED,
    Judgement,
    Progress,
    Rollout,
    begin,
    failure,
    join,
    judge,
    pause,
    progress,
    recorded,
)
from tests.core import strategies
from tests.core.build import HOME, HOUR, NOW, definition, policy, region, version

DAY = timedelta(days=1)
OPEN = Rollout(started=NOW, deadline=NOW + DAY)
DONE = OPEN.finish(NOW + HOUR)
SECOND = timedelta(seconds=1)

_region_names = st.sampled_from(strategies.REGIONS)
rollouts = st.builds(
    Rollout,
    started=strategies.moments,
    deadline=strategies.moments,
    number=st.integers(1, 9),
    completed=st.dictionaries(_region_names, strategies.moments),
    asks=st.dictionaries(_region_names, st.integers(0, 3)),
    announced=st.frozensets(st.sampled_from([STARTED, COMPLETED, STALLED]) | _region_names.map(failure)),
    look=st.integers(0, 50),
    look_due=st.none() | strategies.moments,
    looker=st.text(),
    finished=st.none() | strategies.moments,
    refused=st.text(),
    refused_at=st.none() | strategies.moments,
)


@given(rollouts)
def test_json_round_trip(rollout):
    """Any rollout is read from what was stored of it as it was."""
    assert Rollout.from_json(json.loads(json.dumps(rollout.to_json()))) == rollout


def test_begin():
    """A first rollout starts now, has its deadline, and nothing was said of it."""
    assert begin(None, now=NOW, deadline=DAY) == Rollout(started=NOW, deadline=NOW + DAY, number=1)


def test_begin_goes_on_with_an_open_rollout():
    """Asked for again, a rollout that is open goes on unchanged: same start, same deadline, same number."""
    assert begin(OPEN, now=NOW + HOUR, deadline=DAY) is OPEN


def test_begin_after_the_end():
    """A version can be rolled out again after its rollout ended: another number, nothing announced, nothing done."""
    again = begin(DONE, now=NOW + DAY, deadline=HOUR)
    assert again == Rollout(started=NOW + DAY, deadline=NOW + DAY + HOUR, number=2)


def test_join():
    """A rollout that somebody else started is followed; its start is no news."""
    joined = join(None, now=NOW, deadline=DAY)
    assert joined == OPEN.saying(STARTED)
    assert joined.open


@pytest.mark.parametrize("before", [OPEN, DONE])
def test_join_what_is_remembered(before):
    """A rollout that is remembered is taken as it is."""
    assert join(before, now=NOW + DAY, deadline=DAY) is before


def test_recorded():
    """A version that was complete when first seen is remembered as over, with nothing left to announce."""
    seen = recorded(None, version("1.0.2", HOME, region("eastus2", RegionState.FAILED)), now=NOW)
    assert not seen.open
    assert seen.announced == {STARTED, COMPLETED}
    assert seen.completed == {HOME: NOW}
    assert not seen.unwatched(NOW + DAY)


@pytest.mark.parametrize("before", [OPEN, DONE])
def test_recorded_before(before):
    """What is remembered of a version stays: an open rollout has its end still to announce."""
    assert recorded(before, version("1.0.2"), now=NOW) is before


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
    """What was announced adds up."""
    assert OPEN.saying(STARTED).saying(STALLED, failure(HOME)).announced == {STARTED, STALLED, "failed:westeurope"}


def test_seen_keeps_the_first_time():
    """A region is complete since it was first seen so; one that is not complete is not remembered."""
    first = OPEN.seen(version("1.0.2", HOME, region("eastus2", RegionState.REPLICATING)), NOW + HOUR)
    assert first.completed == {HOME: NOW + HOUR}
    second = first.seen(version("1.0.2", HOME, "eastus2"), NOW + DAY)
    assert second.completed == {HOME: NOW + HOUR, "eastus2": NOW + DAY}
    assert second.seen(version("1.0.2", HOME, "eastus2"), NOW + 2 * DAY) is second


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


REGIONS = "westeurope eastus2=2 southeastasia uksouth japaneast"


def test_progress():
    """Each region of the policy is complete, missing, waited for or failed; too few replicas are missing, too."""
    seen = version(
        "1.0.2",
        HOME,
        "eastus2",
        region("southeastasia", RegionState.REPLICATING),
        region("uksouth", RegionState.FAILED),
    )
    assert progress(seen, spread(seen, policy(REGIONS))) == Progress(
        missing=("eastus2", "japaneast"), waiting=("southeastasia",), failed=("uksouth",)
    )


def test_progress_of_unknown_state():
    """A region of which Azure says nothing is waited for: Succeeded proves nothing."""
    seen = version("1.0.2", HOME, region("eastus2", RegionState.UNKNOWN))
    assert progress(seen, spread(seen, policy("westeurope eastus2"))).waiting == ("eastus2",)


def test_progress_complete():
    """A version is complete when every region that the policy names is Completed."""
    seen = version("1.0.2", HOME, "eastus2")
    assert progress(seen, spread(seen, policy("westeurope eastus2"))).complete


def test_progress_of_an_encrypted_version():
    """Regions that an encrypted version cannot go to are not waited for."""
    seen = version("1.0.2", region(HOME, encrypted=True))
    assert progress(seen, spread(seen, policy("westeurope eastus2"))).complete


@pytest.mark.parametrize("state", RegionState)
def test_progress_leaves_others_alone(state):
    """A region that the policy does not name, also the home, is neither waited for nor counted as failed."""
    seen = version("1.0.2", region(HOME, state), "eastus2", region("uksouth", state))
    assert progress(seen, spread(seen, policy("eastus2"))).complete


def test_progress_of_a_protected_version():
    """A version that is left alone has nothing to wait for."""
    seen = version("1.0.2", region(HOME, RegionState.FAILED), tags={"gallery-fanout-keep": "true"})
    assert progress(seen, plan(definition(seen), policy(REGIONS)).versions[0].lines).complete


@pytest.mark.parametrize("seen", [Progress((HOME,), (), ()), Progress((), (HOME,), ()), Progress((), (), (HOME,))])
def test_progress_incomplete(seen):
    """One region that is missing, waited for or failed is enough to be incomplete."""
    assert not seen.complete


FAILED_HOME = Progress((), (), (HOME,))
WAITING = Progress((), (HOME,), ())
LATE = NOW + DAY + SECOND


@pytest.mark.parametrize(
    ("rollout", "seen", "now", "judgement"),
    [
        pytest.param(OPEN, Progress((), (), ()), NOW, Judgement(complete=True), id="complete"),
        pytest.param(OPEN, Progress((), (), ()), LATE, Judgement(complete=True), id="complete, though late"),
        pytest.param(OPEN, Progress(("a",), ("b",), ("c",)), LATE, Judgement(stray=True), id="stray before all else"),
        pytest.param(OPEN, WAITING, NOW, Judgement(), id="waiting"),
        pytest.param(OPEN, WAITING, NOW + DAY, Judgement(), id="at its deadline"),
        pytest.param(OPEN, WAITING, LATE, Judgement(stalled=True), id="late"),
        pytest.param(OPEN.saying(STALLED), WAITING, LATE, Judgement(), id="late, and said"),
        pytest.param(OPEN, FAILED_HOME, NOW, Judgement(ask_again=(HOME,), failed=(HOME,)), id="failed"),
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
            Progress((), ("eastus2",), (HOME, "uksouth")),
            LATE,
            Judgement(ask_again=("uksouth",), failed=(HOME, "uksouth"), stalled=True),
            id="everything at once",
        ),
    ],
)
def test_judge(rollout, seen, now, judgement):
    """A look comes to the end, to a new pass, or to what is to be asked for and said, each thing once."""
    assert judge(rollout, seen, now=now) == judgement


def test_a_failure_is_said_and_asked_for_a_bounded_number_of_times():
    """However often a failed region is looked at, it is said once and asked for twice, and stalling is said once."""
    rollout, said, asked, stalled = OPEN, 0, 0, 0
    for look in range(1, 30):
        found = judge(rollout, FAILED_HOME, now=NOW + look * HOUR)
        said, asked, stalled = said + len(found.failed), asked + len(found.ask_again), stalled + found.stalled
        rollout = rollout.asking(found.ask_again).saying(*map(failure, found.failed))
        rollout = rollout.saying(STALLED) if found.stalled else rollout
    assert (said, asked, stalled) == (1, MOST_ASKS, 1)


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
