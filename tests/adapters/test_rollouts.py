from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.data.tables import TableClient, TableServiceClient

from shared.adapters.rollouts import TABLE, Rollouts
from shared.adapters.table import Table
from shared.core.errors import Retry
from shared.core.memory import Memory
from shared.core.names import ImageId, VersionId, VersionNumber
from shared.core.pruning import Pruning
from shared.core.rollout import Intent, Refusal, Repair, Rollout, begin
from shared.core.target_regions import RegionTarget, StorageAccountType
from shared.settings import Storage
from tests.adapters.support import IMAGE, together, version_id

NOW = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(hours=24)
KEY = ("partition", "row")
THIS, OTHER = version_id("1.0.3"), version_id("1.0.4")
LIKE_IT = [ImageId.parse(f"{IMAGE}{more}") for more in ("-arm64", "0", ".1")] + [ImageId.parse(str(IMAGE)[:-1])]
"""Image definitions of which one's name is the beginning of the other's."""

SHOUTED = ImageId.parse(str(IMAGE).upper())
PAGE = 1000
"""Rows that the table service gives at once (documented)."""


@pytest.fixture
def rollouts(storage: str) -> Rollouts:
    """The adapter, on an account where nothing is yet."""
    return Rollouts(Storage(storage), None)


@pytest.fixture
def table(storage: str) -> Table:
    """A table that is not there yet."""
    return Table("things", Storage(storage), None)


@pytest.fixture
def rows(storage: str) -> Iterator[TableClient]:
    """The SDK's own view of the table of the rollouts."""
    with TableClient.from_connection_string(storage, TABLE) as client:
        yield client


def _tables(storage: str) -> list[str]:
    with TableServiceClient.from_connection_string(storage) as service:
        return [table.name for table in service.list_tables()]


def test_reading_creates_nothing(table: Table, storage: str) -> None:
    """A row of a table that is not there is no row, nothing is deleted from it, and neither creates it."""
    assert table.read(KEY) == (None, None)
    table.delete(KEY)
    table.delete(KEY, "W/\"datetime'2025-03-01T12%3A00%3A00.0000000Z'\"")
    assert _tables(storage) == []


def test_the_first_write_creates_the_table(table: Table, storage: str) -> None:
    """The first write creates the table, and values of any shape come back as they were."""
    values = {"text": "ä|/\\#?'\"\n", "list": [1, None, {"deep": True}], "none": None}
    etag = table.write(KEY, values, None)
    assert table.read(KEY) == (values, etag)
    assert _tables(storage) == ["things"]


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


FULL = Rollout(
    started=NOW,
    deadline=NOW + DAY,
    number=2,
    targets=(RegionTarget("westeurope", 3), RegionTarget("uksouth", 1, StorageAccountType.STANDARD_ZRS, wave=2)),
    wave=2,
    cause="1.0.4 was deleted",
    supersedes=("1.0.1", "1.0.2"),
    warnings=("the tag is malformed: ä|/\\#?'\"",),
    completed={"westeurope": NOW, "eastus2": NOW + MINUTE},
    repairs={"uksouth": Repair(2, NOW + MINUTE), "eastus2": Repair(1, NOW)},
    gave_up=True,
    asked={"uksouth": NOW + MINUTE},
    known=frozenset({"uksouth", "ukwest"}),
    refusals={"ukwest": Refusal("LocationNotAvailable: ä|/\\#?'\"", NOW + 2 * MINUTE)},
    most=3,
    announced=frozenset({"started", "failed:uksouth", "lost:uksouth"}),
    look=7,
    look_due=NOW + 3 * MINUTE,
    looker="message-1",
    finished=NOW + 9 * MINUTE,
    ended="superseded by 1.0.4",
)
OPEN = Rollout(started=NOW, deadline=NOW + DAY)
PRUNING = Pruning(
    asked=NOW,
    removed=("eastus2", "uksouth"),
    kept={"westeurope": "its home region"},
    gib_freed=60,
    taken=True,
    refused="ScopeLocked: the scope is locked",
    refused_at=NOW + MINUTE,
    known=frozenset({"westeurope", "eastus2", "uksouth"}),
)
BARE_PRUNING = Pruning(NOW, (), {}, 0)
MEMORY = Memory(VersionNumber.parse("1.0.3"), NOW + DAY, "plan-1", ("notice-1", "notice-2"), reports=3)


