import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.errors import Malformed
from shared.core.messages import (
    KINDS,
    LONGEST_DELAY,
    Notify,
    Prune,
    Queue,
    Reconcile,
    Replicate,
    Watch,
    bury,
    delayed,
    lateness,
    read,
    ticket_in,
    ticketed,
    unearth,
    write,
)
from tests.core import strategies
from tests.core.build import HOME, HOUR, IMAGE, IMAGE_ID, MINUTE, NOW, SECOND, version_id

# What the Functions host calls the properties of a queue message. A top-level key of this name would overwrite one.
QUEUE_PROPERTIES = {
    name.casefold()
    for name in (
        "queueTrigger",
        "dequeueCount",
        "expirationTime",
        "id",
        "insertionTime",
        "nextVisibleTime",
        "popReceipt",
        "sys",
    )
}
VERSION = version_id("1.0.3")
NONE = timedelta(0)
ONE_OF_EACH = {
    Queue.RECONCILE: Reconcile(IMAGE, "ResourceWriteSuccess 1.0.3"),
    Queue.REPLICATE: Replicate(VERSION, HOME, NOW, NOW + HOUR, again=True, back=False),
    Queue.WATCH: Watch(VERSION, 3, NOW, NOW + HOUR),
    Queue.PRUNE: Prune(VERSION, NOW, NOW + HOUR),
    Queue.NOTIFY: Notify("1-teams", {"id": "x", "data": {"version": "1.0.3"}}, NOW, NOW + HOUR, attempt=2),
}
EVERY_QUEUE = pytest.mark.parametrize("queue", Queue)

messages = st.one_of(
    st.builds(Reconcile, strategies.images, st.text(), st.text(), st.booleans()),
    st.builds(
        Replicate,
        strategies.versions_ids,
        st.text(),
        strategies.moments,
        strategies.moments,
        again=st.booleans(),
        back=st.booleans(),
    ),
    st.builds(Watch, strategies.versions_ids, st.integers(), strategies.moments, strategies.moments),
    st.builds(Prune, strategies.versions_ids, strategies.moments, strategies.moments),
    st.builds(
        Notify,
        st.text(),
        strategies.json_objects,
        strategies.moments,
        strategies.moments,
        attempt=st.integers(),
    ),
)


@given(messages)
def test_round_trip(message):
    """Any message is read as it was written."""
    assert read(message.queue, write(message)) == message


def test_every_queue_has_a_kind():
    """Each queue carries one kind of message, and each kind knows its queue."""
    assert set(KINDS) == set(Queue) == set(ONE_OF_EACH)
    assert all(kind.queue is queue for queue, kind in KINDS.items())


@EVERY_QUEUE
def test_no_key_hides_a_queue_property(queue):
    """No top-level key of a message is named like a queue property, in any letter case."""
    keys = {key.casefold() for key in json.loads(write(ONE_OF_EACH[queue]))}
    assert not keys & QUEUE_PROPERTIES
    assert {"schema"} < keys


def test_a_buried_message_hides_no_queue_property():
    """The same holds for a message that is buried with its reason."""
    assert not {key.casefold() for key in json.loads(bury("x", "y"))} & QUEUE_PROPERTIES


@EVERY_QUEUE
def test_wire_form(queue):
    """Messages are objects of schema 1 in plain ASCII, whatever is in them."""
    text = write(ONE_OF_EACH[queue])
    assert json.loads(text)["schema"] == 1
    assert text.isascii()


def test_exact_wire_form():
    """A message in the queue looks as other programs may rely on."""
    assert json.loads(write(ONE_OF_EACH[Queue.REPLICATE])) == {
        "schema": 1,
        "version": str(VERSION),
        "region": "westeurope",
        "since": "2025-03-01T12:00:00+00:00",
        "deadline": "2025-03-01T13:00:00+00:00",
        "again": True,
        "back": False,
    }


@given(st.sampled_from(Queue), st.text())
def test_any_text_is_malformed(queue, text):
    """Any text that is not a message raises Malformed, and nothing else."""
    with pytest.raises(Malformed):
        read(queue, text)


