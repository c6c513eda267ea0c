import pytest
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.mgmt.compute import ComputeManagementClient

from local.azure import SimulatedAzure
from tests.local.azure.support import SUBSCRIPTION, Clock


@pytest.fixture
def clock():
    """Stand still until the test moves it."""
    return Clock()


@pytest.fixture
def azure(clock):
    """Run the simulated Azure by the test's clock; retries of events take thousandths of a second."""
    with SimulatedAzure(clock=clock, retry_scale=0.0001) as simulated:
        yield simulated


@pytest.fixture
def image(azure):
    """Return the id of an image definition without versions."""
    return azure.add_image(
        azure.add_gallery("prodgallery", tags={"team": "images"}), "ubuntu-2204", tags={"os": "linux"}
    )


@pytest.fixture
def client(azure):
    """Return the real SDK's client, which talks to the simulation over HTTP and does not retry."""
    with ComputeManagementClient(
        credential=object(),
        subscription_id=SUBSCRIPTION,
        base_url=azure.endpoint,
        authentication_policy=SansIOHTTPPolicy(),
        retry_total=0,
        polling_interval=0,
    ) as compute:
        yield compute


@pytest.fixture
def versions(client):
    """Return the SDK's operations on image versions."""
    return client.gallery_image_versions


@pytest.fixture
def place():
    """Return the names by which the SDK finds the image definition."""
    return "images", "prodgallery", "ubuntu-2204"
