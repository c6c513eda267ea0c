from email.utils import parsedate_to_datetime
from math import ceil

import pytest

from tests.local.azure.support import API, ask

OTHER = "22222222-2222-2222-2222-222222222222"
SMALL = {"CreateUpdateGalleryImageVersion": (2, 5)}
LEFT = "x-ms-ratelimit-remaining-resource"


@pytest.fixture
def get(azure):
    """Ask for a resource; give the status, the headers and the body."""
    return lambda resource: ask("GET", f"{azure.endpoint}{resource}?{API}")


@pytest.fixture
def patch(azure, image):
    """Write a version; give the status, the headers and the body."""
    version = azure.add_version(image, "1.0.1")
    return lambda: ask("PATCH", f"{azure.endpoint}{version}?{API}", {"tags": {}})


def test_throttling_lasts_as_long_as_told(azure, image, get, clock):
    """Each refusal says what is left of the time, rounded up; then the request is answered."""
    azure.throttle(120)
    for passed, left in [(0, "120"), (0.5, "120"), (100, "20"), (19.4, "1")]:
        clock.now += passed
        status, headers, body = get(image)
        assert (status, headers["retry-after"]) == (429, left)
        assert body["error"]["code"] == "ResourceRequestsThrottled"
        assert f"'{left}' seconds" in body["error"]["message"]
    clock.now += 0.1
    assert get(image)[0] == 200


def test_throttling_in_the_text_only(azure, image, get):
    """Without the header the text says how long, and code and status are as told."""
    azure.throttle(120, with_header=False, status=503, code="ServerBusy")
    status, headers, body = get(image)
    assert (status, body["error"]["code"]) == (503, "ServerBusy")
    assert "try after 120 seconds" in body["error"]["message"]
    assert "retry-after" not in headers


def test_throttling_until_a_date(azure, image, get, clock):
    """As a date the wait ends when it ends in seconds, rounded up; the answer says when it was made, by its clock."""
    azure.set_behaviour(retry_after="date")
    azure.throttle(120)
    _, headers, _ = get(image)
    at, made = (parsedate_to_datetime(headers[name]).timestamp() for name in ("retry-after", "date"))
    assert (at, made) == (ceil(clock.now + 120), int(clock.now))


def test_throttling_of_some(azure, image, get, patch):
    """Only what matches by method, path and subscription is refused, whatever the case; the longest one counts."""
    elsewhere = azure.add_gallery("other", subscription=OTHER)
    azure.throttle(60, method="patch", path_regex="/VERSIONS/")
    assert (get(image)[0], patch()[0]) == (200, 429)
    azure.throttle(30, subscription=OTHER.upper())
    azure.throttle(90, subscription=OTHER)
    assert (get(image)[0], get(elsewhere)[0]) == (200, 429)
    assert get(elsewhere)[1]["retry-after"] == "90"
    assert get(image.replace("11111111", "22222222", 1))[0] == 404


def test_budgets_are_of_a_subscription(azure, image, get):
    """What is read in one subscription leaves the budgets of another alone."""
    other = azure.add_gallery("other", subscription=OTHER)
    get(image.rpartition("/images/")[0])
    assert get(other)[1][LEFT] == "Microsoft.Compute/GetGallery3Min;349,Microsoft.Compute/GetGallery30Min;2499"


def test_budgets_refuse_nothing_unless_told(azure, patch):
    """A budget that is used up stays at zero, and writes are accepted."""
    azure.set_behaviour(budgets=SMALL)
    lefts = [patch()[1][LEFT] for _ in range(3)]
    assert [[part.partition(";")[2] for part in left.split(",")] for left in lefts] == [
        ["1", "4"],
        ["0", "3"],
        ["0", "2"],
    ]


@pytest.mark.parametrize(("window", "after"), [("fixed", [200, 200, 429]), ("sliding", [200, 429, 429])])
def test_enforced_budgets(azure, patch, clock, window, after):
    """A write beyond its budget is refused until the window is over, or its first write has left it."""
    azure.set_behaviour(enforce_budgets=True, budgets=SMALL, budget_window=window)
    assert patch()[0] == 200
    clock.now += 100
    assert patch()[0] == 200
    for _ in range(3):  # what is refused does not count
        status, headers, body = patch()
        assert (status, headers["retry-after"], body["error"]["code"]) == (429, "80", "TooManyRequests")
    clock.now += 80
    assert [patch()[0] for _ in range(3)] == after


def test_enforced_budgets_of_thirty_minutes(azure, patch, clock):
    """The long window refuses too, and says when it is over."""
    azure.set_behaviour(enforce_budgets=True, budgets=SMALL)
    for _ in range(5):
        assert patch()[0] == 200
        clock.now += 180
    assert patch()[1]["retry-after"] == "900"


def test_lists_and_queries_have_no_such_budget(azure, image, get, post_nothing):
    """Neither lists nor queries are refused for a budget."""
    azure.set_behaviour(enforce_budgets=True, budgets={"GetGalleryImage": (1, 1)})
    assert [get(image)[0] for _ in range(2)] == [200, 429]
    assert get(f"{image}/versions")[0] == 200
    assert post_nothing() != 429


@pytest.fixture
def post_nothing(azure):
    """Ask Resource Graph for nothing; give the status."""
    path = f"{azure.endpoint}/providers/Microsoft.ResourceGraph/resources?{API}"
    return lambda: ask("POST", path, {"query": "resources"})[0]
