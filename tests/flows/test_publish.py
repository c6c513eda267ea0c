"""The main job: publish a version, watch it reach every region, see the older ones pruned, read the messages."""

import pytest

from local.azure import Pace
from local.azure.regions import DISPLAY
from tests.flows.world import HOME, THREE, World

pytestmark = pytest.mark.flow

OTHERS = [name for name in DISPLAY if name not in THREE]


def _converged(world: World, regions: list[str]) -> bool:
    return (
        world.complete_in("1.0.3", regions)
        and world.complete_in("1.0.2", [HOME])
        and world.complete_in("1.0.1", [HOME])
        and world.quiet()
    )


@pytest.mark.parametrize("count", [3, 10, 34])
def test_one_write_per_version(world: World, count: int) -> None:
    """A publish costs one write that carries every region, and one for each older version; nothing else is written."""
    regions = [*THREE, *OTHERS][:count]
    world.start(regions=regions)
    world.azure.publish(world.image, "1.0.3", home=HOME)
    world.until(lambda: _converged(world, regions))

    writes = world.writes()
    assert writes[0] == ("1.0.3", regions)
    assert sorted(writes[1:]) == [("1.0.1", [HOME]), ("1.0.2", [HOME])]
    assert world.told() == {
        "rollout.started 1.0.3": 1,
        "rollout.completed 1.0.3": 1,
        "prune.completed 1.0.1": 1,
        "prune.completed 1.0.2": 1,
    }


def test_older_versions_wait(world: World) -> None:
    """Older versions are written only after the newest is Completed wherever they are removed."""
    seen: list[dict[str, str]] = []
    world.start()
    world.azure.publish(world.image, "1.0.3", home=HOME)

    def watched() -> bool:
        if len(world.writes()) > 1 and not seen:
            seen.append(world.regions("1.0.3"))
        return _converged(world, list(THREE))

    world.until(watched)
    assert seen == [dict.fromkeys(THREE, "Completed")]


def test_events_are_hints(world: World) -> None:
    """The same event ten times at once, and an old event after it, cost the same writes and the same announcements."""
    world.start()
    version = world.azure.publish(world.image, "1.0.3", home=HOME)
    world.until(lambda: world.regions("1.0.3"))
    world.azure.emit(world.azure.event_for(version), times=10)
    world.until(lambda: _converged(world, list(THREE)))
    world.azure.emit(world.azure.event_for(f"{world.image}/versions/1.0.1"))
    world.until(lambda: world.log().count("event.taken") >= 12 and world.quiet())

    assert sorted(world.writes()) == [("1.0.1", [HOME]), ("1.0.2", [HOME]), ("1.0.3", list(THREE))]
    assert set(world.told().values()) == {1}
    assert len(world.told()) == 4


def test_converged_gallery_is_left_alone(world: World) -> None:
    """A pass over a converged gallery writes nothing and puts no message but its own, and announces nothing."""
    host = world.start()
    world.azure.publish(world.image, "1.0.3", home=HOME)
    world.until(lambda: _converged(world, list(THREE)))
    writes, posts, before = len(world.writes()), len(world.azure.posts), len(world.log())

    host.fire("sweep")
    world.until(lambda: "cause=sweep" in world.log()[before:] and world.quiet())

    assert (len(world.writes()), len(world.azure.posts)) == (writes, posts)
    lines = world.log()[before:]
    assert "changes=False" in lines
    assert not [stage for stage in ("replicate.", "watch.", "prune.", "notify.", "announced") if stage in lines]


def test_first_run_is_recorded_not_announced(world: World) -> None:
    """A gallery that was as it should be when first seen is no news."""
    for version in ("1.0.1", "1.0.2"):
        world.azure.delete(f"{world.image}/versions/{version}")
    world.azure.add_version(world.image, "2.0.0", regions=list(THREE))
    world.until(lambda: set(world.azure.versions(world.image)) == {"2.0.0"})
    host = world.start()
    host.fire("sweep")
    world.until(lambda: "reconcile.planned" in world.log() and world.quiet())
    assert world.writes() == []
    assert world.events() == []


def test_a_pipeline_that_replicates_by_itself(world: World) -> None:
    """A version that its publisher put everywhere needs no write; its completion is told, and the older ones pruned."""
    world.azure.set_behaviour(replicate=Pace.after(5))  # seen under way even on a busy machine: else it is no news
    world.start()
    world.azure.publish(world.image, "1.0.3", home=HOME, regions=list(THREE))
    world.until(lambda: _converged(world, list(THREE)))
    assert sorted(world.writes()) == [("1.0.1", [HOME]), ("1.0.2", [HOME])]
    assert world.told()["rollout.started 1.0.3"] == 0
    world.until(lambda: world.told()["rollout.completed 1.0.3"] == 1)
