import json
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

import pytest
from azure.core.exceptions import HttpResponseError, ServiceRequestError
from azure.storage.queue import QueueServiceClient

from shared.adapters.queues import Queues
from shared.core.messages import Message, Notify, Prune, Queue, Reconcile, Replicate, Watch, read, unearth
from shared.settings import Storage
from tests.adapters.support import IMAGE, NOBODY, Server, reply, together, version_id

NOW = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)
THEN = NOW + timedelta(hours=24)
MESSAGE = Reconcile(IMAGE, "a test")
WEEK = timedelta(days=7)
SENT = (
    b"<?xml version='1.0'?><QueueMessagesList><QueueMessage><MessageId>1</MessageId>"
    b"<InsertionTime>Sat, 01 Mar 2025 12:00:00 GMT</InsertionTime>"
    b"<ExpirationTime>Fri, 31 Dec 9999 23:59:59 GMT</ExpirationTime><PopReceipt>r</PopReceipt>"
    b"<TimeNextVisible>Sat, 01 Mar 2025 12:00:00 GMT</TimeNextVisible></QueueMessage></QueueMessagesList>"
)


@pytest.fixture
def queues(storage: str) -> Queues:
    """The adapter, on an account where nothing is yet."""
    return Queues(Storage(storage), None)


@pytest.fixture
def service(storage: str) -> Iterator[QueueServiceClient]:
    """The SDK's own view of the queues; it decodes nothing."""
    with QueueServiceClient.from_connection_string(storage) as client:
        yield client


@pytest.mark.parametrize(
    "message",
    [
        MESSAGE,
        Replicate(version_id(), "eastus2", NOW, THEN, again=True),
        Watch(version_id(), 3, NOW, THEN),
        Prune(version_id(), NOW, THEN),
        Notify("1-teams", {"id": "x", "text": "ä 😀 </QueueMessage> &amp;"}, NOW, THEN, 2),
    ],
    ids=lambda message: str(message.queue),
)
def test_a_message_is_put_as_the_host_wants_it(queues: Queues, service: QueueServiceClient, message: Message) -> None:
    """A message lies in its own queue as base64 of its JSON, and reads back as the same message."""
    queues.put(message)
    (there,) = service.get_queue_client(message.queue).receive_messages()
    text = b64decode(there.content, validate=True).decode()
    assert json.loads(text)["schema"] == 1
    assert read(message.queue, text) == message
    assert [queue.name for queue in service.list_queues()] == [message.queue]


@pytest.mark.parametrize(
    "text", ["not JSON", "", "ä 😀 \x00\r\n", "x" * 48 * 1024], ids=["word", "empty", "odd", "long"]
)
def test_a_text_is_put_back_as_it_came(queues: Queues, service: QueueServiceClient, text: str) -> None:
    """Any text that a queue can hold goes back unchanged."""
    queues.put_text(Queue.WATCH, text)
    (there,) = service.get_queue_client("watch").receive_messages()
    assert there.content == b64encode(text.encode()).decode()


def test_messages_never_expire(queues: Queues, service: QueueServiceClient) -> None:
    """However long the app is down, its messages are there when it comes back."""
    queues.put(MESSAGE)
    queues.bury(Queue.WATCH, "any", "any")
    for queue in service.list_queues():
        (there,) = service.get_queue_client(queue.name).receive_messages()
        assert there.expires_on.year == 9999


def test_a_delay_hides_a_message(queues: Queues, service: QueueServiceClient) -> None:
    """A message with a delay is in its queue and seen by nobody before the delay is over; then it is."""
    queues.put(MESSAGE, delay=timedelta(hours=1))
    queues.put_text(Queue.RECONCILE, "soon", delay=timedelta(milliseconds=900))
    client = service.get_queue_client("reconcile")
    assert client.get_queue_properties().approximate_message_count == 2
    assert list(client.peek_messages(32)) == []
    begun = datetime.now(UTC)
    while not (seen := list(client.peek_messages(32))):
        assert datetime.now(UTC) - begun < timedelta(seconds=5)
    assert [b64decode(message.content) for message in seen] == [b"soon"]


