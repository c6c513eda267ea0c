"""What tests of more than one folder need."""

from collections.abc import Iterator

import pytest

from local.azurite import Azurite

_ACCOUNTS = 300


@pytest.fixture(scope="session")
def accounts() -> Iterator[Iterator[str]]:
    """Connection strings of storage accounts in one Azurite, each used by nobody before."""
    with Azurite(accounts=_ACCOUNTS) as azurite:
        yield (azurite.account(number) for number in range(_ACCOUNTS))


@pytest.fixture
def storage(accounts: Iterator[str]) -> str:
    """A storage account that no other test uses, as a connection string."""
    return next(accounts)
