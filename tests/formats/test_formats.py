import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.notices import NoticeType
from shared.formats import cards, cloudevent, slack, teams
from tests.formats.events import EVENTS, NEW_FACTS, hundred_regions, sixty_reasons

FORMATS = {"teams": teams, "slack": slack, "json": cloudevent}
HUNDRED = hundred_regions()
SIXTY = sixty_reasons()
EVERY_FORMAT = pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS.keys())
EVERY_TYPE = pytest.mark.parametrize("kind", NoticeType)

# Documented limits of Block Kit and of messages through a Teams workflow.
MOST_BLOCKS, LONGEST_HEADER, LONGEST_TEXT = 50, 150, 3000
LARGEST_TEAMS_MESSAGE = 28 * 1024


def runs(body):
    """Give all text runs of a Teams message, as one list per line."""
    (attachment,) = body["attachments"]
    return [[run["text"] for run in block["inlines"]] for block in attachment["content"]["body"]]


def slack_lines(body):
    """Give the lines of a Slack message below headline and place."""
    sections = [block["text"]["text"] for block in body["blocks"] if block["type"] == "section"]
    return "\n".join(sections).split("\n")


def texts(value):
    """Give every string in a JSON value, keys left out."""
    if isinstance(value, dict):
        return [text for each in value.values() for text in texts(each)]
    if isinstance(value, list):
        return [text for each in value for text in texts(each)]
    return [value] if isinstance(value, str) else []


