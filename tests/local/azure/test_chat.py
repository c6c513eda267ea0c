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
