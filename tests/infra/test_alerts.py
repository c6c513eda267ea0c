import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from isodate import parse_duration

from local.azure import Pace
from local.outage import Outside, unreachable
from tests.flows.clockwork import HOME, THREE, Clockwork
from tests.infra import bicep
from tests.infra.kql import APP, COMPONENT, INFRA, bicep_text, results
from tests.infra.logged import HOUR, MINUTE, POLICY, Line, lines_of, post, publish

ROOT = Path(__file__).parents[2]
ALERTS = (INFRA / "modules" / "alerts.bicep").read_text()
EVENT_ALERTS = (INFRA / "modules" / "alerts-events.bicep").read_text()
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
START = datetime.fromisoformat("2026-03-02T09:00:00+00:00")
LATENCY = timedelta(seconds=1)


@dataclass(frozen=True)
class Rule:
    """An alert as the template has it."""

    key: str
    title: str
    query: str = ""
    window: str = ""
    threshold: str = ""

    @property
    def limit(self) -> int:
        """The threshold; the default of a parameter where it is one."""
        if self.threshold.isdecimal():
            return int(self.threshold)
        found = re.search(rf"^param {self.threshold} int = (\d+)$", ALERTS, re.MULTILINE)
        assert found
        return int(found[1])


def _rules(text: str) -> list[Rule]:
    blocks = re.findall(r"^  \{\n(    key: .*?)\n  \}$", text, re.MULTILINE | re.DOTALL)
    named = [dict(re.findall(r"^    (\w+): '?([^'\n]*)'?$", block, re.MULTILINE)) for block in blocks]
    return [Rule(**{name: each[name] for name in Rule.__dataclass_fields__ if name in each}) for each in named]


RULES = {rule.key: rule for rule in _rules(ALERTS)}


def _query(rule: Rule, period: str = "1h") -> str:
    """Give the query of a rule, with what the template puts into it."""
    ours = re.search(r"^var only = '([^']*)'$", ALERTS, re.MULTILINE)
    assert ours
    filled = ours[1].replace("{component}", COMPONENT).replace("{app}", APP)
    text = bicep_text(ALERTS, rule.query).replace("{lines}", bicep_text(ALERTS, "lines").strip())
    text = text.replace("{ours}", filled).replace("{period}", period)
    assert "{" not in text
    return text


def _firing(key: str, lines: list[Line], now: datetime, *, period: str = "1h") -> dict[str, float]:
    """Evaluate a rule as Azure would: give what it fires for, with the value of each."""
    rule = RULES[key]
    seen = [line for line in lines if now - parse_duration(rule.window) < line.at]
    rows = results(_query(rule, period), lines=seen, now=now + LATENCY)
    return {row["Of"].rpartition("/")[2]: row["Value"] for row in rows if row["Value"] > rule.limit}


@pytest.fixture
def app(clockwork: Clockwork) -> Iterator[tuple[Clockwork, list[Line]]]:
    """The app with two older versions everywhere, and what it logs."""
    for older in ("1.0.1", "1.0.2"):
        clockwork.azure.add_version(clockwork.image, older, regions=list(THREE))
    clockwork.decide(POLICY)
    with lines_of(clockwork) as lines:
        yield clockwork, lines


@pytest.mark.flow
def test_a_good_day_is_quiet(app):
    """While versions come and everything works, with a sweep per hour, no alert fires at any time of the day."""
    clockwork, lines = app
    clockwork.sweep()
    publish(clockwork)
    for hour in range(24):
        clockwork.run(HOUR)
        clockwork.sweep()
        clockwork.run(MINUTE)
        if hour % 8 > 1:
            continue
        now = clockwork.clock.at
        assert {key: _firing(key, lines, now) for key in RULES if key != "function-failures"} == {
            "dead-letters": {},
            "oldest-message": {},
            "no-sweep": {},
            "rollout-stalled": {},
        }
    assert clockwork.complete_in("1.0.3", THREE)


