"""Ids from outside: only the shapes that are meant, and nothing that could climb out of a URL or a query."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.gallery import Gallery
from shared.adapters.usage import ResourceGraph
from shared.core.errors import Absent, Malformed
from shared.core.model import ImageVersion, ProvisioningState
from shared.core.names import GalleryId, ImageId, VersionId, VersionNumber, encryption_set_id, region_name
from shared.core.policy import InUse
from tests.adapters.support import IMAGE, Server, reply
from tests.core import strategies
from tests.core.build import GALLERY_ID, IMAGE_ID, VERSION_ID
from tests.fuzz.mutations import CONTROLS, LOOK_ALIKES, TRAVERSALS, spoiled, tried
from tests.settings.environment import ENCRYPTION_SET

KINDS = (GalleryId, ImageId, VersionId)
_SEGMENTS = VERSION_ID.split("/")
_GOOD = (GALLERY_ID, IMAGE_ID, VERSION_ID, VERSION_ID.upper(), VERSION_ID.replace("prodgallery", "a..b"))

# Names as odd as the pattern allows: every mark that may stand in one, also where it means something in URLs.
_odd_names = st.from_regex(r"[A-Za-z0-9][\w.-]{0,10}[A-Za-z0-9]", fullmatch=True).filter(str.isascii)
_odd_groups = st.from_regex(r"[\w(][\w.()-]{0,10}[\w()-]", fullmatch=True).filter(str.isascii)
_odd_ids = st.builds(
    "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/galleries/{}/images/{}/versions/{}".format,
    st.uuids(),
    _odd_groups,
    _odd_names,
    _odd_names,
    strategies.numbers,
).map(VersionId.parse)
version_ids = _odd_ids | strategies.versions_ids


@given(spoiled(_GOOD))
@tried(150)
def test_what_is_accepted_is_given_back(text):
    """Of spoiled ids, what is accepted is given back as the same id, in plain ASCII, letter by letter but for case."""
    for kind in KINDS:
        try:
            identity = kind.parse(text)
        except Malformed as fault:
            assert str(fault).isprintable()  # noqa: PT017  either outcome is right
            continue
        assert str(identity).casefold() == text.casefold()
        assert kind.parse(str(identity)) == identity
        assert str(kind.parse(str(identity))) == str(identity)
        assert text.isascii()
        assert not set(text) & set("%?#\\'\"{}; \t\r\n\0")
        assert not {"", ".", ".."} & set(text.split("/")[1:])


@given(st.sampled_from(CONTROLS + LOOK_ALIKES + TRAVERSALS), st.integers(0, len(VERSION_ID)))
@tried(150)
def test_nothing_hostile_anywhere(piece, place):
    """No id that has a control character, a look-alike, a traversal or part of a URL's syntax anywhere is accepted."""
    for good in (GALLERY_ID, IMAGE_ID, VERSION_ID):
        for kind in KINDS:
            at = min(place, len(good))
            with pytest.raises(Malformed):
                kind.parse(good[:at] + piece + good[at:])


@given(st.integers(1, len(_SEGMENTS) - 1), st.sampled_from(["..", ".", "%2e%2e", "", "a/../b", "\uff0e\uff0e"]))
@tried(50)
def test_no_segment_climbs(which, segment):
    """No segment of an id can be one that climbs, or none at all."""
    text = "/".join([*_SEGMENTS[:which], segment, *_SEGMENTS[which + 1 :]])
    with pytest.raises(Malformed):
        VersionId.parse(text)


@given(st.integers(1, len(_SEGMENTS) - 1), st.integers(100, 100_000))
@tried(50)
def test_no_segment_is_absurdly_long(which, times):
    """An id with an absurdly long segment is refused, wherever that stands."""
    segments = [*_SEGMENTS[:which], (_SEGMENTS[which] * times)[: 100 * times], *_SEGMENTS[which + 1 :]]
    with pytest.raises(Malformed) as caught:
        VersionId.parse("/".join(segments))
    assert len(str(caught.value)) < 1000


@given(spoiled([ENCRYPTION_SET]))
@tried(75)
def test_encryption_sets(text):
    """A spoiled id of a disk encryption set is taken as it is, in plain ASCII, or is Malformed."""
    try:
        assert encryption_set_id(text) == text
    except Malformed:
        return
    assert text.isascii()
    assert not {"", ".", ".."} & set(text.split("/")[1:])


