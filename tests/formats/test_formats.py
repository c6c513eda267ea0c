import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block

from shared.core.notice_type import NoticeType
from shared.formats import cards, cloudevent, slack, teams
from tests.formats.events import (
    EVENTS,
    EVERY_EVENT,
    HOSTILE,
    NEW_FACTS,
    hundred_regions,
    planted,
    sixty_reasons,
    sixty_regions,
    twelve_regions,
)
from tests.formats.reading import lines, slack_lines, teams_lines, texts

FORMATS = {"teams": teams, "slack": slack, "json": cloudevent}
HUNDRED = hundred_regions()
SIXTY = sixty_reasons()
EVERY_FORMAT = pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS.keys())
CHATS = pytest.mark.parametrize("form", [teams, slack], ids=["teams", "slack"])
EVERY = pytest.mark.parametrize("name", EVERY_EVENT)

# Documented limits of Block Kit and of messages through a Teams workflow.
MOST_BLOCKS, LONGEST_HEADER, LONGEST_TEXT = 50, 150, 3000
LARGEST_TEAMS_MESSAGE = 28 * 1024
MOST_SLACK_TEXT = 13_000
"""Blocks with about that much text are refused, though no document says so."""

_TEAMS_KEYS = {
    "RichTextBlock": {"type", "inlines", "spacing"},
    "ColumnSet": {"type", "columns", "spacing", "separator"},
    "Column": {"type", "width", "items"},
    "Container": {"type", "style", "bleed", "items"},
    "TextRun": {"type", "text", "weight", "size", "isSubtle", "color"},
}
_SLACK_PLAIN = {"type": "plain_text", "emoji": False}


def posted(body):
    """Give the bytes that are posted."""
    return json.dumps(body, separators=(",", ":")).encode()


def check(form, body):
    """Check that a message has the shape that its receiver takes, and keeps the receiver's limits."""
    assert json.loads(json.dumps(body)) == body
    (check_teams if form is teams else check_slack)(body)


