import json
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.core.messages import LONGEST_DELAY
from shared.core.model import RegionState
from shared.core.planner import spread
from shared.core.rollout import (
    COMPLETED,
    REPAIRS,
    STARTED,
    Intent,
    Judgement,
    Progress,
    Refusal,
    Repair,
    Rollout,
    begin,
    failure,
    join,
    judge,
    patience,
    pause,
    progress,
    recorded,
    repair_delay,
    stall,
)
from tests.core import strategies
from tests.core.build import DAY, HOME, HOUR, MINUTE, NOW, SECOND, planned, policy, region, version, version_id

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
    repairs=st.dictionaries(_region_names, st.builds(Repair, st.integers(0, 4), strategies.moments)),
    gave_up=st.booleans(),
    refusals=st.dictionaries(_region_names, st.builds(Refusal, st.text(), strategies.moments)),
    most=st.integers(0, 50),
    asked=st.dictionaries(_region_names, strategies.moments),
    known=st.frozensets(_region_names),
    announced=st.frozensets(
        st.sampled_from([STARTED, COMPLETED])
        | st.integers(1, 5).map(stall)
        | st.builds(failure, _region_names, lost=st.booleans())
    ),
    look=st.integers(0, 50),
    look_due=st.none() | strategies.moments,
    looker=st.text(),
    finished=st.none() | strategies.moments,
    ended=st.text(),
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
    """A version can be rolled out again after its rollout ended: another number, nothing said or tried; the rest stays.

    What is remembered of the version is since when its regions are complete, and which ones Azure would not have.
    """
    refusals = {"uksouth": Refusal("no zones", NOW)}
    before = replace(before, wave=3, completed={HOME: NOW}, refusals=refusals, most=2, looker="me")
    before = before.repairing({HOME: NOW}).giving_up().saying(stall(1), failure(HOME, lost=True)).looking(7, NOW)
    assert begin(before, Intent(NOW + DAY, HOUR, TARGETS)) == Rollout(
        started=NOW + DAY,
        deadline=NOW + DAY + HOUR,
        number=2,
        targets=TARGETS,
        completed={HOME: NOW},
        refusals=refusals,
    )


def test_begin_keeps_what_was_tried():
    """A rollout that goes on has tried what it has tried: asking for it again gives no region another chance."""
    before = OPEN.repairing({HOME: NOW}).giving_up().refusing(["uksouth"], "no zones", NOW).splitting(2)
    assert begin(before, INTENT) == replace(before, targets=TARGETS)


@pytest.mark.parametrize("before", [None, DONE, ENDED], ids=["first", "done", "ended"])
def test_join(before):
    """A rollout that somebody else started is followed; its start is no news."""
    joined = join(before, INTENT)
    assert joined == begin(before, INTENT).saying(STARTED)
    assert joined.open


@pytest.mark.parametrize("before", [None, DONE, ENDED], ids=["first", "done", "ended"])
def test_join_and_supersede(before):
    """The start of a rollout that somebody else started is news when it takes the place of another."""
    intent = replace(INTENT, supersedes=("1.0.2",))
    assert join(before, intent) == begin(before, intent)


@pytest.mark.parametrize(
    ("before", "cause", "supersedes", "news"),
    [
        (None, "", (), False),
        (None, "1.0.4 was deleted", (), True),
        (None, "", ("1.0.2",), True),
        (DONE, "", (), False),
        (DONE, "1.0.4 was deleted", (), True),
        (DONE, "", ("1.0.2",), True),
        (replace(DONE, supersedes=("1.0.2", "1.0.1")), "", ("1.0.2",), False),
        (replace(DONE, supersedes=("1.0.2",)), "", ("1.0.2", "1.0.1"), True),
    ],
)
def test_is_news(before, cause, supersedes, news):
    """A rollout with nothing left to do is told of for its cause, and for whom it superseded, unless that was told."""
    assert replace(INTENT, cause=cause, supersedes=supersedes).is_news(before) is news


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


def test_recall():
    """A version is given the times since when its regions are complete, and nothing else of it is touched."""
    found = version("1.0.2", region(HOME, since=NOW - DAY), "eastus2", region("uksouth", RegionState.FAILED))
    recalled = replace(OPEN, completed={"eastus2": NOW, "japaneast": NOW}).recall(found, NOW)
    assert {each.name: each.since for each in recalled.regions} == {HOME: None, "eastus2": NOW, "uksouth": None}
    assert replace(recalled, regions=found.regions) == found
    assert OPEN.recall(recalled, NOW) == OPEN.recall(found, NOW)


