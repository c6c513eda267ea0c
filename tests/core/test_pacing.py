from datetime import timedelta
from itertools import count, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.pacing import WRITES, Budget, Pace, remaining
from tests.core.build import NOW

SECOND = timedelta(seconds=1)
SHORT, LONG = Budget("short", 10, 100 * SECOND), Budget("long", 30, 1000 * SECOND)
BOTH = (SHORT, LONG)


class Azure:
    """Counts the writes of a subscription in windows that slide, or that begin anew when they are over."""

    def __init__(self, budgets: tuple[Budget, ...], *, slides: bool) -> None:
        self._budgets, self._slides = budgets, slides
        self._taken: dict[str, list[timedelta]] = {budget.name: [] for budget in budgets}

    def write(self, at: timedelta) -> dict[str, int]:
        """Take a write; say what remains."""
        left = {}
        for budget in self._budgets:
            taken = self._taken[budget.name]
            if self._slides:
                taken[:] = [time for time in taken if time > at - budget.window]
            elif taken and taken[0] <= at - budget.window:
                taken.clear()
            taken.append(at)
            left[budget.name] = budget.limit - len(taken)
        return left


def _write(pace: Pace, at: timedelta, left: dict[str, int] | None = None) -> Pace:
    """Let a write leave, and hear its answer at once."""
    assert pace.may_write(NOW + at)
    return pace.writing(NOW + at).hearing(left or {}, NOW + at)


_numbers = count()
"""Nobody who is turned away was there before."""


def _turned_away(pace: Pace, at: timedelta, times: int) -> tuple[Pace, list[timedelta]]:
    promises = []
    for _ in range(times):
        pace, promise = pace.turning_away(f"1.0.{next(_numbers)}", NOW + at)
        promises.append(promise - NOW)
    return pace, promises


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (
            "Microsoft.Compute/CreateUpdateGalleryImageVersion3Min;370,Microsoft.Compute/GetGallery30Min;1190",
            {"CreateUpdateGalleryImageVersion3Min": 370, "GetGallery30Min": 1190},
        ),
        (" Microsoft.Compute/A; 0 , B;7", {"A": 0, "B": 7}),
        ("A;-1,B;1.5,C;,D,;E,F;many,G;1;2,H;" + "9" * 5000, {}),
        ("", {}),
        (",;,;;", {}),
    ],
)
def test_headers(header: str, found: dict[str, int]) -> None:
    """What remains is read where it can be; the rest of a header is ignored."""
    assert remaining(header) == found


@given(st.text(alphabet="AZ/;,. 0٣-\n"))
def test_any_header(header: str) -> None:
    """No header breaks anything."""
    assert all(left >= 0 for left in remaining(header).values())


def test_the_documented_budgets() -> None:
    """A fifth of 375 and 1,200 writes is left to others."""
    assert [(budget.limit, budget.share, budget.reserve) for budget in WRITES] == [(375, 300, 75), (1200, 960, 240)]


def test_the_share_at_once() -> None:
    """All of our share may leave at the same moment; what is one more waits until it comes back."""
    pace = Pace(BOTH)
    for made in range(SHORT.share):
        pace = _write(pace, SECOND, {"short": 10 - made - 1})
    assert not pace.may_write(NOW + 100 * SECOND)
    assert pace.may_write(NOW + 101 * SECOND)
    assert pace.turning_away("1.0.3", NOW + 50 * SECOND)[1] == NOW + 101 * SECOND


def test_those_turned_away_come_back_when_there_is_room() -> None:
    """Each is told the time at which there is room for it besides those who were told before, and no later one."""
    pace = Pace((SHORT,))
    for at in (0, 0, 0, 0, 0, 60, 60, 60):
        pace = _write(pace, at * SECOND)
    pace, told = _turned_away(pace, 60 * SECOND, 10)
    assert told == [100 * SECOND] * 5 + [160 * SECOND] * 3 + [200 * SECOND] * 2
    assert _turned_away(pace, 99 * SECOND, 4)[1] == [200 * SECOND] * 3 + [260 * SECOND]


def test_promises_that_are_over_count_no_more() -> None:
    """Who was to be back by now is not waited for."""
    pace = Pace((SHORT,))
    for _ in range(SHORT.share):
        pace = _write(pace, timedelta(0))
    pace, _ = _turned_away(pace, timedelta(0), 3)
    for _ in range(SHORT.share):
        pace = _write(pace, 200 * SECOND)
    assert _turned_away(pace, 200 * SECOND, 1)[1] == [300 * SECOND]


def test_what_others_hold() -> None:
    """With others at work the gate closes when what remains is down to the reserve."""
    pace = _write(Pace((SHORT,)), timedelta(0), {"short": 4})
    pace = _write(pace, SECOND, {"short": 3})
    pace = _write(pace, 2 * SECOND, {"short": 2})
    assert not pace.may_write(NOW + 3 * SECOND)


def test_others_beyond_their_share() -> None:
    """While others hold more than the reserve it is looked again after a pause, with one write and not with all."""
    pace = _write(Pace((SHORT,)), timedelta(0), {"short": 0})
    look = SHORT.window / 6
    assert not pace.may_write(NOW + look - SECOND)
    assert _turned_away(pace, SECOND, 2)[1] == [look, look + SHORT.step]
    assert pace.may_write(NOW + look)
    pace = pace.writing(NOW + look)
    assert not pace.may_write(NOW + look)
    back = pace.hearing({"short": 8}, NOW + look + SECOND)
    assert back.may_write(NOW + look + SECOND)


