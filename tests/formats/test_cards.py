import pytest

from shared.core.notice_type import NoticeType
from shared.formats import cards, slack, teams
from shared.formats.tables import Row
from shared.formats.texts import line, packed
from tests.formats.events import DIGEST, EVENTS, NEW_FACTS, OTHERS, twelve_regions
from tests.formats.reading import lines, slack_lines, teams_lines

EVERY_TYPE = pytest.mark.parametrize("kind", NoticeType)

HEADLINES = {
    NoticeType.ROLLOUT_STARTED: "ubuntu-2204 1.0.3: rollout started",
    NoticeType.ROLLOUT_COMPLETED: "ubuntu-2204 1.0.3: in all regions",
    NoticeType.REGION_FAILED: "ubuntu-2204 1.0.3: southeastasia failed",
    NoticeType.ROLLOUT_STALLED: "ubuntu-2204 1.0.3: rollout stalled",
    NoticeType.PRUNE_COMPLETED: "ubuntu-2204 1.0.1: pruned",
    NoticeType.PRUNE_REFUSED: "ubuntu-2204 1.0.1: Azure refused the prune",
    NoticeType.PUBLISH_FAILED: "ubuntu-2204 1.0.3: publishing failed",
    NoticeType.LIMIT_NEAR: "ubuntu-2204 1.0.3: near a limit of Azure",
    NoticeType.DEAD_LETTERED: "A message could not be handled",
    NoticeType.PLAN_REPORTED: "ubuntu-2204: what a pass would do",
}


@EVERY_TYPE
def test_headlines(kind):
    """Every status has a headline of its own, which every chat shows first."""
    assert cards.card(EVENTS[kind]).headline == HEADLINES[kind]
    assert teams_lines(teams.body(EVENTS[kind]))[0] == HEADLINES[kind]
    assert slack.body(EVENTS[kind])["blocks"][0]["text"]["text"] == HEADLINES[kind]
    assert slack.body(EVENTS[kind])["text"] == HEADLINES[kind]


BECAUSE = "Because: 1.0.4 was deleted"
SUPERSEDES = "Supersedes: the rollout of 1.0.1, 1.0.2, which goes no further"
WARNINGS = [
    "Warning: 1.0.3 has 60 replicas in all; Azure advises 50 at most",
    "Warning: the tag is malformed",
]
TIME = "Time: 1 h"
TITLES = "Region | State | Replicas"
AT_HOME = "westeurope | Completed in 10 min | 1"
ALONE = ["Regions: 1 of 1 complete", TIME, TITLES, AT_HOME]
IN_USE = "southeastasia (scale set web-legacy references 1.0.1)"
LINES = {
    "rollout.completed": (
        EVENTS,
        [
            "Regions: 2 of 4 complete, 1 replicating, 1 requested",
            TIME,
            TITLES,
            "eastus2 | Replicating 40 % | 1",
            "southeastasia | Requested | 1",
            AT_HOME,
            "uksouth | Completed in 1 h | 2",
        ],
    ),
    "prune.completed": (
        EVENTS,
        [
            "Removed from: eastus2, uksouth",
            "Freed: up to 60 GiB",
            "Region | Kept, because",
            "westeurope | its home region, where 1 of 2 replicas are enough",
            "japaneast | 1.0.2 is not here",
        ],
    ),
    "publish.failed": (EVENTS, ["State: Failed", "Reason: ImageCreationFailed: there is no source"]),
    "limit.near": (
        EVENTS,
        ["Limit: 60 of 100 replicas", "Reason: 1.0.3 has 60 replicas in all; Azure advises 50 at most"],
    ),
    "versions": (OTHERS, ["Limit: 9,012 of 10,000 versions", "Reason: 9012 versions have ..."]),
    "message.dead-lettered": (EVENTS, ["Queue: watch", "Reason: it is not JSON"]),
    "because": (NEW_FACTS, [BECAUSE, *ALONE]),
    "supersedes": (NEW_FACTS, [SUPERSEDES, *ALONE]),
    "warnings": (NEW_FACTS, [*WARNINGS, *ALONE]),
    "all of them": (NEW_FACTS, [BECAUSE, SUPERSEDES, *WARNINGS, *ALONE]),
    "of a failure": (NEW_FACTS, [BECAUSE, "Reason: internal error", *ALONE]),
    "a wave that waits": (
        NEW_FACTS,
        [
            "Regions: 1 of 4 complete, 1 replicating, 2 waiting",
            TIME,
            TITLES,
            "eastus2 | Replicating 40 % | 1",
            "southeastasia | Waiting: wave 1 comes first | 1",
            "japaneast | Waiting: wave 1 comes first | 1",
            AT_HOME,
        ],
    ),
    "no encryption set": (
        NEW_FACTS,
        [
            "Regions: 1 of 2 complete, 1 skipped",
            TIME,
            TITLES,
            "japaneast | Skipped: it has no disk encryption set | ",
            AT_HOME,
        ],
    ),
    "a plan": (
        NEW_FACTS,
        [
            BECAUSE,
            "Later: 7 more versions, because of the cap",
            "Warning: the tag is malformed",
            "Version | Region | What",
            "1.0.2 | brazil | add: the policy names it",
            "1.0.1 | westeurope | size: its home region, where 1 of 2 replicas are enough",
            "1.0.1 | eastus2 | remove: 1.0.2 complete here",
        ],
    ),
    "a cut plan": (
        OTHERS,
        [
            "Version | Region | What",
            "1.0.2 | brazil | add: the policy names it",
            "1.0.1 | westeurope | size: its home region, where 1 of 2 replicas are enough",
            "1.0.1 | eastus2 | remove: 1.0.2 complete here",
            "1.0.1 | uksouth | remove: 1.0.2 complete here",
            "7 more lines are not shown.",
        ],
    ),
    "a saving": (
        OTHERS,
        [
            "Removed from: eastus2, uksouth",
            "Freed: up to 60 GiB, about 3.00 a month",
            "Region | Kept, because",
            "westeurope | its home region",
            "southeastasia | scale set web-legacy references 1.0.1",
        ],
    ),
    "a digest": (
        OTHERS,
        [
            "Freed: up to 900 GiB, about 1,045.50 a month",
            "Version | Freed | Regions",
            f"1.0.1 | 60 GiB | left eastus2, uksouth; kept in westeurope (its home region), {IN_USE}",
            "1.0.2 | 120 GiB | left eastus2, uksouth, japaneast; kept in westeurope (its home region)",
            "1.0.3 | 180 GiB | left eastus2; kept in westeurope (its home region)",
            "1.0.4 | 240 GiB | left eastus2, uksouth; kept in westeurope (its home region)",
            "1.0.5 | 300 GiB | left eastus2, uksouth, japaneast; kept in westeurope (its home region)",
            "2 more lines are not shown.",
        ],
    ),
}


