import json
from datetime import UTC, datetime
from io import StringIO

import pytest
from rich.console import Console

from bench.__main__ import main
from bench.publishes import Case, measure, writes_line
from bench.results import Clock, Line, Results
from bench.rig import Desk
from bench.table import number, table
from local.azurite import Azurite

LINES = [
    Line("publishes", "3 regions", "ARM writes", 2.0, 2.0, "the least", 1.0, "the least", met=True, runs=(2.0, 2.0)),
    Line("burst", "500 versions", "s", 200.0, 180.0, "budget", 0.9, "90 %", met=False, figures={"calls": 1234.0}),
    Line("throttled", "120 s", "s", 0.25, clock=Clock.SIMULATED, note="nobody waits"),
]


def test_table_says_it():
    """The table has each line with its figures, says plainly what is missed, and which seconds are simulated."""
    console = Console(width=220, file=StringIO())
    console.print(table(LINES))
    text = console.file.getvalue()
    for words in ("3 regions", "met", "MISSED", "calls 1,234", "simulated time", "nobody waits", "180"):
        assert words in text


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "-"), (3.0, "3"), (1234.5, "1,234"), (2.345, "2.35"), (0.12345, "0.123")]
)
def test_number(value, shown):
    """Numbers are as short as they can be said."""
    assert number(value) == shown


def test_results_file(tmp_path):
    """The file has the machine's load, and of each line what docs/performance.md names."""
    path = tmp_path / "results.json"
    load = {"before": (0.1, 0.2, 0.3), "after": (1.0, 1.0, 1.0)}
    Results(datetime(2026, 3, 2, 9, 0, tzinfo=UTC), 12.34, quick=True, load=load, lines=LINES).write(path)
    found = json.loads(path.read_text())
    assert found.keys() == {"schema", "began", "seconds", "quick", "machine", "lines"}
    assert (found["schema"], found["began"], found["seconds"]) == (1, "2026-03-02T09:00:00+00:00", 12.3)
    assert found["machine"].keys() == {"cores", "python", "load"}
    assert found["machine"]["load"]["before"] == [0.1, 0.2, 0.3]
    names = "row case measured figure floor floor_is ratio target met figures runs clock note"
    assert [list(line) for line in found["lines"]] == [names.split()] * 3
    assert found["lines"][2]["clock"] == "simulated"


def test_unknown_row_is_refused(capsys):
    """A row that there is not is refused, with the names of those that there are."""
    with pytest.raises(SystemExit):
        main(["--only", "speed"])
    said = capsys.readouterr().err
    assert "invalid choice: 'speed'" in said
    assert "publishes" in said


@pytest.mark.flow
def test_writes_of_a_publish(tmp_path):
    """A publish into three regions, with one older version, costs the least possible: two writes."""
    with Azurite(2) as azurite:
        found = measure(Desk(azurite, tmp_path, quick=True), [Case(3, 1)])
    line = writes_line(Case(3, 1), found)
    assert (line.figure, line.floor, line.met) == (2, 2, True)
    assert sorted(each.path.rpartition("/")[2] for each in found[0].requests if each.method == "PATCH") == [
        "1.0.0",
        "1.1.0",
    ]
    assert len(found[0].to_write) > 0
    assert found[0].executions > 0
