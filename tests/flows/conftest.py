"""The worlds of flow tests: the whole app in a host of its own, and the app on a clock that is moved by hand."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from azure.storage.queue import QueueServiceClient

from local.azure import Behaviour, Pace, SimulatedAzure
from tests.flows.clockwork import Clock, Clockwork
from tests.flows.world import THREE, World

MINUTE = 60


@pytest.fixture
def world(storage: str, tmp_path: Path) -> Iterator[World]:
    """A gallery whose image has 1.0.1 and 1.0.2 in three regions; the app is not started yet."""
    behaviour = Behaviour(create=Pace.after(0.2), update=Pace.after(0.5), replicate=Pace.after(1.5))
    with ExitStack() as stack:
        azure = stack.enter_context(SimulatedAzure(behaviour=behaviour, retry_scale=0.1))
        gallery = azure.add_gallery("prodgallery")
        image = azure.add_image(gallery, "ubuntu-2204")
        for version in ("1.0.1", "1.0.2"):
            azure.add_version(image, version, regions=list(THREE))
        queues = stack.enter_context(QueueServiceClient.from_connection_string(storage))
        yield World(azure, storage, tmp_path, gallery, image, stack, queues)


@pytest.fixture
def clockwork(storage: str) -> Iterator[Clockwork]:
    """A gallery with an image that has no versions yet, at the pace of the real Azure; the app has no policy yet."""
    behaviour = Behaviour(
        create=Pace.after(10 * MINUTE), update=Pace.after(5 * MINUTE), replicate=Pace.after(20 * MINUTE)
    )
    clock = Clock()
    with SimulatedAzure(behaviour=behaviour, clock=clock) as azure:
        yield Clockwork(azure, clock, storage)