@given(st.sampled_from(Queue), strategies.json_values)
def test_any_json_is_malformed(queue, value):
    """Any JSON that is not a message raises Malformed, and nothing else."""
    with pytest.raises(Malformed):
        read(queue, json.dumps(value))


@given(st.sampled_from(Queue), st.data(), strategies.json_values)
def test_any_value_in_a_message(queue, data, value):
    """A message with any JSON in place of one of its values is a message of that kind or Malformed."""
    good = json.loads(write(ONE_OF_EACH[queue]))
    key = data.draw(st.sampled_from(sorted(good)))
    try:
        message = read(queue, json.dumps({**good, key: value}))
    except Malformed:
        return
    assert type(message) is KINDS[queue]


LATER_VALUES = {"gathered", "failed", "again", "back", "batch", "attempt"}
"""Values with a default: a message that an older app put before it was updated may lack them."""


@EVERY_QUEUE
def test_messages_from_before_an_update(queue):
    """A message without the values that have a default is read with these."""
    good = json.loads(write(ONE_OF_EACH[queue]))
    message = read(queue, json.dumps({name: value for name, value in good.items() if name not in LATER_VALUES}))
    assert not any(getattr(message, name) for name in good.keys() & LATER_VALUES)


@EVERY_QUEUE
def test_missing_values(queue):
    """A message that lacks a value is Malformed, and the error names it, unless most messages have no need of it."""
    good = json.loads(write(ONE_OF_EACH[queue]))
    for key in good.keys() - LATER_VALUES:
        with pytest.raises(Malformed, match=key):
            read(queue, json.dumps({name: value for name, value in good.items() if name != key}))


@EVERY_QUEUE
def test_half_a_letter(queue):
    """Text that is half a letter, which JSON can hold and no row of a table, makes a message Malformed."""
    good = json.loads(write(ONE_OF_EACH[queue]))
    for key in (key for key, value in good.items() if isinstance(value, str)):
        with pytest.raises(Malformed, match=key):
            read(queue, json.dumps({**good, key: "\ud800"}))


@EVERY_QUEUE
def test_messages_of_other_queues(queue):
    """A message in the wrong queue is not mistaken for another kind, unless it says all that this kind says."""
    for other, message in ONE_OF_EACH.items():
        if other is queue:
            continue
        if (queue, other) in {(Queue.PRUNE, Queue.REPLICATE), (Queue.PRUNE, Queue.WATCH)}:
            assert read(queue, write(message)) == Prune(VERSION, NOW, NOW + HOUR)
            continue
        with pytest.raises(Malformed):
            read(queue, write(message))


@EVERY_QUEUE
def test_unknown_keys_are_ignored(queue):
    """A message of a later release that says more is still read."""
    good = json.loads(write(ONE_OF_EACH[queue]))
    assert read(queue, json.dumps({**good, "more": 1})) == ONE_OF_EACH[queue]


@pytest.mark.parametrize(
    ("queue", "key", "value", "fault"),
    [
        (Queue.RECONCILE, "schema", 2, "not an object of schema 1"),
        (Queue.RECONCILE, "schema", "1", "not an object of schema 1"),
        (Queue.RECONCILE, "definition", str(VERSION), "bad definition: .* is not the resource id of an image defin"),
        (Queue.RECONCILE, "definition", None, "bad definition: wanted str, given NoneType"),
        (Queue.RECONCILE, "cause", 7, "bad cause: wanted str, given int"),
        (Queue.PRUNE, "version", IMAGE_ID, "bad version: .* is not the resource id of an image version"),
        (Queue.PRUNE, "since", "yesterday", "bad since: Invalid isoformat"),
        (Queue.PRUNE, "since", "2025-03-01T12:00:00", "bad since: wanted a time with an offset"),
        (Queue.PRUNE, "deadline", 1_700_000_000, "bad deadline: wanted str, given int"),
        (Queue.WATCH, "look", "3", "bad look: wanted int, given str"),
        (Queue.WATCH, "look", True, "bad look: wanted int, given bool"),
        (Queue.WATCH, "look", 3.0, "bad look: wanted int, given float"),
        (Queue.REPLICATE, "again", 0, "bad again: wanted bool, given int"),
        (Queue.REPLICATE, "again", "false", "bad again: wanted bool, given str"),
        (Queue.REPLICATE, "back", None, "bad back: wanted bool, given NoneType"),
        (Queue.REPLICATE, "back", 1, "bad back: wanted bool, given int"),
        (Queue.NOTIFY, "event", [], "bad event: wanted dict, given list"),
        (Queue.NOTIFY, "event", None, "bad event: wanted dict, given NoneType"),
        (Queue.NOTIFY, "webhook", 1, "bad webhook: wanted str, given int"),
    ],
)
def test_bad_values(queue, key, value, fault):
    """Each value is read as exactly what it is to be; the error says which one is wrong, and why."""
    good = json.loads(write(ONE_OF_EACH[queue]))
    with pytest.raises(Malformed, match=fault):
        read(queue, json.dumps({**good, key: value}))


