from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from local.azure import Fault, Region, SimulatedAzure
from shared import settings
from shared.adapters.gallery import Gallery
from shared.adapters.throttle import Call, Kind, Throttle, call_of, write_of
from shared.adapters.usage import ResourceGraph
from shared.core.errors import FlagFirst, Retry
from shared.core.names import ImageId, Name
from shared.core.pacing import WRITES, Budget
from shared.core.plan import Action, Line, Role, VersionPlan
from shared.core.policy import InUse
from shared.wiring import App
from tests.adapters.support import IMAGE, Server, Tokens, quickly, reply, together, version_id
from tests.clock import Clock

SECOND = timedelta(seconds=1)
SUBSCRIPTION = IMAGE.gallery.subscription
OTHER = Name("22222222-2222-2222-2222-222222222222")
GALLERY = str(IMAGE.gallery)
WRITE = write_of(version_id())
MORE = Line("uksouth", Action.ADD, "", 1)
GONE = Line("eastus2", Action.REMOVE, "")


@pytest.fixture
def clock() -> Clock:
    """The clock of Azure and of the gates."""
    return Clock()


@pytest.fixture
def azure(clock: Clock) -> Iterator[SimulatedAzure]:
    """A simulated Azure with one image definition in each of two subscriptions, by the test's clock."""
    with SimulatedAzure(clock=clock) as simulated:
        for subscription in (SUBSCRIPTION, OTHER):
            image = simulated.add_image(simulated.add_gallery("prodgallery", subscription=subscription), "ubuntu-2204")
            simulated.add_version(image, "1.0.3", regions=["westeurope", Region("eastus2")])
        yield simulated


@pytest.fixture
def throttle(clock: Clock) -> Throttle:
    """The gates of a process."""
    return Throttle(clock.now)


@pytest.fixture
def gallery(azure: SimulatedAzure, throttle: Throttle) -> Gallery:
    """The adapter, behind the gates."""
    return Gallery(azure.endpoint, None, throttle)


def elsewhere() -> ImageId:
    """Name the image definition of the other subscription."""
    return ImageId.parse(str(IMAGE).replace(SUBSCRIPTION, OTHER))


def write(gallery: Gallery, image: ImageId = IMAGE) -> None:
    """Read a version and add a region."""
    gallery.write(VersionPlan(gallery.version(version_id(image=image)), Role.KEPT, (MORE,)))


CALLS: dict[Kind, Callable[[Gallery, ImageId], Any]] = {
    Kind.LIST: lambda gallery, image: gallery.versions(image),
    Kind.READ: lambda gallery, image: gallery.version(version_id(image=image)),
    Kind.READ_IMAGE: lambda gallery, image: gallery.tags(image),
    Kind.READ_GALLERY: lambda gallery, image: gallery.tags(image.gallery),
    Kind.WRITE: write,
}


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("PATCH", f"{IMAGE}/versions/1.0.3", Kind.WRITE),
        ("PUT", f"{IMAGE}/versions/1.0.3/".upper(), Kind.WRITE),
        ("GET", f"{IMAGE}/versions/1.0.3", Kind.READ),
        ("GET", str(IMAGE).lower(), Kind.READ_IMAGE),
        ("GET", GALLERY, Kind.READ_GALLERY),
        ("GET", f"{IMAGE}/versions", Kind.LIST),
        ("GET", f"{GALLERY}/images/", Kind.LIST),
        ("GET", GALLERY.rpartition("/")[0], Kind.LIST),
        ("GET", str(IMAGE).replace("prodgallery", "%70rodgallery"), Kind.READ_IMAGE),
        ("DELETE", f"{IMAGE}/versions/1.0.3", Kind.OTHER),
        ("PUT", GALLERY, Kind.OTHER),
        ("GET", f"{GALLERY}/applications/a", Kind.OTHER),
        ("GET", f"/subscriptions/{SUBSCRIPTION}", Kind.OTHER),
        ("GET", f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/locations/x/capsOperations/1", Kind.OTHER),
        ("GET", GALLERY.replace("Microsoft.Compute", "Microsoft.Other"), Kind.OTHER),
    ],
)
def test_kinds(method: str, path: str, kind: Kind) -> None:
    """Calls are told apart as Azure's budgets are, whatever the letter case; a write is known by what it writes."""
    assert call_of(method, path) == (WRITE if kind is Kind.WRITE else Call(kind, SUBSCRIPTION))


