import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError

from handlers.journal import quiet_libraries
from local.azure import SimulatedAzure
from shared.adapters.answer import Answer
from shared.adapters.topic import Topic
from shared.settings import Webhook, WebhookKind
from tests.adapters.support import NOBODY, Server, Tokens, bare_reply, logged, quickly, reply
from tests.core.build import NOW
from tests.core.statuses import STATUSES
from tests.formats.events import DIGEST, EVENTS, EVERY_EVENT

EVENT = EVENTS["rollout.completed"]
HOOK = Webhook("1-topic", WebhookKind.TOPIC, "https://topic.example/api/events")


def topic(url: str, credential: Tokens | None = None) -> Topic:
    """Give the adapter."""
    return Topic(url, credential, lambda: NOW)


def post(url: str, event: dict[str, Any] = EVENT) -> Answer:
    """Publish an event to a topic on this machine."""
    return topic(url).post(HOOK, event, "")


@pytest.fixture
def azure() -> Iterator[SimulatedAzure]:
    """A simulated Azure, for its topic."""
    with SimulatedAzure() as simulated:
        yield simulated


def test_events_are_published(azure: SimulatedAzure) -> None:
    """An event arrives as a CloudEvent in a batch of one, the same as at a json webhook, its time written in UTC."""
    events = [*EVENTS.values(), DIGEST, EVERY_EVENT["all wait"]]
    assert {post(azure.topic_url, event) for event in events} == {Answer(200, "HTTP 200")}
    for taken, event in zip(azure.posts, events, strict=True):
        assert datetime.fromisoformat(taken.body["time"]) == datetime.fromisoformat(event["time"])
        assert taken.body | {"time": event["time"]} == event
        assert taken.headers["content-type"].startswith("application/cloudevents-batch+json")
        assert (taken.kind, taken.status) == ("topic", 200)


def test_statuses_come_back() -> None:
    """Whatever the topic answers comes back as it is, of all statuses; the event is not sent again in here."""
    final = [status for status in STATUSES if status >= 200]
    with Server(*(bare_reply(status) for status in final)) as server:
        there = topic(f"{server.url}/api/events")
        answers = [there.post(HOOK, EVENT, "") for _ in final]
    assert answers == [Answer(status, f"HTTP {status}") for status in final]
    assert len(server.taken) == len(final)


@pytest.mark.parametrize(
    ("told", "after"),
    [
        ("120", timedelta(seconds=120)),
        ("Sat, 01 Mar 2025 12:02:30 GMT", timedelta(seconds=150)),
        ("soon", None),
    ],
)
@pytest.mark.parametrize("status", [404, 429, 503])
def test_retry_after_comes_back(told: str, after: timedelta | None, status: int) -> None:
    """A Retry-After, in seconds or as a date, comes back with any status, and nobody waits for it in here."""
    with Server(reply(status, Retry_After=told)) as server, quickly():
        answer = post(server.url)
    assert (answer.status, answer.retry_after) == (status, after)
    assert len(server.taken) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(azure: SimulatedAzure, status: int) -> None:
    """A redirect comes back as its status, and nothing is sent to where it points."""
    with Server(reply(status, Location=azure.topic_url)) as server:
        assert post(server.url).status == status
    assert azure.posts == []


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 20", b"what do you want?\r\n\r\n"])
def test_no_answer(answer: bytes) -> None:
    """A topic that gives no answer is status 0, and is asked once."""
    with Server(answer) as server:
        assert post(server.url).status == 0
        assert len(server.taken) == 1


def test_nobody_there() -> None:
    """A topic that cannot be reached is status 0, at once."""
    with quickly():
        assert post(f"{NOBODY}/api/events").status == 0


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"id": "1"},
        {**EVENT, "time": "x"},
        {**EVENT, "time": 7},
        {**EVENT, "Odd-Name": 1},
        {**EVENT, "data_base64": "x"},
    ],
)
def test_what_is_no_event(azure: SimulatedAzure, event: dict[str, Any]) -> None:
    """What is no CloudEvent is refused in here, as a topic would, and not sent."""
    assert post(azure.topic_url, event) == Answer(400, "it is no CloudEvent")
    assert azure.posts == []


def test_no_token_over_http() -> None:
    """A topic on this machine gets no token, and a key that opens nothing."""
    with Server(reply(200)) as server:
        post(server.url)
    (taken,) = server.taken
    assert "authorization" not in taken.headers
    assert taken.headers["aeg-sas-key"] == "none"


def test_a_token_for_event_grid_only() -> None:
    """Over https the app's token for Event Grid is asked for, and it would not leave over plain http."""
    tokens = Tokens()
    assert topic("https://127.0.0.1:9/api/events", tokens).post(HOOK, EVENT, "").status == 0
    assert tokens.asked == [("https://eventgrid.azure.net/.default",)]
    with Server(reply(200)) as server:
        assert topic(server.url, tokens).post(HOOK, EVENT, "").status == 0
        assert server.taken == []


def test_no_token_to_be_had() -> None:
    """Where there is no token to be had, that is no answer: it may pass, and the reason tells nothing of it."""
    broken = Tokens(ClientAuthenticationError("the secret of the identity is c4nary"))
    answer = topic("https://127.0.0.1:9/api/events", broken).post(HOOK, EVENT, "")
    assert answer == Answer(0, "ClientAuthenticationError")


def test_it_is_quiet(journal: pytest.LogCaptureFixture, azure: SimulatedAzure) -> None:
    """Publishing leaves no line in the app's log, whatever the topic answers."""
    quiet_libraries()
    azure.chat_answers("topic", [200, 500, 404])
    for _ in range(3):
        post(azure.topic_url)
    ours = [record for record in journal.records if record.levelno >= logging.INFO]
    assert logged(ours) == ""
