"""What becomes of a status whose receiver does not take it."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import azure.functions as func
import pytest

from handlers.announcing import announce
from local.azure import Post
from shared.adapters.answer import Answer
from shared.core.delivery import Verdict
from shared.core.messages import Notify, Queue, read, write
from shared.core.notice_type import NoticeType
from shared.core.notices import failure_news
from shared.settings import load
from tests.core.build import DAY, HOUR, MINUTE, NOW, version_id
from tests.core.statuses import STATUSES
from tests.flows.clockwork import Clockwork
from tests.formats.events import EVENTS
from tests.served import functions
from tests.settings.environment import GOOD

KINDS = ("teams", "slack", "json", "topic")
HOOKS = "teams=https://example.org/a slack=https://example.org/b json=https://example.org/c"
NAMES = [f"{place}-{kind}" for place, kind in enumerate(KINDS, start=1)]
EVERY_KIND = pytest.mark.parametrize("kind", KINDS)
NEWS = failure_news(version_id("1.0.3"), "Failed", "there is no source")


# One post, and what its status means


class _Queues:
    """What a stage does with its message."""

    def __init__(self) -> None:
        self.again: list[tuple[Any, timedelta]] = []
        self.buried: list[str] = []

    def put(self, message: Any, *, delay: timedelta) -> None:
        self.again.append((message, delay))

    def bury(self, queue: Queue, text: str, reason: str) -> None:
        assert queue is Queue.NOTIFY
        assert text
        self.buried.append(reason)


def handled(name: str, answer: Answer, message: Notify | None = None) -> tuple[_Queues, Mock]:
    """Let the stage post a status to a receiver that answers so; give the queues that it used, and the delivery."""
    given = {**GOOD, "STATUS_WEBHOOKS": HOOKS, "STATUS_TOPIC_ENDPOINT": "https://topic.example/api/events"}
    queues, delivery, receiver, other = _Queues(), Mock(), Mock(post=Mock(return_value=answer)), Mock(spec=())
    app = SimpleNamespace(
        settings=_settings(given),
        now=lambda: NOW,
        queues=queues,
        deliveries=Mock(begin=Mock(return_value=delivery)),
        webhooks=other if name.endswith("topic") else receiver,
        topic=receiver if name.endswith("topic") else other,
    )
    text = write(message or Notify(name, EVENTS["rollout.completed"], NOW, NOW + DAY))
    functions(app)["notify"](func.QueueMessage(id="7", body=text.encode()))
    receiver.post.assert_called_once()
    return queues, delivery


_loaded: dict[str, Any] = {}


def _settings(given: dict[str, str]) -> Any:
    return _loaded.setdefault(repr(given), load(given))


@pytest.mark.parametrize("name", NAMES)
def test_every_status_for_every_kind(name: str) -> None:
    """Of all HTTP statuses 2xx is done, 408, 425, 429 and 5xx come again, and any other is a dead letter at once."""
    for status, meaning in STATUSES.items():
        queues, delivery = handled(name, Answer(status, f"HTTP {status}"))
        done = (len(queues.again), queues.buried, delivery.posted.called, delivery.again.called)
        assert (
            done
            == {
                Verdict.POSTED: (0, [], True, False),
                Verdict.AGAIN: (1, [], False, True),
                Verdict.REFUSED: (0, [f"webhook {name}: HTTP {status}"], False, True),
            }[meaning]
        )


@pytest.mark.parametrize("name", NAMES)
def test_no_answer_comes_again(name: str) -> None:
    """A receiver that gives no answer is tried again, like one that says "later"."""
    queues, _ = handled(name, Answer(0, "ConnectTimeoutError"))
    ((message, delay),) = queues.again
    assert delay == timedelta(seconds=5)
    assert message.attempt == 1


@pytest.mark.parametrize("name", NAMES)
def test_the_same_id_each_time(name: str) -> None:
    """What is tried again is the same CloudEvent for the same receiver, with its first time and its deadline."""
    first = Notify(name, EVENTS["rollout.completed"], NOW, NOW + DAY, attempt=3)
    queues, _ = handled(name, Answer(503, "HTTP 503"), first)
    ((again, _),) = queues.again
    assert again == first.failed_once_more()
    assert read(Queue.NOTIFY, write(again)) == again


@pytest.mark.parametrize(
    ("asked", "left", "waits"),
    [
        (timedelta(seconds=1), DAY, timedelta(seconds=5)),
        (HOUR, DAY, HOUR),
        (30 * DAY, DAY, DAY),
        (HOUR, MINUTE, MINUTE),
        (None, timedelta(seconds=2), timedelta(seconds=2)),
    ],
)
def test_who_asks_to_be_left_alone(asked: timedelta | None, left: timedelta, waits: timedelta) -> None:
    """No try comes sooner than the receiver asked for, and none later than the end of the day that a status lives."""
    message = Notify("1-teams", EVENTS["rollout.completed"], NOW - HOUR, NOW + left)
    queues, _ = handled("1-teams", Answer(429, "HTTP 429", asked), message)
    assert [delay for _, delay in queues.again] == [waits]


@pytest.mark.parametrize("name", NAMES)
def test_given_up_after_a_day(name: str) -> None:
    """A status whose day is over is a dead letter, with the last answer as its reason, even one that asks for time."""
    message = Notify(name, EVENTS["rollout.completed"], NOW - DAY, NOW)
    queues, _ = handled(name, Answer(503, "HTTP 503", HOUR), message)
    assert (queues.again, queues.buried) == ([], [f"webhook {name}: HTTP 503"])


# Whole days


@pytest.fixture
def told(clockwork: Clockwork) -> Clockwork:
    """An app with a receiver of each kind, and something to tell them."""
    urls = {"STATUS_WEBHOOKS": clockwork.receivers(*KINDS[:3]), "STATUS_TOPIC_ENDPOINT": clockwork.azure.topic_url}
    clockwork.decide("westeurope", **urls)
    return clockwork


def tell(clockwork: Clockwork, *kinds: NoticeType) -> dict[str, list[Post]]:
    """Announce something, let two days pass, and give the posts to each kind of receiver."""
    for kind in kinds or [NEWS.type]:
        announce(clockwork.app, replace(NEWS, type=kind))
    assert clockwork.run(2 * DAY)
    return {kind: [post for post in clockwork.azure.posts if post.kind == kind] for kind in KINDS}


def headline(post: Post) -> str:
    """Give what a chat says first."""
    return post.body["text"] if post.kind == "slack" else post.body["attachments"][0]["content"]["fallbackText"]


@pytest.mark.flow
def test_all_receivers_hear_the_same(told: Clockwork) -> None:
    """Each receiver gets a status once; programs at a webhook and at the topic get the same CloudEvent."""
    posts = tell(told)
    assert {kind: len(each) for kind, each in posts.items()} == dict.fromkeys(KINDS, 1)
    (event,), (published,) = ([post.body for post in posts[kind]] for kind in ("json", "topic"))
    assert published | {"time": event["time"]} == event
    assert headline(posts["teams"][0]) == headline(posts["slack"][0]) == "ubuntu-2204 1.0.3: publishing failed"


@pytest.mark.flow
@EVERY_KIND
def test_a_receiver_that_is_away_for_a_day(told: Clockwork, kind: str) -> None:
    """It is tried for a day with growing pauses, always with the same status; then the others are told of it."""
    told.azure.chat_answers(kind, [503])
    posts = tell(told)
    mine = posts.pop(kind)
    times = [post.at for post in mine]
    pauses = [later - before for before, later in pairwise(times)]
    assert times[-1] - times[0] == DAY.total_seconds()
    assert pauses[:-1] == sorted(pauses[:-1])
    assert {repr(post.body) for post in mine} == {repr(mine[0].body)}
    assert {each: len(others) for each, others in posts.items()} == dict.fromkeys(posts, 2)
    assert told.queues.waiting == []


@pytest.mark.flow
@EVERY_KIND
def test_a_receiver_that_comes_back(told: Clockwork, kind: str) -> None:
    """One that is away for a while and wants to be left alone for an hour gets the status then, once."""
    told.azure.chat_answers(kind, [429, 429, 200], retry_after=3600)
    posts = tell(told)
    assert [post.status for post in posts[kind]] == [429, 429, 200]
    assert [later.at - before.at for before, later in pairwise(posts[kind])] == [3600, 3600]
    assert sum(len(each) for each in posts.values()) == 3 + 3


@pytest.mark.flow
@EVERY_KIND
def test_a_receiver_that_refuses(told: Clockwork, kind: str) -> None:
    """One that refuses is asked once for each status; its dead letter is told to the others, and ends there."""
    told.azure.chat_answers(kind, [404])
    posts = tell(told)
    assert len(posts.pop(kind)) == 1
    assert {each: len(others) for each, others in posts.items()} == dict.fromkeys(posts, 2)
    letters = [post.body for each in posts.values() for post in each if post.kind in ("json", "topic")][1::2]
    assert {letter["type"] for letter in letters} == {"gallery-fanout.message.dead-lettered"}
    assert {letter["data"]["reason"] for letter in letters} == {f"webhook {NAMES[KINDS.index(kind)]}: HTTP 404"}


@pytest.mark.flow
def test_everybody_refuses(told: Clockwork) -> None:
    """Where all refuse, each dead letter is told once to each of the others and no further: nothing loops."""
    for kind in KINDS:
        told.azure.chat_answers(kind, [410])
    posts = tell(told)
    assert {kind: len(each) for kind, each in posts.items()} == dict.fromkeys(KINDS, 1 + 3)
    assert told.queues.waiting == []


@pytest.mark.flow
def test_only_what_is_wanted_is_posted(told: Clockwork) -> None:
    """Of all statuses only those of STATUS_EVENTS are posted, to every receiver alike."""
    told.decide(
        "westeurope",
        STATUS_WEBHOOKS=told.receivers("json"),
        STATUS_TOPIC_ENDPOINT=told.azure.topic_url,
        STATUS_EVENTS="stalled prune.completed",
    )
    posts = tell(told, *NoticeType)
    wanted = ["gallery-fanout.rollout.stalled", "gallery-fanout.prune.completed"]
    assert [post.body["type"] for post in posts["json"]] == [post.body["type"] for post in posts["topic"]] == wanted