def test_seen_and_recalled():
    """What was seen of a version dates all its complete regions, and no other."""
    found = version("1.0.2", HOME, region("eastus2", RegionState.REPLICATING))
    recalled = recorded(None, found, now=NOW).recall(found, NOW)
    assert [each.since for each in recalled.regions] == [NOW, None]


# What Azure refused.


@pytest.mark.parametrize(
    ("later", "refused"),
    [
        (timedelta(0), {"uksouth": "no zones"}),
        (50 * MINUTE - timedelta(microseconds=1), {"uksouth": "no zones"}),
        (50 * MINUTE, {}),
        (DAY, {}),
    ],
)
def test_recall_of_refusals(later, refused):
    """A version is given the refusals of the last 50 minutes, of any region; an hourly sweep asks again."""
    recalled = OPEN.refusing(["uksouth"], "no zones", NOW).recall(version("1.0.2"), NOW + later)
    assert recalled.refused == refused


def test_recall_forgets_what_the_version_brought():
    """What a version is given is what this rollout remembers, whatever was refused when it was last looked at."""
    assert OPEN.recall(version("1.0.2", refused={"uksouth": "no zones"}), NOW).refused == {}


def test_each_refusal_expires_by_itself():
    """Refusals count from when Azure last said so, each for itself; the words are the last ones."""
    first = OPEN.refusing(["uksouth", "eastus2"], "no zones", NOW)
    second = first.refusing(["eastus2", "japaneast"], "not available", NOW + 40 * MINUTE)
    assert second.refusals == {
        "uksouth": Refusal("no zones", NOW),
        "eastus2": Refusal("not available", NOW + 40 * MINUTE),
        "japaneast": Refusal("not available", NOW + 40 * MINUTE),
    }
    assert second.recall(version("1.0.2"), NOW + HOUR).refused == dict.fromkeys(
        ["eastus2", "japaneast"], "not available"
    )
    assert first.recall(version("1.0.2"), NOW).refused == dict.fromkeys(["uksouth", "eastus2"], "no zones")


@pytest.mark.parametrize("over", [DONE, ENDED], ids=["done", "ended"])
def test_refusals_outlive_their_rollout(over):
    """A version that is rolled out again is not asked for where Azure refused it a moment ago, but is later on."""
    again = begin(over.refusing(["uksouth"], "no zones", NOW), Intent(NOW + MINUTE, DAY, TARGETS))
    assert again.recall(version("1.0.2"), NOW + MINUTE).refused == {"uksouth": "no zones"}
    assert again.recall(version("1.0.2"), NOW + HOUR).refused == {}


@pytest.mark.parametrize(
    ("regions", "reason", "news"),
    [
        (["uksouth"], "no zones", False),
        (["uksouth", "eastus2"], "no zones", False),
        (["uksouth"], "not available", True),
        (["japaneast"], "no zones", True),
        (["uksouth", "japaneast"], "no zones", True),
        ([], "no zones", False),
    ],
)
def test_news_of(regions, reason, news):
    """A refusal is news of a region that Azure did not refuse, or not for this reason, when it was last asked."""
    assert OPEN.refusing(["uksouth", "eastus2"], "no zones", NOW).news_of(regions, reason) is news


def test_an_old_refusal_is_no_news():
    """The same refusal is no news however long ago it was, also for the next rollout; another one in between is."""
    first = OPEN.refusing(["uksouth"], "no zones", NOW)
    assert not begin(first.finish(NOW), Intent(NOW + 9 * DAY, DAY)).news_of(["uksouth"], "no zones")
    assert first.refusing(["uksouth"], "not available", NOW).news_of(["uksouth"], "no zones")


def test_splitting():
    """A refused write is split until its culprit stands alone; once that is known, one write carries all again."""
    assert OPEN.most == 0
    halved = OPEN.splitting(4).splitting(2)
    assert halved == replace(OPEN, most=2)
    assert halved.refusing(["uksouth"], "no zones", NOW).most == 0
    assert halved.refusing([], "no zones", NOW) == OPEN


# What writes asked for.


@pytest.mark.parametrize(
    ("region_name", "since", "has"),
    [
        ("uksouth", NOW - MINUTE, True),
        ("uksouth", NOW, True),
        ("uksouth", NOW + SECOND, False),
        ("japaneast", NOW - MINUTE, False),
    ],
)
def test_has_asked(region_name, since, has):
    """A region need not be asked for again when a write did so after somebody wanted it there, and not before."""
    assert OPEN.asking(["uksouth", "eastus2"], NOW).has_asked(region_name, since) is has