@pytest.mark.flow
def test_dead_letters(app):
    """A dead letter fires for its queue, once however often it is told of, and no more when it was put back."""
    clockwork, lines = app
    for _ in range(2):
        clockwork.queues.put_text("prune", "no message of ours")
    clockwork.run(MINUTE)
    assert _firing("dead-letters", lines, clockwork.clock.at) == {"prune": 2}
    lines.extend(line for line in list(lines) if line.event == "message.dead-lettered")
    assert _firing("dead-letters", lines, clockwork.clock.at) == {"prune": 2}

    clockwork.pass_time(HOUR)
    post(clockwork, "replay_dead_letters", queue="prune")
    clockwork.queues.waiting.clear()
    clockwork.pass_time(MINUTE)
    assert _firing("dead-letters", lines, clockwork.clock.at) == {}


@pytest.mark.flow
@pytest.mark.parametrize("ask", ["event", "button"])
def test_a_message_that_nobody_takes(app, ask):
    """An event or a wish whose pass does not come within half an hour fires with its age, until the pass comes."""
    clockwork, lines = app
    clockwork.azure.publish(clockwork.image, "1.0.3", home=HOME)
    clockwork.pass_time(10 * MINUTE)
    if ask == "event":
        clockwork.event("1.0.3")
    else:
        post(clockwork, "ask_for_a_pass")
    clockwork.pass_time(30 * MINUTE)
    assert _firing("oldest-message", lines, clockwork.clock.at) == {}
    clockwork.pass_time(15 * MINUTE)
    assert _firing("oldest-message", lines, clockwork.clock.at) == {"ubuntu-2204": 45}
    clockwork.run(MINUTE)
    assert _firing("oldest-message", lines, clockwork.clock.at) == {}


@pytest.mark.flow
def test_a_sweep_that_nobody_heeds(app):
    """A sweep without a pass after it fires for its gallery: the queue is read by nobody."""
    clockwork, lines = app
    clockwork.sweep()
    clockwork.pass_time(45 * MINUTE)
    assert _firing("oldest-message", lines, clockwork.clock.at) == {"prodgallery": 45}
    clockwork.run(MINUTE)
    assert _firing("oldest-message", lines, clockwork.clock.at) == {}


@pytest.mark.flow
def test_a_message_that_is_taken_late(app):
    """A message of any queue that was due 45 minutes before it was taken fires for its queue, for half an hour."""
    clockwork, lines = app
    clockwork.azure.publish(clockwork.image, "1.0.3", home=HOME)
    clockwork.pass_time(10 * MINUTE)
    clockwork.event("1.0.3")
    clockwork.run(6 * MINUTE)  # the messages of other regions have come and gone
    (look,) = clockwork.queues.waiting
    clockwork.pass_time(look.due + 45 * MINUTE - clockwork.clock.at)
    clockwork.run(MINUTE)
    assert _firing("oldest-message", lines, clockwork.clock.at) == {"watch": 45}
    clockwork.run(31 * MINUTE)
    assert _firing("oldest-message", lines, clockwork.clock.at) == {}


@pytest.mark.flow
def test_a_definition_that_is_gone_is_no_old_message(app):
    """A pass over an image definition that is gone, or is managed no more, answers what asked for it, too."""
    clockwork, lines = app
    post(clockwork, "ask_for_a_pass")
    clockwork.decide(POLICY, GALLERIES=clockwork.gallery.replace("prodgallery", "another"))
    clockwork.run(HOUR)
    assert any(line.event == "reconcile.dropped" for line in lines)
    assert _firing("oldest-message", lines, clockwork.clock.at) == {}


def test_function_failures():
    """A run that failed fires, by its function; an answer to somebody who asked for nonsense does not."""
    runs = [("watch", False, "0"), ("watch", False, "0"), ("prune", True, "0"), ("status", False, "404")]
    rows = results(_query(RULES["function-failures"]), runs=runs, now=START)
    assert rows == [{"Of": "watch", "Value": 2}]
    rows = results(_query(RULES["function-failures"]), runs=[("status", False, "500")], now=START)
    assert rows == [{"Of": "status", "Value": 1}]


