"""Messages that wait together share what Azure is asked, and none of them is lost."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from local.azure import Pace
from local.outage import Killed
from shared.core.messages import Queue, Reconcile, read
from shared.core.names import ImageId, VersionNumber
from shared.wiring import App
from tests.flows.clockwork import HOME, Clockwork, published

pytestmark = pytest.mark.flow

MINUTE = timedelta(minutes=1)
REGIONS = f"{HOME} eastus2 southeastasia uksouth japaneast brazilsouth canadacentral"


@pytest.fixture
def app(storage: str) -> Iterator[Clockwork]:
    """1.0.3 was published at home, and is to be in six regions more."""
    with published(storage) as app:
        app.azure.set_behaviour(update=Pace.after(60), replicate=Pace.after(120))
        app.decide(REGIONS)
        yield app


def _reads(app: Clockwork) -> list[str]:
    """Give what Azure was asked, by the last part of the path."""
    return [each.path.rpartition("/")[2] for each in app.azure.requests if each.method == "GET"]


def _meanwhile(app: Clockwork, act: Callable[[], None]) -> None:
    """Do something once while a pass has read the list of versions, and has not acted."""

    def first(call: Callable[[], Any]) -> Any:
        app.outside.heal()
        act()
        return call()

    app.outside.trouble(lambda call: "RowKey='rollout" in call.path, first)


def _come(app: Clockwork, number: str, times: int) -> None:
    """Deliver an event that often, and handle the messages at once that ask for a pass."""
    for _ in range(times):
        app.event(number)
    for message in app.queues.due():
        if message.queue == "reconcile":
            app.deliver(message)


def test_the_messages_of_a_version_share_its_reads(app: Clockwork) -> None:
    """However many regions a version is to reach, four reads lead to its write; a fifth looks for one that crossed."""
    app.event("1.0.3")
    app.run(MINUTE, until=app.writes)
    assert len(app.writes()) == 1
    assert _reads(app) == ["ubuntu-2204", "prodgallery", "versions", "1.0.3", "1.0.3"]
    app.run(MINUTE)
    assert _reads(app).count("1.0.3") == 4  # two looks besides


def test_an_older_version_is_brought_out_by_what_all_are(app: Clockwork) -> None:
    """A write for any version but the newest reads the list again: a newer one may have come, that takes its place."""
    app.event("1.0.3")
    for message in app.queues.due():
        app.deliver(message)
    app.azure.add_version(app.image, "1.0.4", regions=[HOME])
    app.app.rollouts.remember(ImageId.parse(app.image), lambda before: before.having(VersionNumber.parse("1.0.4")))
    before = len(_reads(app))
    app.run(timedelta(0))
    assert app.writes() == []
    assert "versions" in _reads(app)[before:]
    app.event("1.0.4")
    app.run(10 * MINUTE)
    assert app.complete_in("1.0.4", REGIONS.split())
    assert "1.0.3" not in dict(app.writes())


def test_passes_that_wait_together_are_one(app: Clockwork) -> None:
    """Twenty events while a pass reads, and twenty before the next one begins, make one pass more; it sees them all."""
    newer = f"{app.image}/versions/1.0.4"

    def publish() -> None:
        _come(app, "1.0.3", 10)
        app.azure.add_version(app.image, "1.0.4", regions=[HOME])
        _come(app, "1.0.4", 10)

    _meanwhile(app, publish)
    _come(app, "1.0.3", 1)
    _come(app, "1.0.4", 20)
    assert _reads(app).count("versions") == 1
    assert app.azure.show(newer)
    app.run(10 * MINUTE)
    assert app.complete_in("1.0.4", REGIONS.split())


def test_a_slow_pass_takes_no_newer_version_back(app: Clockwork) -> None:
    """A pass that began before a newer version was seen does not say, when it acts, that its own is the newest."""
    image, newer = ImageId.parse(app.image), VersionNumber.parse("1.0.4")

    def see_it() -> None:
        app.app.rollouts.remember(image, lambda before: before.having(newer))

    _meanwhile(app, see_it)
    _come(app, "1.0.3", 1)
    assert app.app.rollouts.memory(image).newest == newer


def test_the_pass_of_the_others_waits_for_its_turn(app: Clockwork) -> None:
    """The message that others left their passes to leaves them to nobody: while another has the turn it waits."""
    image = ImageId.parse(app.image)
    app.app.rollouts.change_turn(image, lambda before: before.arrive("another", app.clock.at, gathered=False))
    app.queues.put(Reconcile(image, "asked for during another pass", gathered=True))
    app.run(MINUTE)
    assert _reads(app) == []
    app.run(10 * MINUTE)
    assert app.complete_in("1.0.3", REGIONS.split())


def test_passes_of_a_gallery_share_its_tags(app: Clockwork) -> None:
    """Passes over many definitions of a gallery read it once; a tag that is new stops the writes that come later."""
    others = [app.azure.add_image(app.gallery, f"other-{number}") for number in range(5)]
    for image in others:
        app.azure.add_version(image, "1.0.0", regions=[HOME])
    app.sweep()
    for message in app.queues.due():
        if message.queue == "reconcile":
            app.deliver(message)
    assert _reads(app).count("prodgallery") == 1
    app.azure.set_tags(app.gallery, {"gallery-fanout-keep": "true"})
    app.pass_time(timedelta(seconds=20))
    app.run(10 * MINUTE)
    assert app.writes() == []


def _elsewhere(app: Clockwork) -> None:
    """Let another instance go on, that has read nothing yet."""
    app.app.__dict__["gallery"] = App(app.app.settings, now=app.clock.now).gallery


def test_what_a_pass_read_is_known_elsewhere(app: Clockwork) -> None:
    """Where another instance writes than planned, it knows the tags from the pass: four reads, as with one instance."""
    _come(app, "1.0.3", 1)
    _elsewhere(app)
    app.run(MINUTE, until=app.writes)
    assert len(app.writes()) == 1
    assert _reads(app) == ["ubuntu-2204", "prodgallery", "versions", "1.0.3", "1.0.3"]


@pytest.mark.parametrize(("after", "written"), [(19, ["1.0.3"]), (20, [])])
@pytest.mark.parametrize("tagged", ["prodgallery", "ubuntu-2204"])
def test_what_a_pass_read_gets_old(app: Clockwork, tagged: str, after: int, written: list[str]) -> None:
    """Tags that a pass read stand for those of now for twenty seconds; who writes later reads them anew."""
    _come(app, "1.0.3", 1)
    _elsewhere(app)
    app.azure.set_tags(app.gallery if tagged == "prodgallery" else app.image, {"gallery-fanout-keep": "true"})
    app.clock.at += timedelta(seconds=after)
    app.run(timedelta(0))
    assert [number for number, _ in app.writes()] == written


def test_a_reading_of_its_own_is_known_too(app: Clockwork) -> None:
    """Where the instance that writes has read the tags since the pass did, it goes by what it read."""
    _come(app, "1.0.3", 1)
    app.azure.set_tags(app.image, {"gallery-fanout-keep": "true"})
    app.clock.at += timedelta(seconds=5)
    app.app.gallery.tags(ImageId.parse(app.image))
    app.run(timedelta(0))
    assert app.writes() == []


def test_what_was_read_does_not_decide_against_a_region(app: Clockwork) -> None:
    """By old tags other regions than the message's may be missing: before it ends without its own it reads anew."""
    app.azure.set_tags(app.image, {"gallery-fanout-regions": f"{HOME} eastus2 japaneast"})
    _come(app, "1.0.3", 1)
    message = next(each for each in app.queues.due() if each.queue == "replicate")
    app.azure.set_tags(app.image, {"gallery-fanout-regions": f"{HOME} eastus2 uksouth"})
    app.queues.put(replace(read(Queue.REPLICATE, message.text), region="uksouth"))
    app.deliver(app.queues.due()[-1])
    assert [sorted(regions) for _, regions in app.writes()] == [sorted([HOME, "eastus2", "uksouth"])]


