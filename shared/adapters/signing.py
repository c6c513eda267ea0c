"""Signing a post as Standard Webhooks prescribes, so that its receiver knows who sent it."""

from collections.abc import Iterable
from datetime import UTC, datetime

from standardwebhooks import Webhook


def signed(secrets: Iterable[str], name: str, text: str, now: datetime) -> dict[str, str]:
    """Give the headers: one signature per secret, so that a receiver may know the old or the new one.

    :param name: of the message, the same each time it is posted.
    :param now: the time of this post; receivers refuse what is minutes old.
    """
    at = now.astimezone(UTC)  # the package takes the clock face for UTC, whatever the offset
    return {
        "webhook-id": name,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(name, at, text) for secret in secrets),
    }
