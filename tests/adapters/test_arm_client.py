from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline import PipelineContext, PipelineRequest
from azure.core.rest import HttpRequest

from shared.adapters.arm_client import client_options
from shared.adapters.gallery import Gallery
from shared.adapters.throttle import Throttle
from shared.adapters.usage import ResourceGraph
from shared.core.errors import Malformed, Refused, Retry
from shared.core.model import ImageVersion, ProvisioningState
from shared.core.policy import InUse
from tests.adapters.support import IMAGE, Server, Tokens, quickly, reply, version_id
from tests.clock import Clock

SOON = timedelta(seconds=17)
VERSION = ImageVersion(version_id(), "westeurope", ProvisioningState.SUCCEEDED, ())
LISTS: dict[str, Callable[[Gallery], Any]] = {
    "images": lambda gallery: gallery.images(IMAGE.gallery),
    "versions": lambda gallery: gallery.versions(IMAGE),
}
CALLS: dict[str, Callable[[Gallery], Any]] = {
    **LISTS,
    "version": lambda gallery: gallery.version(version_id()),
    "tags": lambda gallery: gallery.tags(IMAGE),
    "unlock": lambda gallery: gallery.unlock(VERSION),
}


@pytest.fixture
def elsewhere() -> Iterator[Server]:
    """A server that Azure's answers point to, and that has no business with us."""
    with Server(reply(200, {"value": []})) as server:
        yield server


@pytest.mark.parametrize("call", LISTS)
@pytest.mark.parametrize(
    "link",
    [
        "http://{elsewhere}/subscriptions?x=y",
        "http://{home}@{elsewhere}/",
        "http://{elsewhere}\\@{home}/",
        "http://{elsewhere}#@{home}/",
        "http://{elsewhere}?@{home}/",
        "http://user:word@{home}/",
        "https://{home}/",
        "http://localhost:{port}/",
        "http://127.0.0.1/",
        "http://[{home}/",
        "http://\x80{home}/",
    ],
)
def test_a_list_goes_on_where_it_began(elsewhere: Server, call: str, link: str) -> None:
    """A next page at any other address, however it is disguised, is not asked for: no token may go there."""
    with Server() as server:
        home = server.url.removeprefix("http://")
        parts = {"home": home, "port": home.rpartition(":")[2], "elsewhere": elsewhere.url.removeprefix("http://")}
        server.answers = [reply(200, {"value": [], "nextLink": link.format(**parts)})]
        with pytest.raises(Malformed):
            CALLS[call](Gallery(server.url, None))
        assert len(server.taken) == 1
    assert elsewhere.taken == []


def test_the_error_names_the_host_in_short() -> None:
    """Who reads the error learns which host it was, and is shown nothing of the rest."""
    link = f"https://{'x' * 5000}.example.org/{'y' * 5000}?sig=c4nary"
    with Server(reply(200, {"value": [], "nextLink": link})) as server, pytest.raises(Malformed) as caught:
        Gallery(server.url, None).images(IMAGE.gallery)
    assert "'https://xxx" in str(caught.value)
    assert "c4nary" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("call", LISTS)
@pytest.mark.parametrize("link", ["{}", "{", "{0}", "{endpoint.x}", "{endpoint[x]}", 7, [1], {"a": "b"}])
def test_next_pages_that_are_no_address(call: str, link: Any) -> None:
    """A next page that is no address, or one that the SDK takes for a template, is an answer that cannot be read."""
    with Server(reply(200, {"value": [], "nextLink": link})) as server, pytest.raises(Malformed):
        CALLS[call](Gallery(server.url, None))