def test_the_last_write_counts():
    """A region that a later write asked for again was asked for then; others keep the time of their own write."""
    twice = OPEN.asking(["uksouth", "eastus2"], NOW).asking(["uksouth"], NOW + HOUR)
    assert twice.asked == {"uksouth": NOW + HOUR, "eastus2": NOW}


def test_looked_back():
    """What a write knew of is remembered from before it leaves until somebody has looked back at it."""
    writing = OPEN.writing(frozenset({HOME, "uksouth"}))
    assert writing.known == {HOME, "uksouth"}
    assert writing.looked_back() == OPEN


def test_looked_at():
    """A look remembers what it saw, and that it looked back at the last write, but not at one that came since."""
    known = frozenset({HOME})
    seen = OPEN.writing(known).looked_at(version("1.0.2", HOME), NOW + HOUR, known)
    assert seen == replace(OPEN, completed={HOME: NOW + HOUR})
    later = OPEN.writing(known | {"uksouth"})
    assert later.looked_at(version("1.0.2", HOME), NOW + HOUR, known) == replace(later, completed={HOME: NOW + HOUR})


def test_met():
    """What is complete before the first write was so when the rollout began; what later ones find is so since then."""
    began = replace(OPEN, started=NOW - HOUR)
    assert began.met(version("1.0.2", HOME), NOW).completed == {HOME: NOW - HOUR}
    asked = began.asking(["eastus2"], NOW)
    assert asked.met(version("1.0.2", HOME, "eastus2"), NOW).completed == {HOME: NOW, "eastus2": NOW}


def test_a_list_says_nothing_of_states():
    """A version as a list has it, where no region has a state, leaves what is remembered as it is."""
    before = replace(OPEN, completed={HOME: NOW})
    listed = version("1.0.2", region(HOME, RegionState.UNKNOWN), region("eastus2", RegionState.UNKNOWN))
    assert before.seen(listed, NOW + HOUR) is before


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


def test_what_is_said_of_failures():
    """That a region failed and that nothing is left to try with it are two announcements."""
    assert OPEN.saying(failure(HOME), failure(HOME, lost=True)).announced == {"failed:westeurope", "lost:westeurope"}


def test_repairing_counts():
    """Each time that something is tried with a failed region is counted for that region, and it is due anew."""
    tried = OPEN.repairing({HOME: NOW}).repairing({HOME: NOW + HOUR, "eastus2": NOW + DAY})
    assert tried.repairs == {HOME: Repair(2, NOW + HOUR), "eastus2": Repair(1, NOW + DAY)}
    assert [tried.tries(name) for name in (HOME, "eastus2", "uksouth")] == [2, 1, 0]
    assert tried.repairing({}) == tried


def test_giving_up():
    """That nothing is left to try is remembered, and nothing else changes."""
    assert OPEN.giving_up() == replace(OPEN, gave_up=True)
    assert OPEN.giving_up().giving_up(hopeless=False) == OPEN
    assert not OPEN.gave_up
    assert OPEN.giving_up().open


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


