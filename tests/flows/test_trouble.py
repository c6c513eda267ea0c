"""What goes wrong, and what is then seen of it."""

import json
import re
import time

import pytest

from local.azure import Fault, Pace
from local.host.process import HostFailed
from tests.flows.world import HOME, SECRET, THREE, World, everything_kept

pytestmark = pytest.mark.flow

QUEUES = ("reconcile", "replicate", "watch", "prune", "notify")


def _converged(world: World) -> bool:
    return (
        world.complete_in("1.0.3", THREE)
        and all(world.complete_in(old, [HOME]) for old in ("1.0.1", "1.0.2"))
        and sum(world.told().values()) >= 4
    )


def _announced_twice(world: World) -> list[str]:
    ids = [event["id"] for event in world.events()]
    return sorted(each for each in set(ids) if ids.count(each) > 1)


@pytest.mark.parametrize("moment", ["reconcile.planned", "replicate.written", "watch.looked", "prune.written"])
def test_killed_in_the_middle(world: World, moment: str) -> None:
    """A host that is killed and started again converges, with the least writes, and announces nothing twice.

    But what was posted and not yet recorded when it was killed, and that under the same id.
    """
    world.azure.set_behaviour(replicate=Pace.after(3))
    host = world.start()
    world.azure.publish(world.image, "1.0.3", home=HOME)
    world.until(lambda: moment in world.log())
    host.kill()
    unrecorded = len(world.events()) - world.recorded_posts()

    world.start()
    world.until(lambda: _converged(world) and world.quiet(), timeout=100)

    assert sorted(world.writes()) == [("1.0.1", [HOME]), ("1.0.2", [HOME]), ("1.0.3", list(THREE))]
    twice = _announced_twice(world)
    assert len(twice) <= unrecorded
    assert sorted(world.told().values()) == [1] * (4 - len(twice)) + [2] * len(twice)


def test_webhook_that_fails_twice(world: World) -> None:
    """A webhook that answers 500 twice and then 200 takes each message once."""
    world.azure.chat_answers("json", [500, 500, 200])
    world.start()
    world.azure.publish(world.image, "1.0.3", home=HOME)
    world.until(lambda: _converged(world) and world.quiet())
    assert _announced_twice(world) == []
    assert len([post for post in world.azure.posts if post.status == 500]) == 2


def test_webhook_that_is_gone(world: World) -> None:
    """A webhook that answers 404 ends in a dead-letter status at the others; its URL is in no log, queue or table."""
    world.azure.chat_answers("slack", [404])
    world.start(webhooks=("json", "slack", "teams"))
    world.azure.publish(world.image, "1.0.3", home=HOME)
    world.until(lambda: _converged(world) and world.told()["message.dead-lettered 1.0.3"] >= 2 and world.quiet())

    letters = [event for event in world.events() if event["type"].endswith("dead-lettered")]
    assert {event["data"]["reason"] for event in letters} == {"webhook 2-slack: HTTP 404"}
    assert {event["data"]["queue"] for event in letters} == {"notify"}
    posted = [json.dumps(post.body) for post in world.azure.posts if post.kind == "slack"]
    assert posted
    assert not any("could not be handled" in text for text in posted)  # nobody is told of a letter to himself
    assert SECRET not in everything_kept(world)


@pytest.mark.parametrize("queue", QUEUES)
def test_malformed_messages(world: World, queue: str) -> None:
    """A message that cannot be read is kept, and told of once; nothing loops, and Azure is not asked anything."""
    texts = ["nonsense", '{"schema": 1, "id": "x"}', "[" * 5000]
    world.start()
    for text in texts:
        world.put(queue, text)
    world.until(lambda: len(world.events()) == len(texts) and world.quiet())

    assert {event["type"] for event in world.events()} == {"gallery-fanout.message.dead-lettered"}
    assert {event["data"]["queue"] for event in world.events()} == {queue}
    kept = [json.loads(row["values"]) for row in world.rows() if row["PartitionKey"] == "dead-letters"]
    assert sorted(row["body"] for row in kept) == sorted(texts)
    assert world.azure.requests == []


def test_events_that_are_none_of_our_business(world: World) -> None:
    """Events of other types, resources and galleries, and of nonsense content, are dropped and never fail delivery."""
    event = world.azure.event_for(f"{world.image}/versions/1.0.2")
    other = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/images/providers/Microsoft.Compute"
    nonsense = [
        {**event, "eventType": "Microsoft.Resources.ResourceActionSuccess"},
        {**event, "data": {"resourceUri": f"{other}/galleries/other/images/ubuntu/versions/1.0.0"}},
        {**event, "data": {"resourceUri": f"{other}/galleries/prodgallery/applications/app/versions/1.0.0"}},
        {**event, "data": {"resourceUri": "../../etc/passwd\r\nforged=line"}},
        {**event, "data": "", "subject": "nothing"},
        {**event, "data": ["a", "list"], "subject": ""},
        {**event, "data": {"resourceUri": 7}, "subject": None},
    ]
    world.start()
    world.until(lambda: "Listening" in world.log())
    for each in nonsense:
        world.azure.emit(each)
    world.until(lambda: world.log().count("event.dropped") == len(nonsense))
    assert {delivery.status for delivery in world.azure.deliveries} <= {200, 202}
    assert world.azure.requests == []
    assert "\nforged" not in world.log()


