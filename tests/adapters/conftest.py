"""What the tests of the adapters stand on."""

import logging
from collections.abc import Iterator

import pytest

from handlers.journal import quiet_libraries
from local.azure import SimulatedAzure
from shared.adapters.gallery import Gallery
from shared.core.names import ImageId
from tests.adapters.support import IMAGE


@pytest.fixture
def azure() -> Iterator[SimulatedAzure]:
    """A simulated Azure with one gallery and one image definition."""
    with SimulatedAzure() as simulated:
        gallery = simulated.add_gallery("prodgallery", tags={"team": "images"})
        simulated.add_image(gallery, "ubuntu-2204", tags={"os": "linux"})
        yield simulated


@pytest.fixture
def image() -> ImageId:
    """The image definition that is there."""
    return IMAGE


@pytest.fixture
def gallery(azure: SimulatedAzure) -> Gallery:
    """The adapter, at work with the simulated Azure."""
    return Gallery(azure.endpoint, None)


@pytest.fixture
def journal(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """All that is logged, down to DEBUG, once the libraries are silenced as the app silences them."""
    names = [name for name in logging.root.manager.loggerDict if name.startswith(("azure", "urllib3"))]
    levels = {name: logging.getLogger(name).level for name in [*names, "urllib3"]}
    quiet_libraries()
    with caplog.at_level(logging.DEBUG):
        yield caplog
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