@pytest.mark.flow
@pytest.mark.parametrize(("schedule", "period"), [("15m", 15 * MINUTE), ("1h", HOUR), ("1d", 24 * HOUR)])
def test_no_sweep(app, schedule, period):
    """Two periods without a sweep fire, also when there never was one; the next sweep ends it."""
    clockwork, lines = app
    assert _firing("no-sweep", lines, START, period=schedule) == {"any gallery": 1}
    clockwork.sweep()
    clockwork.pass_time(2 * period - MINUTE)
    assert _firing("no-sweep", lines, clockwork.clock.at, period=schedule) == {}
    clockwork.pass_time(2 * MINUTE)
    assert "any gallery" in _firing("no-sweep", lines, clockwork.clock.at, period=schedule)
    clockwork.sweep()
    assert _firing("no-sweep", lines, clockwork.clock.at, period=schedule) == {}


@pytest.mark.flow
def test_a_sweep_that_cannot_list(app):
    """A sweep that could not list a gallery is none, for that gallery; one of two that was swept is quiet."""
    clockwork, lines = app
    other = clockwork.azure.add_gallery("othergallery")
    clockwork.decide(POLICY, GALLERIES=f"{clockwork.gallery} {other}")
    clockwork.sweep()
    with Outside() as outside:
        outside.trouble(lambda call: "othergallery" in call.path, unreachable)
        for _ in range(3):
            clockwork.pass_time(HOUR)
            clockwork.sweep()
    assert _firing("no-sweep", lines, clockwork.clock.at) == {"othergallery": 1}
    clockwork.decide(POLICY)
    clockwork.pass_time(HOUR)
    clockwork.sweep()
    assert _firing("no-sweep", lines, clockwork.clock.at) == {}


@pytest.mark.flow
@pytest.mark.parametrize("end", ["complete", "superseded", "deleted"])
def test_rollout_stalled(app, end):
    """A rollout that is late fires for its version, until that is complete, deleted, or superseded by a newer one."""
    clockwork, lines = app
    clockwork.azure.set_behaviour(replicate=Pace.after(6 * 3600))
    clockwork.decide(POLICY, ROLLOUT_DEADLINE="PT2H")
    publish(clockwork)
    clockwork.run(HOUR)
    assert _firing("rollout-stalled", lines, clockwork.clock.at) == {}
    clockwork.run(3 * HOUR)
    assert _firing("rollout-stalled", lines, clockwork.clock.at) == {"1.0.3": 1}
    if end == "superseded":
        clockwork.azure.set_behaviour(replicate=Pace.after(60))
        publish(clockwork, "1.0.4")
    elif end == "deleted":
        clockwork.azure.delete(clockwork.version("1.0.3"))
    clockwork.run(6 * HOUR)
    assert _firing("rollout-stalled", lines, clockwork.clock.at) == {}


@pytest.mark.flow
def test_a_rollout_that_is_stalled_for_days(app):
    """A rollout that was announced as late longer ago than the rule looks back fires as long as looks find it late."""
    clockwork, lines = app
    clockwork.azure.set_behaviour(replicate_by_region={"eastus2": Pace.after(60 * 3600)})
    clockwork.decide(POLICY, ROLLOUT_DEADLINE="PT2H")
    publish(clockwork)
    clockwork.run(3 * HOUR)
    (told,) = (line.at for line in lines if "type=rollout.stalled" in line.message)
    while clockwork.clock.at - told < parse_duration(RULES["rollout-stalled"].window):
        assert _firing("rollout-stalled", lines, clockwork.clock.at) == {"1.0.3": 1}
        clockwork.run(12 * HOUR)
    assert _firing("rollout-stalled", lines, clockwork.clock.at) == {"1.0.3": 1}
    clockwork.run(12 * HOUR)
    assert clockwork.complete_in("1.0.3", THREE)
    assert _firing("rollout-stalled", lines, clockwork.clock.at) == {}


@pytest.mark.flow
def test_a_rollout_that_cannot_begin_for_days(app):
    """A rollout that somebody's write does not let begin fires as long as sweeps find it so."""
    clockwork, lines = app
    clockwork.azure.set_behaviour(update=Pace.after(80 * 3600))
    clockwork.decide(POLICY, ROLLOUT_DEADLINE="PT2H", WATCH_INTERVAL="PT15S..PT1H")
    clockwork.azure.add_version(clockwork.image, "1.0.3", regions=[HOME])
    clockwork.azure.update(clockwork.version("1.0.3"), lambda version: version)
    clockwork.event("1.0.3")
    for _ in range(60):
        clockwork.sweep()
        clockwork.run(HOUR)
    assert _firing("rollout-stalled", lines, clockwork.clock.at) == {"1.0.3": 1}


