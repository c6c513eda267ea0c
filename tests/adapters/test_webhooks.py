import json
import logging
import time
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Self

import pytest
import standardwebhooks

from local.azure import SimulatedAzure
from shared.adapters.answer import Answer
from shared.adapters.webhooks import Webhooks
from shared.settings import Webhook, WebhookKind
from tests.adapters.support import NOBODY, Server, bare_reply, logged, reply, together
from tests.core.build import NOW
from tests.core.statuses import STATUSES

SECRET = "c4nary-in-the-url"
BODY = {"text": "Ubuntu ✓ — «déjà vu»", "list": [1, None]}
JSON = "application/json"


@pytest.fixture
def webhooks() -> Webhooks:
    """The adapter, without a secret."""
    return Webhooks((), lambda: NOW)


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


def test_bodies_are_as_short_as_they_can_be(webhooks: Webhooks) -> None:
    """What is posted has no blanks between its parts, and no letter beyond ASCII: receivers count bytes."""
    with Server(reply(202)) as server:
        webhooks.post(hook(server.url), BODY, JSON)
    assert server.taken[0].body == json.dumps(BODY, separators=(",", ":")).encode("ascii")


def test_statuses_come_back(webhooks: Webhooks) -> None:
    """Whatever the receiver answers comes back as it is, of all statuses; the post is not tried again in here."""
    final = [status for status in STATUSES if status >= 200]
    with Server(*(bare_reply(status) for status in final)) as server:
        answers = [webhooks.post(hook(server.url), BODY, JSON) for _ in final]
    assert answers == [Answer(status, f"HTTP {status}") for status in final]
    assert len(server.taken) == len(final)


@pytest.mark.parametrize(
    ("told", "after"),
    [
        ("120", timedelta(seconds=120)),
        ("0", timedelta(0)),
        (" 7 ", timedelta(seconds=7)),
        ("Sat, 01 Mar 2025 12:02:30 GMT", timedelta(seconds=150)),
        ("Saturday, 01-Mar-25 12:02:30 GMT", timedelta(seconds=150)),
        ("Sat Mar  1 12:02:30 2025", timedelta(seconds=150)),
        ("Sat, 01 Mar 2025 13:02:30 +0100", timedelta(seconds=150)),
        ("Sat, 01 Mar 2025 11:59:59 GMT", timedelta(0)),
        ("Fri, 01 Mar 2035 12:00:00 GMT", datetime(2035, 3, 1, 12, tzinfo=UTC) - NOW),
        ("Sat, 31 Feb 2025 12:00:00 GMT", None),
        ("Sat, 01 Mar 9999 23:59:59 -9959", None),
        ("Sat, 01 Mar 99999 12:00:00 GMT", None),
        ("tomorrow", None),
        ("1.5", timedelta(seconds=2)),
        ("-1", None),
        ("", None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_comes_back(webhooks: Webhooks, told: str, after: timedelta | None, status: int) -> None:
    """A Retry-After, in seconds or as a date of any of HTTP's forms, comes back; nobody waits for it in here."""
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


# Signatures

OLD, NEW = (f"whsec_{b64encode(bytes([letter]) * 24).decode()}" for letter in (1, 2))
EVENT = {"id": "0a1b", "specversion": "1.0", "data": {"name": "d\u00e9j\u00e0 vu"}}
ATTEMPTS = (NOW, NOW + timedelta(hours=5), NOW.astimezone(timezone(timedelta(hours=9))))


@pytest.mark.parametrize("now", ATTEMPTS, ids=["at once", "hours later", "in Japan"])
@pytest.mark.parametrize("secrets", [(NEW,), (OLD, NEW), (NEW, OLD)], ids=["one", "old first", "new first"])
def test_json_posts_are_signed(monkeypatch: pytest.MonkeyPatch, secrets: tuple[str, ...], now: datetime) -> None:
    """A receiver that knows one of the secrets finds a post signed, with the event's id and the time of the attempt."""
    with Server(reply(200)) as server:
        Webhooks(secrets, lambda: now).post(hook(server.url), EVENT, JSON)
    (taken,) = server.taken
    assert (taken.headers["webhook-id"], taken.headers["webhook-timestamp"]) == ("0a1b", str(int(now.timestamp())))
    assert len(taken.headers["webhook-signature"].split(" ")) == len(secrets)
    monkeypatch.setattr(standardwebhooks.webhooks, "datetime", _at(now))
    for secret in secrets:
        assert standardwebhooks.Webhook(secret).verify(taken.body, taken.headers) == EVENT


def test_another_secret_does_not_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver with another secret, another body or another id finds no signature."""
    with Server(reply(200)) as server:
        Webhooks((OLD,), lambda: NOW).post(hook(server.url), EVENT, JSON)
    (taken,) = server.taken
    monkeypatch.setattr(standardwebhooks.webhooks, "datetime", _at(NOW))
    for secret, body, more in (
        (NEW, taken.body, {}),
        (OLD, taken.body + b" ", {}),
        (OLD, taken.body, {"webhook-id": "0a1c"}),
    ):
        with pytest.raises(standardwebhooks.WebhookVerificationError, match="No matching signature"):
            standardwebhooks.Webhook(secret).verify(body, taken.headers | more)


def _at(now: datetime) -> type[datetime]:
    """Give the class of dates with a clock that stands."""

    class Standing(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls.fromtimestamp(now.timestamp(), tz)

    return Standing


@pytest.mark.parametrize("kind", [WebhookKind.TEAMS, WebhookKind.SLACK])
def test_chats_get_no_signature(kind: WebhookKind) -> None:
    """Posts to chats, which know no signatures, have none; nor has a json post where there is no secret."""
    with Server(reply(200)) as server:
        Webhooks((OLD,), lambda: NOW).post(Webhook("1", kind, server.url), EVENT, JSON)
        Webhooks((), lambda: NOW).post(hook(server.url), EVENT, JSON)
    assert not [name for taken in server.taken for name in taken.headers if name.startswith("webhook-")]
