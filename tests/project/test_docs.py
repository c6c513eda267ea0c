import json
import re
from pathlib import Path

import pytest
from azure.eventgrid import SystemEventNames

from local.host.config import apply_settings
from shared.core.events import EVENT_TYPES
from shared.core.messages import Queue
from shared.core.notice_type import NoticeType
from shared.core.tags import KEEP_LATEST_TAG, REGIONS_TAG
from shared.settings import SETTINGS, load

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
FLOW = (ROOT / "docs" / "flow.md").read_text()


def _table(text: str, title: str) -> dict[str, str]:
    """First two columns of the table below a title."""
    section = text.split(f"\n## {title}\n")[1].split("\n## ", maxsplit=1)[0]
    rows = re.findall(r"^\| `([^`]+)` \| ([^|]+) \|", section, re.MULTILINE)
    return {name: value.strip().strip("`") for name, value in rows}


def test_settings_table_is_the_code():
    """The README's table has every setting, in the code's order, with the code's default."""
    words = {"required": None, "the version's own": "", "none": ""}
    table = {name: words.get(value, value) for name, value in _table(README, "Settings").items()}
    assert list(table.items()) == [(name, setting.default) for name, setting in SETTINGS.items()]


def test_tags_are_listed():
    """The README lists the tags by which image owners tune, with the settings whose syntax they have."""
    tags = _table(README, "Tuning one image definition")
    assert tags == {REGIONS_TAG: "as `TARGET_REGIONS", KEEP_LATEST_TAG: "as `KEEP_LATEST"}


def test_host_numbers_are_explained():
    """Every number of host.json stands in docs/flow.md with its value and a reason."""
    host = json.loads((ROOT / "host.json").read_text())
    numbers = {"functionTimeout": host["functionTimeout"], **host["extensions"]["queues"]}
    assert _table(FLOW, "The numbers in host.json") == {name: str(value) for name, value in numbers.items()}


def test_statuses_are_listed():
    """The README lists every status that the code can post."""
    assert all(f"`{each}`" in README for each in NoticeType)


def test_queues_are_in_the_picture():
    """Every queue is in the README's picture."""
    assert all(f"[{queue}]" in README for queue in Queue)


def test_sample_settings_load():
    """The sample of local.settings.json is what the host and the app can read."""
    environment: dict[str, str] = {}
    apply_settings(ROOT / "local.settings.sample.json", environment)
    settings = load(environment)
    assert len(settings.policy.regions) == 3


@pytest.mark.parametrize("path", [*sorted(ROOT.glob("docs/**/*.md")), ROOT / "README.md"], ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    """Every relative link in the documents leads to a file, and every file named in backticks exists."""
    text = path.read_text()
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    assert not [link for link in links if not (path.parent / link).exists()]
    named = re.findall(r"`((?:handlers|shared|local)/[\w./]+)`", text)
    assert not [name for name in named if not (ROOT / name).exists()]


def test_the_readme_shows_it():
    """The README shows the page, a card in Teams and the terminal, by pictures that tests make: `make pictures`."""
    shown = re.findall(r"^!\[[^]]{20,}\]\((docs/pictures/[^)]+)\)$", README, re.MULTILINE)
    assert sorted(shown) == [f"docs/pictures/{name}" for name in ("plan.svg", "status.png", "teams-card.png")]
    drawn = re.search(r"^pictures:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert drawn
    for each in shown:
        assert (ROOT / each).stat().st_size > 1_000
        assert Path(each).stem in drawn[1]


def test_event_types_are_the_sdks():
    """The event types that we take are spelled as the Event Grid SDK spells them."""
    names = (
        SystemEventNames.ResourceWriteSuccessEventName,
        SystemEventNames.ResourceWriteFailureEventName,
        SystemEventNames.ResourceDeleteSuccessEventName,
    )
    assert {str(name.value) for name in names} == EVENT_TYPES
