import json
import logging
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from local.azure import SimulatedAzure
from shared.adapters.webhooks import Webhooks
from shared.settings import Webhook, WebhookKind
from tests.adapters.support import NOBODY, Server, logged, reply, together

SECRET = "c4nary-in-the-url"
BODY = {"text": "Ubuntu ✓ — «déjà vu»", "list": [1, None]}
JSON = "application/json"


@pytest.fixture
def webhooks() -> Webhooks:
    """The adapter."""
    return Webhooks()


@pytest.fixture
def chat() -> Iterator[SimulatedAzure]:
    """A simulated Azure, for its chat sink."""
    with SimulatedAzure() as simulated:
        yield simulated


def hook(url: str) -> Webhook:
    """Name a receiver."""
    return Webhook("1-json", WebhookKind.JSON, url)


@pytest.mark.parametrize("content_type", ["application/json", "application/cloudevents+json; charset=utf-8"])
def test_json_is_posted(webhooks: Webhooks, chat: SimulatedAzure, content_type: str) -> None:
    """A body arrives as JSON, once, with its content type, at the very path of the URL."""
    answer = webhooks.post(hook(chat.chat_url("json", SECRET)), BODY, content_type)
    (post,) = chat.posts
    assert (post.body, post.headers["content-type"]) == (BODY, content_type)
    assert post.path == f"/chat/json/{SECRET}"
    assert (answer.status, answer.retry_after) == (200, None)


def test_the_query_travels(webhooks: Webhooks) -> None:
    """The query of a URL, where some chats keep their secret, is sent; a fragment is not."""
    with Server(reply(202)) as server:
        webhooks.post(hook(f"{server.url}/a%2Fb?sig=%2B1&sp=x#part"), BODY, JSON)
    (taken,) = server.taken
    assert (taken.method, taken.path) == ("POST", "/a%2Fb?sig=%2B1&sp=x")
    assert json.loads(taken.body) == BODY


@pytest.mark.parametrize("status", [200, 202, 204, 400, 401, 403, 404, 410, 413, 429, 500, 502, 503])
def test_statuses_come_back(webhooks: Webhooks, status: int) -> None:
    """Whatever the receiver answers comes back as it is; the post is not tried again in here."""
    with Server(reply(status)) as server:
        answer = webhooks.post(hook(server.url), BODY, JSON)
    assert (answer.status, answer.reason, answer.retry_after) == (status, f"HTTP {status}", None)
    assert len(server.taken) == 1


@pytest.mark.parametrize(
    ("told", "after"),
    [
        ("120", timedelta(seconds=120)),
        ("0", timedelta(0)),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("1.5", None),
        ("-1", None),
        ("", None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_comes_back(webhooks: Webhooks, told: str, after: timedelta | None, status: int) -> None:
    """The seconds of a Retry-After come back, and nobody waits for them in here; any other form counts as none."""
    begun = time.monotonic()
    with Server(reply(status, Retry_After=told)) as server:
        answer = webhooks.post(hook(server.url), BODY, JSON)
    assert (answer.status, answer.retry_after) == (status, after)
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize("told", ["9" * 12, "9" * 30, "9" * 5000])
def test_a_retry_after_beyond_all_bounds(webhooks: Webhooks, told: str) -> None:
    """A Retry-After longer than anything lives is no error, and still a very long time."""
    with Server(reply(429, Retry_After=told)) as server:
        answer = webhooks.post(hook(server.url), BODY, JSON)
    assert answer.retry_after
    assert answer.retry_after > timedelta(days=365)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(webhooks: Webhooks, chat: SimulatedAzure, status: int) -> None:
    """A redirect comes back as its status, and nothing is sent to where it points."""
    with Server(reply(status, Location=chat.chat_url("json", "elsewhere"))) as server:
        answer = webhooks.post(hook(server.url), BODY, JSON)
    assert answer.status == status
    assert chat.posts == []


NOT_HTTP = b"what do you want?\r\n\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="closed at once"),
        pytest.param(b"HTTP/1.1 20", id="closed in the first line"),
        pytest.param(NOT_HTTP, id="not HTTP"),
        pytest.param(b"HTTP/1.1 two hundred OK\r\n\r\n", id="no status"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", id="endless header"),
    ],
)
def test_no_answer(journal: pytest.LogCaptureFixture, webhooks: Webhooks, answer: bytes) -> None:
    """A receiver that gives no answer is status 0 with a reason that does not tell the URL; it is asked once."""
    with Server(answer) as server:
        given = webhooks.post(hook(f"{server.url}/{SECRET}?sig={SECRET}"), BODY, JSON)
        assert len(server.taken) == 1
    assert given.status == 0
    assert given.reason
    assert SECRET not in repr(given) + logged(journal.records)
    assert "127.0.0.1" not in given.reason


@pytest.mark.parametrize(
    "url",
    [
        pytest.param(f"{NOBODY}/{SECRET}", id="refused"),
        pytest.param(f"https://{SECRET}.invalid/{SECRET}", id="no such host"),
        pytest.param(f"http://{'x' * 64}.invalid/{SECRET}", id="no possible host"),
        pytest.param(f"http://a..b/{SECRET}", id="empty label"),
        pytest.param(f"https://{NOBODY.removeprefix('http://')}/{SECRET}", id="refused, https"),
    ],
)
def test_nobody_there(journal: pytest.LogCaptureFixture, webhooks: Webhooks, url: str) -> None:
    """A receiver that cannot be reached is status 0 with a reason that does not tell the URL."""
    answer = webhooks.post(hook(url), BODY, JSON)
    assert answer.status == 0
    assert answer.reason
    assert SECRET not in repr(answer) + logged(journal.records)


def test_a_receiver_without_tls(journal: pytest.LogCaptureFixture, webhooks: Webhooks) -> None:
    """A receiver that should speak TLS and does not is status 0, and is sent nothing."""
    with Server(reply(200)) as server:
        answer = webhooks.post(hook(f"{server.url.replace('http:', 'https:')}/{SECRET}"), BODY, JSON)
    assert answer.status == 0
    assert server.taken == []
    assert SECRET not in repr(answer) + logged(journal.records)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nok", id="broken off"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", id="bad chunks"),
        pytest.param(reply(200, b"not gzip", Content_Encoding="gzip"), id="bad compression"),
        pytest.param(b"HTTP/1.1 200 OK\r\nno header at all\r\nContent-Length: 0\r\n\r\n", id="bad header"),
    ],
)
def test_what_was_taken_was_taken(journal: pytest.LogCaptureFixture, webhooks: Webhooks, answer: bytes) -> None:
    """Once the receiver said 200 the post was taken, whatever becomes of the rest: it is not to be posted again."""
    with Server(answer) as server:
        given = webhooks.post(hook(f"{server.url}/{SECRET}"), BODY, JSON)
    assert given.status == 200
    assert SECRET not in logged(journal.records)


def test_urls_are_in_no_log(journal: pytest.LogCaptureFixture, webhooks: Webhooks, chat: SimulatedAzure) -> None:
    """Posts that go well and posts that do not, also many at once, leave no URL in any log record down to DEBUG."""
    chat.chat_answers("json", [200, 500, 429, 404, 200], retry_after=120)
    url = chat.chat_url("json", SECRET)
    together(16, lambda _: webhooks.post(hook(url), BODY, JSON))
    logging.getLogger("gallery_fanout").info("posted to %s", hook(url))
    assert len(chat.posts) == 16
    assert "1-json" in logged(journal.records)
    assert SECRET not in logged(journal.records)