def test_others_that_hold_a_little_more() -> None:
    """Room that comes back before the next look is used."""
    pace = Pace((SHORT,))
    for at in (0, 95):
        pace = _write(pace, at * SECOND, {"short": 9})
    pace = pace.hearing({"short": 2}, NOW + 95 * SECOND)
    assert _turned_away(pace, 95 * SECOND, 1)[1] == [100 * SECOND]


def test_old_news() -> None:
    """What was heard a window ago says nothing any more."""
    pace = _write(Pace((SHORT,)), timedelta(0), {"short": 0})
    for _ in range(SHORT.share):
        pace = _write(pace, 100 * SECOND)
    assert not pace.may_write(NOW + 100 * SECOND)


def test_a_limit_that_was_raised() -> None:
    """More than the documented limit is not made use of, and other budgets mean nothing."""
    pace = Pace((SHORT,))
    for _ in range(SHORT.share):
        pace = _write(pace, timedelta(0), {"short": 500, "other": 0})
    assert not pace.may_write(NOW)


def test_a_clock_that_goes_back() -> None:
    """A clock that is set back lets no more leave than before."""
    pace = Pace((SHORT,))
    for at in (50, 0, 0, 0, 0, 0, 0, 0):
        pace = _write(pace, at * SECOND)
    assert not pace.may_write(NOW + 149 * SECOND)
    assert pace.may_write(NOW + 150 * SECOND)


gaps = st.lists(st.integers(0, 60).map(lambda seconds: seconds * SECOND), max_size=150)
budgets = st.builds(
    lambda short, long: (Budget("short", short, 100 * SECOND), Budget("long", long, 1000 * SECOND)),
    st.integers(3, 20),
    st.integers(3, 40),
)


@given(budgets, gaps, st.booleans(), st.booleans())
def test_the_reserve_is_never_ours(both: tuple[Budget, ...], after: list[timedelta], slides: bool, hears: bool) -> None:  # noqa: FBT001  drawn
    """By us alone the reserve is never touched, whether windows slide or begin anew, and whether answers tell."""
    azure, pace, at = Azure(both, slides=slides), Pace(both), timedelta(0)
    for gap in after:
        at += gap
        while pace.may_write(NOW + at):
            left = azure.write(at)
            assert all(left[budget.name] >= min(budget.reserve, budget.limit - 1) for budget in both)
            pace = _write(pace, at, left if hears else {})


@given(budgets, gaps)
def test_the_share_is_ours(both: tuple[Budget, ...], after: list[timedelta]) -> None:
    """Where windows slide nobody waits while more than the reserve of every budget remains."""
    azure, pace, at = Azure(both, slides=True), Pace(both), timedelta(0)
    left: dict[str, int] = {}
    for gap in after:
        at += gap
        before = left
        while pace.may_write(NOW + at):
            left = azure.write(at)
            pace = _write(pace, at, left)
        if left is not before:
            assert any(left[budget.name] == budget.reserve for budget in both)


@given(budgets, st.integers(1, 60), st.booleans())
def test_nobody_waits_for_ever(both: tuple[Budget, ...], writers: int, slides: bool) -> None:  # noqa: FBT001  drawn
    """However many want to write, each comes back at its time, all get through, and the share is made use of."""
    azure, pace, at = Azure(both, slides=slides), Pace(both), timedelta(0)
    waiting, tries = [(timedelta(0), f"1.0.{each}") for each in range(writers)], 0
    while waiting:
        at, version = min(waiting)
        waiting.remove((at, version))
        tries += 1
        if pace.may_write(NOW + at):
            pace = _write(pace, at, azure.write(at))
        else:
            pace, back = pace.turning_away(version, NOW + at)
            assert back > NOW + at
            waiting.append((back - NOW, version))
    assert tries <= 2 * writers + 60
    assert at <= sum((budget.window * (writers // budget.share + 1) for budget in both), timedelta(0))


others = st.lists(st.integers(0, 45), min_size=50, max_size=100)


@given(others, st.integers(2, 10))
def test_others_at_work(theirs: list[int], each: int) -> None:
    """Whatever others do, one who keeps trying gets through within the longest pause; who came first is back first."""
    pace, at, look = Pace(BOTH), timedelta(0), LONG.window
    for held in theirs:
        left = {"short": max(SHORT.limit - held, 0), "long": max(LONG.limit - held, 0)}
        began, promises = at, []
        while not pace.may_write(NOW + at):
            pace, told = _turned_away(pace, at, each)
            promises += told
            at = max(told[0], at + SECOND)
            assert at - began <= 2 * look + len(promises) * LONG.step
        assert all(earlier <= later for earlier, later in pairwise(promises))
        pace = _write(pace, at, left)


def test_a_version_is_promised_one_time() -> None:
    """The messages of all its regions are told the same time, until it has come; the next version is told another."""
    pace = Pace((SHORT,))
    for made in range(SHORT.share):
        pace = _write(pace, made * SECOND)
    pace, first = pace.turning_away("1.0.3", NOW + 8 * SECOND)
    assert pace.turning_away("1.0.3", NOW + 9 * SECOND) == (pace, first)
    assert pace.turning_away("1.0.4", NOW + 9 * SECOND)[1] > first
    assert pace.may_write(first)


def test_what_is_remembered_is_bounded() -> None:
    """Writes that count no more are forgotten."""
    pace, at = Pace((SHORT,)), timedelta(0)
    for _ in range(100):
        at += SHORT.step
        pace = _write(pace, at)
    assert len(pace.made) <= SHORT.share
