from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.adapters.deliveries import Deliveries
from shared.core.errors import Retry
from shared.settings import Storage
from tests.adapters.support import together
from tests.core.build import MINUTE, NOW

DAY = timedelta(hours=24)


@pytest.fixture
def deliveries(storage: str) -> Deliveries:
    """The adapter, on an account where nothing is yet."""
    return Deliveries(Storage(storage), None, set())


def _begin(deliveries: Deliveries, holder: str, *, now: datetime = NOW, webhook: str = "1-teams") -> Any:
    return deliveries.begin("event-1", webhook, holder, now=now, lasting=MINUTE)


def test_an_event_is_posted_once(deliveries: Deliveries) -> None:
    """Once an event was posted to a webhook nobody begins again, ever; another webhook has its own."""
    _begin(deliveries, "me").posted(NOW)
    for holder in ("me", "you"):
        assert _begin(deliveries, holder) is None
        assert _begin(deliveries, holder, now=NOW + 365 * DAY) is None
    assert _begin(deliveries, "you", webhook="2-slack")


def test_one_posts_at_a_time(storage: str) -> None:
    """Of sixteen that would post one event at once exactly one does; the others come again later."""
    instances = [Deliveries(Storage(storage), None, set()) for _ in range(16)]

    def attempt(which: int) -> bool:
        try:
            return _begin(instances[which], f"holder{which}") is not None
        except Retry:
            return False

    assert sum(together(16, attempt)) == 1


def test_another_waits_while_one_posts(deliveries: Deliveries) -> None:
    """While one is at it another waits; its own message, delivered again, goes on; after its time anybody does."""
    assert _begin(deliveries, "killed")
    with pytest.raises(Retry):
        _begin(deliveries, "you", now=NOW + MINUTE - timedelta(seconds=1))
    assert _begin(deliveries, "killed")
    assert _begin(deliveries, "you", now=NOW + MINUTE)
    with pytest.raises(Retry):
        _begin(deliveries, "third", now=NOW + MINUTE)


def test_a_post_that_failed_is_free(deliveries: Deliveries) -> None:
    """After a post failed anybody may try again at once."""
    _begin(deliveries, "me").again()
    assert _begin(deliveries, "you")


def test_a_late_failure_frees_nothing(deliveries: Deliveries) -> None:
    """A post that fails after another took over frees neither that one's turn nor what it has posted."""
    slow = _begin(deliveries, "slow")
    quick = _begin(deliveries, "quick", now=NOW + MINUTE)
    slow.again()
    with pytest.raises(Retry):
        _begin(deliveries, "third", now=NOW + MINUTE)
    quick.posted(NOW + MINUTE)
    slow.again()
    assert _begin(deliveries, "third", now=NOW + MINUTE) is None


def test_a_late_success_counts(deliveries: Deliveries) -> None:
    """A post that succeeds after its time was posted all the same, whoever else took over or failed."""
    slow = _begin(deliveries, "slow")
    quick = _begin(deliveries, "quick", now=NOW + MINUTE)
    slow.posted(NOW + MINUTE)
    quick.again()
    assert _begin(deliveries, "third", now=NOW + 2 * MINUTE) is None