@pytest.mark.parametrize("text", ["", "{", "nul", "\ufeff{}", "[" * 100_000, '{"schema":' * 100_000, "9" * 5000])
def test_not_json(text):
    """What is not JSON, or absurdly deep or large, is Malformed."""
    with pytest.raises(Malformed, match="a message in watch is not JSON"):
        read(Queue.WATCH, text)


def test_faults_do_not_show_events():
    """An error about a status message does not quote it."""
    text = write(ONE_OF_EACH[Queue.NOTIFY]).replace('"1-teams"', '["https://secret.example"]')
    with pytest.raises(Malformed) as caught:
        read(Queue.NOTIFY, text)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("key", ["version", "since", "deadline", "region"])
def test_faults_are_not_as_long_as_what_is_wrong(key):
    """Why a message cannot be read is said in a few lines at most: it is logged, and buried with the message."""
    text = json.dumps({**json.loads(write(ONE_OF_EACH[Queue.REPLICATE])), key: "a" * 30_000, "again": None})
    with pytest.raises(Malformed) as caught:
        read(Queue.REPLICATE, text)
    assert len(str(caught.value)) <= 1000


def test_failed_once_more():
    """The next try of a status is the same message, with one more vain try."""
    message = ONE_OF_EACH[Queue.NOTIFY]
    assert message.failed_once_more() == replace(message, attempt=3)


def test_a_message_wants_nothing_special_unless_told():
    """A message brings its version to a region: it neither repairs nor puts back, unless it says so."""
    plain = Replicate(VERSION, HOME, NOW, NOW + HOUR)
    assert (plain.again, plain.back) == (False, False)


def test_longest_delay():
    """A message waits a day less than the week that a queue delays at most, so that no clock can make it too long."""
    assert timedelta(days=7) - LONGEST_DELAY == timedelta(days=1)


def test_poison_queues():
    """Each queue has its poison queue, named as the Functions host names it."""
    assert [queue.poison for queue in Queue] == [
        "reconcile-poison",
        "replicate-poison",
        "watch-poison",
        "prune-poison",
        "notify-poison",
    ]


@given(st.text(), st.text())
def test_buried_messages_are_unearthed(text, reason):
    """Any text that is buried is unearthed as it was, with its reason, however often it is buried."""
    assert unearth(bury(text, reason)) == (text, reason)
    assert unearth(bury(bury(text, reason), "again")) == (bury(text, reason), "again")


@given(st.text() | strategies.json_values.map(json.dumps) | messages.map(write))
def test_what_was_not_buried_has_no_reason(text):
    """Any text that was not buried is unearthed as it is, without a reason."""
    assert unearth(text) == (text, None)


@pytest.mark.parametrize(
    "text", ['{"buried": 1, "reason": "x"}', '{"buried": "x", "reason": null}', '{"buried": "x"}', "[" * 100_000]
)
def test_what_only_looks_buried(text):
    """A text that only looks buried is given as it is."""
    assert unearth(text) == (text, None)


def test_tickets():
    """A message that is put back carries its ticket, which changes nothing of what it says; another carries none."""
    text = write(Reconcile(IMAGE, "sweep"))
    back = ticketed(text, "first")
    assert ticket_in(back) == "first"
    assert ticket_in(ticketed(back, "first")) == "first"
    assert ticket_in(text) is None
    assert read(Queue.RECONCILE, back) == read(Queue.RECONCILE, text)


