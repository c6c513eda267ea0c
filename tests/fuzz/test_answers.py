"""Azure's answers, spoiled: read, or an error that stages understand."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.gallery import Gallery
from shared.adapters.gallery_json import read_version, unlock_body, write_body
from shared.adapters.retry_after import retry_after, retry_after_header
from shared.adapters.throttle import Throttle
from shared.adapters.usage import ResourceGraph
from shared.core.errors import Absent, Malformed, Refused, Retry
from shared.core.messages import LONGEST_DELAY
from shared.core.model import Definition, ImageVersion, ProvisioningState
from shared.core.planner import plan
from shared.core.policy import InUse
from shared.core.tags import protects, tuned
from shared.core.usage import Usage
from tests.adapters.support import Server, reply, version_id
from tests.core.build import IMAGE, NOW, policy
from tests.fuzz.mutations import odd_texts, outside, spoiled, spoiled_json, tried
from tests.fuzz.samples import ERROR, ROWS, VERSION

UNDERSTOOD = (Absent, Malformed, Refused, Retry)
_TAGGED = {"id": str(IMAGE), "name": "ubuntu-2204", "location": "westeurope", "tags": {"team": "x"}, "properties": {}}
_VERSIONS = {"value": [VERSION, {**VERSION, "name": "1.0.2"}], "nextLink": "http://127.0.0.1/x?$skiptoken=y"}
_IMAGES = {"value": [_TAGGED], "nextLink": "/x"}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server that gives what each example tells it to."""
    with Server(reply(200)) as running, pytest.MonkeyPatch.context() as patch:
        patch.setattr("shared.adapters.gallery._MOST_PAGES", 3)  # it gives the same page again and again
        yield running


@pytest.fixture(scope="module")
def gallery(server: Server) -> Gallery:
    """The adapter of the galleries, at work with it."""
    return Gallery(server.url, None)


@pytest.fixture(scope="module")
def graph(server: Server) -> ResourceGraph:
    """The adapter of Resource Graph, at work with it."""
    return ResourceGraph(server.url, None)


def encoded(text: str) -> bytes:
    """Give the body of an answer."""
    return text.encode("utf-8", "surrogatepass")


def ask[T](server: Server, read: Callable[[], T], body: bytes) -> T | None:
    """Ask, and be answered so; ``None`` for an error that stages understand, and that can be told."""
    server.answers[:] = [reply(200, body)]
    try:
        return read()
    except UNDERSTOOD as fault:
        assert 0 < len(str(fault)) < 10_000  # noqa: PT017  either outcome is right
        assert str(fault).isprintable()  # noqa: PT017  the same
        return None


@given(outside([VERSION]))
@tried(75)
def test_versions_of_any_shape(text):
    """A spoiled version is read or Malformed; what was read can be planned with and written back as JSON."""
    try:
        version = read_version(version_id(), json.loads(text))
    except (ValueError, RecursionError):  # no JSON, or Malformed
        return
    for made in plan(Definition(version.id.image, (version,)), policy("westeurope uksouth"), now=NOW).versions:
        assert json.dumps(write_body(made))
    assert json.dumps(unlock_body(version))
    assert protects(version.tags, "gallery-fanout-keep") in (True, False)
    assert "".join(region.details for region in version.regions).isprintable()


@given(outside([VERSION]).map(encoded) | st.binary(max_size=60))
@tried(50)
def test_a_version(server, gallery, body):
    """A version, whatever is in the answer, is read or is an error that stages understand."""
    found = ask(server, lambda: gallery.version(version_id()), body)
    assert found is None or isinstance(found, ImageVersion)


@given(outside([_VERSIONS]).map(encoded) | st.binary(max_size=60))
@tried(50)
def test_a_list_of_versions(server, gallery, body):
    """A list of versions, whatever is in the answer, is read or is an error that stages understand."""
    found = ask(server, lambda: gallery.versions(IMAGE), body)
    assert found is None or all(isinstance(each, ImageVersion) for each in found)


@given(outside([_IMAGES]).map(encoded) | st.binary(max_size=60))
@tried(50)
def test_a_list_of_definitions(server, gallery, body):
    """A list of image definitions is ids that can be read again, or an error that stages understand."""
    for image in ask(server, lambda: gallery.images(IMAGE.gallery), body) or ():
        assert type(image).parse(str(image)) == image


@given(outside([_TAGGED]).map(encoded) | st.binary(max_size=60))
@tried(50)
def test_tags_of_a_definition(server, gallery, body):
    """Tags, whatever is in the answer, tune a policy, protect or do neither, or are an error that stages understand."""
    found = ask(server, lambda: gallery.tags(IMAGE), body)
    if found is not None:
        assert tuned(policy(), found).regions
        assert protects(found, "gallery-fanout-keep") in (True, False)


