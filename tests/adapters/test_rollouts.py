from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.data.tables import TableClient

from shared.adapters.dead_letters import DeadLetters
from shared.adapters.deliveries import Deliveries
from shared.adapters.keys import TABLE
from shared.adapters.rollouts import Rollouts
from shared.core.errors import Retry
from shared.core.memory import Memory
from shared.core.names import ImageId, VersionId, VersionNumber
from shared.core.pruning import Pruning
from shared.core.rollout import Intent, Refusal, Repair, Rollout, begin
from shared.core.status import DeadLetter
from shared.core.tags import Tagged, Tags
from shared.core.target_regions import RegionTarget, StorageAccountType
from shared.settings import Storage
from tests.adapters.support import IMAGE, tables, together, version_id

NOW = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(hours=24)
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
def rows(storage: str) -> Iterator[TableClient]:
    """The SDK's own view of the table of the rollouts."""
    with TableClient.from_connection_string(storage, TABLE) as client:
        yield client


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
TAGS = Tagged(Tags(NOW, {"gallery-fanout-keep-latest": "2"}), Tags(NOW - MINUTE, {"gallery-fanout-keep": "false"}))
MEMORY = Memory(VersionNumber.parse("1.0.3"), NOW + DAY, "plan-1", ("notice-1", "notice-2"), 3, TAGS)


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


@pytest.fixture
def neighbours(rollouts: Rollouts, storage: str) -> Rollouts:
    """The adapter, after much was remembered of definitions with similar names, and other things of this one."""
    for image in LIKE_IT:
        version = version_id(image=image)
        rollouts.change_rollout(version, lambda _: OPEN)
        rollouts.remember_pruning(version, PRUNING)
        rollouts.remember(image, lambda _: MEMORY)
    assert rollouts.claim(THIS, "me", now=NOW, lasting=MINUTE)
    assert Deliveries(Storage(storage), None, set()).begin("event", "1-teams", "me", now=NOW, lasting=MINUTE)
    DeadLetters(Storage(storage), None).keep(DeadLetter("watch", "message-1", "body", "reason", NOW))
    return rollouts


def test_where_nothing_is_remembered(rollouts: Rollouts, storage: str) -> None:
    """Where nothing was ever written nothing is found, and looking for it creates no table."""
    assert rollouts.remembered(IMAGE).running == {}
    assert rollouts.remembered(IMAGE).prunings == {}
    assert rollouts.memory(IMAGE) == Memory()
    assert tables(storage) == []


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