@pytest.mark.parametrize(
    ("path", "call"),
    [
        ("/providers/Microsoft.ResourceGraph/resources", Call(Kind.QUERY)),
        ("/", Call(Kind.OTHER)),
        ("", Call(Kind.OTHER)),
        ("/subscriptions", Call(Kind.OTHER)),
        ("//subscriptions//%2f", Call(Kind.OTHER)),
    ],
)
def test_calls_of_no_subscription(path: str, call: Call) -> None:
    """Queries are of no subscription, and nothing is too odd to be classified."""
    assert call_of("POST", path) == call


@pytest.mark.parametrize("closed", [*CALLS])
def test_one_kind_of_one_subscription(azure: SimulatedAzure, gallery: Gallery, clock: Clock, closed: Kind) -> None:
    """A 429 closes one gate for exactly its time; other kinds of calls and other subscriptions go on."""
    write(gallery)
    refused = [each for each in azure.requests if call_of(each.method, each.path).kind is closed]
    if not refused:
        CALLS[closed](gallery, IMAGE)
        refused = [azure.requests[-1]]
    azure.throttle(120, method=refused[0].method, path_regex=f"{refused[0].path}$", subscription=SUBSCRIPTION)
    for passed in (0, 50, 69.5):
        clock.at += passed * SECOND
        before = len(azure.requests)
        for kind, act in CALLS.items():
            act(gallery, elsewhere())
            if kind is not closed and not (kind is Kind.WRITE and closed is Kind.READ):
                act(gallery, IMAGE)
        with quickly(), pytest.raises(Retry) as caught:
            CALLS[closed](gallery, IMAGE)
        assert caught.value.after == (clock.at.replace(hour=9, minute=2, second=0, microsecond=0) - clock.at)
        theirs = [each for each in azure.requests[before:] if each.status == 429]
        assert len(theirs) == (0 if passed else 1)
    clock.at += 0.5 * SECOND
    for act in CALLS.values():
        act(gallery, IMAGE)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("with_header", [True, False])
def test_how_long(
    azure: SimulatedAzure,
    gallery: Gallery,
    clock: Clock,
    status: int,
    with_header: bool,  # noqa: FBT001  a row
) -> None:
    """The header tells how long, or the text; of a read and of a write, whose answer the SDK streams."""
    version = gallery.version(version_id())
    azure.throttle(510, status=status, with_header=with_header)
    for act in (lambda: gallery.version(version_id()), lambda: gallery.write(VersionPlan(version, Role.KEPT, (MORE,)))):
        for passed, left in ((0, 510), (10, 500)):
            clock.at += passed * SECOND
            before = len(azure.requests)
            with pytest.raises(Retry) as caught:
                act()
            assert caught.value.after == left * SECOND
            assert len(azure.requests) - before == (not passed)
        clock.at -= 10 * SECOND


@pytest.mark.parametrize(("seconds", "told"), [(120, 120), (510, 510), (120.4, 121)])
def test_until_a_date(azure: SimulatedAzure, gallery: Gallery, clock: Clock, seconds: float, told: int) -> None:
    """A date closes the gate until then, by the clock of Azure and of the gates, and not a moment shorter."""
    azure.set_behaviour(retry_after="date")
    azure.throttle(seconds)
    for passed in (0, told - 1):
        clock.at += passed * SECOND
        with quickly(), pytest.raises(Retry) as caught:
            gallery.versions(IMAGE)
        assert caught.value.after == (told - passed) * SECOND
    assert len(azure.requests) == 1
    clock.at += SECOND
    gallery.versions(IMAGE)


def test_half_a_second(azure: SimulatedAzure, gallery: Gallery, clock: Clock) -> None:
    """A fraction of a second is a whole one: the gate does not open while Azure still refuses."""
    azure.set_behaviour(faults=[Fault("*", "", 429, "ResourceRequestsThrottled", "no", retry_after=120.5)])
    for passed in (0, 120.9):
        clock.at += passed * SECOND
        with pytest.raises(Retry):
            gallery.versions(IMAGE)
    assert len(azure.requests) == 1
    clock.at += 0.1 * SECOND
    gallery.versions(IMAGE)


def test_quoted_seconds(azure: SimulatedAzure, gallery: Gallery) -> None:
    """Azure puts the number into quotes in many of its texts; that is read too."""
    text = "Requests exceeded the limit of '50' for time interval '00:05:00'. Please try again after '372' seconds."
    azure.set_behaviour(faults=[Fault("*", "", 429, "ResourceRequestsThrottled", text)])
    for _ in range(2):
        with pytest.raises(Retry) as caught:
            gallery.versions(IMAGE)
        assert caught.value.after == 372 * SECOND


