"""Posting to a webhook. Its URL is a credential: it appears in no error and no log."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import urllib3

from shared.adapters.retry_after import retry_after

if TYPE_CHECKING:
    from shared.settings import Webhook

_TIMEOUT = urllib3.Timeout(connect=10, read=20)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    :param status: the HTTP status; ``0`` when no answer came.
    :param retry_after: how long the receiver asked to be left alone.
    :param reason: for people.
    """

    status: int
    reason: str
    retry_after: timedelta | None = None


class Webhooks:
    """The receivers of statuses."""

    def __init__(self) -> None:
        self._pool = urllib3.PoolManager(timeout=_TIMEOUT, retries=False)

    def post(self, webhook: "Webhook", body: Mapping[str, Any], content_type: str) -> Answer:
        """Post JSON once. Whether to try again is for the stage to say."""
        try:
            answer = self._pool.request(
                "POST",
                webhook.url,
                body=json.dumps(body).encode(),
                headers={"Content-Type": content_type},
                redirect=False,
                preload_content=False,
            )
        except urllib3.exceptions.HTTPError as fault:
            return Answer(0, type(fault).__name__)  # its text holds the URL
        answer.close()  # what was taken was taken, whatever its body says, and also when that breaks off
        return Answer(
            answer.status,
            f"HTTP {answer.status}",
            retry_after(answer.headers.get("Retry-After", "")),
        )