@pytest.mark.parametrize("whole", [FULL, PRUNING, MEMORY], ids=["rollout", "pruning", "memory"])
def test_these_say_everything(whole: Any) -> None:
    """What these tests remember has no field at its default, so that one which is not stored would be missed."""
    for field in fields(whole):
        default = field.default_factory() if field.default_factory is not MISSING else field.default
        assert getattr(whole, field.name) != default, field.name


@pytest.mark.parametrize("rollout", [FULL, OPEN], ids=["full", "bare"])
def test_a_rollout_comes_back(rollouts: Rollouts, rollout: Rollout) -> None:
    """A rollout is read as it was remembered, to the last field, and of its own version only."""
    assert rollouts.rollout(THIS) is None
    assert rollouts.change_rollout(THIS, lambda _: rollout) == rollout
    assert rollouts.rollout(THIS) == rollout
    assert rollouts.rollout(OTHER) is None


def test_a_version_in_other_letters(rollouts: Rollouts) -> None:
    """What is remembered is found by an id in any letter case: Azure spells ids as it likes."""
    rollouts.change_rollout(THIS, lambda _: FULL)
    rollouts.change_rollout(OTHER, lambda _: OPEN)
    rollouts.remember_pruning(THIS, PRUNING)
    rollouts.remember(IMAGE, lambda _: MEMORY)
    shouted = version_id(image=SHOUTED)
    assert rollouts.rollout(shouted) == FULL
    assert rollouts.remembered(SHOUTED).running == {OTHER.number: OPEN}
    assert rollouts.remembered(SHOUTED).prunings == {THIS.number: PRUNING}
    assert rollouts.pruning(shouted) == PRUNING
    assert rollouts.memory(SHOUTED) == MEMORY
    assert rollouts.claim(THIS, "me", now=NOW, lasting=MINUTE)
    assert rollouts.claim(shouted, "you", now=NOW, lasting=MINUTE) is None


def test_a_rollout_is_changed_from_what_it_was(rollouts: Rollouts) -> None:
    """Many who change one rollout at once lose nothing of each other, and only one of them begins it."""
    numbers = together(
        8,
        lambda which: (
            rollouts.change_rollout(
                THIS, lambda before: begin(before, Intent(NOW, DAY)).saying(f"failed:region{which}")
            ).number
        ),
    )
    remembered = rollouts.rollout(THIS)
    assert set(numbers) == {1}
    assert remembered
    assert remembered.announced == {f"failed:region{which}" for which in range(8)}


def test_a_lost_row_is_stood_in_for(rollouts: Rollouts, rows: TableClient) -> None:
    """What was read before stands in where the row was lost since; else the row counts."""
    rollouts.change_rollout(THIS, lambda _: FULL.saying("stalled"))
    assert rollouts.amend_rollout(THIS, FULL, lambda rollout: rollout.saying("completed")).announced == {
        *FULL.announced,
        "stalled",
        "completed",
    }
    for row in rows.list_entities():
        rows.delete_entity(row)
    amended = rollouts.amend_rollout(THIS, FULL, lambda rollout: rollout.saying("completed"))
    assert amended.announced == {*FULL.announced, "completed"}
    assert rollouts.rollout(THIS) == amended


def test_a_claim_has_one_holder(storage: str) -> None:
    """Of sixteen instances that claim a version at once exactly one gets it; another version is free all the same."""
    instances = [Rollouts(Storage(storage), None) for _ in range(16)]
    claims = together(16, lambda which: instances[which].claim(THIS, f"holder{which}", now=NOW, lasting=MINUTE))
    assert len([claim for claim in claims if claim]) == 1
    assert instances[0].claim(OTHER, "anybody", now=NOW, lasting=MINUTE)


def test_a_claim_that_has_ended_has_one_taker(storage: str) -> None:
    """Of sixteen that take over a claim whose time is over exactly one gets it."""
    instances = [Rollouts(Storage(storage), None) for _ in range(16)]
    assert instances[0].claim(THIS, "killed", now=NOW, lasting=MINUTE)
    later = NOW + 2 * MINUTE
    claims = together(16, lambda which: instances[which].claim(THIS, f"holder{which}", now=later, lasting=MINUTE))
    assert len([claim for claim in claims if claim]) == 1


