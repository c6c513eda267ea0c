"""How hard the properties are tried."""

from tests.core import strategies

strategies.use_profile()
