import json
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from local.azure import Behaviour, Pace, SimulatedAzure
from local.outage import Outside
from shared.core.messages import Queue
from tests.flows.clockwork import Clock, Clockwork
from tests.infra.counted import Counting, Counts
from tests.infra.test_alerts import ALERTS, EVENT_ALERTS

ROOT = Path(__file__).parents[2]
DOC = (ROOT / "docs" / "cost.md").read_text()
VOLUMES = (10, 1_000, 10_000)
ROWS = {
    "executions": "executions",
    "queue operations": "queue",
    "table operations": "table",
    "calls to Azure Resource Manager": "arm",
    "statuses posted": "posts",
    "events delivered": "events",
    "lines of the log": "log_lines",
}
"""The rows of the counted table, and what is counted for each."""

MINUTE = 60


def _table(title: str) -> dict[str, list[str]]:
    """Give the rows of the table below a title, by their first cell."""
    section = DOC.split(f"\n## {title}\n")[1].split("\n## ", maxsplit=1)[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]
    return {name: cells for name, *cells in rows[2:]}


def _number(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


@pytest.fixture
def counting(storage: str) -> Iterator[Counting]:
    """The app at the pace of the real Azure; every call that it makes is seen."""
    pace = {"create": Pace.after(10 * MINUTE), "update": Pace.after(5 * MINUTE), "replicate": Pace.after(20 * MINUTE)}
    clock = Clock()
    with ExitStack() as stack:
        azure = stack.enter_context(SimulatedAzure(behaviour=Behaviour(**pace), clock=clock))
        clockwork = Clockwork(azure, clock, storage, outside=stack.enter_context(Outside()))
        yield Counting(azure, clockwork)


@pytest.mark.flow
def test_counted(counting):
    """What a publish and a sweep take is what the document says, number by number, give or take a tenth."""
    publish, one, two = counting.publish(), counting.sweep(), counting.sweep_with_another()
    counted = {
        row: [_of(publish, name), 2 * _of(one, name) - _of(two, name), _of(two, name) - _of(one, name)]
        for row, name in ROWS.items()
    }
    told = {row: [int(cell) for cell in cells] for row, cells in _table("Counted").items()}
    assert counted == {row: pytest.approx(cells, rel=0.1) for row, cells in told.items()}


def _of(counts: Counts, name: str) -> int:
    number = getattr(counts, name)
    assert isinstance(number, int)
    return number


def test_assumptions_that_the_repository_knows():
    """Where an assumption is a number of this repository, it is that number."""
    assumed = {name: cells[0] for name, cells in _table("Assumed").items()}
    host = json.loads((ROOT / "host.json").read_text())["extensions"]["queues"]
    memory = re.search(r"^param instanceMemoryMB int = (\d+)$", (ROOT / "infra/main.bicep").read_text(), re.MULTILINE)
    assert memory
    known = {
        "queues that are polled": 2 * len(Queue),
        "seconds between two polls": int(host["maxPollingInterval"].rpartition(":")[2]),
        "memory of an instance, GB": int(memory[1]) // 1024,
        "log alerts": ALERTS.count("    every: 'PT15M'"),
        "metric alerts": ALERTS.count("@2018-03-01'") + EVENT_ALERTS.count("    metric: "),
    }
    assert {name: int(assumed[name]) for name in known} == known


def _month(publishes: int) -> dict[str, Decimal]:
    """Work a month out from the first three tables."""
    each, gallery, image = (
        {row: _number(cells[place]) for row, cells in _table("Counted").items()} for place in range(3)
    )
    assumed = {name: _number(cells[0]) for name, cells in _table("Assumed").items()}
    price = {name: _number(cells[0]) / _number(cells[1]) for name, cells in _table("Prices").items()}

    def done(row: str) -> Decimal:
        swept = gallery[row] + assumed["image definitions"] * image[row]
        return publishes * each[row] + assumed["sweeps a month"] * swept

    waits = publishes * assumed["executions more for a publish"]
    runs = done("executions") + waits
    busy = runs * assumed["seconds billed for an execution"] * assumed["memory of an instance, GB"]
    lines = done("lines of the log") + waits + runs * assumed["lines of the host for an execution"]
    seconds = Decimal(730 * 3600)
    polls = assumed["queues that are polled"] * seconds / assumed["seconds between two polls"]
    return {
        "executions": runs * price["executions"],
        "execution time": busy * price["GB-seconds"],
        "queues": (done("queue operations") + 3 * waits) * price["queue operations"],
        "polling": polls * price["queue operations"],
        "table": done("table operations") * price["table operations"],
        "log": lines * assumed["KB of a line in the workspace"] / 1_000_000 * price["GB of log"],
        "events": done("events delivered") * price["event operations"],
        "alerts": assumed["log alerts"] * price["log alert at 15 minutes"]
        + assumed["metric alerts"] * price["metric alert"],
    }


def _cents(amount: Decimal) -> str:
    return f"{amount.quantize(Decimal('0.01'), ROUND_HALF_UP):,}"


def month_table() -> list[str]:
    """Give the rows of the last table, as they should be; for who changes a price."""
    months: list[Mapping[str, Decimal]] = [_month(volume) for volume in VOLUMES]
    rows = [f"| {name} | {' | '.join(_cents(month[name]) for month in months)} |" for name in months[0]]
    return [*rows, f"| **all** | {' | '.join(f'**{_cents(sum(month.values(), Decimal()))}**' for month in months)} |"]


def test_a_month_is_worked_out():
    """The last table follows from the counted figures, the assumptions and the prices, whatever these are."""
    section = DOC.split("\n## A month\n")[1]
    assert f"| a month | {' | '.join(f'{volume:,}' for volume in VOLUMES)} |" in section
    assert [line for line in section.splitlines() if line.startswith("| ")][1:] == month_table()
