"""What was begun is told to its end, to everybody, also when the app is killed and the world does not wait for it."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from local.azure import Pace
from local.outage import Call, Killed, unanswered
from shared.core.names import ImageId
from tests.flows.clockwork import HOME, Clockwork, published

pytestmark = pytest.mark.flow

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SINKS = ("json", "audit")


@pytest.fixture
def app(storage: str) -> Iterator[Clockwork]:
    """1.0.3 was published and lacks one region; its copy takes less time than the lease of a killed host's message."""
    with published(storage) as app:
        app.pass_time(20 * MINUTE)
        app.azure.set_behaviour(update=Pace.after(60), replicate=Pace.after(120))
        hooks = " ".join(f"json={app.azure.chat_url(sink, 'secret')}" for sink in SINKS)
        app.decide(f"{HOME} eastus2", WATCH_INTERVAL="PT1M..PT2M", STATUS_WEBHOOKS=hooks)
        yield app


def _told(app: Clockwork, sink: str = SINKS[0], number: str = "1.0.3") -> list[str]:
    told = [post.body for post in app.azure.posts if post.kind == sink and post.body["data"]["version"] == number]
    return [body["type"].removeprefix("gallery-fanout.") for body in told]


def _kill(app: Clockwork, when: Callable[[Call], bool], *, after: bool = False) -> None:
    """Kill the app at the first call of a kind, before it is sent or after it was answered."""

    def die(act: Callable[[], Any]) -> Any:
        app.outside.heal()
        if after:
            act()
        app.outside.dead = True
        raise Killed

    app.outside.trouble(when, die)


def _second_put() -> Callable[[Call], bool]:
    puts: list[Call] = []

    def second(call: Call) -> bool:
        puts.extend([call] if call.path == "/notify/messages" else [])
        return len(puts) == len(SINKS)

    return second


def test_killed_between_a_write_and_its_news(app: Clockwork) -> None:
    """A rollout that is over before its killed writer comes back is told from its start to its end."""
    _kill(app, lambda call: call.method == "PATCH", after=True)
    app.event("1.0.3")
    app.run(MINUTE, handle=app.deliver)
    app.surely(lambda: app.event("1.0.3"))
    app.run(12 * HOUR, handle=app.deliver)
    assert _told(app) == ["rollout.started", "rollout.completed"]


def test_answer_of_a_write_lost(app: Clockwork) -> None:
    """The same when the writer lives, but Azure's answer was lost, and the writer comes back later than the looks."""
    app.azure.set_behaviour(update=Pace.after(2), replicate=Pace.after(5))
    app.decide(f"{HOME} eastus2", WATCH_INTERVAL="PT1S..PT2S", STATUS_WEBHOOKS=app.receivers("json"))
    app.outside.trouble(lambda call: call.method == "PATCH", unanswered)
    app.event("1.0.3")
    app.run(timedelta(seconds=10), handle=app.deliver)
    app.outside.heal()
    app.event("1.0.3")
    app.run(12 * HOUR, handle=app.deliver)
    assert _told(app) == ["rollout.started", "rollout.completed"]


@pytest.mark.parametrize("newer", [False, True], ids=["left alone", "superseded"])
def test_killed_between_two_webhooks(app: Clockwork, newer: bool) -> None:  # noqa: FBT001  a row
    """A status reaches every webhook when its announcing is killed half way, whatever comes before it goes on."""
    _kill(app, _second_put())
    app.event("1.0.3")
    app.run(MINUTE, handle=app.deliver)
    if newer:
        app.azure.publish(app.image, "1.0.4", home=HOME)
        app.pass_time(10 * MINUTE)
        app.surely(lambda: app.event("1.0.4"))
    app.run(12 * HOUR, handle=app.deliver)
    assert "rollout.started" in _told(app)
    assert sorted(_told(app, SINKS[0])) == sorted(_told(app, SINKS[1]))


@pytest.mark.parametrize("put", [0, 1, 2])
def test_killed_between_two_prunes(app: Clockwork, put: int) -> None:
    """People hear of each prune when the pass that asked for them together dies before, between or after them."""
    app.decide(f"{HOME} eastus2 southeastasia", STATUS_WEBHOOKS=app.receivers("slack"))
    puts: list[Call] = []

    def nth(call: Call) -> bool:
        puts.extend([call] if call.path == "/prune/messages" else [])
        return len(puts) == max(put, 1)

    _kill(app, nth, after=bool(put))
    app.event("1.0.3")
    app.run(12 * HOUR, handle=app.deliver)
    assert all(app.complete_in(number, [HOME]) for number in ("1.0.1", "1.0.2"))
    chat = json.dumps(app.posts("slack"))
    assert all(number in chat for number in ("1.0.1", "1.0.2"))
    assert "batch|" not in app.rows()


@pytest.mark.parametrize("ended", [1, 2])
def test_killed_between_two_ends(app: Clockwork, ended: int) -> None:
    """People hear of each prune once, and the page shows it, when the app dies as one has ended in its batch."""
    app.decide(f"{HOME} eastus2 southeastasia", STATUS_WEBHOOKS=app.receivers("slack"))
    puts: list[Call] = []

    def nth(call: Call) -> bool:
        puts.extend([call] if call.method == "PUT" and "'batch|" in call.path else [])
        return len(puts) == ended

    _kill(app, nth, after=True)
    app.event("1.0.3")
    app.run(12 * HOUR, handle=app.deliver)
    chat = [text for post in app.posts("slack") if "pruned" in (text := json.dumps(post))]
    assert [number for number in ("1.0.1", "1.0.2") for text in chat if number in text] == ["1.0.1", "1.0.2"]
    (shown,) = app.app.records.statuses(ImageId.parse(app.image).gallery)
    assert sorted(each.version for each in shown.pruned) == ["1.0.1", "1.0.2"]
    assert "batch|" not in app.rows()
