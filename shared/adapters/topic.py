"""Publishing to an Event Grid topic, with the app's identity."""

from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import AzureError, HttpResponseError
from azure.core.messaging import CloudEvent
from azure.eventgrid import EventGridPublisherClient

from shared.adapters.answer import Answer
from shared.adapters.retry_after import retry_after_header

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

    from shared.settings import Webhook

_NO_EVENT = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
_ONCE: Mapping[str, Any] = {"retry_total": 0, "permit_redirects": False, "connection_timeout": 10, "read_timeout": 20}
"""What a message in the queue does better: it survives the process, and sleeps in no handler."""


class Topic:
    """The topic of statuses.

    :param credential: of the app; ``None`` for a simulated topic on this machine, which gets none.
    :param now: gives the time.
    """

    def __init__(self, endpoint: str, credential: "TokenCredential | None", now: Callable[[], datetime]) -> None:
        self._now = now
        self._client = EventGridPublisherClient(endpoint, credential or AzureKeyCredential("none"))

    def post(self, _webhook: "Webhook", body: Mapping[str, Any], _content_type: str) -> Answer:
        """Publish a CloudEvent once. Whether to try again is for the stage to say."""
        try:
            event: CloudEvent[Any] = CloudEvent.from_dict(dict(body))
        except _NO_EVENT:
            return Answer(HTTPStatus.BAD_REQUEST, "it is no CloudEvent")
        try:
            self._client.send([event], **_ONCE)
        except AzureError as fault:
            return self._answer(fault)
        return Answer(HTTPStatus.OK, f"HTTP {HTTPStatus.OK:d}")

    def _answer(self, fault: BaseException | None) -> Answer:
        """Find the answer in a fault: the SDK puts one of its own around a 404, and some have none at all."""
        if not isinstance(fault, HttpResponseError) or fault.status_code is None:
            inner = fault.__cause__ if fault else None
            return self._answer(inner) if isinstance(inner, AzureError) else Answer(0, type(fault).__name__)
        told = str(getattr(fault.response, "headers", {}).get("Retry-After", ""))
        return Answer(fault.status_code, f"HTTP {fault.status_code}", retry_after_header(told, self._now()))