def check_teams(body):
    """Check that a Teams message is an Adaptive Card 1.4 whose texts are all in places where nothing is marked up."""
    assert len(posted(body)) <= LARGEST_TEAMS_MESSAGE
    assert body.keys() == {"type", "attachments"}
    assert body["type"] == "message"
    (attachment,) = body["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    content = attachment["content"]
    assert (content["type"], content["version"]) == ("AdaptiveCard", "1.4")
    assert content["$schema"] == "http://adaptivecards.io/schemas/adaptive-card.json"
    assert isinstance(content["fallbackText"], str)
    for block in content["body"]:
        _check_block(block)


def _check_block(block):
    if isinstance(block, str):
        return
    assert block.keys() <= _TEAMS_KEYS[block["type"]]
    for each in [*block.get("items", ()), *block.get("columns", ()), *block.get("inlines", ())]:
        _check_block(each)


def check_slack(body):
    """Check that a Slack message keeps the limits of Block Kit, by Slack's own models too, with plain text only."""
    assert body.keys() == {"text", "blocks"}
    assert 1 <= len(body["blocks"]) <= MOST_BLOCKS
    assert len(posted(body["blocks"])) <= MOST_SLACK_TEXT
    for block, model in zip(body["blocks"], Block.parse_all(body["blocks"]), strict=True):
        model.validate_json()
        assert model.to_dict() == block
        for text in _slack_texts(block):
            assert 1 <= len(text) <= (LONGEST_HEADER if block["type"] == "header" else LONGEST_TEXT)


def _slack_texts(block):
    if block["type"] == "rich_text":
        (element,) = block["elements"]
        (text,) = element["elements"]
        assert (element["type"], text.keys(), text["type"]) == ("rich_text_preformatted", {"type", "text"}, "text")
        return [text["text"]]
    assert block["type"] in {"header", "section", "context"}
    (text,) = block["elements"] if block["type"] == "context" else [block["text"]]
    assert text == {**_SLACK_PLAIN, "text": text["text"]}
    return [text["text"]]


@CHATS
@EVERY
def test_shape(form, name):
    """Every status is a message that its chat takes, in plain text only."""
    check(form, form.body(EVERY_EVENT[name]))
    assert form.CONTENT_TYPE == "application/json"


@EVERY
def test_cloudevent_passes_unchanged(name):
    """A status for machines is the CloudEvent, nothing added and nothing taken away."""
    assert cloudevent.body(EVERY_EVENT[name]) == EVERY_EVENT[name]
    assert cloudevent.CONTENT_TYPE.startswith("application/cloudevents+json")


@EVERY_FORMAT
@EVERY
def test_events_are_not_touched(form, name):
    """Giving a status a form leaves the status as it was."""
    before = copy.deepcopy(EVERY_EVENT[name])
    form.body(EVERY_EVENT[name])
    assert before == EVERY_EVENT[name]


NEW_DATA = {
    "because": {"cause": "1.0.4 was deleted"},
    "supersedes": {"supersedes": ["1.0.1", "1.0.2"]},
    "a plan": {"cause": "1.0.4 was deleted", "warnings": ["the tag is malformed"], "capped": 7},
    "a limit": {"limit": "replicas", "used": 60, "of": 100},
}


@pytest.mark.parametrize("name", NEW_DATA)
def test_new_facts_in_json(name):
    """Programs get causes, superseded rollouts, warnings and limits as fields, unchanged."""
    assert cloudevent.body(NEW_FACTS[name])["data"].items() >= NEW_DATA[name].items()


@pytest.mark.parametrize("name", SIXTY)
def test_sixty_reasons_for_programs(name):
    """Programs get every one of sixty regions with its whole reason, as far as a message in a queue can hold them."""
    data = cloudevent.body(SIXTY[name])["data"]
    told = [each for each in [*data.get("regions", ()), *data.get("regionsKept", ())] if each.get("reason")]
    assert len(told) + data.get("regionsCut", 0) >= 60


# What is much


@CHATS
@pytest.mark.parametrize("state", ["Completed", "Failed", "Replicating", "Waiting", "Skipped"])
def test_sixty_regions_are_all_there(form, state):
    """A rollout over sixty regions, whatever their state, fits into a message: each has its row, and none is cut."""
    event = sixty_regions(state)
    body = form.body(event)
    check(form, body)
    shown = teams_lines(body)[1:] if form is teams else slack_lines(body)
    for region in event["data"]["regions"]:
        assert [each for each in shown if each.startswith(f"{region['name']} ")]
    assert not any("not shown" in each for each in shown)


@CHATS
@pytest.mark.parametrize("name", [*HUNDRED, *SIXTY])
def test_the_cut_says_how_many(form, name):
    """What does not fit is counted in the last line, and nothing else is missing."""
    event = {**HUNDRED, **SIXTY}[name]
    body, told = form.body(event), cards.card(event)
    check(form, body)
    shown = teams_lines(body)[1:] if form is teams else slack_lines(body)
    whole = [each for each in lines(event) if "not shown" not in each]
    missing = len(whole) - len([each for each in shown if "not shown" not in each]) + told.cut
    assert shown[-1] == cards.more_lines(missing) if missing else "not shown" not in shown[-1]


@CHATS
def test_a_line_that_is_cut(form):
    """One line that is not shown is counted in the singular."""
    event = {**EVENTS["plan.reported"], "data": {**EVENTS["plan.reported"]["data"], "changesCut": 1}}
    assert "1 more line is not shown." in texts(form.body(event))


@CHATS
@pytest.mark.parametrize("letter", ["x", "\u00fc", "\U0001f600", "&", "\n", '"', "\x00", "\ud800"])
def test_long_texts_everywhere(form, letter):
    """Names, reasons, warnings and causes of any length and number fit into a message, and the cut says so."""
    long = f"because {letter * 10_000} end"
    event = copy.deepcopy(NEW_FACTS["all of them"])
    event["data"] |= dict.fromkeys(("cause", "reason", "image", "gallery", "queue", "state"), long)
    event["data"] |= {"supersedes": [long] * 100, "warnings": [long] * 100}
    region = {**event["data"]["regions"][0], "state": "Failed"}
    event["data"]["regions"] = [{**region, "name": long, "reason": long}] * 100
    body = form.body(event)
    check(form, body)
    assert any("because" in text for text in texts(body))
    assert any("not shown" in text for text in texts(body)) or letter.isspace() or letter == "\x00"


def test_long_names():
    """The longest name that Azure allows fits into Slack's header."""
    event = copy.deepcopy(EVENTS[NoticeType.REGION_FAILED])
    event["data"] |= {"image": "i" * 80, "version": "2147483647.2147483647.2147483647", "region": "r" * 40}
    check_slack(slack.body(event))
    event["data"]["region"] = ", ".join(["southeastasia"] * 100)
    check_slack(slack.body(event))


# What is hostile


@CHATS
@pytest.mark.parametrize("text", HOSTILE)
def test_names_do_nothing(form, text):
    """Markdown, mentions, HTML and templates in names stay as they are, in places where nothing is marked up."""
    body = form.body(planted(text))
    check(form, body)
    shown = teams_lines(body) if form is teams else [body["blocks"][0]["text"]["text"], *slack_lines(body)]
    assert shown[0] == f"{text} 1.0.3: {text} failed"[: 150 - 3] + "..." * (form is slack and len(text) > 100) or (
        form is teams
    )
    for each in (f"Gallery {text}", f"Because: {text}", f"Reason: {text}", f"Warning: {text}", f"Removed from: {text}"):
        assert each in shown


@pytest.mark.parametrize("text", HOSTILE)
def test_the_fallback_of_slack_is_escaped(text):
    """The fallback text, which Slack does read as markup, is escaped as Slack documents."""
    told = slack.body(planted(text))["text"]
    assert "<" not in told
    assert ">" not in told
    assert told.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == cards.card(planted(text)).headline


@CHATS
def test_a_name_makes_no_row(form):
    """A name with line ends, or with letters that turn the direction, stays in its row and turns no other."""
    event = twelve_regions()
    event["data"]["regions"][0]["name"] = "west\neurope   | Failed\r\n\u202eeverything"
    shown = texts(form.body(event))
    assert not any("\u202e" in text or "\r" in text for text in shown)
    assert any("west europe | Failed everything" in text for text in shown)


@given(st.text(min_size=1), st.sampled_from(NoticeType))
def test_any_text_in_any_place(text, kind):
    """Whatever the names and reasons say, both chats get a message of the right shape."""
    event = copy.deepcopy(EVENTS[kind])
    event["data"] |= dict.fromkeys(("gallery", "image", "version", "region", "reason", "queue", "cause"), text)
    event["data"] |= {"supersedes": [text], "warnings": [text, text]}
    event["data"]["regions"] = [{**NEW_FACTS["no encryption set"]["data"]["regions"][1], "name": text, "reason": text}]
    check_teams(teams.body(event))
    check_slack(slack.body(event))


# What is looked at


def test_slack_table_is_aligned():
    """In Slack the cells of a table begin below each other, in letters of one width; reasons stand behind them."""
    (table,) = [block for block in slack.body(twelve_regions())["blocks"] if block["type"] == "rich_text"]
    rows = table["elements"][0]["elements"][0]["text"].split("\n")
    assert rows[:2] == [
        "Region            State                     Replicas",
        "brazilsouth       Failed                    1",
    ]
    assert rows[5] == "australiaeast     Waiting                   1         wave 2 comes first"


def test_what_failed_is_red():
    """In Teams the state of a region that failed is red, and the band of the headline has the colour of its tone."""
    blocks = teams.body(twelve_regions())["attachments"][0]["content"]["body"]
    failed = {"type": "TextRun", "text": "Failed", "color": "Attention", "weight": "Bolder"}
    assert [block["columns"][1]["items"][0]["inlines"] for block in blocks if block["type"] == "ColumnSet"][1] == [
        failed
    ]
    styles = {kind: teams.body(EVENTS[kind])["attachments"][0]["content"]["body"][0]["style"] for kind in NoticeType}
    assert styles[NoticeType.ROLLOUT_COMPLETED] == "good"
    assert styles[NoticeType.ROLLOUT_STALLED] == styles[NoticeType.LIMIT_NEAR] == "warning"
    assert styles[NoticeType.REGION_FAILED] == styles[NoticeType.PRUNE_REFUSED] == "attention"
    assert styles[NoticeType.ROLLOUT_STARTED] == styles[NoticeType.PLAN_REPORTED] == "emphasis"
