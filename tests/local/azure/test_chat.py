import pytest

from tests.local.azure.support import ask


@pytest.mark.parametrize(("kind", "status", "text"), [("teams", 202, None), ("slack", 200, "ok"), ("json", 200, None)])
def test_each_chat_answers_in_its_own_way(azure, kind, status, text):
    """Teams says 202, Slack a plain ok, others 200."""
    assert ask("POST", azure.chat_url(kind, "s3cret"), {"text": "hello"})[::2] == (status, text)


def test_posts_are_recorded(azure, clock):
    """A post has its time, kind, path, headers and parsed body; what is no JSON stays text."""
    ask("POST", azure.chat_url("teams", "s3cret/more"), {"text": "hello"})
    (post,) = azure.posts
    assert (post.at, post.kind, post.path) == (clock.now, "teams", "/chat/teams/s3cret/more")
    assert (post.body, post.status) == ({"text": "hello"}, 202)
    assert post.headers["content-type"] == "application/json"
    assert azure.requests == []


def test_answers_can_be_scripted(azure):
    """The statuses come one after the other and the last one stays; other kinds are not touched."""
    azure.chat_answers("teams", [500, 429, 200], retry_after=30)
    answers = [ask("POST", azure.chat_url("teams", "x"), {}) for _ in range(4)]
    assert [answer[0] for answer in answers] == [500, 429, 200, 200]
    assert [answer[1].get("retry-after") for answer in answers] == ["30", "30", None, None]
    assert ask("POST", azure.chat_url("slack", "x"), {})[0] == 200


def test_people_see_the_posts_without_the_secrets(azure):
    """GET /chat shows what was said, and no path."""
    ask("POST", azure.chat_url("teams", "s3cret"), {"text": "hello"})
    status, _, shown = ask("GET", f"{azure.endpoint}/chat")
    assert (status, shown[0]["body"]) == (200, {"text": "hello"})
    assert "s3cret" not in str(shown)


def test_waiting_in_vain_is_an_error(azure):
    """`wait_until` raises when its condition does not come true in time."""
    with pytest.raises(TimeoutError):
        azure.wait_until(lambda: azure.posts, timeout=0.01)


EVENT = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "data": {"a": 1}}
BATCH = "application/cloudevents-batch+json; charset=utf-8"


def test_a_topic_takes_batches_of_cloudevents(azure, clock):
    """Events that are published to the topic are posts of the kind topic, one each; its answers are scripted too."""
    azure.chat_answers("topic", [503, 200], retry_after=7)
    url = f"{azure.topic_url}?api-version=2018-01-01"
    first, second = (ask("POST", url, [EVENT, {**EVENT, "id": "2"}], content_type=BATCH) for _ in range(2))
    assert (first[0], first[1]["retry-after"], second[0]) == (503, "7", 200)
    assert [(post.kind, post.status, post.body["id"]) for post in azure.posts] == [
        ("topic", 503, "1"),
        ("topic", 503, "2"),
        ("topic", 200, "1"),
        ("topic", 200, "2"),
    ]
    assert {(post.at, post.path) for post in azure.posts} == {(clock.now, "/topic/api/events")}


@pytest.mark.parametrize(
    ("query", "body", "content_type"),
    [
        ("", [EVENT], BATCH),
        ("?api-version=2018-01-01", [EVENT], "application/json"),
        ("?api-version=2018-01-01", EVENT, BATCH),
        ("?api-version=2018-01-01", [{"id": "1"}], BATCH),
    ],
)
def test_a_topic_takes_nothing_else(azure, query, body, content_type):
    """What is no batch of CloudEvents by its content or its content type, or names no version, is 400 and no post."""
    assert ask("POST", f"{azure.topic_url}{query}", body, content_type=content_type)[0] == 400
    assert azure.posts == []