def test_a_list_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list that always says that there is more is given up after so many pages."""
    monkeypatch.setattr("shared.adapters.gallery._MOST_PAGES", 5)
    for call in LISTS:
        with Server() as server, quickly():
            server.answers = [reply(200, {"value": [], "nextLink": f"{server.url}/again"})]
            with pytest.raises(Malformed, match="end"):
                CALLS[call](Gallery(server.url, None))
            assert len(server.taken) == 5


@pytest.mark.parametrize(
    ("url", "leaves"),
    [
        ("https://management.azure.com/subscriptions?x=y", True),
        ("https://management.azure.com:443/", True),
        ("HTTPS://Management.Azure.COM/", True),
        ("https://management.azure.com.example.org/", False),
        ("https://example.org/management.azure.com", False),
        ("https://management.azure.com:8443/", False),
        ("http://management.azure.com/", False),
    ],
)
def test_the_token_is_for_one_place(url: str, *, leaves: bool) -> None:
    """Only what goes to the endpoint gets as far as the credential; letter case and the usual port do not matter."""
    tokens = Tokens()
    request = PipelineRequest(HttpRequest("GET", url), PipelineContext(None))
    for policy in client_options("https://management.azure.com", tokens)["policies"][-3:]:
        try:
            policy.on_request(request)
        except Malformed:
            break
    assert bool(tokens.asked) == leaves
    assert ("Authorization" in request.http_request.headers) == leaves


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
def test_redirects_are_not_followed(elsewhere: Server, status: int) -> None:
    """A redirect is not followed, not even one that stays at home; to Resource Graph it is not to know."""
    for target in (elsewhere, None):
        with Server() as server:
            server.answers = [reply(status, Location=f"{(target or server).url}/x")]
            for act in CALLS.values():
                with pytest.raises(HttpResponseError):
                    act(Gallery(server.url, None))
            assert ResourceGraph(server.url, None).usage(IMAGE, InUse.ALL).unknown
            assert len(server.taken) == len(CALLS) + 1
    assert elsewhere.taken == []


UNREGISTERED = {
    "error": {
        "code": "MissingSubscriptionRegistration",
        "message": "The subscription is not registered to use namespace 'Microsoft.Compute'.",
    }
}


@pytest.mark.parametrize("call", CALLS)
def test_no_resource_provider_is_registered(call: str) -> None:
    """That a resource provider is not registered is refused, at once: whose subscription it is decides about that."""
    with Server(reply(409, UNREGISTERED), reply(200, {"registrationState": "Registering"})) as server:
        with quickly(), pytest.raises(Refused, match="not registered"):
            CALLS[call](Gallery(server.url, None))
        assert len(server.taken) == 1


def test_resource_graph_registers_none() -> None:
    """Nor does a query of Resource Graph register anything."""
    with Server(reply(409, UNREGISTERED)) as server, quickly():
        assert "not registered" in ResourceGraph(server.url, None).usage(IMAGE, InUse.ALL).unknown
        assert len(server.taken) == 1


BUSY = {"error": {"code": "TooManyRequests", "message": "no"}}
NOON = "Sun, 01 Mar 2026 12:00:00 GMT"


@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize("status", [429, 503, 409])
@pytest.mark.parametrize(
    ("told", "after"),
    [
        ("120", 120),
        (" 120 ", 120),
        ("120.5", 121),
        ("120.000", 120),
        ("0.2", 1),
        ("Sun, 01 Mar 2026 12:08:30 GMT", 510),
        ("Sunday, 01-Mar-26 12:08:30 GMT", 510),
        ("Sun, 01 Mar 2026 13:08:30 +0100", 510),
    ],
)
def test_how_long_azure_wants_to_be_left_alone(told: str, after: int, status: int, *, gated: bool) -> None:
    """A wait in seconds, in fractions of them or as a date is kept to the full, and closes the gate as long.

    A date counts from when the answer says that it was made: whose clock is wrong does not matter.
    """
    with Server(reply(status, BUSY, Retry_After=told, Date=NOON)) as server:
        gallery = Gallery(server.url, None, Throttle(Clock().now) if gated else None)
        for call in ("version", "unlock"):
            with quickly(), pytest.raises(Retry) as caught:
                CALLS[call](gallery)
            assert caught.value.after == timedelta(seconds=after)
        if gated and status != 409:
            with pytest.raises(Retry) as caught:
                gallery.may_write(version_id())
            assert caught.value.after == timedelta(seconds=after)


@pytest.mark.parametrize("made", ["", "yesterday", "Sun, 01 Mar 99999 12:00:00 GMT"])
def test_a_date_in_an_answer_without_one(made: str) -> None:
    """Where an answer does not say when it was made, a date counts from now."""
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=510), usegmt=True)
    more = {"Date": made} if made else {}
    with Server(reply(429, BUSY, Retry_After=later, **more)) as server, pytest.raises(Retry) as caught:
        CALLS["version"](Gallery(server.url, None))
    assert timedelta(seconds=480) < caught.value.after <= timedelta(seconds=510)


@pytest.mark.parametrize(
    ("words", "after"),
    [
        ("Please try after 120 seconds.", 120),
        ("Please try again after '6' seconds.", 6),
        ("Please try after 120.5 seconds.", 121),
        ("Please try after 200000 seconds.", 200_000),
    ],
)
def test_seconds_in_the_text(words: str, after: int) -> None:
    """Where no header says how long, the text's number of seconds is taken as a whole, and never a part of it."""
    answer = reply(429, {"error": {"code": "TooManyRequests", "message": words}})
    with Server(answer) as server, pytest.raises(Retry) as caught:
        CALLS["version"](Gallery(server.url, None))
    assert caught.value.after == timedelta(seconds=after)