@pytest.mark.parametrize("tagged", ["prodgallery", "ubuntu-2204"])
def test_no_reading_looks_younger_than_it_is(app: Clockwork, tagged: str) -> None:
    """The gallery's tags that a pass knew from before are as old for the writer as they were for the pass."""
    app.app.gallery.tags(ImageId.parse(app.image).gallery)
    app.clock.at += timedelta(seconds=15)
    _come(app, "1.0.3", 1)
    _elsewhere(app)
    app.azure.set_tags(app.gallery if tagged == "prodgallery" else app.image, {"gallery-fanout-keep": "true"})
    app.clock.at += timedelta(seconds=5)
    app.run(timedelta(0))
    assert [number for number, _ in app.writes()] == ([] if tagged == "prodgallery" else ["1.0.3"])


def test_a_later_pass_knows_better(app: Clockwork) -> None:
    """When a pass reads other tags than one a moment before, nobody goes by the earlier ones any more."""
    _come(app, "1.0.3", 1)
    app.azure.set_tags(app.image, {"gallery-fanout-keep": "true"})
    _come(app, "1.0.3", 1)
    _elsewhere(app)
    app.run(timedelta(0))
    assert app.writes() == []


@pytest.mark.parametrize("tags", [{"gallery-fanout-regions": f"{HOME} eastus2 uksouth"}, {}], ids=["regions", "free"])
def test_older_tags_elsewhere(clockwork: Clockwork, tags: dict[str, str]) -> None:
    """Where the instance that writes has read the tags a moment before they changed, it does not decide by them that
    there is nothing to do.
    """
    image, new = ImageId.parse(clockwork.image), "uksouth" if tags else "eastus2"
    clockwork.azure.set_behaviour(update=Pace.after(60), replicate=Pace.after(120))
    clockwork.decide(f"{HOME} eastus2")
    clockwork.azure.add_version(clockwork.image, "1.0.3", regions=[HOME, "eastus2"] if tags else [HOME])
    clockwork.azure.set_tags(clockwork.image, {} if tags else {"gallery-fanout-keep": "true"})
    clockwork.event("1.0.3")
    clockwork.run(10 * MINUTE)
    other = App(clockwork.app.settings, now=clockwork.clock.now)
    for thing in (image, image.gallery):
        other.gallery.tags(thing)
    clockwork.azure.set_tags(clockwork.image, tags)
    _come(clockwork, "1.0.3", 1)
    clockwork.app.__dict__["gallery"] = other.gallery
    clockwork.run(timedelta(seconds=1))
    assert [sorted(regions) for _, regions in clockwork.writes()] == [sorted({HOME, "eastus2", new})]