@pytest.mark.parametrize(
    ("holder", "after", "given"),
    [
        ("me", timedelta(0), True),
        ("you", timedelta(0), False),
        ("you", MINUTE - timedelta(microseconds=1), False),
        ("you", MINUTE, True),
        ("you", 2 * MINUTE, True),
    ],
)
def test_who_gets_a_claim(rollouts: Rollouts, holder: str, after: timedelta, given: bool) -> None:  # noqa: FBT001
    """The same holder may claim again at any time, another only when the time is over."""
    assert rollouts.claim(THIS, "me", now=NOW, lasting=MINUTE)
    assert bool(rollouts.claim(THIS, holder, now=NOW + after, lasting=MINUTE)) == given


def test_a_claim_that_is_released_is_free(rollouts: Rollouts) -> None:
    """After its holder is done, also by an exception, a version is free for anybody at once."""
    claim = rollouts.claim(THIS, "me", now=NOW, lasting=MINUTE)
    assert claim
    with pytest.raises(LookupError), claim:
        raise LookupError
    assert rollouts.claim(THIS, "you", now=NOW, lasting=MINUTE)


@pytest.mark.parametrize("later_holder", ["you", "me"])
def test_a_late_release_frees_nobody_elses(rollouts: Rollouts, later_holder: str) -> None:
    """A holder who took too long does not free the claim that was taken since, not even its own second one."""
    slow = rollouts.claim(THIS, "me", now=NOW, lasting=MINUTE)
    assert slow
    with slow:
        assert rollouts.claim(THIS, later_holder, now=NOW + 2 * MINUTE, lasting=MINUTE)
    assert rollouts.claim(THIS, "third", now=NOW + 2 * MINUTE, lasting=MINUTE) is None


def _begin(rollouts: Rollouts, holder: str, *, now: datetime = NOW, webhook: str = "1-teams") -> Any:
    return rollouts.begin_delivery("event-1", webhook, holder, now=now, lasting=MINUTE)


def test_an_event_is_posted_once(rollouts: Rollouts) -> None:
    """Once an event was posted to a webhook nobody begins again, ever; another webhook has its own."""
    _begin(rollouts, "me").posted(NOW)
    for holder in ("me", "you"):
        assert _begin(rollouts, holder) is None
        assert _begin(rollouts, holder, now=NOW + 365 * DAY) is None
    assert _begin(rollouts, "you", webhook="2-slack")


def test_one_posts_at_a_time(storage: str) -> None:
    """Of sixteen that would post one event at once exactly one does; the others come again later."""
    instances = [Rollouts(Storage(storage), None) for _ in range(16)]

    def attempt(which: int) -> bool:
        try:
            return _begin(instances[which], f"holder{which}") is not None
        except Retry:
            return False

    assert sum(together(16, attempt)) == 1


def test_another_waits_while_one_posts(rollouts: Rollouts) -> None:
    """While one is at it another waits; its own message, delivered again, goes on; after its time anybody does."""
    assert _begin(rollouts, "killed")
    with pytest.raises(Retry):
        _begin(rollouts, "you", now=NOW + MINUTE - timedelta(seconds=1))
    assert _begin(rollouts, "killed")
    assert _begin(rollouts, "you", now=NOW + MINUTE)
    with pytest.raises(Retry):
        _begin(rollouts, "third", now=NOW + MINUTE)


def test_a_post_that_failed_is_free(rollouts: Rollouts) -> None:
    """After a post failed anybody may try again at once."""
    _begin(rollouts, "me").again()
    assert _begin(rollouts, "you")


def test_a_late_failure_frees_nothing(rollouts: Rollouts) -> None:
    """A post that fails after another took over frees neither that one's turn nor what it has posted."""
    slow = _begin(rollouts, "slow")
    quick = _begin(rollouts, "quick", now=NOW + MINUTE)
    slow.again()
    with pytest.raises(Retry):
        _begin(rollouts, "third", now=NOW + MINUTE)
    quick.posted(NOW + MINUTE)
    slow.again()
    assert _begin(rollouts, "third", now=NOW + MINUTE) is None


def test_a_late_success_counts(rollouts: Rollouts) -> None:
    """A post that succeeds after its time was posted all the same, whoever else took over or failed."""
    slow = _begin(rollouts, "slow")
    quick = _begin(rollouts, "quick", now=NOW + MINUTE)
    slow.posted(NOW + MINUTE)
    quick.again()
    assert _begin(rollouts, "third", now=NOW + 2 * MINUTE) is None