def tried(times):
    """Give a rollout whose home failed, as was said, and was repaired so many times, the last time until now."""
    return replace(OPEN, repairs={HOME: Repair(times, NOW)}).saying(failure(HOME))


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
        pytest.param(OPEN, FAILED_HOME, NOW, Judgement(repair=(HOME,), failed=(HOME,)), id="failed"),
        pytest.param(OPEN.saying(failure(HOME)), FAILED_HOME, NOW, Judgement(repair=(HOME,)), id="failed, and said"),
        pytest.param(tried(1), FAILED_HOME, NOW, Judgement(), id="tried once, and not done yet"),
        pytest.param(tried(1), FAILED_HOME, NOW + SECOND, Judgement(repair=(HOME,)), id="tried once, in vain"),
        pytest.param(tried(2), FAILED_HOME, NOW, Judgement(), id="tried twice, and not done yet"),
        pytest.param(tried(2), FAILED_HOME, NOW + SECOND, Judgement(repair=(HOME,)), id="tried twice, in vain"),
        pytest.param(tried(3), FAILED_HOME, NOW, Judgement(), id="tried all, and not done yet"),
        pytest.param(
            tried(3), FAILED_HOME, NOW + SECOND, Judgement(lost=(HOME,), hopeless=True), id="tried all, in vain"
        ),
        pytest.param(
            tried(4), FAILED_HOME, NOW + SECOND, Judgement(lost=(HOME,), hopeless=True), id="tried more than there is"
        ),
        pytest.param(
            tried(3).saying(failure(HOME, lost=True)),
            FAILED_HOME,
            NOW + SECOND,
            Judgement(hopeless=True),
            id="lost, and said",
        ),
        pytest.param(
            OPEN.repairing({HOME: NOW + HOUR}), FAILED_HOME, NOW, Judgement(failed=(HOME,)), id="tried, and not said"
        ),
        pytest.param(tried(1), FAILED_HOME, LATE, Judgement(repair=(HOME,), stalled=True), id="failed, and late"),
        pytest.param(
            tried(3).saying(failure(HOME, lost=True)),
            FAILED_HOME,
            LATE,
            Judgement(hopeless=True, stalled=True),
            id="lost, and late",
        ),
        pytest.param(tried(3), WAITING, NOW + SECOND, Judgement(), id="tried all, and it helps"),
        pytest.param(tried(3), NOTHING, NOW + SECOND, Judgement(complete=True), id="tried all, and it helped"),
        pytest.param(
            tried(2), Progress((HOME,), (), ()), NOW, Judgement(stray=True), id="taken out, and to be put back"
        ),
        pytest.param(
            replace(
                tried(3), repairs={**tried(3).repairs, "japaneast": Repair(2, LATE), "brazilsouth": Repair(2, NOW)}
            ),
            Progress((), ("eastus2",), (HOME, "uksouth", "japaneast", "brazilsouth"), ("northeurope",)),
            LATE,
            Judgement(
                repair=("uksouth", "brazilsouth"),
                failed=("uksouth", "japaneast", "brazilsouth"),
                lost=(HOME,),
                stalled=True,
            ),
            id="everything at once",
        ),
    ],
)
def test_judge(rollout, seen, now, judgement):
    """A look comes to the end, to a new pass, or to what is to be tried and said, each thing once."""
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


# Failed regions, look after look.


def look_at(rollout, failed, now, lasting):
    """Look once at a rollout with failed regions: give what it comes to, and what is remembered then."""
    found = judge(rollout, Progress((), ("eastasia",), tuple(failed)), now=now)
    said = [*map(failure, found.failed), *(failure(name, lost=True) for name in found.lost)]
    after = rollout.saying(*said, *([stall(rollout.wave)] if found.stalled else []))
    after = after.repairing(dict.fromkeys(found.repair, now + lasting))
    return found, after.giving_up(hopeless=found.hopeless)


def test_a_failed_region_is_repaired_step_by_step():
    """A region that stays failed is said once, tried with three times, each after the last is due, then lost once."""
    rollout, came = OPEN, []
    for minute in range(0, 3000, 5):
        found, rollout = look_at(rollout, [HOME], NOW + minute * MINUTE, 20 * MINUTE)
        came += [(minute, kind) for kind in ("failed", "repair", "lost", "stalled") if getattr(found, kind)]
    late = 24 * 60 + 5
    assert came == [
        (0, "failed"),
        (0, "repair"),
        (25, "repair"),
        (50, "repair"),
        (75, "lost"),
        (late, "stalled"),
    ]
    assert rollout.tries(HOME) == len(REPAIRS) == 3
    assert rollout.gave_up


_looks = st.lists(
    st.tuples(st.timedeltas(timedelta(0), 3 * HOUR), st.sets(_region_names), st.timedeltas(timedelta(0), 2 * HOUR)),
    max_size=60,
)


def looks_at(looks, only=strategies.REGIONS):
    """Look again and again: give region -> when it was tried with, what was said when, and what is remembered."""
    rollout, now, repairs, said = OPEN, NOW, {}, []
    for pause_before, failed, lasting in looks:
        now += pause_before
        found, after = look_at(rollout, [name for name in only if name in failed], now, lasting)
        for name in found.repair:
            assert name in failed
            assert name not in rollout.repairs or now > rollout.repairs[name].due
            repairs.setdefault(name, []).append(now)
        for name in found.lost:
            assert name in failed
            assert rollout.tries(name) == len(REPAIRS)
            assert now > rollout.repairs[name].due
        said += [("failed", name, now) for name in found.failed] + [("lost", name, now) for name in found.lost]
        rollout = after
    return repairs, said, rollout


