import json
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from local.azure import Pace
from tests.flows.clockwork import THREE, Clockwork
from tests.infra.kql import APP, INFRA, results
from tests.infra.logged import HOUR, MINUTE, POLICY, Line, lines_of, publish

WORKBOOK = json.loads((INFRA / "workbook.json").read_text())
MODULE = (INFRA / "modules" / "workbook.bicep").read_text()
QUERIES = {item["name"]: item["content"]["query"] for item in WORKBOOK["items"] if item["type"] == 3}
LOOKS = timedelta(minutes=10)
"""The longest pause between two looks: how much too long a duration may be."""


def _shown(name: str, lines: list[Line], clockwork: Clockwork, *, app: str = '"*"') -> list[dict[str, object]]:
    """Give what a part of the workbook shows."""
    query = QUERIES[name].replace("{App}", app).replace("{TimeRange:grain}", "30m")
    return results(query, lines=lines, now=clockwork.clock.at + MINUTE)


@pytest.fixture
def app(clockwork: Clockwork) -> Iterator[tuple[Clockwork, list[Line]]]:
    """The app with an older version everywhere, and what it logs."""
    clockwork.azure.add_version(clockwork.image, "1.0.2", regions=list(THREE))
    with lines_of(clockwork) as lines:
        clockwork.decide(POLICY)
        yield clockwork, lines


@pytest.mark.flow
def test_rollouts_and_durations(app):
    """Rollouts are shown with their states and lengths, and how long each region took, up to one look too long."""
    clockwork, lines = app
    clockwork.azure.set_behaviour(replicate_by_region={"eastus2": Pace.after(30 * 60)})
    publish(clockwork)
    clockwork.run(3 * HOUR)
    publish(clockwork, "1.0.4")
    clockwork.run(20 * MINUTE)

    shown = {row["Version"]: row for row in _shown("rollouts", lines, clockwork)}
    assert {version: row["State"] for version, row in shown.items()} == {"1.0.3": "complete", "1.0.4": "running"}
    assert 30 <= shown["1.0.3"]["Minutes"] <= 45
    assert (shown["1.0.3"]["Gallery"], shown["1.0.3"]["Image"]) == ("prodgallery", "ubuntu-2204")

    durations = {row["Region"]: row for row in _shown("durations", lines[: _end(lines)], clockwork)}
    took = {"eastus2": 30, "southeastasia": 20}
    assert durations.keys() == took.keys()
    assert all(minutes <= durations[name]["Median"] <= minutes + 10 for name, minutes in took.items())


def _end(lines: list[Line]) -> int:
    return next(number for number, line in enumerate(lines) if "1.0.4" in line.message)


@pytest.mark.flow
def test_failures_and_what_is_late(app):
    """A rollout that is late is told apart from those that ended, which say why: a newer one, or a deleted version."""
    clockwork, lines = app
    clockwork.decide(POLICY, ROLLOUT_DEADLINE="PT2H")
    clockwork.azure.set_behaviour(replicate=Pace.after(9 * 3600))
    publish(clockwork)
    clockwork.run(3 * HOUR)
    assert [row["State"] for row in _shown("rollouts", lines, clockwork)] == ["late"]
    publish(clockwork, "1.0.4")
    clockwork.run(HOUR)
    states = {row["Version"]: row["State"] for row in _shown("rollouts", lines, clockwork)}
    assert states == {"1.0.3": "ended: superseded by 1.0.4", "1.0.4": "running"}
    clockwork.azure.delete(clockwork.version("1.0.4"))
    clockwork.run(HOUR)
    states = {row["Version"]: row["State"] for row in _shown("rollouts", lines, clockwork)}
    assert states["1.0.4"] == "ended: 1.0.4 is gone"


@pytest.mark.flow
def test_throttling(app):
    """Messages that wait because Azure asks for it are counted by reason; those that wait for Azure's work are not."""
    clockwork, lines = app
    publish(clockwork)
    clockwork.azure.throttle(300, method="PATCH")
    clockwork.run(3 * HOUR)
    shown = {row["Why"] for row in _shown("throttling", lines, clockwork)}
    assert "Azure answered 429" in shown
    assert shown <= {"Azure answered 429", "a gate is closed"}
    assert any("is Updating" in line.message for line in lines)


@pytest.mark.flow
def test_writes(app):
    """Every write of the app is counted once, by what it was for."""
    clockwork, lines = app
    publish(clockwork)
    clockwork.run(3 * HOUR)
    shown = {row["Event"]: row["Writes"] for row in _shown("writes", lines, clockwork)}
    assert shown == {"replicate.written": 1, "prune.written": 1}
    assert sum(shown.values()) == len(clockwork.writes())


@pytest.mark.flow
def test_dead_letters_with_reasons(app):
    """Dead letters are listed with their reasons, until they are put back."""
    clockwork, lines = app
    clockwork.queues.put_text("watch", "nothing that anybody can read")
    clockwork.run(MINUTE)
    (row,) = _shown("dead-letters", lines, clockwork)
    assert (row["Queue"], row["State"]) == ("watch", "waits for somebody")
    assert row["Reason"]


@pytest.mark.flow
def test_one_app_of_several(app):
    """With one function app chosen, the lines of others are not counted."""
    clockwork, lines = app
    publish(clockwork)
    clockwork.run(HOUR)
    assert _shown("writes", lines, clockwork, app=f'"another","{APP}"')
    assert _shown("writes", lines, clockwork, app='"another"') == []


def test_it_is_a_workbook():
    """Every query of the workbook has a title, reads the workspace and the chosen time; names occur once."""
    names = [item["name"] for item in WORKBOOK["items"]]
    assert len(set(names)) == len(names)
    parts = [item["content"] for item in WORKBOOK["items"] if item["type"] == 3]
    assert all(part["title"] and part["timeContextFromParameter"] == "TimeRange" for part in parts)
    assert {part["resourceType"] for part in parts} == {"microsoft.operationalinsights/workspaces"}
    assert WORKBOOK["fallbackResourceIds"] == ["{workspace}"]


def test_parameters():
    """The module is called with exactly these parameters, and puts its workspace where the workbook wants one."""
    assert re.findall(r"^param (\w+) \w+$", MODULE, re.MULTILINE) == ["location", "tags", "name", "workspaceId"]
    assert "replace(loadTextContent('../workbook.json'), '{workspace}', workspaceId)" in MODULE