@pytest.mark.parametrize("told", ["0", "Wed, 21 Oct 2015 07:28:00 GMT", "soon"])
def test_a_header_that_says_nothing_leaves_it_to_the_text(told: str) -> None:
    """Where the header is no wait at all, the seconds of the text count."""
    answer = reply(429, {"error": {"code": "TooManyRequests", "message": "try after 120 seconds"}}, Retry_After=told)
    with Server(answer) as server, pytest.raises(Retry) as caught:
        CALLS["version"](Gallery(server.url, None))
    assert caught.value.after == timedelta(seconds=120)


_POLICY = (
    "Resource '1.0.3' was disallowed by policy. Policy identifiers: "
    '\'[{"policyAssignment":{"name":"Allowed locations"}}]\'.'
)


@pytest.mark.parametrize("code", ["RequestDisallowedByPolicy", "RequestDisallowedByAzure"])
def test_what_a_policy_forbids_is_refused(code: str) -> None:
    """A write that a policy disallows would be disallowed again: it is refused, in the policy's words."""
    answer = reply(403, {"error": {"code": code, "message": _POLICY}})
    with Server(answer) as server, quickly(), pytest.raises(Refused, match="Allowed locations") as caught:
        CALLS["unlock"](Gallery(server.url, None))
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("unlock", "AuthorizationFailed"),
        ("unlock", "LinkedAuthorizationFailed"),
        ("version", "RequestDisallowedByPolicy"),
        ("versions", "AuthorizationFailed"),
    ],
)
def test_no_right_is_no_refusal(call: str, code: str) -> None:
    """A role that is missing is nobody's expectation, and propagates: it may be there at the next try."""
    answer = reply(403, {"error": {"code": code, "message": "no"}})
    with Server(answer) as server, quickly(), pytest.raises(HttpResponseError) as caught:
        CALLS[call](Gallery(server.url, None))
    assert caught.value.status_code == 403


UNREADABLE: dict[str, Any] = {
    "empty": b"",
    "page": b"<html>",
    "half": b'{"error": {"co',
    "deep": b"[" * 20_000,
    "deep message": b'{"error": {"code": "a", "message": %s}}' % (b"[" * 5000 + b"]" * 5000),
    "list": [1],
    "number": 7,
    "null": None,
    "code as object": {"error": {"code": {}, "message": {}}},
    "error as text": {"error": "no"},
    "details as number": {"error": {"code": "a", "details": 7, "innererror": 7, "additionalInfo": 7}},
    "no Unicode": b'{"error": {"code": "\\ud800", "message": "\\udfff"}}',
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize(("status", "expected"), [(409, Retry), (429, Retry), (503, Retry), (400, Refused)])
def test_a_status_means_the_same_whatever_its_body_is(status: int, expected: type[Exception], body: Any) -> None:
    """What a status means does not hang on a body that can be read: a throttled call comes back, it is not buried."""
    with Server(reply(status, body, Retry_After="17")) as server:
        for call in ("version", "unlock"):
            with quickly(), pytest.raises(expected) as caught:
                CALLS[call](Gallery(server.url, None, Throttle()))
            assert getattr(caught.value, "after", SOON) == SOON
            assert str(caught.value).encode()
        usage = ResourceGraph(server.url, None).usage(IMAGE, InUse.ALL)
        assert (bool(usage.unknown), usage.ask_again) == (True, SOON if expected is Retry else None)


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_refusals_that_nobody_expects(body: Any) -> None:
    """What is nobody's expectation propagates, with whatever body; to Resource Graph it is not to know."""
    for status in (401, 403, 501):
        with Server(reply(status, body)) as server:
            for call in ("version", "unlock"):
                with quickly(), pytest.raises((HttpResponseError, Malformed)):
                    CALLS[call](Gallery(server.url, None))
            assert ResourceGraph(server.url, None).usage(IMAGE, InUse.ALL).unknown


@pytest.mark.parametrize("told", ["soon", "Wed, 21 Oct 2026 07:28:00 GMT", "1.5", "", "9" * 5000])
def test_a_write_is_taken_whatever_it_asks_for(told: str) -> None:
    """A write that was taken was taken, also where Azure asks to be left alone in words that the SDK cannot read."""
    for status in (200, 201, 202):
        with Server(reply(status, {}, Retry_After=told)) as server:
            Gallery(server.url, None).unlock(VERSION)
            assert len(server.taken) == 1