@pytest.mark.parametrize(
    "ticket", [7, None, [], "", "\ud800", "a\udfffb", "a\0b", "a\nb", "\u00e9", "\U0001f600", "a" * 101]
)
def test_tickets_that_are_none(ticket):
    """What no queue gives a message as its id is no ticket, and the message has none: it can still be handled."""
    text = json.dumps({**json.loads(write(Reconcile(IMAGE, "sweep"))), "ticket": ticket})
    assert ticket_in(text) is None
    assert read(Queue.RECONCILE, text) == Reconcile(IMAGE, "sweep")


def test_the_longest_ticket():
    """A hundred characters are a ticket: ids of messages have 36 (documented)."""
    assert ticket_in(ticketed(write(Reconcile(IMAGE, "sweep")), "a" * 100)) == "a" * 100


def test_the_longest_messages_are_buried_bare():
    """A text that a queue could just hold has no room for a reason; it is buried as it is, and not lost."""
    text = "x" * (47 * 1024)
    assert unearth(bury(text, "why")) == (text, "why")
    assert unearth(bury(text + "x" * 1024, "why")) == (text + "x" * 1024, None)


@pytest.mark.parametrize("letter", ["\ufffd", "\u20ac", '"', "\0", "\U0001f600"])
def test_what_has_grown_is_buried_as_far_as_it_fits(letter):
    """A text that grew when it was decoded, because it is none, is cut to what a queue takes; nothing more is lost."""
    size = len(letter.encode())
    for count in (48 * 1024 // size, 48 * 1024):
        buried = bury(letter * count, "why")
        assert 48 * 1024 - size < len(buried.encode()) <= 48 * 1024
        assert buried == letter * (48 * 1024 // size)


def test_a_status_for_several():
    """One message for several receivers becomes one for each of them; one for a single receiver stays as it is."""
    several = Notify.to(["1-teams", "3-topic"], {"id": "x"}, since=NOW, deadline=NOW + HOUR)
    assert read(Queue.NOTIFY, write(several)) == several
    one, other = several.each
    assert (one.webhook, other.webhook) == ("1-teams", "3-topic")
    assert one.each == [one]
    assert {each.event["id"] for each in (one, other)} == {"x"}


@pytest.mark.parametrize(
    ("text", "delay", "put", "late"),
    [
        pytest.param(write(Reconcile(IMAGE, "sweep")), 0, NOW - MINUTE, MINUTE, id="it did not wait"),
        pytest.param(write(Reconcile(IMAGE, "sweep")), 50, NOW - MINUTE, 10 * SECOND, id="it waited"),
        pytest.param(delayed(write(Reconcile(IMAGE, "sweep")), MINUTE), 0, NOW - MINUTE, MINUTE, id="it waits no more"),
        pytest.param(write(Reconcile(IMAGE, "sweep")), 90, NOW - MINUTE, NONE, id="somebody's clock is wrong"),
        pytest.param(write(Reconcile(IMAGE, "sweep")), 0, None, NONE, id="the queue does not say when it was put"),
        pytest.param("nonsense", 50, NOW - MINUTE, MINUTE, id="it is no message"),
        pytest.param("[]", 50, NOW - MINUTE, MINUTE, id="it is another thing"),
        pytest.param('{"delay": "long"}', 0, NOW - MINUTE, MINUTE, id="its delay was a word"),
    ],
)
def test_lateness(text, delay, put, late):
    """How late a message was taken counts from when it was due, however often it was put to wait before."""
    assert lateness(delayed(text, delay * SECOND), put, NOW) == late


@pytest.mark.parametrize("delay", ['"long"', "1e999", "-1", "NaN", "null", "[]"])
def test_a_delay_that_is_none(delay):
    """Of a message whose delay is nonsense nothing is known, and it is read all the same."""
    assert lateness(f'{{"delay": {delay}}}', NOW - MINUTE, NOW) == NONE


def test_what_does_not_wait_stays_as_it_is():
    """A message that is put at once has the text that was written; one that waits is read as if it did not."""
    message = Reconcile(IMAGE, "sweep")
    assert delayed(write(message), NONE) == write(message)
    assert read(Queue.RECONCILE, delayed(write(message), MINUTE)) == message
