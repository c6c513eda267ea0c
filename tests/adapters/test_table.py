"""Rows that are changed by read, compute, and write only if nobody wrote in between."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from local.outage import Call, Outside
from shared.adapters.table import Table, Values
from shared.core.errors import Retry
from shared.settings import Storage
from tests.adapters.support import tables, together

KEY = ("partition", "row")
_ROWS: dict[tuple[str, str], dict[str, Any]] = {
    ("here", "rollout|1.0.1"): {"number": 1, "open": True},
    ("here", "rollout|1.0.2"): {"number": 2, "open": False},
    ("here", "rollout|"): {"number": 3},
    ("here", "claim|1.0.1"): {"number": 4},
    ("here", "rollout"): {"number": 5, "open": True},
    ("here", "rollout}1.0.1"): {"number": 6, "open": True},
    ("here", "rollouts|1.0.1"): {"number": 7, "open": True},
    ("here", "Rollout|1.0.1"): {"number": 8, "open": True},
    ("here ", "rollout|1.0.1"): {"number": 9, "open": True},
    ("her", "rollout|1.0.1"): {"number": 10, "open": True},
    ("here' or 'a' eq 'a", "rollout|1.0.1"): {"number": 11, "open": True},
}


@pytest.fixture
def table(storage: str) -> Table:
    """A table that is not there yet."""
    return Table("things", Storage(storage), None)


def test_reading_creates_nothing(table: Table, storage: str) -> None:
    """A row of a table that is not there is no row, nothing is deleted from it, and neither creates it."""
    assert table.read(KEY) == (None, None)
    table.delete(KEY)
    table.delete(KEY, "W/\"datetime'2025-03-01T12%3A00%3A00.0000000Z'\"")
    assert tables(storage) == []


def test_the_first_write_creates_the_table(table: Table, storage: str) -> None:
    """The first write creates the table, and values of any shape come back as they were."""
    values = {"text": "ä|/\\#?'\"\n", "list": [1, None, {"deep": True}], "none": None}
    etag = table.write(KEY, values, None)
    assert table.read(KEY) == (values, etag)
    assert tables(storage) == ["things"]


@pytest.mark.parametrize("threads", [2, 16])
def test_many_create_the_table_at_once(storage: str, threads: int) -> None:
    """Instances that all write first, each a row of its own, all succeed."""
    tables = [Table("things", Storage(storage), None) for _ in range(threads)]
    etags = together(threads, lambda which: tables[which].write((f"p{which}", "row"), {"which": which}, None))
    assert all(etags)
    assert [tables[0].read((f"p{which}", "row"))[0] for which in range(threads)] == [
        {"which": which} for which in range(threads)
    ]


def test_a_write_by_a_stale_etag_is_refused(table: Table) -> None:
    """A row that was written, made or deleted since it was read is not overwritten."""
    first = table.write(KEY, {"by": "me"}, None)
    second = table.write(KEY, {"by": "them"}, first)
    assert second
    assert table.write(KEY, {"by": "me again"}, first) is None
    assert table.write(KEY, {"by": "me again"}, None) is None
    assert table.read(KEY) == ({"by": "them"}, second)
    table.delete(KEY)
    assert table.write(KEY, {"by": "me again"}, second) is None
    assert table.read(KEY) == (None, None)


def test_a_delete_by_a_stale_etag_deletes_nothing(table: Table) -> None:
    """A row that was written since it was read stays; without an ETag it goes, and going twice is no error."""
    first = table.write(KEY, {"by": "me"}, None)
    second = table.write(KEY, {"by": "them"}, first)
    table.delete(KEY, first)
    assert table.read(KEY) == ({"by": "them"}, second)
    table.delete(KEY, second)
    assert table.read(KEY) == (None, None)
    table.delete(KEY)


def test_a_change_is_computed_again_when_somebody_was_faster(table: Table) -> None:
    """A change that was computed from what is no longer there is computed again, from what is."""
    table.write(KEY, {"number": 1}, None)
    seen = []

    def change(before: Mapping[str, Any] | None) -> Mapping[str, Any]:
        assert before is not None
        seen.append(before["number"])
        if len(seen) == 1:
            table.change(KEY, lambda _: {"number": 10})
        return {"number": before["number"] + 1}

    assert table.change(KEY, change) == {"number": 11}
    assert seen == [1, 10]
    assert table.read(KEY)[0] == {"number": 11}


def test_no_change_is_lost(storage: str) -> None:
    """Sixteen that increment one row at once, which nobody made before, come to sixteen."""
    tables = [Table("things", Storage(storage), None) for _ in range(16)]

    def increment(which: int) -> None:
        while True:
            try:
                tables[which].change(KEY, lambda before: {"number": (before["number"] if before else 0) + 1})
            except Retry:  # as its stage does: the message comes again
                continue
            return

    together(16, increment)
    assert tables[0].read(KEY)[0] == {"number": 16}


def test_the_same_values_are_not_written(table: Table) -> None:
    """A change that changes nothing writes nothing."""
    etag = table.write(KEY, {"number": 1}, None)
    assert table.change(KEY, lambda _: {"number": 1}) == {"number": 1}
    assert table.read(KEY)[1] == etag


def test_a_change_gives_up_when_others_keep_writing(table: Table) -> None:
    """Somebody who is always slower is told to come again later, instead of trying for ever."""
    calls = []

    def change(_: Mapping[str, Any] | None) -> Mapping[str, Any]:
        calls.append(1)
        table.write(KEY, {"number": len(calls)}, table.read(KEY)[1])
        return {"number": -1}

    with pytest.raises(Retry) as caught:
        table.change(KEY, change)
    assert 2 <= len(calls) <= 100
    assert caught.value.after > timedelta(0)


def test_a_long_row_that_gets_short(table: Table) -> None:
    """A row whose values took several properties and then take one has no rest of the old ones."""
    etag = table.write(KEY, {"text": "x" * 100_000}, None)
    table.write(KEY, {"text": "y" * 32_000}, etag)
    assert table.read(KEY)[0] == {"text": "y" * 32_000}
    assert table.change(KEY, lambda _: {}) == {}
    assert table.read(KEY)[0] == {}


@pytest.mark.parametrize(
    ("prefix", "found"),
    [
        ("rollout|", {"1.0.1": 1, "1.0.2": 2, "": 3}),
        ("rollout|1.0.1", {"": 1}),
        ("claim|", {"1.0.1": 4}),
        ("prune|", {}),
    ],
)
def test_rows_are_found_by_how_their_keys_begin(table: Table, prefix: str, found: dict[str, int]) -> None:
    """Rows of one partition whose keys begin in a way are found, by the rest of their keys."""
    for key, values in _ROWS.items():
        table.write(key, values, None)
    assert {key: values["number"] for key, values in table.find("here", prefix).items()} == found
    quoted = table.find("here' or 'a' eq 'a", prefix)
    assert [values["number"] for values in quoted.values()] == ([11] if prefix.startswith("rollout|") else [])


@pytest.mark.parametrize(
    ("row", "prefixes", "found"),
    [
        ("rollout|", ("claim|",), {1, 3, 4, 5, 6, 7, 8}),
        ("rollout|1.0.2", (), {1, 2, 5, 6, 7, 8}),
        ("nothing", ("claim|", "rollout|1.0.2"), {1, 2, 4, 5, 6, 7, 8}),
    ],
)
def test_several_rows_are_gathered_at_once(table: Table, row: str, prefixes: tuple[str, ...], found: set[int]) -> None:
    """One row, those that begin in some ways and those that are open come by their keys, of one partition."""
    assert table.gather("here", row, *prefixes) == {}
    for key, values in _ROWS.items():
        table.write(key, values, None)
    gathered = table.gather("here", row, *prefixes)
    assert gathered == {
        name: values for (where, name), values in _ROWS.items() if where == "here" and values["number"] in found
    }
    assert {values["number"] for values in gathered.values()} == found
    assert [values["number"] for values in table.gather("here' or 'a' eq 'a", row, *prefixes).values()] == [11]


@pytest.fixture
def both(storage: str) -> tuple[Table, Table]:
    """The same table in two processes."""
    mine, theirs = (Table("things", Storage(storage), None) for _ in range(2))
    return mine, theirs


@pytest.fixture
def calls() -> Iterator[list[Call]]:
    """What leaves this process."""
    with Outside() as outside:
        yield outside.calls


def _counted(values: Values | None) -> dict[str, int]:
    return {"count": (values or {}).get("count", 0) + 1}


def test_a_row_that_was_just_seen_is_not_read_again(both: tuple[Table, Table], calls: list[Call]) -> None:
    """A row is read once for many changes of the same process; each of them is guarded."""
    mine, _ = both
    for _ in range(4):
        mine.change(KEY, _counted)
    assert [call.method for call in calls if "things(" in call.path] == ["GET", "PUT", "PUT", "PUT"]
    assert all(call.guarded for call in calls if call.method == "PUT")
    assert mine.read(KEY)[0] == {"count": 4}


def test_what_others_wrote_is_seen(both: tuple[Table, Table]) -> None:
    """A change begins anew when the row is not any more as this process saw it: changed, deleted or made by others."""
    mine, theirs = both
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


def test_nothing_to_change_is_said_of_the_row_as_it_is(both: tuple[Table, Table]) -> None:
    """That nothing is to be changed is never decided by how the row was."""
    mine, theirs = both
    mine.change(KEY, lambda _: {"holder": ""})
    theirs.change(KEY, lambda _: {"holder": "them"})

    def take(values: Values | None) -> Values | None:
        return values if values and not values["holder"] else {"holder": "me", "after": (values or {}).get("holder")}

    assert mine.change(KEY, take) == {"holder": "me", "after": "them"}
    theirs.put(KEY, {"holder": "them"})
    assert mine.change(KEY, lambda values: None if values != {"holder": "them"} else {"holder": "free"}) == {
        "holder": "free"
    }


def test_what_is_read_is_read(both: tuple[Table, Table]) -> None:
    """A row is read as it is, whatever this process saw of it before."""
    mine, theirs = both
    mine.change(KEY, _counted)
    theirs.change(KEY, _counted)
    assert mine.read(KEY)[0] == {"count": 2}
    theirs.put(KEY, {"count": 9})
    assert mine.read(KEY)[0] == {"count": 9}


def test_few_rows_are_remembered(storage: str, calls: list[Call]) -> None:
    """Of very many rows the last ones are remembered."""
    mine = Table("things", Storage(storage), None, remembers=20)
    for number in range(21):
        mine.change(("partition", f"row{number}"), _counted)
    before = len(calls)
    mine.change(("partition", "row20"), _counted)
    mine.change(("partition", "row0"), _counted)
    assert [call.method for call in calls[before:]] == ["PUT", "GET", "PUT"]