def test_a_dead_letter_is_kept_once(rollouts: Rollouts, rows: TableClient) -> None:
    """A message that is kept twice under one name is there once, as it was first; another name is another."""
    body = '{"schema":1,"url":"ä/\\\\#?"}'
    rollouts.keep_dead_letter("watch", "message-1", body, "no idea", NOW)
    rollouts.keep_dead_letter("watch", "message-1", body, "no idea either", NOW + MINUTE)
    rollouts.keep_dead_letter("watch", "message-2", body, "no idea", NOW)
    rollouts.keep_dead_letter("prune", "message-1", body, "no idea", NOW)
    kept = list(rows.list_entities())
    assert len(kept) == 3
    table = rollouts._table
    assert table.read((kept[0]["PartitionKey"], "watch|message-1"))[0] == {
        "queue": "watch",
        "body": body,
        "reason": "no idea",
        "at": NOW.isoformat(),
    }


def test_a_long_dead_letter_is_kept(rollouts: Rollouts, rows: TableClient) -> None:
    """The largest message that a queue takes is kept whole, whatever it is made of."""
    bodies = [letter * (48 * 1024 // len(letter.encode())) for letter in ("x", "ä", '"', "\x01", "😀")]
    for number, body in enumerate(bodies):
        rollouts.keep_dead_letter("watch", f"message-{number}", body, "", NOW)
    keys = [(row["PartitionKey"], row["RowKey"]) for row in rows.list_entities()]
    assert {(rollouts._table.read(key)[0] or {})["body"] for key in keys} == set(bodies)


def test_a_long_row_that_gets_short(table: Table) -> None:
    """A row whose values took several properties and then take one has no rest of the old ones."""
    etag = table.write(KEY, {"text": "x" * 100_000}, None)
    table.write(KEY, {"text": "y" * 32_000}, etag)
    assert table.read(KEY)[0] == {"text": "y" * 32_000}
    assert table.change(KEY, lambda _: {}) == {}
    assert table.read(KEY)[0] == {}


@pytest.fixture
def neighbours(rollouts: Rollouts) -> Rollouts:
    """The adapter, after much was remembered of definitions with similar names, and other things of this one."""
    for image in LIKE_IT:
        version = version_id(image=image)
        rollouts.change_rollout(version, lambda _: OPEN)
        rollouts.remember_pruning(version, PRUNING)
        rollouts.remember(image, lambda _: MEMORY)
    assert rollouts.claim(THIS, "me", now=NOW, lasting=MINUTE)
    assert rollouts.begin_delivery("event", "1-teams", "me", now=NOW, lasting=MINUTE)
    rollouts.keep_dead_letter("watch", "message-1", "body", "reason", NOW)
    return rollouts


def test_where_nothing_is_remembered(rollouts: Rollouts, storage: str) -> None:
    """Where nothing was ever written nothing is found, and looking for it creates no table."""
    assert rollouts.remembered(IMAGE).running == {}
    assert rollouts.remembered(IMAGE).prunings == {}
    assert rollouts.memory(IMAGE) == Memory()
    assert _tables(storage) == []


def test_where_other_things_are_remembered(neighbours: Rollouts) -> None:
    """What is remembered of other definitions, though one's name begins with the other's, is not found."""
    assert neighbours.remembered(IMAGE).running == {}
    assert neighbours.remembered(IMAGE).prunings == {}
    assert neighbours.memory(IMAGE) == Memory()


def test_open_rollouts(neighbours: Rollouts) -> None:
    """All rollouts of a definition that are not over are found, as they are remembered, and no others."""
    remembered = {
        "1.0.1": OPEN,
        "1.0.10": replace(FULL, finished=None),
        "2147483647.0.2147483647": OPEN.saying("started"),
        "1.0.2": FULL,
        "1.0.20": OPEN.finish(NOW),
        "1.0.3": OPEN.end("superseded by 1.0.4", NOW),
    }
    neighbours.remember_pruning(OTHER, PRUNING)
    neighbours.remember(IMAGE, lambda _: MEMORY)
    for number, rollout in remembered.items():
        neighbours.change_rollout(version_id(number), lambda _, rollout=rollout: rollout)
    assert {number.name: rollout for number, rollout in neighbours.remembered(IMAGE).running.items()} == {
        number: remembered[number] for number in ("1.0.1", "1.0.10", "2147483647.0.2147483647")
    }
    assert [set(neighbours.remembered(image).running) for image in LIKE_IT] == [{THIS.number}] * len(LIKE_IT)


@pytest.mark.parametrize(
    "close",
    [
        pytest.param(lambda rollout: rollout.finish(NOW + MINUTE), id="finished"),
        pytest.param(lambda rollout: rollout.end("superseded by 1.0.4", NOW + MINUTE), id="ended"),
    ],
)
def test_a_rollout_that_is_over_is_not_open(rollouts: Rollouts, close: Callable[[Rollout], Rollout]) -> None:
    """A rollout is among the open ones from its beginning until it is finished or ended, and again when begun anew."""
    intent = Intent(NOW, DAY)
    for number in (1, 2):
        begun = rollouts.change_rollout(THIS, lambda before: begin(before, intent))
        assert (begun.number, rollouts.remembered(IMAGE).running) == (number, {THIS.number: begun})
        changed = rollouts.amend_rollout(THIS, begun, lambda before: before.looking(3, NOW + MINUTE))
        assert rollouts.remembered(IMAGE).running == {THIS.number: changed}
        closed = rollouts.amend_rollout(THIS, changed, close)
        assert rollouts.remembered(IMAGE).running == {}
        assert rollouts.rollout(THIS) == closed


def test_an_open_rollout_that_is_long(rollouts: Rollouts) -> None:
    """An open rollout of which much is remembered is found whole."""
    long = replace(OPEN, warnings=tuple(f"warning {number}: " + "ä" * 1000 for number in range(50)))
    rollouts.change_rollout(THIS, lambda _: long)
    assert rollouts.remembered(IMAGE).running == {THIS.number: long}


def _copied(rows: TableClient, version: VersionId, kind: str, number: int) -> None:
    """Copy what is remembered of a version to that many others, 0.0.1 and so on, faster than one by one."""
    (row,) = (row for row in rows.list_entities() if row["RowKey"] == f"{kind}|{version.number}")
    copies = [{**row, "RowKey": f"{kind}|0.0.{which}"} for which in range(1, number + 1)]
    for start in range(0, number, 100):
        rows.submit_transaction([("create", copy) for copy in copies[start : start + 100]])


def test_more_open_rollouts_than_a_page(rollouts: Rollouts, rows: TableClient) -> None:
    """More open rollouts than the service gives at once are all found."""
    rollouts.change_rollout(THIS, lambda _: OPEN)
    _copied(rows, THIS, "rollout", PAGE + 1)
    found = rollouts.remembered(IMAGE).running
    assert {number.name for number in found} == {"1.0.3", *(f"0.0.{which}" for which in range(1, PAGE + 2))}
    assert all(rollout == OPEN for rollout in found.values())


def test_few_open_rollouts_among_many(rollouts: Rollouts, rows: TableClient) -> None:
    """A few open rollouts are found among more closed ones than a page holds, wherever they stand."""
    rollouts.change_rollout(THIS, lambda _: FULL)
    _copied(rows, THIS, "rollout", PAGE + 1)
    for number in ("0.0.1", "0.0.999", "1.0.4"):
        rollouts.change_rollout(version_id(number), lambda _: OPEN)
    assert {number.name for number in rollouts.remembered(IMAGE).running} == {"0.0.1", "0.0.999", "1.0.4"}


def test_more_prunings_than_a_page(rollouts: Rollouts, rows: TableClient) -> None:
    """More prunes than the service gives at once are all found."""
    rollouts.remember_pruning(THIS, PRUNING)
    _copied(rows, THIS, "prune", PAGE + 1)
    assert {number.name for number in rollouts.remembered(IMAGE).prunings} == {
        "1.0.3",
        *(f"0.0.{which}" for which in range(1, PAGE + 2)),
    }


@pytest.mark.parametrize("pruning", [PRUNING, BARE_PRUNING], ids=["full", "bare"])
def test_a_pruning_comes_back(rollouts: Rollouts, pruning: Pruning) -> None:
    """A prune is read as it was remembered, to the last field, and of its own version only."""
    rollouts.remember_pruning(THIS, pruning)
    assert rollouts.pruning(THIS) == pruning
    assert rollouts.remembered(IMAGE).prunings == {THIS.number: pruning}
    assert rollouts.pruning(OTHER) is None


def test_a_later_pruning_is_not_forgotten(rollouts: Rollouts) -> None:
    """Who forgets the prune that was asked for at some time leaves a later one of the version alone."""
    rollouts.forget_pruning(THIS, PRUNING.asked)
    rollouts.remember_pruning(THIS, PRUNING)
    rollouts.forget_pruning(THIS, PRUNING.asked - MINUTE)
    assert rollouts.pruning(THIS) == PRUNING
    rollouts.forget_pruning(THIS, PRUNING.asked)
    assert rollouts.pruning(THIS) is None


def test_a_batch_is_closed_when_it_is_over(rollouts: Rollouts) -> None:
    """What ends after the rest of its batch, or when that is forgotten, is not remembered with it."""
    first, batch = THIS.number, "some/ticket|0"
    assert rollouts.ask_for_batch(IMAGE, batch, [first], NOW) is None
    assert rollouts.ended_in_batch(THIS, batch) is None
    asked = rollouts.ask_for_batch(IMAGE, batch, [first, OTHER.number], NOW)
    assert asked is not None
    assert not asked.over
    pruned = rollouts.pruned_in_batch(THIS, batch, {"gibFreed": 30}, NOW)
    assert pruned is not None
    assert not pruned.over
    ended = rollouts.ended_in_batch(OTHER, batch)
    assert ended is not None
    assert ended.over
    assert (ended.begun, list(ended.pruned), ended.prunes) == (NOW, [first], {first.name: NOW})
    assert rollouts.pruned_in_batch(OTHER, batch, {"gibFreed": 30}, NOW) is None
    rollouts.forget_batch(IMAGE, batch)
    assert rollouts.pruned_in_batch(THIS, batch, {"gibFreed": 30}, NOW) is None


def test_a_pruning_is_remembered_and_forgotten(neighbours: Rollouts) -> None:
    """A prune is remembered until it is forgotten, and forgetting twice, or what never was, is no error."""
    neighbours.remember_pruning(THIS, None)
    neighbours.remember_pruning(THIS, BARE_PRUNING)
    neighbours.remember_pruning(THIS, PRUNING)
    neighbours.remember_pruning(OTHER, BARE_PRUNING.refusing("no", NOW))
    neighbours.change_rollout(OTHER, lambda _: OPEN)
    assert neighbours.remembered(IMAGE).prunings == {
        THIS.number: PRUNING,
        OTHER.number: BARE_PRUNING.refusing("no", NOW),
    }
    neighbours.remember_pruning(THIS, None)
    neighbours.remember_pruning(THIS, None)
    assert neighbours.pruning(THIS) is None
    assert set(neighbours.remembered(IMAGE).prunings) == {OTHER.number}
    assert [set(neighbours.remembered(image).prunings) for image in LIKE_IT] == [{THIS.number}] * len(LIKE_IT)


@pytest.mark.parametrize("memory", [MEMORY, Memory()], ids=["full", "bare"])
def test_a_memory_comes_back(neighbours: Rollouts, memory: Memory) -> None:
    """What is remembered of a definition is read to the last field, and of that definition only."""
    assert neighbours.remember(IMAGE, lambda _: memory) == memory
    assert neighbours.memory(IMAGE) == memory
    neighbours.remember(LIKE_IT[0], lambda before: before.saying("more"))
    assert neighbours.memory(IMAGE) == memory


def test_a_memory_is_changed_from_what_it_was(storage: str) -> None:
    """Many who remember something of one definition at once, first of all, lose nothing of each other."""
    instances = [Rollouts(Storage(storage), None) for _ in range(8)]

    def remember(which: int) -> None:
        instances[which].remember(IMAGE, lambda before: before.saying(f"notice-{which}"))

    together(8, remember)
    assert set(instances[0].memory(IMAGE).said) == {f"notice-{which}" for which in range(8)}
    instances[0].remember(IMAGE, lambda before: before.having(THIS.number))
    changed = instances[1].remember(IMAGE, lambda before: before.reporting("plan-1").expecting(NOW))
    assert (changed.newest, changed.reported, changed.next_pass, len(changed.said)) == (THIS.number, "plan-1", NOW, 8)


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


def test_a_claim_is_kept_for_a_write(rollouts: Rollouts) -> None:
    """A holder who makes sure of its claim before the write has it for its whole time again."""
    claim = rollouts.claim(THIS, "me", now=NOW, lasting=MINUTE)
    assert claim
    claim.keep(NOW + MINUTE)
    assert rollouts.claim(THIS, "you", now=NOW + 1.5 * MINUTE, lasting=MINUTE) is None


def test_a_claim_that_was_lost_stops_the_write(rollouts: Rollouts) -> None:
    """A holder who read for too long, so that another took over, is told to come back instead of writing."""
    slow = rollouts.claim(THIS, "me", now=NOW, lasting=MINUTE)
    assert slow
    assert rollouts.claim(THIS, "you", now=NOW + 2 * MINUTE, lasting=MINUTE)
    with pytest.raises(Retry):
        slow.keep(NOW + 2 * MINUTE)
