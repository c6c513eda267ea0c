"""Posting to a webhook. Its URL is a credential: it appears in no error and no log."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import urllib3

from shared.adapters.answer import Answer
from shared.adapters.retry_after import retry_after_header
from shared.formats.texts import compact
from shared.settings import WebhookKind

if TYPE_CHECKING:
    from shared.settings import Webhook

_TIMEOUT = urllib3.Timeout(connect=10, read=20)


class Webhooks:
    """The receivers of statuses.

    :param secrets: what posts to ``json`` webhooks are signed with.
    :param now: gives the time.
    """

    def __init__(self, secrets: Sequence[str], now: Callable[[], datetime]) -> None:
        self._secrets, self._now = secrets, now
        self._pool = urllib3.PoolManager(timeout=_TIMEOUT, retries=False)

    def post(self, webhook: "Webhook", body: Mapping[str, Any], content_type: str) -> Answer:
        """Post JSON once. Whether to try again is for the stage to say."""
        text = compact(body)
        try:
            answer = self._pool.request(
                "POST",
                webhook.url,
                body=text.encode(),
                headers={"Content-Type": content_type, **self._signature(webhook, body, text)},
                redirect=False,
                preload_content=False,
            )
        except urllib3.exceptions.HTTPError as fault:
            return Answer(0, type(fault).__name__)  # its text holds the URL
        answer.close()  # what was taken was taken, whatever its body says, and also when that breaks off
        return Answer(
            answer.status,
            f"HTTP {answer.status}",
            retry_after_header(answer.headers.get("Retry-After", ""), self._now()),
        )

    def _signature(self, webhook: "Webhook", body: Mapping[str, Any], text: str) -> dict[str, str]:
        if webhook.kind is not WebhookKind.JSON or not self._secrets:
            return {}
        from shared.adapters.signing import signed  # noqa: PLC0415  only who has a secret needs it

        return signed(self._secrets, str(body["id"]), text, self._now())
