"""How the management SDKs are set up: whom they ask, what a refusal means, gates, retries, time limits."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from azure.core.exceptions import ClientAuthenticationError
from azure.core.pipeline.policies import (
    ContentDecodePolicy,
    RequestIdPolicy,
    RetryPolicy,
    SansIOHTTPPolicy,
    UserAgentPolicy,
)
from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy
from urllib3.exceptions import LocationParseError
from urllib3.util import Url, parse_url

from shared.adapters.arm_errors import LEAST_REFUSAL, is_of_subscription, meaning, refusal, wait
from shared.adapters.throttle import Call, Kind, Throttle, call_of
from shared.core.errors import Malformed
from shared.core.text import shown

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

_THROTTLED = frozenset({429, 503})
_PORTS = {"https": 443, "http": 80}


def client_options(
    endpoint: str, credential: "TokenCredential | None", throttle: Throttle | None = None
) -> dict[str, Any]:
    """Give the options of a management client.

    Its policies are these and no others: the SDK's own list would follow redirects, and register a resource provider
    that a subscription lacks, asleep until that is done.

    :param endpoint: Azure Resource Manager's address.
    :param credential: ``None`` sends no credential at all; only for a simulated Azure on this machine.
    :param throttle: what the calls of this process pass; ``None`` holds nothing back.
    :raises ValueError: when there is no credential for an https endpoint.
    """
    if credential is None and urlsplit(endpoint).scheme != "http":
        raise ValueError("an https endpoint wants a credential")
    policies: list[Any] = [
        RequestIdPolicy(),
        UserAgentPolicy("gallery-fanout"),
        ContentDecodePolicy(),
        # Only a connection that breaks is retried in here; an answer, also a 429, is for the stage to act upon.
        _ConnectionRetry(retry_total=2, retry_backoff_factor=0.3, retry_backoff_max=2),
        # The retry policy knows nothing of our errors and lets them through. What these raise never comes to the
        # credential: no token is fetched for what is not sent.
        _AtHome(endpoint),
        _Meanings(),
        *([_Gates(throttle)] if throttle else []),
        *([ARMChallengeAuthenticationPolicy(credential, f"{endpoint}/.default")] if credential else []),
    ]
    return {"base_url": endpoint, "policies": policies, "connection_timeout": 10, "read_timeout": 30}


class NoCredential:
    """Stands where the SDK insists on a credential; nothing asks it for a token."""

    def get_token(self, *_scopes: str, **_options: Any) -> Any:
        """Refuse."""
        raise ClientAuthenticationError("no credential is sent to a simulated Azure")


class _ConnectionRetry(RetryPolicy[Any, Any]):
    """Tries again when a connection breaks, and never because of an answer: the SDK would sleep for a Retry-After."""

    def is_retry(self, settings: Any, response: Any) -> bool:  # noqa: ARG002  the SDK's signature
        return False


class _AtHome(SansIOHTTPPolicy[Any, Any]):
    """Lets nothing leave for another place than the endpoint: a list's next page is wherever an answer says."""

    def __init__(self, endpoint: str) -> None:
        self._home = _origin(endpoint)

    def on_request(self, request: Any) -> None:
        url = request.http_request.url
        if _origin(url) != self._home:
            raise Malformed(f"Azure's answer points to {shown(url.partition('?')[0])}, which is not ARM_ENDPOINT")


class _Meanings(SansIOHTTPPolicy[Any, Any]):
    """Raises what a refusal means, before the SDK takes its body apart, which may be of any shape.

    Of an answer that is none the SDK reads ``Retry-After``, and fails where that is no whole number: a write was taken
    all the same. Nobody else wants that header once its meaning is known.
    """

    def on_response(self, request: Any, response: Any) -> None:
        answer = response.http_response
        if answer.status_code >= LEAST_REFUSAL:
            fault = refusal(answer)
            known = meaning(fault, write=_call(request).kind is Kind.WRITE)
            if known:
                raise known from fault
        answer.headers.pop("Retry-After", None)


class _Gates(SansIOHTTPPolicy[Any, Any]):
    """Passes every request through the gates of this process, also each page of a list and each try of a connection."""

    def __init__(self, throttle: Throttle) -> None:
        self._throttle = throttle

    def on_request(self, request: Any) -> None:
        self._throttle.enter(_call(request))

    def on_response(self, request: Any, response: Any) -> None:
        call, answer = _call(request), response.http_response
        self._throttle.hear(call, answer.headers)
        if answer.status_code in _THROTTLED:
            fault = refusal(answer)
            self._throttle.close(call, wait(fault), whole_subscription=is_of_subscription(fault))


def _origin(url: str) -> Url | None:
    """Find where a request would go, as the library sees it that sends it; ``None`` for an address that it refuses."""
    try:
        parsed = parse_url(url)
    except LocationParseError:
        return None
    port = parsed.port or _PORTS.get(parsed.scheme or "")
    return parsed._replace(port=port, path=None, query=None, fragment=None)


def _call(request: Any) -> Call:
    return call_of(request.http_request.method, urlsplit(request.http_request.url).path)
