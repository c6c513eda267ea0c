"""Many writers at once: two host processes on the same queues, and people beside them."""

import pytest

from local.azure import Pace
from local.azure.regions import DISPLAY
from tests.flows.world import HOME, THREE, World

pytestmark = pytest.mark.flow

MANY = [*THREE, *(name for name in DISPLAY if name not in THREE)][:20]


@pytest.mark.parametrize("behaviour", ["accept", "conflict"])
def test_two_hosts_write_as_one(world: World, behaviour: str) -> None:
    """Two hosts with sixteen handlers each, and every event ten times, cost the least possible writes and lose nothing,
    whether Azure lets the last writer win or refuses it; everything is told once.
    """
    world.azure.set_behaviour(write_while_updating=behaviour, update=Pace.after(1.5))
    first = world.start(regions=MANY)
    second = world.join()
    version = world.azure.publish(world.image, "1.0.3", home=HOME)
    world.until(lambda: world.regions("1.0.3"))
    world.azure.emit(world.azure.event_for(version), times=10)
    for host in (first, second, first, second):
        host.fire("sweep")
    world.until(
        lambda: (
            world.complete_in("1.0.3", MANY)
            and all(world.complete_in(old, [HOME]) for old in ("1.0.1", "1.0.2"))
            and world.quiet()
        ),
        timeout=100,
    )
    writes = {number: [regions for name, regions in world.writes() if name == number] for number, _ in world.writes()}
    assert {number: len(each) for number, each in writes.items()} == {"1.0.3": 1, "1.0.2": 1, "1.0.1": 1}
    assert sorted(writes["1.0.3"][0]) == sorted(MANY)
    assert set(world.told().values()) == {1}
    assert len(world.told()) == 4
    logs = [path.read_text() for path in world.folder.glob("*.log")]
    assert all("replicate" in log or "reconcile" in log for log in logs)  # both had their share
