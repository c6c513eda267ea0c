"""What tests of more than one folder need."""

from collections.abc import Iterator
from itertools import count

import pytest

from local.desk.azurite import Azurite

_ACCOUNTS = 200


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """Azurite, once per run."""
    with Azurite(accounts=_ACCOUNTS) as running:
        yield running


@pytest.fixture(scope="session")
def _numbers() -> Iterator[int]:
    return count()


@pytest.fixture
def storage(azurite: Azurite, _numbers: Iterator[int]) -> str:
    """A storage account that no other test uses, as a connection string."""
    return azurite.connection_string(next(_numbers))
