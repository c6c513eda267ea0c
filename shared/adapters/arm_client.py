"""How the management SDKs are set up: retries, time limits, and no credential over plain http."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from azure.core.exceptions import ClientAuthenticationError
from azure.core.pipeline.policies import RetryPolicy, SansIOHTTPPolicy

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential


def client_options(endpoint: str, credential: "TokenCredential | None") -> dict[str, Any]:
    """Give the options of a management client.

    :param endpoint: Azure Resource Manager's address.
    :param credential: ``None`` sends no credential at all; only for a simulated Azure on this machine.
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
