"""The queries of the templates, run by an implementation of KQL that needs no Azure."""

import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import duckdb_kql

from tests.infra.logged import Line

INFRA = Path(__file__).parents[2] / "infra"
COMPONENT = (
    "/subscriptions/0/resourceGroups/fanout/providers/Microsoft.Insights/components/fanout"  # as Bicep writes ids
)
APP = "fanout-app"
_NOW = re.compile(r"\bnow\(\)")
_AGO = re.compile(r"\bago\(((?:[^()]|\([^()]*\))*)\)")


def bicep_text(text: str, name: str) -> str:
    """Give the multi-line string of a variable in a Bicep file."""
    found = re.search(rf"^var {name} = '''\n(.*?)'''$", text, re.MULTILINE | re.DOTALL)
    assert found, f"no variable {name}"
    return found[1]


def results(query: str, *, lines: Iterable[Line] = (), runs: Iterable[tuple[Any, ...]] = (), now: datetime) -> Any:
    """Run a query, at a time, over lines of the log and runs of functions; give its rows by the names of columns.

    :param runs: function, whether it succeeded, result code.
    """
    with duckdb_kql.connect() as connection:
        _tables(connection, lines, runs, now)
        moment = f"datetime({now.isoformat()})"
        told = _NOW.sub(moment, _AGO.sub(rf"({moment} - (\1))", query))
        found = duckdb_kql.query(connection, told)
        return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def _tables(connection: duckdb.DuckDBPyConnection, lines: Iterable[Line], runs: Iterable[Any], now: datetime) -> None:
    more = "_ResourceId VARCHAR, AppRoleName VARCHAR"
    connection.execute(f"CREATE TABLE AppTraces (TimeGenerated TIMESTAMP, Message VARCHAR, {more})")
    connection.execute(
        "CREATE TABLE AppRequests"
        f" (TimeGenerated TIMESTAMP, OperationName VARCHAR, Success BOOLEAN, ResultCode VARCHAR, ItemCount INT, {more})"
    )
    for line in lines:
        if line.at <= now:
            row = [line.at.replace(tzinfo=None), line.message, COMPONENT.lower(), APP]
            connection.execute("INSERT INTO AppTraces VALUES (?, ?, ?, ?)", row)
    for function, success, code in runs:
        row = [now.replace(tzinfo=None), function, success, code, 1, COMPONENT.lower(), APP]
        connection.execute("INSERT INTO AppRequests VALUES (?, ?, ?, ?, ?, ?, ?)", row)