@pytest.mark.flow
def test_a_late_wave_that_is_over(app):
    """A wave that was late and is complete fires no more, also while the next one is still to come."""
    clockwork, lines = app
    clockwork.azure.set_behaviour(replicate_by_region={"eastus2": Pace.after(4 * 3600)})
    clockwork.decide("westeurope eastus2; southeastasia", ROLLOUT_DEADLINE="PT2H", WAVE_BAKE="PT12H")
    publish(clockwork)
    clockwork.run(3 * HOUR)
    assert _firing("rollout-stalled", lines, clockwork.clock.at) == {"1.0.3": 1}
    clockwork.run(3 * HOUR)
    assert _firing("rollout-stalled", lines, clockwork.clock.at) == {}
    assert "southeastasia" not in clockwork.regions("1.0.3")


@pytest.mark.flow
def test_a_late_rollout_that_waits_for_a_pass(app):
    """A rollout that is late fires on while a region, which somebody took out, is still to be asked for again."""
    clockwork, lines = app
    clockwork.azure.set_behaviour(replicate_by_region={"eastus2": Pace.after(90 * 3600)})
    clockwork.decide(POLICY, ROLLOUT_DEADLINE="PT2H")
    publish(clockwork)
    clockwork.run(3 * HOUR)
    clockwork.azure.set_behaviour(update=Pace.after(90 * 3600))
    clockwork.azure.update(clockwork.version("1.0.3"), _without("eastus2"))
    clockwork.run(3 * HOUR)
    (last,) = [line.message for line in lines if line.event == "watch.looked"][-1:]
    assert last.endswith("waiting='' failed='' later='' late=''")
    assert _firing("rollout-stalled", lines, clockwork.clock.at) == {"1.0.3": 1}


def _without(region: str) -> Callable[[dict[str, Any]], None]:
    def edit(version: dict[str, Any]) -> None:
        profile = version["properties"]["publishingProfile"]
        plain = [each for each in profile["targetRegions"] if each["name"].replace(" ", "").lower() != region]
        profile["targetRegions"] = plain
        version["properties"]["safetyProfile"]["allowDeletionOfReplicatedLocations"] = True

    return edit


def test_events_exist():
    """Every event that a query names is one that the code logs, and every status is one that it announces."""
    sources = "".join(path.read_text() for path in ROOT.glob("handlers/*.py"))
    logged = set(re.findall(r'\b(?:note|warn)\(\s*"([a-z.-]+)"', sources))
    notices = set(re.findall(r'= "([a-z]+\.[a-z-]+)"', (ROOT / "shared/core/notice_type.py").read_text()))
    named = set(re.findall(r'"([a-z]+(?:-[a-z]+)*(?:\.[a-z-]+)|announced)"', "".join(_queries())))
    assert named
    assert named <= logged | notices


def _queries() -> list[str]:
    return [bicep_text(ALERTS, rule.query) for rule in RULES.values()]


def test_only_our_lines_are_read():
    """A line of another app in the same workspace, or of another component, is not looked at."""
    line = Line(START, "message.dead-lettered queue=prune message=x reason=y")
    query = _query(RULES["dead-letters"])
    assert len(results(query, lines=[line], now=START)) == 1
    assert results(query.replace(f'"{APP}"', '"another"'), lines=[line], now=START) == []
    assert results(query.replace(COMPONENT, COMPONENT + "2"), lines=[line], now=START) == []
    assert results(query, lines=[replace(line, message="x " + line.message)], now=START) == []


def _all_rules() -> list[Rule]:
    single = re.findall(r"name: '\$\{name\}-([a-z-]+)'.*?docs/runbook.md, \"([^\"]+)\"", ALERTS, re.DOTALL)
    return [*RULES.values(), *(Rule(*each) for each in single if "$" not in each[1]), *_rules(EVENT_ALERTS)]