def test_faulty_settings_stop_the_app(world: World) -> None:
    """Faulty settings stop the app when it starts, all faults at once, and show no secret."""
    with pytest.raises(HostFailed) as failed:
        world.start(MODE="fast", STATUS_EVENTS="finished", STATUS_WEBHOOKS=f"teams=http://chat.example/{SECRET}")
    words = str(failed.value)
    assert all(name in words for name in ("MODE", "'fast'", "STATUS_EVENTS", "no status 'finished'", "STATUS_WEBHOOKS"))
    assert SECRET not in words


def test_throttled(world: World) -> None:
    """A 429 is waited for as long as Azure asks, in the queue and not in the handler, and costs no try."""
    fault = Fault("PATCH", "versions/1.0.3", 429, "TooManyRequests", "later", retry_after=3, times=1)
    world.azure.set_behaviour(faults=[fault])
    world.start()
    world.azure.publish(world.image, "1.0.3", home=HOME)
    world.until(lambda: _converged(world) and world.quiet())
    asked = [request for request in world.azure.requests if request.method == "PATCH" and "1.0.3" in request.path]
    assert [request.status for request in asked] == [429, 200]
    assert asked[1].at - asked[0].at >= 3


def test_failed_region(world: World) -> None:
    """A region that fails is told of with Azure's words, asked for again, and the rollout completes."""
    world.azure.set_behaviour(failing_regions={"eastus2": 1})
    world.start()
    world.azure.publish(world.image, "1.0.3", home=HOME)
    world.until(lambda: _converged(world) and world.quiet())
    (event,) = [event for event in world.events() if event["type"].endswith("region-failed")]
    assert event["data"]["region"] == "eastus2"
    assert "Failed with internal server error" in event["data"]["reason"]
    assert [name for name, _ in world.writes()].count("1.0.3") == 2


def test_stalled(world: World) -> None:
    """A rollout that is not complete at its deadline is told of once, and nothing is pruned."""
    world.azure.set_behaviour(replicate_by_region={"eastus2": Pace.after(3600)})
    world.start(ROLLOUT_DEADLINE="PT3S")
    world.azure.publish(world.image, "1.0.3", home=HOME)
    world.until(lambda: world.told()["rollout.stalled 1.0.3"])
    assert world.writes() == [("1.0.3", list(THREE))]
    assert world.complete_in("1.0.2", THREE)


def test_refused_write(world: World) -> None:
    """A region that Azure refuses is told of once, with Azure's words, and does not hold up the others."""
    world.start(regions=[*THREE, "atlantis"])
    world.azure.publish(world.image, "1.0.3", home=HOME)
    world.until(lambda: _converged(world) and world.quiet())
    (event,) = [event for event in world.events() if event["type"].endswith("region-failed")]
    assert event["data"]["region"] == "atlantis"
    assert "atlantis" in event["data"]["reason"]


def test_modes(world: World) -> None:
    """Mode observe writes nothing and reports its plan once; mode replicate never prunes."""
    world.azure.add_version(world.image, "1.0.3", home=HOME, regions=[HOME])
    host = world.start(MODE="observe")
    host.fire("sweep")
    host.fire("sweep")
    world.until(lambda: world.log().count("reconcile.planned") == 2 and world.quiet())
    assert world.told() == {"plan.reported 1.0.3": 1}
    assert world.writes() == []
    host.stop()

    host = world.start(MODE="replicate")
    host.fire("sweep")
    world.until(lambda: world.told()["rollout.completed 1.0.3"] and world.quiet())
    assert world.writes() == [("1.0.3", list(THREE))]


def test_capped_passes(world: World) -> None:
    """More older versions than a pass may prune are pruned in several passes, by themselves."""
    for patch in range(3, 8):
        world.azure.add_version(world.image, f"0.9.{patch}", home=HOME, regions=list(THREE))
    world.azure.add_version(world.image, "1.0.3", home=HOME, regions=list(THREE))
    host = world.start(PRUNE_MAX_PER_PASS="2")
    host.fire("sweep")
    olds = ["1.0.1", "1.0.2", *(f"0.9.{patch}" for patch in range(3, 8))]
    world.until(lambda: all(world.complete_in(old, [HOME]) for old in olds))
    assert len(world.writes()) == len(olds)


def test_a_handler_never_sleeps(world: World) -> None:
    """No invocation lasts while Azure is at work: a throttled start leaves the host idle, not busy."""
    world.azure.set_behaviour(faults=[Fault("GET", ".*", 503, "ServiceUnavailable", "later", retry_after=2, times=2)])
    host = world.start()
    start = time.monotonic()
    host.fire("sweep")
    assert time.monotonic() - start < 2


def test_doubled_looks(world: World) -> None:
    """Copies of a look, as a crash leaves them, end at once, also when they come together: one chain of looks stays."""
    world.azure.set_behaviour(replicate_by_region={"eastus2": Pace.after(9)})
    world.start()
    world.azure.publish(world.image, "1.0.3", home=HOME)
    world.until(lambda: "watch.looked" in world.log())
    (row,) = [row for row in world.rows() if row["RowKey"] == "rollout|1.0.3"]
    rollout = json.loads(row["values"])
    copy = {
        "schema": 1,
        "version": f"{world.image}/versions/1.0.3",
        "look": rollout["look"] + 1,
        "since": rollout["started"],
        "deadline": rollout["deadline"],
    }
    for _ in range(6):
        world.put("watch", json.dumps(copy))
    world.until(lambda: world.told()["rollout.completed 1.0.3"] and world.quiet())
    looks = re.findall(r"watch\.looked .*look=(\d+)", world.log())
    assert len(looks) == len(set(looks))