def test_a_whole_subscription(azure: SimulatedAzure, gallery: Gallery) -> None:
    """A code that speaks of the subscription closes every gate of it, and none of another's."""
    azure.throttle(60, method="GET", path_regex="versions$", code="SubscriptionRequestsThrottled")
    with pytest.raises(Retry):
        gallery.versions(IMAGE)
    before = len(azure.requests)
    for act in CALLS.values():
        with pytest.raises(Retry):
            act(gallery, IMAGE)
    with pytest.raises(Retry):
        gallery.may_write(version_id())
    assert len(azure.requests) == before
    assert gallery.version(version_id(image=elsewhere()))


def test_the_later_time_counts(throttle: Throttle) -> None:
    """A shorter wait does not open a gate that is closed for longer; the whole subscription counts beside a kind."""
    throttle.close(WRITE, 100 * SECOND)
    throttle.close(WRITE, 10 * SECOND)
    with pytest.raises(Retry) as caught:
        throttle.check(WRITE)
    assert caught.value.after == 100 * SECOND
    throttle.close(Call(Kind.READ, SUBSCRIPTION), 200 * SECOND, whole_subscription=True)
    with pytest.raises(Retry) as caught:
        throttle.check(WRITE)
    assert caught.value.after == 200 * SECOND


def test_subscriptions_match_without_case(throttle: Throttle) -> None:
    """A subscription is the same in whatever case its id is written."""
    throttle.close(Call(Kind.READ, Name("ABCDEF")), SECOND)
    with pytest.raises(Retry):
        throttle.enter(Call(Kind.READ, Name("abcdef")))


def test_a_page_in_the_middle_closes_the_gate(azure: SimulatedAzure, throttle: Throttle) -> None:
    """When a later page is refused, no list leaves any more; every page passes the gate."""
    shown = azure.show(str(version_id()))
    with Server() as server:
        more = f"{server.url}{IMAGE}/versions?api-version=2024-03-03&$skiptoken=next"
        server.answers = [reply(200, {"value": [shown], "nextLink": more}), reply(429, b"", Retry_After="120")]
        gallery = Gallery(server.url, None, throttle)
        for _ in range(3):
            with pytest.raises(Retry) as caught:
                gallery.versions(IMAGE)
            assert caught.value.after == 120 * SECOND
        assert len(server.taken) == 2


UNREADABLE = {"no JSON": b"<html>", "no object": b"[1]", "half of it": b'{"error": {"co'}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_answers_that_cannot_be_read(azure: SimulatedAzure, throttle: Throttle, body: bytes) -> None:
    """The header of a refusal closes the gate, whatever its body is; a second call is not sent."""
    version = Gallery(azure.endpoint, None).version(version_id())
    with Server(reply(429, body, Retry_After="120")) as server:
        gallery = Gallery(server.url, None, throttle)
        for _ in range(2):
            with quickly(), pytest.raises(Retry):
                gallery.version(version_id())
            with quickly(), pytest.raises(Retry):
                gallery.write(VersionPlan(version, Role.KEPT, (MORE,)))
        assert len(server.taken) == 2


def test_a_refusal_that_breaks_off(azure: SimulatedAzure, throttle: Throttle) -> None:
    """The answer to a write is streamed: when its body breaks off, its header has closed the gate."""
    version = Gallery(azure.endpoint, None).version(version_id())
    with Server(reply(429, {"error": {"code": "TooManyRequests"}}, Retry_After="120")[:-9]) as server:
        for _ in range(2):
            with quickly(), pytest.raises(Retry):
                Gallery(server.url, None, throttle).write(VersionPlan(version, Role.KEPT, (MORE,)))
        assert len(server.taken) == 1


def test_no_token_for_what_is_not_sent(throttle: Throttle) -> None:
    """Behind a closed gate the credential is not asked for a token."""
    tokens = Tokens()
    throttle.close(Call(Kind.LIST, SUBSCRIPTION), SECOND)
    with pytest.raises(Retry):
        Gallery("https://management.azure.com", tokens, throttle).versions(IMAGE)
    assert tokens.asked == []


