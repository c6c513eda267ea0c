"""How the settings of statuses are read: which are posted, how posts are signed, what storage costs."""

import binascii
import re
from base64 import b64decode
from decimal import Decimal

from shared.core.errors import Malformed
from shared.core.notice_type import NoticeType
from shared.core.text import shown

ALL = "all"
"""The word for every status there is."""

_SECRET_PREFIX = "whsec_"  # noqa: S105  what a secret begins with
_FEWEST_BYTES, _MOST_BYTES = 24, 64  # what Standard Webhooks asks of a secret
_MOST_SECRETS = 2  # the one in use, and the one before or after it


def secrets(text: str) -> tuple[str, ...]:
    """Read the secrets of Standard Webhooks. What is wrong with one is said without showing it."""
    found = tuple(text.split())
    if len(found) > _MOST_SECRETS:
        raise Malformed(f"{len(found)} secrets")
    for position, secret in enumerate(found, start=1):
        _check(secret, f"secret {position}")
    return found


def _check(secret: str, name: str) -> None:
    if not secret.startswith(_SECRET_PREFIX):
        raise Malformed(f"{name} does not begin with {_SECRET_PREFIX}")
    try:
        key = b64decode(secret.removeprefix(_SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise Malformed(f"{name} is not base64 after {_SECRET_PREFIX}") from None
    if not _FEWEST_BYTES <= len(key) <= _MOST_BYTES:
        raise Malformed(f"{name} does not have {_FEWEST_BYTES} to {_MOST_BYTES} bytes")


def statuses(text: str) -> frozenset[NoticeType]:
    """Read which statuses are posted: ``all``, or each by its whole name or by the last part of it."""
    words = {word for word in re.split(r"[\s,]+", text.lower()) if word}
    if words == {ALL}:
        return frozenset(NoticeType)
    unknown = sorted(word for word in words if not any(_means(word, status) for status in NoticeType))
    if unknown:
        raise Malformed(f"there is no status {', '.join(map(shown, unknown))}")
    found = frozenset(status for status in NoticeType if any(_means(word, status) for word in words))
    if not found:
        raise ValueError
    return found


def _means(word: str, status: NoticeType) -> bool:
    return word == status or status.endswith(f".{word}")


def price(text: str) -> Decimal | None:
    """Read a price above zero; none from an empty text."""
    if not text:
        return None
    if not re.fullmatch(r"\d{1,9}(?:\.\d{1,9})?", text, re.ASCII) or not Decimal(text):
        raise ValueError
    return Decimal(text)
