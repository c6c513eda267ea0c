"""Throttled, and paced: nothing is lost, nothing leaves too early, and whoever is not meant goes on."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from local.azure import Request
from shared.adapters.gallery import Gallery
from shared.adapters.throttle import Throttle
from shared.core.pacing import WRITES
from tests.flows.clockwork import HOME, Clockwork, Waiting

pytestmark = pytest.mark.flow

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
THREE = (HOME, "eastus2", "southeastasia")
POLICY = " ".join(THREE)
OURS, OTHERS = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
MOST_CALLS = 12
"""What one invocation asks of Azure at most with these few versions, so that it lasts a few seconds at most."""


class Two:
    """The app with an image in each of two subscriptions: an older version everywhere, a newer one at home."""

    def __init__(self, clockwork: Clockwork) -> None:
        self.clockwork, self.azure = clockwork, clockwork.azure
        gallery = self.azure.add_gallery("prodgallery", subscription=OTHERS)
        self.images = (clockwork.image, self.azure.add_image(gallery, "ubuntu-2204"))
        for image in self.images:
            self.azure.add_version(image, "1.0.0", home=HOME, regions=list(THREE))
            self.azure.add_version(image, "1.0.1", home=HOME, regions=[HOME])
        clockwork.decide(POLICY, GALLERIES=f"{clockwork.gallery} {gallery}")
        clockwork.sweep()
        self.calls: Counter[str] = Counter()

    def run(self, length: timedelta) -> bool:
        """Handle what comes due; a stage that raises would cost a try, and fails the test."""
        return self.clockwork.run(length, handle=self._handle)

    def _handle(self, message: Waiting) -> None:
        before = len(self.azure.requests)
        self.clockwork.handle(message)
        self.calls[message.queue] = max(self.calls[message.queue], len(self.azure.requests) - before)

    def done(self, image: str) -> bool:
        """Whether the newer version is everywhere and the older one at home."""
        return self._regions(f"{image}/versions/1.0.1") == set(THREE) and self._regions(f"{image}/versions/1.0.0") == {
            HOME
        }

    def _regions(self, version: str) -> set[str]:
        shown = self.azure.show(version) or {}
        summary = shown["properties"]["replicationStatus"]["summary"]
        return {entry["region"] for entry in summary if entry["state"] == "Completed"}


@pytest.fixture
def two(clockwork: Clockwork) -> Two:
    """The app with work to do in two subscriptions."""
    return Two(clockwork)


def _kind(request: Request) -> tuple[str, int]:
    """Tell calls apart: by method, and by how deep in a gallery they are."""
    return request.method, request.path.count("/")


def _of(request: Request, subscription: str) -> bool:
    return request.path.startswith(f"/subscriptions/{subscription}/")


THROTTLED: dict[str, dict[str, Any]] = {
    "writes": {"method": "PATCH"},
    "reads of versions": {"method": "GET", "path_regex": r"/versions/[\d.]+$"},
    "lists": {"method": "GET", "path_regex": r"/versions$", "code": "ResourceCollectionRequestsThrottled"},
    "reads": {"method": "GET"},
    "everything": {},
    "the subscription": {"code": "SubscriptionRequestsThrottled"},
    "everything, unavailable": {"status": 503, "code": "ServerBusy"},
    "in the text only": {"with_header": False},
}


@pytest.mark.parametrize("seconds", [120, 510])
@pytest.mark.parametrize("which", THROTTLED.values(), ids=THROTTLED)
def test_throttled(two: Two, which: dict[str, Any], seconds: int) -> None:
    """Throttled at the start and again under way, the app asks once per kind, never too early, and ends all."""
    times = []
    for _ in range(2):
        start = two.clockwork.clock()
        two.azure.throttle(seconds, subscription=OURS, **which)
        times.append((start, start + seconds))
        two.run(6 * MINUTE + timedelta(seconds=seconds))
    assert two.run(3 * HOUR)

    assert all(two.done(image) for image in two.images)
    refused = [each for each in two.azure.requests if each.status in (429, 503)]
    assert all(_of(each, OURS) for each in refused)
    for start, end in times:
        asked = Counter(_kind(each) for each in refused if start <= each.at < end)
        assert set(asked.values()) <= {1}
        for kind in asked:
            again = [each.at for each in two.azure.requests if _of(each, OURS) and _kind(each) == kind]
            assert min(at for at in again if at >= end) < end + 60
    assert max(two.calls.values()) <= MOST_CALLS


@pytest.mark.parametrize("which", THROTTLED.values(), ids=THROTTLED)
def test_others_go_on(two: Two, which: dict[str, Any]) -> None:
    """While one subscription is throttled for an hour, everything is done in the other, as if nothing were."""
    two.azure.throttle(3600, subscription=OURS, **which)
    two.run(55 * MINUTE)
    assert [two.done(image) for image in two.images] == [False, True]
    assert len([each for each in two.azure.requests if each.status in (429, 503)]) <= 1 + (which == THROTTLED["reads"])
    assert two.run(3 * HOUR)
    assert all(two.done(image) for image in two.images)


def test_a_throttled_subscription_is_left_alone(two: Two) -> None:
    """When the whole subscription is throttled, one call finds out, and no other leaves for it."""
    two.azure.throttle(510, subscription=OURS, code="SubscriptionRequestsThrottled")
    before = len(two.azure.requests)
    two.run(timedelta(seconds=509))
    assert len([each for each in two.azure.requests[before:] if _of(each, OURS)]) == 1


OLDER = 30
SMALL = (replace(WRITES[0], limit=10), replace(WRITES[1], limit=32))
"""The budgets of writes, small enough to be used up by a test."""


@pytest.mark.parametrize(("window", "flag_with_removal"), [("fixed", True), ("sliding", False)])
def test_paced(clockwork: Clockwork, window: str, flag_with_removal: bool) -> None:  # noqa: FBT001  a row
    """Many writes stay inside budgets that are enforced, use what is ours of them, and leave a fifth to others.

    No more come back at a time than there is room for then.
    """
    azure = clockwork.azure
    azure.set_behaviour(
        enforce_budgets=True,
        budgets={"CreateUpdateGalleryImageVersion": tuple(budget.limit for budget in SMALL)},
        budget_window=window,
        flag_with_removal=flag_with_removal,
    )
    for patch in range(OLDER):
        azure.add_version(clockwork.image, f"0.9.{patch}", home=HOME, regions=[HOME, "eastus2"])
    azure.add_version(clockwork.image, "1.0.0", home=HOME, regions=[HOME, "eastus2"])
    clockwork.decide(f"{HOME} eastus2", PRUNE_MAX_PER_PASS="100")
    assert clockwork._app
    clockwork._app.__dict__["gallery"] = Gallery(azure.endpoint, None, Throttle(clockwork.clock.now, budgets=SMALL))
    clockwork.sweep()
    clockwork.run(MINUTE)
    dues = Counter(each.due for each in clockwork.queues.waiting if each.due > clockwork.clock.at + 2 * MINUTE)
    start = clockwork.clock()
    assert clockwork.run(12 * HOUR)

    assert all(clockwork.complete_in(f"0.9.{patch}", [HOME]) for patch in range(OLDER))
    assert [each for each in azure.requests if each.status == 429] == []
    writes = [each.at for each in azure.requests if each.method == "PATCH"]
    assert len(writes) == OLDER * (1 if flag_with_removal else 2) + (not flag_with_removal)
    for budget in SMALL:
        length = budget.window.total_seconds()
        assert max(sum(at <= other < at + length for other in writes) for at in writes) == budget.share
    periods = len(writes) // SMALL[1].share + 1
    assert writes[-1] - start <= periods * SMALL[1].window.total_seconds()
    assert max(dues.values(), default=0) <= SMALL[0].share


def test_a_sweep_that_cannot_list(clockwork: Clockwork) -> None:
    """A sweep at a time when lists are throttled asks for the definitions it knows; their passes wait, and find all."""
    azure = clockwork.azure
    azure.add_version(clockwork.image, "1.0.1", home=HOME, regions=[HOME])
    clockwork.decide(POLICY, MODE="observe")
    clockwork.sweep()
    assert clockwork.run(HOUR)
    clockwork.decide(POLICY)
    azure.throttle(300, path_regex="/images$")
    clockwork.sweep()
    assert len(clockwork.queues.waiting) == 1
    assert clockwork.run(HOUR)
    assert clockwork.complete_in("1.0.1", THREE)