@given(spoiled(["West Europe", "eastus2", "UK South"]), spoiled(["1.0.3", "0.0.2147483647"]))
@tried(100)
def test_regions_and_numbers(name, number):
    """A spoiled name of a region is letters and digits of ASCII or Malformed, and a version number is three numbers."""
    try:
        found = region_name(name)
        assert found.isascii()
        assert found.isalnum()
    except Malformed as fault:
        assert str(fault).isprintable()  # noqa: PT017  either outcome is right
    try:
        assert set(str(VersionNumber.parse(number))) <= set("0123456789.")
    except Malformed as fault:
        assert str(fault).isprintable()  # noqa: PT017  the same


@pytest.fixture(scope="module")
def empty() -> Iterator[Server]:
    """An Azure Resource Manager that has nothing."""
    with Server(reply(404, {"error": {"code": "ResourceNotFound", "message": "no"}})) as server:
        yield server


@pytest.fixture(scope="module")
def gallery(empty: Server) -> Gallery:
    """The adapter, at work with it."""
    return Gallery(empty.url, None)


@given(version_ids)
@tried(40)
def test_every_request_is_about_its_id(empty, gallery, identity):
    """Whatever the id, each request for it has a path that reads as that id again, and only our own query."""
    gallery._clients.clear()  # one per subscription, and every example has another
    version = ImageVersion(identity, "westeurope", ProvisioningState.SUCCEEDED, (), datetime(2025, 1, 1, tzinfo=UTC))
    image = identity.image
    asked = {
        str(identity): (lambda: gallery.version(identity), VersionId),
        f"{identity} ": (lambda: gallery.unlock(version), VersionId),
        str(image): (lambda: gallery.tags(image), ImageId),
        str(image.gallery): (lambda: gallery.tags(image.gallery), GalleryId),
        f"{image}/versions": (lambda: gallery.versions(image), None),
        f"{image.gallery}/images": (lambda: gallery.images(image.gallery), None),
    }
    for wanted, (ask, kind) in asked.items():
        empty.taken.clear()
        with pytest.raises(Absent):
            ask()
        (request,) = empty.taken
        path, _, query = request.path.partition("?")
        assert unquote(path) == wanted.strip()
        assert path.isascii()
        assert not set(path) & set("?#\\'\" ")
        assert not {"", ".", ".."} & set(unquote(path).split("/")[1:])
        assert kind is None or str(kind.parse(unquote(path))) == wanted.strip()
        assert {each.partition("=")[0] for each in query.split("&")} <= {"api-version", "$expand", "%24expand"}


NOTHING = {"totalRecords": 0, "count": 0, "resultTruncated": "false", "facets": [], "data": []}


@pytest.fixture(scope="module")
def unused() -> Iterator[Server]:
    """A Resource Graph that knows of no machine."""
    with Server(reply(200, NOTHING)) as server:
        yield server


@pytest.fixture(scope="module")
def graph(unused: Server) -> ResourceGraph:
    """The adapter, at work with it."""
    return ResourceGraph(unused.url, None)


def queries(server: Server, graph: ResourceGraph, image: ImageId) -> list[str]:
    """Ask who uses an image definition, and give the texts of the queries."""
    server.taken.clear()
    assert graph.usage(image, InUse.ALL).unknown == ""
    assert all(
        taken.path.startswith("/providers/Microsoft.ResourceGraph/resources?api-version=") for taken in server.taken
    )
    return [json.loads(taken.body)["query"] for taken in server.taken]


@given(version_ids)
@tried(25)
def test_queries_hold_the_id_in_quotes(unused, graph, identity):
    """Whatever the id, a query is the same text as for any other, with the id inside its quotes and nowhere else."""
    image, plain = str(identity.image), "'image'"
    usual = [text.replace(str(IMAGE), "image") for text in queries(unused, graph, IMAGE)]
    odd = queries(unused, graph, identity.image)
    assert not set(image) & set("'\"\\\r\n{}|")
    assert [text.replace(image, "image") for text in odd] == usual
    for text, same in zip(odd, usual, strict=True):
        inside = text.split("'")[1::2]
        assert text.count(image) == sum(each.startswith(image) for each in inside) == 2
        assert plain in same
