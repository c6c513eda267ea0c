import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.notices import NoticeType
from shared.formats import cards, cloudevent, slack, teams
from tests.formats.events import EVENTS, hundred_regions

FORMATS = {"teams": teams, "slack": slack, "json": cloudevent}
HUNDRED = hundred_regions()
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
        ("Time", "1 h 0 min"),
        ("westeurope", "Completed in 10 min 0 s, replicas: 1"),
        ("eastus2", "Replicating 40 %, replicas: 1"),
        ("southeastasia", "Requested, replicas: 1"),
        ("uksouth", "Completed in 1 h 0 min, replicas: 2"),
    ],
    NoticeType.PRUNE_COMPLETED: [
        ("Freed", "up to 60 GiB"),
        ("eastus2", "removed"),
        ("uksouth", "removed"),
        ("westeurope", "kept: its home region, where 1 of 2 replicas are enough"),
        ("japaneast", "kept: 1.0.2 is not here"),
    ],
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


@pytest.mark.parametrize("form", [teams, slack])
def test_gallery(form):
    """A status says which gallery it is about; where that is not known, it says so."""
    assert "Gallery prodgallery" in texts(form.body(EVENTS[NoticeType.ROLLOUT_STARTED]))
    assert "Gallery ?" in texts(form.body(EVENTS[NoticeType.DEAD_LETTERED]))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min 0 s"), (3599, "59 min 59 s"), (3600, "1 h 0 min"), (90_000, "25 h 0 min")],
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
    facts = sum(bool(data.get(fact)) for fact in ("seconds", "gibFreed", "reason"))
    total = facts + sum(len(data.get(lists, ())) for lists in ("regions", "regionsRemoved", "regionsKept", "changes"))
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
FIELDS = ("image", "gallery", "region", "reason")


def planted(text):
    """Give a status whose every name is this text."""
    event = copy.deepcopy(EVENTS[NoticeType.REGION_FAILED])
    event["data"] |= dict.fromkeys(FIELDS, text) | {"version": "1.0.3"}
    event["data"]["regions"] = [{**region, "name": text} for region in event["data"]["regions"]]
    return event


@pytest.mark.parametrize("text", ACTIVE)
def test_names_do_nothing_in_teams(text):
    """Markdown, mentions, HTML and templates in names stay as they are, in runs of plain text."""
    body = teams.body(planted(text))
    check_teams(body)
    shown = runs(body)
    assert shown[0] == [f"{text} 1.0.3: {text} failed"]
    assert shown[1] == [f"Gallery {text}"]
    assert ["Reason: ", text] in shown
    assert shown[-1][0] == f"{text}: "


@pytest.mark.parametrize("text", ACTIVE)
def test_names_do_nothing_in_slack(text):
    """Markdown, mentions, HTML and templates in names stay as they are in blocks, and are escaped in the fallback."""
    body = slack.body(planted(text))
    check_slack(body)
    headline = f"{text} 1.0.3: {text} failed"
    assert body["blocks"][0]["text"]["text"] == headline
    assert f"Reason: {text}" in slack_lines(body)
    assert "<" not in body["text"]
    assert ">" not in body["text"]
    unescaped = body["text"].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert unescaped == headline


@given(st.text(min_size=1), st.sampled_from(NoticeType))
def test_any_text_in_any_place(text, kind):
    """Whatever the names and reasons say, both chats get a message of the right shape."""
    event = copy.deepcopy(EVENTS[kind])
    event["data"] |= dict.fromkeys(("gallery", "image", "version", "region", "reason", "queue"), text)
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