@given(_looks)
def test_any_looks(looks):
    """However regions fail and come back, each is tried with three times at most and said once, before it is lost."""
    repairs, said, rollout = looks_at(looks)
    assert all(len(times) <= len(REPAIRS) for times in repairs.values())
    assert {name: len(times) for name, times in repairs.items()} == {
        name: rollout.tries(name) for name in rollout.repairs
    }
    assert set(Counter((kind, name) for kind, name, _ in said).values()) <= {1}
    first = {name: now for kind, name, now in said if kind == "failed"}
    lost = {name: now for kind, name, now in said if kind == "lost"}
    assert all(repairs[name][0] == first[name] and repairs[name][-1] < lost[name] for name in lost)
    assert lost or not rollout.gave_up


def test_hope_is_for_the_version():
    """While something is left to try with one failed region, the rollout is not given up for another that is lost."""
    rollout = tried(3).saying(failure(HOME, lost=True))
    found = judge(rollout, Progress((), (), (HOME, "uksouth")), now=NOW + SECOND)
    assert (found.repair, found.hopeless) == (("uksouth",), False)


@given(_looks, _region_names)
def test_each_region_by_itself(looks, name):
    """What becomes of a failed region is the same whatever becomes of the others: none delays or spares another."""
    repairs, said, rollout = looks_at(looks)
    alone, said_alone, by_itself = looks_at(looks, [name])
    assert repairs.get(name) == alone.get(name)
    assert [each for each in said if each[1] == name] == said_alone
    assert rollout.repairs.get(name) == by_itself.repairs.get(name)


def test_a_look_that_is_made_twice():
    """A look that was remembered before its message came again finds nothing to try: the last try is not due yet."""
    _, rollout = look_at(OPEN, [HOME, "uksouth"], NOW, MINUTE)
    assert look_at(rollout, [HOME, "uksouth"], NOW, MINUTE) == (Judgement(), rollout)


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


_seeds = st.text(min_size=1)


@given(st.integers(1, 60), _intervals, _intervals, _seeds)
def test_any_seed(look, one, other, seed):
    """A seed takes up to a quarter off a pause, never below the first, and always the same."""
    first, longest = sorted([one, other])
    whole, spread_out = pause(look, first, longest), pause(look, first, longest, seed=seed)
    assert max(first, whole * 0.75) <= spread_out <= whole
    assert pause(look, first, longest, seed=seed) == spread_out


def test_seeds_spread_pauses():
    """Five hundred rollouts that began together do not stay together: their pauses lie all over the last quarter."""
    seeds = [f"{version_id(f'1.0.{patch}')}|7" for patch in range(500)]
    pauses = [pause(9, 15 * SECOND, 10 * MINUTE, seed=seed) for seed in seeds]
    assert len(set(pauses)) > 490
    bins = Counter((each - 450 * SECOND) // (15 * SECOND) for each in pauses)
    assert sorted(bins) == list(range(10))
    assert 25 <= min(bins.values()) <= max(bins.values()) <= 75


def test_seeds_of_the_looks_of_one_rollout():
    """The looks of one rollout are spread anew each time, so that two that meet once do not meet for ever."""
    pauses = [[pause(9, SECOND, HOUR, seed=f"{name}|{look}") for look in range(20)] for name in ("one", "other")]
    assert len({one - other for one, other in zip(*pauses, strict=True)}) == 20


def test_the_first_pause_is_not_spread():
    """The first pause is as it is set: there is nothing to take off it."""
    assert {pause(1, 15 * SECOND, HOUR, seed=seed) for seed in "abcdef"} == {15 * SECOND}


@pytest.mark.parametrize(("tries", "delay"), [(0, 15 * SECOND), (1, 10 * MINUTE), (2, 20 * MINUTE), (3, 30 * MINUTE)])
def test_repair_delay(tries, delay):
    """The first repair comes at once, and each further one later than the one before."""
    assert repair_delay(tries, 15 * SECOND, 10 * MINUTE) == delay


@given(_intervals, _intervals)
def test_any_repair_delay(one, other):
    """Whatever the intervals, the delays of repairs never shrink, and grow until a message cannot wait any longer."""
    first, longest = sorted([one, other])
    delays = [repair_delay(tries, first, longest) for tries in range(len(REPAIRS) + 1)]
    assert delays == sorted(delays)
    assert all(one < other or other == LONGEST_DELAY for one, other in pairwise(delays[1:]))
    assert delays[0] == first


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
