"""One writer per version: whoever lost its claim before the write does not write."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from shared.adapters.rollouts import Rollouts
from shared.core.names import VersionId
from tests.flows.clockwork import HOME, Clockwork

pytestmark = pytest.mark.flow

LASTS = timedelta(minutes=2)


@pytest.fixture
def app(clockwork: Clockwork) -> Clockwork:
    """1.0.3 was published at home, and is to be in one region more."""
    clockwork.decide(f"{HOME} eastus2")
    clockwork.azure.add_version(clockwork.image, "1.0.3", regions=[HOME])
    return clockwork


def _before_the_write(monkeypatch: pytest.MonkeyPatch, act: Callable[[Rollouts, VersionId], None]) -> None:
    """Do something once while the writer remembers what its write knows of, and so between its claim and its write."""
    amend, done = Rollouts.amend_rollout, list[bool]()

    def amending(rollouts: Rollouts, version: VersionId, *rest: Any) -> Any:
        if not done:
            done.append(True)
            act(rollouts, version)
        return amend(rollouts, version, *rest)

    monkeypatch.setattr(Rollouts, "amend_rollout", amending)


def test_a_slow_table(app: Clockwork, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the table takes three minutes, another message has the claim by then."""

    def slow(rollouts: Rollouts, version: VersionId) -> None:
        app.clock.at += timedelta(minutes=3)
        assert rollouts.claim(version, "another message", now=app.clock.at, lasting=LASTS)

    _before_the_write(monkeypatch, slow)
    app.event("1.0.3")
    app.run(timedelta(0))
    assert app.writes() == []


def test_a_clock_that_is_ahead(app: Clockwork, monkeypatch: pytest.MonkeyPatch) -> None:
    """An instance whose clock is ahead takes a claim that has not ended; then it is the only writer."""

    def ahead(rollouts: Rollouts, version: VersionId) -> None:
        assert rollouts.claim(version, "elsewhere", now=app.clock.at + 2 * LASTS, lasting=LASTS)

    _before_the_write(monkeypatch, ahead)
    app.event("1.0.3")
    app.run(timedelta(0))
    assert app.writes() == []