_links = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "{home}", "http://{home}", "http://{away}", "http://{home}@{away}", "http://{away}\\@{home}"]),
    st.sampled_from(["", "/", "/x?", "#", "?", "@{away}/", "@{home}/", ":80", "\\", "//{away}/"]),
    st.just("") | odd_texts,
)


@given(_links)
@tried(50)
def test_next_pages(server, gallery, link):
    """Wherever an answer puts the next page, nothing but the place that was asked first is asked for it."""
    with Server(reply(200, {"value": []})) as away:
        places = {"home": server.url.removeprefix("http://"), "away": away.url.removeprefix("http://")}
        for name, place in places.items():
            link = link.replace(f"{{{name}}}", place)
        ask(server, lambda: gallery.images(IMAGE.gallery), encoded(json.dumps({"value": [], "nextLink": link})))
        assert away.taken == []


_DECLARED = (400, 404, 408, 409, 412, 422, 429, 500, 502, 503, 504)
_UNKNOWN = (302, 401, 403, 501)
_DATE = "Wed, 21 Oct 2026 07:28:00 GMT"
_headers = (
    st.sampled_from(["", "120", "120.5", "0", "-1", "1e9", "9" * 400, _DATE, _DATE.replace("6 0", "7 0")])
    | odd_texts.filter(lambda text: text.isascii() and text.isprintable() and len(text) < 500)
    | spoiled(["120", "120.5", _DATE]).filter(lambda text: text.isascii() and text.isprintable() and len(text) < 500)
)


@given(
    st.sampled_from(_DECLARED + _UNKNOWN), outside([ERROR]).map(encoded) | st.binary(max_size=60), _headers, _headers
)
@tried(60)
def test_refusals(server, status, body, after, made):
    """A refusal, whatever its body and header say, is one that its status means, to be waited for a bounded time."""
    version = ImageVersion(version_id(), "westeurope", ProvisioningState.SUCCEEDED, ())
    gallery = Gallery(server.url, None, Throttle())
    server.answers[:] = [reply(status, body, Retry_After=after, Date=made)]
    for call in (lambda: gallery.version(version.id), lambda: gallery.unlock(version)):
        with pytest.raises((*UNDERSTOOD, HttpResponseError) if status in _UNKNOWN else UNDERSTOOD) as caught:
            call()
        assert not isinstance(caught.value, Malformed) or status in _UNKNOWN
        if isinstance(caught.value, UNDERSTOOD):
            assert len(str(caught.value)) < 10_000
            assert str(caught.value).isprintable()
        if isinstance(caught.value, Retry):
            assert timedelta(0) < caught.value.after <= LONGEST_DELAY


@given(st.lists(odd_texts | spoiled(["120", "120.5", _DATE]), max_size=3))
@tried(100)
def test_retry_after(texts):
    """Any texts tell of a wait that is not below zero, or of none; as a header each of them does."""
    for found in (retry_after(*texts), *(retry_after_header(text, NOW) for text in texts)):
        assert found is None or found >= timedelta(0)


@given(
    outside([ROWS]).map(encoded) | st.binary(max_size=60),
    st.sampled_from([*[200] * 4, *_DECLARED, *_UNKNOWN]),
    st.sampled_from(InUse),
)
@tried(75)
def test_resource_graph(server, graph, body, status, protects_what):
    """Whatever Resource Graph answers, there is a usage, and when it is not known a reason; nothing is raised."""
    server.answers[:] = [reply(status, body)]
    server.taken.clear()
    usage = graph.usage(IMAGE, protects_what)
    assert isinstance(usage, Usage)
    assert usage.unknown or status == 200 or protects_what is InUse.OFF
    assert usage.unknown.isprintable()
    assert len(server.taken) < 10


@given(spoiled_json(ROWS["data"]))
@tried(50)
def test_rows_of_resource_graph(server, graph, row):
    """One spoiled row is a use that can be told of, or makes the usage unknown with a reason."""
    answer: dict[str, Any] = {**ROWS, "totalRecords": 1, "count": 1, "data": ["ROW"]}
    server.answers[:] = [reply(200, json.dumps(answer).replace('"ROW"', row).encode())]
    usage = graph.usage(IMAGE, InUse.ALL)
    assert usage.unknown or all(region.isalnum() for _, region in usage.users)
    assert "".join(by for each in usage.users.values() for by in each).isprintable()