@pytest.mark.parametrize("tagged", ["prodgallery", "ubuntu-2204"])
def test_a_prune_shares_no_tags(app: Clockwork, tagged: str) -> None:
    """What takes something away reads the tags when it does, however short a time ago a pass read them."""
    app.event("1.0.3")
    app.run(60 * MINUTE, until=lambda: [each.queue for each in app.queues.due()] == ["prune", "prune"])
    app.azure.set_tags(app.gallery if tagged == "prodgallery" else app.image, {"gallery-fanout-keep": "true"})
    app.run(10 * MINUTE)
    assert [number for number, _ in app.writes()] == ["1.0.3"]


def test_a_pass_that_dies_leaves_nobody_behind(app: Clockwork) -> None:
    """Killed in a pass while others left theirs, the app has that pass, and theirs, when its message comes again."""

    def publish_and_die() -> None:
        app.azure.add_version(app.image, "1.0.4", regions=[HOME])
        _come(app, "1.0.4", 3)
        app.outside.dead = True
        raise Killed

    _meanwhile(app, publish_and_die)
    _come(app, "1.0.3", 1)
    app.run(30 * MINUTE, handle=app.deliver)
    assert app.complete_in("1.0.4", REGIONS.split())


def test_a_failure_is_told_by_its_own_pass(app: Clockwork) -> None:
    """An event that says that a version could not be written does not leave its news to another pass."""

    def fail() -> None:
        app.event("1.0.9", "ResourceWriteFailure")
        _come(app, "1.0.3", 1)

    _meanwhile(app, fail)
    _come(app, "1.0.3", 1)
    app.run(10 * MINUTE)
    assert app.told()["publish.failed 1.0.9"] == 1
