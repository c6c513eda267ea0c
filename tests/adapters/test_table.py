"""Rows that are changed by read, compute, and write only if nobody wrote in between."""

from collections.abc import Iterator

import pytest

from local.outage import Call, Outside
from shared.adapters.table import Table, Values
from shared.settings import Storage

KEY = ("partition", "row")


@pytest.fixture
def tables(storage: str) -> tuple[Table, Table]:
    """The same table in two processes."""
    mine, theirs = (Table("rows", Storage(connection_string=storage), None) for _ in range(2))
    return mine, theirs


@pytest.fixture
def calls() -> Iterator[list[Call]]:
    """What leaves this process."""
    with Outside() as outside:
        yield outside.calls


def _counted(values: Values | None) -> dict[str, int]:
    return {"count": (values or {}).get("count", 0) + 1}


def test_a_row_that_was_just_seen_is_not_read_again(tables: tuple[Table, Table], calls: list[Call]) -> None:
    """A row is read once for many changes of the same process; each of them is guarded."""
    mine, _ = tables
    for _ in range(4):
        mine.change(KEY, _counted)
    assert [call.method for call in calls if "rows(" in call.path] == ["GET", "PUT", "PUT", "PUT"]
    assert all(call.guarded for call in calls if call.method == "PUT")
    assert mine.read(KEY)[0] == {"count": 4}


def test_what_others_wrote_is_seen(tables: tuple[Table, Table]) -> None:
    """A change begins anew when the row is not any more as this process saw it: changed, deleted or made by others."""
    mine, theirs = tables
    for _ in range(3):
        mine.change(KEY, _counted)
        theirs.change(KEY, _counted)
    assert mine.read(KEY)[0] == {"count": 6}
    theirs.delete(KEY)
    assert mine.change(KEY, _counted) == {"count": 1}
    mine.delete(KEY)
    assert mine.read(KEY)[0] is None
    theirs.change(KEY, _counted)
    assert mine.change(KEY, _counted) == {"count": 2}


def test_nothing_to_change_is_said_of_the_row_as_it_is(tables: tuple[Table, Table]) -> None:
    """That nothing is to be changed is never decided by how the row was."""
    mine, theirs = tables
    mine.change(KEY, lambda _: {"holder": ""})
    theirs.change(KEY, lambda _: {"holder": "them"})

    def take(values: Values | None) -> Values | None:
        return values if values and not values["holder"] else {"holder": "me", "after": (values or {}).get("holder")}

    assert mine.change(KEY, take) == {"holder": "me", "after": "them"}
    theirs.put(KEY, {"holder": "them"})
    assert mine.change(KEY, lambda values: None if values != {"holder": "them"} else {"holder": "free"}) == {
        "holder": "free"
    }


def test_what_is_read_is_read(tables: tuple[Table, Table]) -> None:
    """A row is read as it is, whatever this process saw of it before."""
    mine, theirs = tables
    mine.change(KEY, _counted)
    theirs.change(KEY, _counted)
    assert mine.read(KEY)[0] == {"count": 2}
    theirs.put(KEY, {"count": 9})
    assert mine.read(KEY)[0] == {"count": 9}


def test_few_rows_are_remembered(storage: str, calls: list[Call]) -> None:
    """Of very many rows the last ones are remembered."""
    mine = Table("rows", Storage(connection_string=storage), None, remembers=20)
    for number in range(21):
        mine.change(("partition", f"row{number}"), _counted)
    before = len(calls)
    mine.change(("partition", "row20"), _counted)
    mine.change(("partition", "row0"), _counted)
    assert [call.method for call in calls[before:]] == ["PUT", "GET", "PUT"]
