"""App settings that are good, and ways to spoil them."""

import pytest

from shared.settings import BadSettings, Settings, load
from tests.core.build import GALLERY_ID

CONNECTION = (
    "DefaultEndpointsProtocol=https;AccountName=fanout;AccountKey=c2VjcmV0LWtleQ==;EndpointSuffix=core.windows.net"
)
GOOD = {
    "TARGET_REGIONS": "westeurope eastus2",
    "GALLERIES": GALLERY_ID,
    "PROTECT_IN_USE": "off",
    "AzureWebJobsStorage": CONNECTION,
}


def settings(**given: str) -> Settings:
    """Load good settings with some of them given anew."""
    return load({**GOOD, **given})


def faults(**given: str) -> list[str]:
    """Load settings that have faults."""
    with pytest.raises(BadSettings) as caught:
        settings(**given)
    return caught.value.faults