def test_resource_graph_has_a_gate(azure: SimulatedAzure, throttle: Throttle, gallery: Gallery, clock: Clock) -> None:
    """A throttled query closes the gate of queries only; not to know is an answer, with when to ask again."""
    graph = ResourceGraph(azure.endpoint, None, throttle)
    azure.throttle(60, path_regex="ResourceGraph", code="RateLimiting")
    assert graph.usage(IMAGE, InUse.ALL).ask_again == 60 * SECOND
    clock.at += 20 * SECOND
    usage = graph.usage(IMAGE, InUse.ALL)
    assert (usage.ask_again, bool(usage.unknown)) == (40 * SECOND, True)
    assert len(azure.requests) == 1
    write(gallery)


def test_gates_are_of_the_app(azure: SimulatedAzure, clock: Clock) -> None:
    """Whatever adapter an app builds, and however often, its gates are the same, and go by its clock."""
    given = {"AzureWebJobsStorage": "UseDevelopmentStorage=true", "GALLERIES": GALLERY, "TARGET_REGIONS": "westeurope"}
    app = App(settings.load({**given, "ARM_ENDPOINT": azure.endpoint}), now=clock.now)
    azure.throttle(60, code="SubscriptionRequestsThrottled")
    with pytest.raises(Retry):
        app.gallery.versions(IMAGE)
    del app.gallery
    clock.at += 30 * SECOND
    with pytest.raises(Retry) as caught:
        app.gallery.version(version_id())
    assert caught.value.after == 30 * SECOND


# Pacing.


def paced(clock: Clock, limit: int = 10) -> Throttle:
    """Give gates with a small budget, named like Azure's short one."""
    return Throttle(clock.now, budgets=(Budget(WRITES[0].name, limit, WRITES[0].window),))


def test_a_fifth_is_left_to_others(azure: SimulatedAzure, clock: Clock) -> None:
    """With others at work the gate closes when a fifth remains by Azure's own count, and only for that subscription."""
    azure.set_behaviour(budgets={"CreateUpdateGalleryImageVersion": (10, 1000)})
    others, gallery = Gallery(azure.endpoint, None), Gallery(azure.endpoint, None, paced(clock))
    for _ in range(2):
        write(others)
    for _ in range(6):
        write(gallery)
    with pytest.raises(Retry):
        write(gallery)
    assert len([each for each in azure.requests if each.method == "PATCH"]) == 8
    with pytest.raises(Retry):
        gallery.may_write(version_id())
    gallery.may_write(version_id(image=elsewhere()))
    write(gallery, elsewhere())
    clock.at += WRITES[0].window
    write(gallery)


def test_threads_share_a_budget(clock: Clock) -> None:
    """However many threads want to write at once, no more leave than may; others are told when there is room."""
    throttle = paced(clock, limit=40)

    def enter(which: int) -> timedelta | None:
        try:
            throttle.enter(write_of(version_id(f"1.0.{which}")))
        except Retry as retry:
            return retry.after
        return None

    waits = together(48, enter)
    told = sorted(wait for wait in waits if wait)
    assert waits.count(None) == 32
    assert told == [WRITES[0].window] * 16


def test_reads_are_not_paced(azure: SimulatedAzure, gallery: Gallery) -> None:
    """That no reads remain is told with a 200 and is no refusal; headers that cannot be read are none either."""
    azure.set_behaviour(extra_headers={"x-ms-ratelimit-remaining-resource": "Microsoft.Compute/GetGallery3Min;0"})
    for _ in range(2):
        gallery.tags(IMAGE.gallery)
    azure.set_behaviour(extra_headers={"x-ms-ratelimit-remaining-resource": ";;,nonsense;x"})
    write(gallery)
    write(gallery)


def test_the_flag_is_not_tried_in_vain_twice(azure: SimulatedAzure, gallery: Gallery) -> None:
    """Where Azure wants the safety flag first, one write finds out; later ones do not use up the budget for it."""
    azure.set_behaviour(flag_with_removal=False)
    version = gallery.version(version_id())
    for _ in range(3):
        with pytest.raises(FlagFirst):
            gallery.write(VersionPlan(version, Role.OLDER, (GONE,)))
    assert len([each for each in azure.requests if each.method == "PATCH"]) == 1


def test_gallery_without_gates(azure: SimulatedAzure) -> None:
    """An adapter that is built without gates holds nothing back."""
    azure.throttle(60, method="GET")
    gallery = Gallery(azure.endpoint, None)
    for _ in range(2):
        with pytest.raises(Retry):
            gallery.versions(IMAGE)
    gallery.may_write(version_id())
    assert len(azure.requests) == 2
