"""How the management SDKs are set up: gates, retries, time limits, and no credential over plain http."""

from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError
from azure.core.pipeline.policies import RetryPolicy, SansIOHTTPPolicy
from azure.mgmt.core.exceptions import ARMErrorFormat

from shared.adapters.arm_errors import is_of_subscription, wait
from shared.adapters.throttle import Call, Throttle, call_of

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential


_THROTTLED = frozenset({429, 503})


def client_options(
    endpoint: str, credential: "TokenCredential | None", throttle: Throttle | None = None
) -> dict[str, Any]:
    """Give the options of a management client.

    :param endpoint: Azure Resource Manager's address.
    :param credential: ``None`` sends no credential at all; only for a simulated Azure on this machine.
    :param throttle: what the calls of this process pass; ``None`` holds nothing back.
    :raises ValueError: when there is no credential for an https endpoint.
    """
    if credential is None and urlsplit(endpoint).scheme != "http":
        raise ValueError("an https endpoint wants a credential")
    # Only a connection that breaks is retried in here; an answer, also a 429, is for the stage to act upon.
    options: dict[str, Any] = {
        "base_url": endpoint,
        "credential_scopes": [f"{endpoint}/.default"],
        "retry_policy": _ConnectionRetry(retry_total=2, retry_backoff_factor=0.3, retry_backoff_max=2),
        "connection_timeout": 10,
        "read_timeout": 30,
        "per_retry_policies": [_Gates(throttle)] if throttle else [],
    }
    return options if credential else {**options, "authentication_policy": SansIOHTTPPolicy()}


class NoCredential:
    """Stands where the SDK insists on a credential; nothing asks it for a token."""

    def get_token(self, *_scopes: str, **_options: Any) -> Any:
        """Refuse."""
        raise ClientAuthenticationError("no credential is sent to a simulated Azure")


class _ConnectionRetry(RetryPolicy[Any, Any]):
    """Tries again when a connection breaks, and never because of an answer: the SDK would sleep for a Retry-After."""

    def is_retry(self, settings: Any, response: Any) -> bool:  # noqa: ARG002  the SDK's signature
        return False


class _Gates(SansIOHTTPPolicy[Any, Any]):
    """Passes every request through the gates of this process, also each page of a list and each try of a connection.

    It stands after the retry policy, which knows nothing of :class:`shared.core.errors.Retry` and lets it through, and
    before the credential, so that no token is fetched for what is not sent.
    """

    def __init__(self, throttle: Throttle) -> None:
        self._throttle = throttle

    def on_request(self, request: Any) -> None:
        self._throttle.enter(_call(request))

    def on_response(self, request: Any, response: Any) -> None:
        call, answer = _call(request), response.http_response
        self._throttle.hear(call, answer.headers)
        if answer.status_code in _THROTTLED:
            fault = _fault(answer)
            self._throttle.close(call, wait(fault), whole_subscription=is_of_subscription(fault))


def _call(request: Any) -> Call:
    return call_of(request.http_request.method, urlsplit(request.http_request.url).path)


def _fault(answer: Any) -> HttpResponseError:
    """Read a refusal as the SDK will; one whose body breaks off has its headers still."""
    with suppress(AzureError):
        answer.read()  # the SDK streams some answers, and reads such a body itself when it is not read yet
    return HttpResponseError(response=answer, error_format=ARMErrorFormat)
