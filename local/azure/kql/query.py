"""Queries: a table, and operators that each make another one of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from local.azure.kql.expressions import Expressions
from local.azure.kql.tokens import Tokens
from local.azure.kql.values import Expression, InvalidQuery, Kind, Row


@dataclass(frozen=True, slots=True)
class Table:
    """Columns with their types, and rows."""

    columns: Mapping[str, Kind]
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Result:
    """What a query has found; `pageable` says whether Resource Graph could give it in pages."""

    rows: Sequence[Row]
    pageable: bool


@dataclass(frozen=True, slots=True)
class _Step:
    """A table on its way through the operators."""

    columns: Mapping[str, Kind]
    rows: Sequence[Row]
    limited: bool = False


def run(query: str, tables: Mapping[str, Table]) -> Result:
    """Run a query over tables, which are named in lower case here and in any case in the query.

    Raises InvalidQuery for anything that is wrong or not known.
    """
    tokens = Tokens(query)
    name = tokens.take_of("name")
    if name.lower() not in tables:
        raise InvalidQuery(f"The table '{name}' is not known, or not simulated.")
    table = tables[name.lower()]
    step = _Step(table.columns, table.rows)
    while tokens.accept("|"):
        step = _operator(tokens)(tokens, step)
    if tokens.next.kind != "end":
        raise tokens.unexpected()
    # There are no pages after limit and take, nor when every column is dynamic (documented).
    return Result(step.rows, pageable=not step.limited and set(step.columns.values()) != {Kind.DYNAMIC})


def _operator(tokens: Tokens) -> "_Operator":
    name = tokens.take_of("name")
    if name not in _OPERATORS:
        raise InvalidQuery(f"The operator '{name}' is not known, or not simulated.")
    return _OPERATORS[name]


def _where(tokens: Tokens, step: _Step) -> _Step:
    """Keep the rows in which the condition is true: null is as good as false (documented)."""
    condition = Expressions(tokens, step.columns).read()
    condition.must_be(Kind.BOOL)
    return replace(step, rows=[row for row in step.rows if condition.value(row)])


def _extend(tokens: Tokens, step: _Step) -> _Step:
    """Add columns, or replace them; none sees another one of the same operator."""
    added = _assignments(tokens, step)
    columns = {**step.columns, **{name: each.kind for name, each in added.items()}}
    rows = [{**row, **{name: each.value(row) for name, each in added.items()}} for row in step.rows]
    return replace(step, columns=columns, rows=rows)


def _project(tokens: Tokens, step: _Step) -> _Step:
    """Keep the given columns only, in the given order."""
    kept = _assignments(tokens, step)
    columns = {name: each.kind for name, each in kept.items()}
    return replace(step, columns=columns, rows=[{name: e.value(row) for name, e in kept.items()} for row in step.rows])


def _order(tokens: Tokens, step: _Step) -> _Step:
    """Sort by one or more texts, from high to low unless told otherwise (documented)."""
    tokens.expect("by")
    keys = [_sort_key(tokens, step)]
    while tokens.accept(","):
        keys.append(_sort_key(tokens, step))
    rows = list(step.rows)
    for key, descending in reversed(keys):
        rows.sort(key=key.value, reverse=descending)
    return replace(step, rows=rows)


def _sort_key(tokens: Tokens, step: _Step) -> tuple[Expression, bool]:
    """Read what to sort by, and whether from high to low. A dynamic value cannot be sorted by (documented)."""
    key = Expressions(tokens, step.columns).read()
    key.must_be(Kind.STRING)
    return key, tokens.accept("desc") or not tokens.accept("asc")


def _limit(tokens: Tokens, step: _Step) -> _Step:
    return replace(step, rows=step.rows[: int(tokens.take_of("number"))], limited=True)


def _assignments(tokens: Tokens, step: _Step) -> dict[str, Expression]:
    """Read `name = expression`, or a path alone, one or more times; no name may come twice."""
    found: dict[str, Expression] = {}
    while not found or tokens.accept(","):
        given = tokens.take_of("name") if tokens.follows("=") else None
        if given is not None:
            tokens.expect("=")
        expression = Expressions(tokens, step.columns).read()
        name = given or expression.name
        if name is None:
            raise InvalidQuery("A column without a name is not simulated.")
        if name in found:
            raise InvalidQuery(f"A column with name '{name}' already exists.")
        found[name] = expression
    return found


type _Operator = Callable[[Tokens, _Step], _Step]

_OPERATORS: Final[dict[str, _Operator]] = {
    "where": _where,
    "extend": _extend,
    "project": _project,
    "order": _order,
    "limit": _limit,
    "take": _limit,
}
