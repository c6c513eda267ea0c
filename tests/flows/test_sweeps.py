"""What a sweep does besides asking for passes: it counts what no pass can see, on a clock that is moved by hand."""

from datetime import timedelta
from typing import Any, NoReturn
from unittest.mock import patch

import pytest

from shared.core import plan
from shared.core.status import crowding
from tests.flows.clockwork import HOME, Clockwork

pytestmark = pytest.mark.flow

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four versions are as many as 9,000."""
    monkeypatch.setattr(plan, "MANY_VERSIONS", 4)
    monkeypatch.setattr(crowding, "MANY_VERSIONS", 4)


def _add(clockwork: Clockwork, image: str, number: int, home: str = HOME) -> None:
    for patch_number in range(number):
        clockwork.azure.add_version(image, f"1.0.{patch_number}", home=home, regions=[home])


def _sweep(clockwork: Clockwork, times: int) -> list[Any]:
    for _ in range(times):
        clockwork.sweep()
        clockwork.run(HOUR)
    return clockwork.events("limit.near")


def test_many_versions_of_one_definition(clockwork: Clockwork) -> None:
    """A definition that alone has nearly as many versions in a region as Azure takes is told of, once."""
    _add(clockwork, clockwork.image, 4)
    clockwork.decide(HOME)
    (event,) = _sweep(clockwork, 3)
    assert (event["source"], event["data"]["version"]) == (clockwork.image, None)
    assert (event["data"]["used"], event["data"]["of"]) == (4, 10_000)
    assert event["data"]["reason"].startswith(f"4 versions have their home in {HOME}; Azure takes 10000")


def test_many_versions_over_several_definitions(clockwork: Clockwork) -> None:
    """Definitions of any galleries that together have nearly as many versions in a region as Azure takes are told of,
    once: by the sweep that finds what passes recorded of them, at the definition that has most.
    """
    other = clockwork.azure.add_gallery("edgegallery")
    fullest = clockwork.azure.add_image(other, "debian-12")
    _add(clockwork, clockwork.image, 1)
    _add(clockwork, fullest, 3)
    _add(clockwork, clockwork.azure.add_image(other, "elsewhere"), 3, "eastus2")
    clockwork.decide(f"{HOME} eastus2", GALLERIES=f"{clockwork.gallery} {other}", MODE="observe")
    assert _sweep(clockwork, 1) == []
    (event,) = _sweep(clockwork, 3)
    assert event["source"] == fullest
    told = {name: event["data"][name] for name in ("gallery", "image", "version", "used", "of")}
    assert told == {"gallery": "edgegallery", "image": "debian-12", "version": None, "used": 4, "of": 10_000}
    assert "counted over 2 image definitions of which this one has most" in event["data"]["reason"]


def test_trouble_with_the_count_fails_no_sweep(clockwork: Clockwork) -> None:
    """When the versions cannot be counted, the sweep asks for its passes all the same, and the next one counts."""
    _add(clockwork, clockwork.image, 1)
    _add(clockwork, clockwork.azure.add_image(clockwork.gallery, "debian-12"), 3)
    clockwork.decide(HOME)
    assert _sweep(clockwork, 1) == []

    def fail(*_: object) -> NoReturn:
        raise RuntimeError

    with patch.object(clockwork.app.rollouts, "memory", fail):
        clockwork.sweep()
    assert len(clockwork.queues.waiting) == 2
    clockwork.run(HOUR)
    assert len(_sweep(clockwork, 2)) == 1
