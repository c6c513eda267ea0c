import re
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
import requests
import urllib3

from local.azure import SimulatedAzure
from local.outage import Call, Killed, Moment, Outside, answering, unanswered, unreachable


@pytest.fixture
def azure() -> Iterator[SimulatedAzure]:
    """Something to call: its chat sink takes every post."""
    with SimulatedAzure() as azure:
        yield azure


@pytest.fixture
def outside() -> Iterator[Outside]:
    """The outside of this process."""
    with Outside() as outside:
        yield outside


def _by_requests(url: str) -> int:
    with requests.Session() as session:
        return session.post(url, json={}, timeout=5).status_code


def _by_urllib3(url: str) -> int:
    with urllib3.PoolManager(retries=False) as pool:
        return pool.request("POST", url, json={}).status


ways = pytest.mark.parametrize("post", [_by_requests, _by_urllib3])


@ways
def test_calls_are_seen(azure: SimulatedAzure, outside: Outside, post: Callable[[str], int]) -> None:
    """Every call is named with method, host and path, without its query; it is made just the same."""
    assert post(azure.chat_url("json", "a%20b") + "?sig=canary") == 200
    host = azure.endpoint.removeprefix("http://")
    assert outside.calls == [Call("POST", host, "/chat/json/a b")]
    assert len(azure.posts) == 1


def test_guarded_calls(azure: SimulatedAzure, outside: Outside) -> None:
    """A call with an ETag is known as one; a star is none."""
    with requests.Session() as session:
        for tag in ('W/"1"', "*", None):
            session.put(azure.chat_url("json", "x"), headers={"If-Match": tag}, timeout=5)
    assert [call.guarded for call in outside.calls] == [True, False, False]


def test_calls_are_not_seen_outside_of_it(azure: SimulatedAzure) -> None:
    """Nothing is seen before entering and after leaving."""
    with Outside() as outside:
        pass
    _by_urllib3(azure.chat_url("json", "x"))
    assert outside.calls == []


@ways
@pytest.mark.parametrize(("moment", "arrived"), [(Moment.BEFORE, 1), (Moment.AFTER, 2)])
def test_killed(
    azure: SimulatedAzure, outside: Outside, post: Callable[[str], int], moment: Moment, arrived: int
) -> None:
    """A kill before a call lets it not arrive, a kill after it lets its answer not be seen; nothing leaves then."""
    url = azure.chat_url("json", "x")
    outside.kill_at(2, moment)
    post(url)
    with pytest.raises(Killed):
        post(url)
    with pytest.raises(Killed):
        post(url)
    assert len(azure.posts) == arrived
    assert [str(call) for call in outside.calls] == ["POST /chat/json/x"] * 2


def test_the_dead_tidy_up_nothing(azure: SimulatedAzure, outside: Outside) -> None:
    """What catches exceptions does not catch a kill, and what tidies up in the end does nothing outside."""
    url = azure.chat_url("json", "x")
    outside.kill_at(1, Moment.BEFORE)

    def call_and_tidy_up() -> None:
        try:
            _by_requests(url)
        finally:
            _by_requests(url)

    with pytest.raises(Killed), suppress(Exception):
        call_and_tidy_up()
    assert azure.posts == []


def test_revived(azure: SimulatedAzure, outside: Outside) -> None:
    """After a revival calls leave again, and a kill that did not come is forgotten."""
    url = azure.chat_url("json", "x")
    outside.kill_at(1, Moment.AFTER)
    with pytest.raises(Killed):
        _by_urllib3(url)
    outside.kill_at(1, Moment.BEFORE)
    outside.revive()
    assert _by_urllib3(url) == 200


def test_calls_that_are_no_http(outside: Outside) -> None:
    """What stands in for a service in this process counts, and dies, with the others."""
    done: list[int] = []
    outside.kill_at(2, Moment.AFTER)
    outside.call(Call("POST", "queue", "/watch"), lambda: done.append(1))
    with pytest.raises(Killed):
        outside.call(Call("POST", "queue", "/watch"), lambda: done.append(2))
    with pytest.raises(Killed):
        outside.call(Call("POST", "queue", "/watch"), lambda: done.append(3))
    assert done == [1, 2]


@pytest.mark.parametrize(("trouble", "arrived"), [(unreachable, 0), (unanswered, 1)])
def test_broken_connections(azure: SimulatedAzure, outside: Outside, trouble: Callable[..., int], arrived: int) -> None:
    """A connection that breaks looks to requests and to urllib3 like any other that does, until it is healed."""
    url = azure.chat_url("json", "x")
    outside.trouble(lambda call: "/chat/" in call.path, trouble)
    with pytest.raises(requests.ConnectionError):
        _by_requests(url)
    with pytest.raises(urllib3.exceptions.ProtocolError):
        _by_urllib3(url)
    assert len(azure.posts) == 2 * arrived
    outside.heal()
    assert _by_requests(url) == 200


@ways
def test_answers_of_trouble(azure: SimulatedAzure, outside: Outside, post: Callable[[str], int]) -> None:
    """A service that is in trouble answers for itself; other calls are made."""
    outside.trouble(lambda call: call.path.endswith("/x"), answering(503, "ServerBusy"))
    assert post(azure.chat_url("json", "x")) == 503
    assert post(azure.chat_url("json", "y")) == 200
    assert len(azure.posts) == 1


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("/subscriptions/11111111-1111-1111-1111-111111111111/versions/1.0.3", "/subscriptions/*/versions/*"),
        ("/a/rollouts(PartitionKey='|x|y',RowKey='rollout|1.0.3')", "/a/rollouts(PartitionKey=*,RowKey='rollout|*')"),
        ("/watch/messages", "/watch/messages"),
    ],
)
def test_shapes(path: str, shape: str) -> None:
    """Calls that differ in ids and versions only are of one kind."""
    assert Call("GET", "host", path).shape == shape
    assert re.fullmatch(r"GET /\S+", str(Call("GET", "host", path)))