@pytest.mark.parametrize("name", LINES)
def test_lines(name):
    """Each status says what it has to say, a line each: facts first, then its table, what is not well at its top."""
    events, expected = LINES[name]
    assert lines(events[name]) == [f"Gallery {events[name]['data']['gallery'] or '?'}", *expected]


@pytest.mark.parametrize("name", LINES)
def test_both_chats_say_the_same(name):
    """Teams and Slack show every word of a status, in the same order."""
    events, _ = LINES[name]
    told = [word for each in lines(events[name]) for word in each.replace(" | ", " ").replace(": ", " ").split()]
    shown = [word for each in teams_lines(teams.body(events[name]))[1:] for word in each.replace(": ", " ").split()]
    assert [word for word in shown if word != "|"] == told
    assert sorted(" ".join(slack_lines(slack.body(events[name]))).replace(": ", " ").split()) == sorted(told)


def test_most_interesting_first():
    """Regions come in the order in which people want to see them: what failed, what moves, what waits, what is done."""
    told = [row.split(" | ")[:2] for row in lines(twelve_regions())[5:]]
    assert [name for name, _ in told] == [
        "brazilsouth",
        "westus3",
        "japaneast",
        "southeastasia",
        "australiaeast",
        "southafricanorth",
        "qatarcentral",
        "westeurope",
        "northeurope",
        "uksouth",
        "francecentral",
        "eastus2",
    ]


def test_a_state_of_tomorrow():
    """A state that nobody knows yet is shown right after what failed."""
    states = ["Completed", "Requested", "Paused", "Failed"]
    regions = [{"name": state.lower(), "state": state, "replicas": 1, "seconds": 1} for state in states]
    event = {"type": "gallery-fanout.rollout.started", "data": {"regions": regions}}
    assert [row.cells[0] for row in cards.card(event).table.rows] == ["failed", "paused", "requested", "completed"]
    assert cards.card(event).facts[0] == ("Regions", "1 of 4 complete, 1 failed, 1 paused, 1 requested")


def test_a_refused_prune_removes_nothing():
    """Where Azure refused a prune, the card does not say that a region was removed, or space freed."""
    told = lines(EVENTS[NoticeType.PRUNE_REFUSED])
    assert told[1] == "Reason: ScopeLocked: the gallery has a lock"
    assert not [each for each in told if each.startswith(("Removed", "Freed"))]


