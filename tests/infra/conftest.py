"""The app on a clock that is moved by hand, as in the flow tests."""

from tests.flows.conftest import clockwork

__all__ = ["clockwork"]