METRICS = {
    "event-delivery-failures": ("Microsoft.EventGrid/systemTopics", "DeliveryAttemptFailCount", "Total"),
    "event-dead-letters": ("Microsoft.EventGrid/systemTopics", "DeadLetteredCount", "Total"),
    "events-dropped": ("Microsoft.EventGrid/systemTopics", "DroppedEventCount", "Total"),
    "queue-backlog": ("Microsoft.Storage/storageAccounts/queueServices", "QueueMessageCount", "Average"),
}
"""Documented by Azure's list of metrics; one that does not exist never fires."""


def test_metrics_are_those_of_azure():
    """Each alert on a metric reads one that Azure has, under its name, and adds it up as that metric wants."""
    backlog = _alerts("alerts.bicep")["queueBacklog"].value
    each = _alerts("alerts-events.bicep")["metricAlerts"].value
    rules = bicep.read(INFRA / "modules" / "alerts-events.bicep").of("variable")["rules"].value
    assert (each["name"].text, backlog["name"].text) == ("'${name}-${rule.key}'", "'${name}-queue-backlog'")
    assert _metric(each)[1].text == "rule.metric"
    namespace, _, total = _metric(each)
    found = {rule["key"]: (namespace, rule["metric"], total) for rule in rules}
    assert found | {"queue-backlog": _metric(backlog)} == METRICS


def test_each_alert_tells_the_action_groups():
    """Every alert, of each kind, tells the action groups that are given, and those are given to both modules."""
    alerts = _alerts("alerts.bicep") | _alerts("alerts-events.bicep")
    told = {name: each.value["properties"]["actions"] for name, each in alerts.items()}
    assert told.keys() == {"logAlerts", "queueBacklog", "metricAlerts"}
    assert told["logAlerts"]["actionGroups"].text == "actionGroupIds"
    groups = "[ for id in actionGroupIds: { actionGroupId: id } ]"
    assert {" ".join(told[name].text.split()) for name in ("queueBacklog", "metricAlerts")} == {groups}
    for caller in (bicep.MAIN, bicep.EVENTS):
        assert bicep.read(caller).of("module")["alerts"].value["params"]["actionGroupIds"].text == "actionGroupIds"


def _alerts(name: str) -> dict[str, bicep.Declaration]:
    return bicep.read(INFRA / "modules" / name).of("resource")


def _metric(alert: dict[str, Any]) -> tuple[Any, Any, Any]:
    (criterion,) = alert["properties"]["criteria"]["allOf"]
    return criterion["metricNamespace"], criterion["metricName"], criterion["timeAggregation"]


def test_each_alert_is_in_the_runbook():
    """Every alert has a section of its name in the runbook, in the order of the templates, and nothing else has."""
    section = RUNBOOK.split("\n## The alerts\n")[1].split("\n## ", maxsplit=1)[0]
    named = re.findall(r"^### (.+) \(`([a-z-]+)`\)$", section, re.MULTILINE)
    assert named == [(rule.title, rule.key) for rule in _all_rules()]
    parts = re.findall(r"^### [^\n]+ \(`.*?(?=^### |\Z)", section, re.MULTILINE | re.DOTALL)
    assert len(parts) == len(named)
    assert all(part.count(f"\n**{word}**") == 1 for part in parts for word in ("Means", "Look", "Do"))


def test_the_runbook_names_the_thresholds():
    """The runbook's table of what may be tuned has every parameter with a default, and its value."""
    defaults = re.findall(r"^param (\w+) \w+ = (\S+)$", ALERTS + EVENT_ALERTS, re.MULTILINE)
    table = re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", RUNBOOK, re.MULTILINE)
    assert table == defaults


@pytest.mark.parametrize(
    ("module", "wanted"),
    [
        (
            ALERTS,
            "location tags name appInsightsId workspaceId storageAccountId functionAppId sweepPeriod actionGroupIds",
        ),
        (EVENT_ALERTS, "tags name systemTopicId actionGroupIds"),
    ],
)
def test_parameters(module, wanted):
    """The modules are called with exactly these parameters, and each is used."""
    assert re.findall(r"^param (\w+) \w+$", module, re.MULTILINE) == wanted.split()
    names = re.findall(r"^param (\w+) ", module, re.MULTILINE)
    assert all(len(re.findall(rf"\b{name}\b", module)) > 1 for name in names)