@pytest.mark.parametrize(
    ("delay", "asked"),
    [
        (timedelta(0), range(1)),
        (timedelta(seconds=1), range(1, 2)),
        (timedelta(seconds=1, microseconds=1), range(2, 3)),
        (timedelta(hours=1), range(3600, 3601)),
        (timedelta(days=6), range(518400, 518401)),
        (WEEK, range(518_400, 518_401)),
        (timedelta(days=365), range(518_400, 518_401)),
        (timedelta.max, range(518_400, 518_401)),
    ],
)
def test_delays(delay: timedelta, asked: range) -> None:
    """A delay is asked for in whole seconds, rounded up, and is at most six days: a queue can do seven."""
    with Server(reply(201, SENT, Content_Type="application/xml")) as server:
        key = b64encode(b"key").decode()
        Queues(Storage(f"AccountName=any;AccountKey={key};QueueEndpoint={server.url}/any"), None).put(
            MESSAGE, delay=delay
        )
    (taken,) = server.taken
    query = parse_qs(urlsplit(taken.path).query)
    assert int(query.get("visibilitytimeout", ["0"])[0]) in asked
    assert query["messagettl"] == ["-1"]
    assert b64decode(ET.fromstring(taken.body).findtext("MessageText") or "")  # noqa: S314  our own message


def test_the_longest_delay_is_taken(queues: Queues, service: QueueServiceClient) -> None:
    """A delay of a month is cut to what the service takes, and the message is there, hidden."""
    queues.put(MESSAGE, delay=timedelta(days=30))
    client = service.get_queue_client("reconcile")
    assert client.get_queue_properties().approximate_message_count == 1
    assert list(client.peek_messages(32)) == []


@pytest.mark.parametrize("shared", [True, False], ids=["one adapter", "an adapter each"])
def test_many_create_a_queue_at_once(storage: str, service: QueueServiceClient, shared: bool) -> None:  # noqa: FBT001
    """Sixteen threads that put the first message of a queue all succeed."""
    one = Queues(Storage(storage), None)
    adapters = [one if shared else Queues(Storage(storage), None) for _ in range(16)]
    together(16, lambda which: adapters[which].put_text(Queue.PRUNE, str(which)))
    there = service.get_queue_client("prune").receive_messages(messages_per_page=32)
    assert sorted(int(b64decode(message.content)) for message in there) == list(range(16))


def test_storage_that_is_away_holds_no_thread() -> None:
    """A queue that cannot be reached is given up after seconds, not after the SDK's half minute."""
    key, begun = b64encode(b"key").decode(), time.monotonic()
    with pytest.raises(ServiceRequestError):
        Queues(Storage(f"AccountName=any;AccountKey={key};QueueEndpoint={NOBODY}/any"), None).put(MESSAGE)
    assert time.monotonic() - begun < 6


def test_a_queue_that_was_deleted_comes_back(queues: Queues, service: QueueServiceClient) -> None:
    """A queue that somebody deletes while the app runs is made again."""
    queues.put(MESSAGE)
    service.delete_queue("reconcile")
    queues.put(MESSAGE)
    assert service.get_queue_client("reconcile").get_queue_properties().approximate_message_count == 1


@pytest.mark.parametrize(
    "text", ['{"schema":1}', "not JSON", "", 'ä 😀 "quoted" \\ \x00', '{"buried":"x","reason":"y"}']
)
def test_what_is_buried_can_be_unearthed(queues: Queues, service: QueueServiceClient, text: str) -> None:
    """A buried message lies where the host puts its own, visible at once, with its text and the reason."""
    queues.bury(Queue.NOTIFY, text, 'no "reason" ä')
    (there,) = service.get_queue_client("notify-poison").receive_messages()
    assert unearth(b64decode(there.content).decode()) == (text, 'no "reason" ä')


def test_no_permission_is_no_missing_queue(storage: str) -> None:
    """A refusal that is not "no such queue" propagates, and nothing is created because of it."""
    wrong = b64encode(b"wrong").decode()
    parts = dict(part.split("=", 1) for part in storage.strip(";").split(";")) | {"AccountKey": wrong}
    queues = Queues(Storage(";".join(f"{name}={value}" for name, value in parts.items())), None)
    with pytest.raises(HttpResponseError) as caught:
        queues.put(MESSAGE)
    assert caught.value.status_code == 403
    with QueueServiceClient.from_connection_string(storage) as service:
        assert list(service.list_queues()) == []