@pytest.mark.parametrize(
    ("prune", "told"),
    [
        ({}, "left no region"),
        ({"regionsRemoved": list("abcdefgh")}, "left a, b, c, d, e, f and 2 more"),
        ({"regionsRemoved": ["a", "b"], "regionsRemovedCut": 5}, "left a, b and 5 more"),
        (
            {"regionsRemoved": ["a"], "regionsKept": [{"name": "b", "reason": "used"}], "regionsKeptCut": 1},
            "left a; kept in b (used) and 1 more",
        ),
    ],
)
def test_a_line_of_a_digest(prune, told):
    """A version of a digest is one line, with no more names than can be read, and how many more there are."""
    event = {**DIGEST, "data": {**DIGEST["data"], "prunes": [{"version": "1.0.1", "gibFreed": 7, **prune}]}}
    assert cards.card(event).table.rows == (Row(("1.0.1", "7 GiB", told)),)


def test_a_plan_without_changes():
    """A plan that has become empty says so; one whose changes are all cut away does not."""
    event = EVENTS[NoticeType.PLAN_REPORTED]
    empty = {**event["data"], "changes": []}
    assert cards.card({**event, "data": empty}).headline == "ubuntu-2204: a pass would change nothing any more"
    assert cards.card({**event, "data": {**empty, "changesCut": 9}}).headline == HEADLINES[NoticeType.PLAN_REPORTED]


def test_headlines_without_a_version():
    """A digest says how many versions were pruned, listed or not; a limit of all versions names none."""
    assert cards.card(DIGEST).headline == "ubuntu-2204: 7 versions pruned"
    assert cards.card(OTHERS["versions"]).headline == "ubuntu-2204: near a limit of Azure"


@pytest.mark.parametrize("event", [{"type": "gallery-fanout.something.new", "data": {}}, {"type": "x{image}"}])
def test_unknown_types(event):
    """A status of a type that has no headline yet is shown by the name of its type."""
    assert cards.card(event).headline == event["type"].removeprefix("gallery-fanout.")


def test_facts_that_are_not_there():
    """What a status does not say is not in its card: no cause, nothing superseded, no warning, no table."""
    nothing = {"cause": "", "supersedes": [], "warnings": [], "reason": None, "regions": [], "gibFreed": 0}
    told = cards.card({"type": "gallery-fanout.rollout.started", "data": nothing})
    assert (told.facts, told.table, told.cut) == ((), None, 0)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "59 min 59 s"), (3600, "1 h"), (5400, "1 h 30 min")],
)
def test_spans(seconds, text):
    """A span is said in the two largest units that matter."""
    assert cards.card({"type": "gallery-fanout.rollout.started", "data": {"seconds": seconds}}).facts == (
        ("Time", text),
    )


@pytest.mark.parametrize(
    ("region", "state"),
    [
        ({"state": "Replicating", "progress": None}, "Replicating"),
        ({"state": "Replicating", "progress": 0}, "Replicating"),
        ({"state": "Replicating", "progress": 7}, "Replicating 7 %"),
        ({"state": "Replicating", "progress": 100}, "Replicating"),
        ({"state": "Completed", "progress": 100}, "Completed in 9 s"),
        ({"state": "Completed", "seconds": 0}, "Completed"),
        ({"state": "Failed", "progress": 40}, "Failed 40 %"),
    ],
)
def test_states(region, state):
    """A percentage is shown where it says something, and the time of a region that took some."""
    told = {"name": "eastus2", "replicas": 1, "seconds": 9, **region}
    card = cards.card({"type": "gallery-fanout.rollout.started", "data": {"regions": [told]}})
    assert card.table.rows == (Row(("eastus2", state, "1"), bad=region["state"] == "Failed"),)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("All is well.", "All is well."),
        (" one\n\ttwo\u2028three\x00\x1b[2J ", "one two three [2J"),
        ("half \ud800 a letter", "half ? a letter"),
        ("turned \u202eround\u2066 here", "turned round here"),
        ("\u05d0\u05d1 \U0001f469\u200d\U0001f680", "\u05d0\u05d1 \U0001f469\u200d\U0001f680"),
        (None, "None"),
        ("x" * 21, f"{'x' * 20}... (1 more characters)"),
    ],
)
def test_a_line_of_text(words, told):
    """Anybody's words are one line that changes nothing beside it, and one that was cut says how much is missing."""
    assert line(words, 20) == told


@pytest.mark.parametrize(("last", "texts"), [(3, 1), (4, 2)])
def test_packed_lines(last, texts):
    """Lines are joined while they fit, counting the line ends, and none is cut in two."""
    found = packed(["xxx", "xx", "x" * last], 10)
    assert len(found) == texts
    assert "\n".join(found) == f"xxx\nxx\n{'x' * last}"