def check_teams(body):
    """Check that a Teams message is an Adaptive Card 1.4 whose texts are all in TextRun."""
    assert json.loads(json.dumps(body)) == body
    assert body.keys() == {"type", "attachments"}
    assert body["type"] == "message"
    (attachment,) = body["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    content = attachment["content"]
    assert (content["type"], content["version"]) == ("AdaptiveCard", "1.4")
    assert content["$schema"] == "http://adaptivecards.io/schemas/adaptive-card.json"
    assert isinstance(content["fallbackText"], str)
    for block in content["body"]:
        assert block["type"] == "RichTextBlock"
        assert block.keys() <= {"type", "inlines", "spacing"}
        assert block.get("spacing", "None") in {"None", "Small"}
        assert block["inlines"]
        for run in block["inlines"]:
            assert run["type"] == "TextRun"
            assert isinstance(run["text"], str)
            assert run.keys() <= {"type", "text", "weight", "size", "isSubtle"}
            assert run.get("weight", "Bolder") == "Bolder"
            assert run.get("size", "Medium") == "Medium"


def check_slack(body):
    """Check that a Slack message keeps the limits of Block Kit, with plain text only."""
    assert json.loads(json.dumps(body)) == body
    assert body.keys() == {"text", "blocks"}
    assert 1 <= len(body["blocks"]) <= MOST_BLOCKS
    for block in body["blocks"]:
        if block["type"] == "context":
            (text,) = block["elements"]
        else:
            assert block["type"] in {"header", "section"}
            text = block["text"]
        assert text.keys() == {"type", "text", "emoji"}
        assert (text["type"], text["emoji"]) == ("plain_text", False)
        assert 1 <= len(text["text"]) <= (LONGEST_HEADER if block["type"] == "header" else LONGEST_TEXT)


@EVERY_TYPE
def test_teams_shape(kind):
    """Every status is an Adaptive Card 1.4 for Teams, with text in TextRun only."""
    check_teams(teams.body(EVENTS[kind]))
    assert teams.CONTENT_TYPE == "application/json"


@EVERY_TYPE
def test_slack_shape(kind):
    """Every status is a message of plain text blocks for Slack."""
    check_slack(slack.body(EVENTS[kind]))
    assert slack.CONTENT_TYPE == "application/json"


@EVERY_TYPE
def test_cloudevent_passes_unchanged(kind):
    """A status for machines is the CloudEvent, nothing added and nothing taken away."""
    assert cloudevent.body(EVENTS[kind]) == EVENTS[kind]
    assert cloudevent.CONTENT_TYPE.startswith("application/cloudevents+json")


@EVERY_FORMAT
@EVERY_TYPE
def test_events_are_not_touched(form, kind):
    """Giving a status a form leaves the status as it was."""
    before = copy.deepcopy(EVENTS[kind])
    form.body(EVENTS[kind])
    assert before == EVENTS[kind]


HEADLINES = {
    NoticeType.ROLLOUT_STARTED: "ubuntu-2204 1.0.3: rollout started",
    NoticeType.ROLLOUT_COMPLETED: "ubuntu-2204 1.0.3: in all regions",
    NoticeType.REGION_FAILED: "ubuntu-2204 1.0.3: southeastasia failed",
    NoticeType.ROLLOUT_STALLED: "ubuntu-2204 1.0.3: rollout stalled",
    NoticeType.PRUNE_COMPLETED: "ubuntu-2204 1.0.1: pruned",
    NoticeType.PRUNE_REFUSED: "ubuntu-2204 1.0.1: Azure refused the prune",
    NoticeType.LIMIT_NEAR: "ubuntu-2204 1.0.3: near a limit of Azure",
    NoticeType.DEAD_LETTERED: "A message could not be handled",
    NoticeType.PLAN_REPORTED: "ubuntu-2204: what a pass would do",
}


@EVERY_TYPE
def test_headlines(kind):
    """Every status has a headline of its own, which every chat shows first."""
    assert cards.card(EVENTS[kind]).headline == HEADLINES[kind]
    assert runs(teams.body(EVENTS[kind]))[0] == [HEADLINES[kind]]
    assert slack.body(EVENTS[kind])["blocks"][0]["text"]["text"] == HEADLINES[kind]
    assert slack.body(EVENTS[kind])["text"] == HEADLINES[kind]


LINES = {
    NoticeType.ROLLOUT_COMPLETED: [
        ("Time", "1 h"),
        ("westeurope", "Completed in 10 min, replicas: 1"),
        ("eastus2", "Replicating 40 %, replicas: 1"),
        ("southeastasia", "Requested, replicas: 1"),
        ("uksouth", "Completed in 1 h, replicas: 2"),
    ],
    NoticeType.REGION_FAILED: [
        ("Reason", "internal error"),
        ("Time", "1 h"),
        ("westeurope", "Completed in 10 min, replicas: 1"),
    ],
    NoticeType.PRUNE_COMPLETED: [
        ("Freed", "up to 60 GiB"),
        ("eastus2", "removed"),
        ("uksouth", "removed"),
        ("westeurope", "kept: its home region, where 1 of 2 replicas are enough"),
        ("japaneast", "kept: 1.0.2 is not here"),
    ],
    NoticeType.LIMIT_NEAR: [("Reason", "1.0.3 has 60 replicas in all; Azure advises 50 at most")],
    NoticeType.DEAD_LETTERED: [("Queue", "watch"), ("Reason", "it is not JSON")],
    NoticeType.PLAN_REPORTED: [
        ("1.0.2 brazil", "add: the policy names it"),
        ("1.0.1 westeurope", "size: its home region, where 1 of 2 replicas are enough"),
    ],
}


@pytest.mark.parametrize("kind", LINES)
def test_lines(kind):
    """A status says the same lines in Teams and in Slack."""
    told = cards.card(EVENTS[kind]).lines
    assert list(told)[: len(LINES[kind])] == LINES[kind]
    assert runs(teams.body(EVENTS[kind]))[2:] == [[f"{label}: ", text] for label, text in told]
    assert slack_lines(slack.body(EVENTS[kind])) == [f"{label}: {text}" for label, text in told]


def test_a_refused_prune_removes_nothing():
    """Where Azure refused a prune, the card does not say that a region was removed, or space freed."""
    told = cards.card(EVENTS[NoticeType.PRUNE_REFUSED]).lines
    assert told[0] == ("Reason", "ScopeLocked: the gallery has a lock")
    assert [line for line in told if line[1] == "removed" or line[0] == "Freed"] == []


BECAUSE = ("Because", "1.0.4 was deleted")
SUPERSEDES = ("Supersedes", "the rollout of 1.0.1, 1.0.2, which goes no further")
WARNINGS = [
    ("Warning", "1.0.3 has 60 replicas in all; Azure advises 50 at most"),
    ("Warning", "the tag is malformed"),
]
TIME = ("Time", "1 h")
AT_HOME = ("westeurope", "Completed in 10 min, replicas: 1")
NEW_LINES = {
    "because": [BECAUSE, TIME, AT_HOME],
    "supersedes": [SUPERSEDES, TIME, AT_HOME],
    "warnings": [*WARNINGS, TIME, AT_HOME],
    "all of them": [BECAUSE, SUPERSEDES, *WARNINGS, TIME, AT_HOME],
    "of a failure": [BECAUSE, ("Reason", "internal error"), TIME, AT_HOME],
    "at the end": [BECAUSE, TIME, AT_HOME],
    "a wave that waits": [
        TIME,
        AT_HOME,
        ("eastus2", "Replicating 40 %, replicas: 1"),
        ("southeastasia", "Waiting: wave 1 comes first"),
        ("japaneast", "Waiting: wave 1 comes first"),
    ],
    "a wave that bakes": [TIME, AT_HOME, ("southeastasia", "Waiting: wave 1 bakes for 4 h")],
    "a wave that is stopped": [
        ("Reason", "internal error"),
        TIME,
        AT_HOME,
        ("japaneast", "Waiting: wave 1 is stopped"),
    ],
    "no encryption set": [TIME, AT_HOME, ("japaneast", "Skipped: it has no disk encryption set")],
    "too many replicas": [
        TIME,
        AT_HOME,
        ("japaneast", "Skipped: 101 replicas in all"),
        ("brazil", "Skipped: 101 replicas in all"),
    ],
    "both": [
        TIME,
        AT_HOME,
        ("japaneast", "Skipped: no set"),
        ("southeastasia", "Waiting: wave 1 comes first"),
    ],
    "a plan": [
        BECAUSE,
        ("Later", "7 more versions, because of the cap"),
        ("Warning", "the tag is malformed"),
        ("1.0.2 brazil", "add: the policy names it"),
        ("1.0.1 westeurope", "size: its home region, where 1 of 2 replicas are enough"),
        ("1.0.1 eastus2", "remove: 1.0.2 complete here"),
    ],
    "a limit": [("Reason", "1.0.3 has 60 replicas in all; Azure advises 50 at most")],
}
NEW_HEADLINES = {
    "of a failure": "ubuntu-2204 1.0.3: southeastasia failed",
    "at the end": "ubuntu-2204 1.0.3: in all regions",
    "a wave that is stopped": "ubuntu-2204 1.0.3: southeastasia failed",
    "a plan": "ubuntu-2204: what a pass would do",
    "a limit": "ubuntu-2204 1.0.3: near a limit of Azure",
}
EVERY_NEW_FACT = pytest.mark.parametrize("name", NEW_FACTS)


def test_every_new_fact_is_tried():
    """The table of lines leaves no status out."""
    assert NEW_LINES.keys() == NEW_FACTS.keys()


@EVERY_NEW_FACT
def test_new_facts_in_teams(name):
    """Causes, superseded rollouts, warnings and reasons of regions stand in the card for Teams, a line each."""
    body = teams.body(NEW_FACTS[name])
    check_teams(body)
    assert runs(body) == [
        [NEW_HEADLINES.get(name, "ubuntu-2204 1.0.3: rollout started")],
        ["Gallery prodgallery"],
        *([f"{label}: ", text] for label, text in NEW_LINES[name]),
    ]


@EVERY_NEW_FACT
def test_new_facts_in_slack(name):
    """Causes, superseded rollouts, warnings and reasons of regions stand in the message for Slack, a line each."""
    body = slack.body(NEW_FACTS[name])
    check_slack(body)
    assert body["text"] == NEW_HEADLINES.get(name, "ubuntu-2204 1.0.3: rollout started")
    assert slack_lines(body) == [f"{label}: {text}" for label, text in NEW_LINES[name]]


NEW_DATA = {
    "because": {"cause": "1.0.4 was deleted"},
    "supersedes": {"supersedes": ["1.0.1", "1.0.2"]},
    "warnings": {"warnings": [text for _, text in WARNINGS]},
    "a plan": {"cause": "1.0.4 was deleted", "warnings": ["the tag is malformed"], "capped": 7},
    "a limit": {"limit": "replicas", "used": 60, "of": 100},
}


@EVERY_NEW_FACT
def test_new_facts_in_json(name):
    """Programs get causes, superseded rollouts, warnings, limits and reasons of regions as fields, unchanged."""
    body = cloudevent.body(NEW_FACTS[name])
    assert body == NEW_FACTS[name] == json.loads(json.dumps(body))
    data = body["data"]
    assert data.items() >= NEW_DATA.get(name, {}).items()
    reasons = [f"{each['state']}: {each['reason']}" for each in data.get("regions", ()) if "reason" in each]
    assert reasons == [text for _, text in NEW_LINES[name] if text.startswith(("Waiting: ", "Skipped: "))]


@EVERY_FORMAT
@EVERY_NEW_FACT
def test_new_facts_are_not_touched(form, name):
    """Giving a status with such facts a form leaves it as it was."""
    before = copy.deepcopy(NEW_FACTS[name])
    form.body(NEW_FACTS[name])
    assert before == NEW_FACTS[name]


def test_facts_that_are_not_there():
    """What a status does not say is not in its card: no cause, nothing superseded, no warning."""
    nothing = {"cause": "", "supersedes": [], "warnings": [], "reason": None, "regions": []}
    assert cards.card({"type": "gallery-fanout.rollout.started", "data": nothing}).lines == ()


@pytest.mark.parametrize("form", [teams, slack])
def test_long_warnings(form):
    """A warning or a cause of any length, and any number of warnings, fit into a message of either chat."""
    event = copy.deepcopy(NEW_FACTS["all of them"])
    event["data"] |= {
        "cause": "c" * 10_000,
        "supersedes": [f"1.0.{number}" for number in range(10_000)],
        "warnings": ["w" * 10_000] * 100,
    }
    body = form.body(event)
    (check_teams if form is teams else check_slack)(body)
    assert len(json.dumps(body)) < LARGEST_TEAMS_MESSAGE
    told = cards.card(event).lines
    assert [label for label, _ in told] == ["Because", "Supersedes", *["Warning"] * 37, "..."]
    assert all("more characters" in text for _, text in told[:-1])


@pytest.mark.parametrize("name", SIXTY)
def test_sixty_reasons_in_slack(name):
    """Sixty regions that all have a reason keep Slack's limits, and no line is lost but those that are counted."""
    body = slack.body(SIXTY[name])
    check_slack(body)
    assert slack_lines(body) == [f"{label}: {text}" for label, text in cards.card(SIXTY[name]).lines]


@pytest.mark.parametrize("name", SIXTY)
def test_sixty_reasons_in_teams(name):
    """Sixty regions that all have a reason are a card that Teams takes, and each that is shown has its reason."""
    body = teams.body(SIXTY[name])
    check_teams(body)
    assert len(json.dumps(body)) < LARGEST_TEAMS_MESSAGE
    shown = [text for label, text in runs(body)[2:-1] if label.startswith("southregion")]
    assert len(shown) >= 30
    assert all(text.startswith(("Waiting: ", "Skipped: ", "kept: ")) for text in shown)


@pytest.mark.parametrize("name", SIXTY)
def test_sixty_reasons_for_programs(name):
    """Programs get every one of sixty regions with its whole reason."""
    data = cloudevent.body(SIXTY[name])["data"]
    told = [each for each in [*data.get("regions", ()), *data.get("regionsKept", ())] if each.get("reason")]
    assert len(told) == 60


@pytest.mark.parametrize("form", [teams, slack])
def test_gallery(form):
    """A status says which gallery it is about; where that is not known, it says so."""
    assert "Gallery prodgallery" in texts(form.body(EVENTS[NoticeType.ROLLOUT_STARTED]))
    assert "Gallery ?" in texts(form.body(EVENTS[NoticeType.DEAD_LETTERED]))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3599, "59 min 59 s"),
        (3600, "1 h"),
        (5400, "1 h 30 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_spans(seconds, text):
    """A span is said in the two largest units that matter."""
    assert cards.card({"type": "gallery-fanout.rollout.started", "data": {"seconds": seconds}}).lines == (
        ("Time", text),
    )


@pytest.mark.parametrize(("progress", "shown"), [(None, ""), (0, ""), (7, " 7 %"), (100, "")])
def test_percent(progress, shown):
    """A percentage is shown where it says something."""
    region = {"name": "eastus2", "state": "Replicating", "progress": progress, "replicas": 1, "seconds": 1}
    told = cards.card({"type": "gallery-fanout.rollout.started", "data": {"regions": [region]}})
    assert told.lines == (("eastus2", f"Replicating{shown}, replicas: 1"),)


@pytest.mark.parametrize("form", [teams, slack])
@pytest.mark.parametrize("event", [{"type": "gallery-fanout.something.new", "data": {}}, {"type": "x"}])
def test_unknown_types(form, event):
    """A status of a type that has no headline yet is shown by the name of its type."""
    (headline, *_) = [text for text in texts(form.body(event)) if text in {"something.new", "x"}]
    assert headline == event["type"].removeprefix("gallery-fanout.")


@pytest.mark.parametrize("name", HUNDRED)
def test_hundred_regions_in_slack(name):
    """A status about a hundred regions keeps Slack's limits, ends with how many lines were cut, and loses no other."""
    body = slack.body(HUNDRED[name])
    check_slack(body)
    told = cards.card(HUNDRED[name])
    assert slack_lines(body) == [f"{label}: {text}" for label, text in told.lines]


@pytest.mark.parametrize("name", HUNDRED)
def test_hundred_regions_in_teams(name):
    """A status about a hundred regions is a card that Teams takes."""
    body = teams.body(HUNDRED[name])
    check_teams(body)
    assert len(json.dumps(body)) < LARGEST_TEAMS_MESSAGE


@pytest.mark.parametrize("name", HUNDRED)
def test_the_cut_says_how_many(name):
    """At most forty lines are shown; the last says how many more there are."""
    data, told = HUNDRED[name]["data"], cards.card(HUNDRED[name])
    facts = sum(bool(data.get(fact)) for fact in ("seconds", "gibFreed", "reason", "cause", "supersedes"))
    lists = ("regions", "regionsRemoved", "regionsKept", "changes", "warnings")
    total = facts + sum(len(data.get(each, ())) for each in lists)
    assert total >= 100
    assert len(told.lines) == 40
    assert told.lines[-1] == ("...", f"{total - 39} more lines")


@pytest.mark.parametrize(
    ("count", "shown", "last"), [(39, 39, "removed"), (40, 40, "removed"), (41, 40, "2 more lines")]
)
def test_cut_at_the_limit(count, shown, last):
    """Forty lines are shown whole; of forty-one two are cut, for the line that says so."""
    data = {"regionsRemoved": [f"region{number}" for number in range(count)]}
    told = cards.card({"type": "gallery-fanout.prune.completed", "data": data})
    assert len(told.lines) == shown
    assert told.lines[-1][1] == last


@pytest.mark.parametrize("form", [teams, slack])
@pytest.mark.parametrize("letter", ["x", "\u00fc", "\U0001f600", "&", "\n"])
def test_long_reasons(form, letter):
    """A reason of any length fits into a message of either chat, and its cut says how much is missing."""
    event = copy.deepcopy(EVENTS[NoticeType.REGION_FAILED])
    event["data"]["reason"] = f"because {letter * 100_000} end"
    body = form.body(event)
    (check_teams if form is teams else check_slack)(body)
    assert len(json.dumps(body)) < LARGEST_TEAMS_MESSAGE
    assert any("because" in text and "more characters" in text for text in texts(body))


def test_long_names():
    """The longest name that Azure allows fits into Slack's header."""
    event = copy.deepcopy(EVENTS[NoticeType.REGION_FAILED])
    event["data"] |= {"image": "i" * 80, "version": "2147483647.2147483647.2147483647", "region": "r" * 40}
    check_slack(slack.body(event))
    event["data"]["region"] = ", ".join(["southeastasia"] * 100)
    check_slack(slack.body(event))


ACTIVE = [
    "**bold** _it_ ~s~ `code`",
    "[click](https://evil.example)",
    "![x](https://evil.example/x.png)",
    "<at>everyone</at>",
    "<!channel>",
    "<!here|here>",
    "<@U012AB3CD>",
    "<https://evil.example|safe>",
    "<script>alert(1)</script>",
    "&lt;b&gt;",
    ":tada: @channel #general",
    "{{DATE(2025-03-01)}} ${image} {image} {0} %s",
    "{image.__class__}",
    '"quoted" \\ backslash',
]
FIELDS = ("image", "gallery", "region", "reason", "cause")


def planted(text):
    """Give a status whose every name is this text."""
    event = copy.deepcopy(EVENTS[NoticeType.REGION_FAILED])
    event["data"] |= dict.fromkeys(FIELDS, text) | {"version": "1.0.3", "supersedes": [text], "warnings": [text]}
    event["data"]["regions"] = [{**region, "name": text, "reason": text} for region in event["data"]["regions"]]
    return event


@pytest.mark.parametrize("text", ACTIVE)
def test_names_do_nothing_in_teams(text):
    """Markdown, mentions, HTML and templates in names stay as they are, in runs of plain text."""
    body = teams.body(planted(text))
    check_teams(body)
    shown = runs(body)
    assert shown[0] == [f"{text} 1.0.3: {text} failed"]
    assert shown[1] == [f"Gallery {text}"]
    assert [["Because: ", text], ["Reason: ", text], ["Warning: ", text]] == [shown[2], *shown[4:6]]
    assert shown[3] == ["Supersedes: ", f"the rollout of {text}, which goes no further"]
    assert shown[-1] == [f"{text}: ", f"Completed: {text}"]


@pytest.mark.parametrize("text", ACTIVE)
def test_names_do_nothing_in_slack(text):
    """Markdown, mentions, HTML and templates in names stay as they are in blocks, and are escaped in the fallback."""
    body = slack.body(planted(text))
    check_slack(body)
    headline = f"{text} 1.0.3: {text} failed"
    assert body["blocks"][0]["text"]["text"] == headline
    for line in (f"Because: {text}", f"Reason: {text}", f"Warning: {text}", f"{text}: Completed: {text}"):
        assert line in slack_lines(body)
    assert "<" not in body["text"]
    assert ">" not in body["text"]
    unescaped = body["text"].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert unescaped == headline


@given(st.text(min_size=1), st.sampled_from(NoticeType))
def test_any_text_in_any_place(text, kind):
    """Whatever the names and reasons say, both chats get a message of the right shape."""
    event = copy.deepcopy(EVENTS[kind])
    event["data"] |= dict.fromkeys(("gallery", "image", "version", "region", "reason", "queue", "cause"), text)
    event["data"] |= {"supersedes": [text], "warnings": [text, text]}
    event["data"]["regions"] = [{**NEW_FACTS["no encryption set"]["data"]["regions"][1], "name": text, "reason": text}]
    check_teams(teams.body(event))
    check_slack(slack.body(event))


@given(st.lists(st.integers(0, 498), min_size=1, max_size=40))
def test_slack_sections_are_full_and_whole(lengths):
    """Lines of any length are packed whole into Slack's sections, none too long, none that the next would fit into."""
    lines = [{"name": "r", "reason": "x" * length} for length in lengths]
    event = {"type": "gallery-fanout.prune.completed", "data": {"regionsKept": lines}}
    sections = [block["text"]["text"] for block in slack.body(event)["blocks"][2:]]
    told = [f"r: {text}" for _, text in cards.card(event).lines]
    assert "\n".join(sections).split("\n") == told
    assert all(len(text) <= LONGEST_TEXT for text in sections)
    following = [text.split("\n")[0] for text in sections[1:]]
    assert all(len(text) + 1 + len(line) > LONGEST_TEXT for text, line in zip(sections, following, strict=False))


@pytest.mark.parametrize(("last", "sections"), [(491, 1), (492, 2)])
def test_slack_section_at_its_limit(last, sections):
    """A section takes as many characters as Slack does, counting the line ends, and not one more."""
    # Each line is "r: kept: " and its reason: nine characters more.
    lines = [{"name": "r", "reason": "x" * length} for length in (490, 490, 490, 490, 490, last)]
    event = {"type": "gallery-fanout.prune.completed", "data": {"regionsKept": lines}}
    found = [block["text"]["text"] for block in slack.body(event)["blocks"][2:]]
    assert len(found) == sections
