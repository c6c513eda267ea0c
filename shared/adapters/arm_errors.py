"""Azure Resource Manager's refusals, turned into the errors that stages understand."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from json import JSONDecodeError

from azure.core.exceptions import (
    DecodeError,
    DeserializationError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceResponseError,
)

from shared.adapters.retry_after import NOT_NOW, UNHURRIED, retry_after
from shared.core.errors import Absent, FlagFirst, Locked, Malformed, Refused, Retry
from shared.core.messages import LONGEST_DELAY

_REFUSED = frozenset({400, 409, 412, 422})
_TAKEN = frozenset({201, 202})
_OK, _ABSENT, _CONFLICT = 200, 404, 409
_UNREADABLE = (DeserializationError, JSONDecodeError, RecursionError, TypeError, AttributeError, OverflowError)
"""What the SDK raises for an answer of a shape that it does not expect."""

_LOCKED = "ScopeLocked"
_FINAL_CONFLICTS = frozenset({"PropertyChangeNotAllowed", _LOCKED})
"""409 codes that stay: an immutable property, a resource lock. Any other 409 is somebody else's write."""

_FLAG_FIRST = "Deletion of previously replicated locations is not allowed"
_SECONDS = re.compile(r"(\d{1,5})'? seconds", re.IGNORECASE)
"""``try after 120 seconds``, ``Please try again after '6' seconds.``: both are seen."""

_OF_SUBSCRIPTION = "SubscriptionRequestsThrottled"
_LONGEST_REASON = 1000


@contextmanager
def translated(*, write: bool = False) -> Iterator[None]:
    """Turn the SDK's errors into ours; what is left (no permission, a bug) is unknown, and propagates.

    :param write: the call is a PATCH. It answers 200 (captured traffic), which is all that the SDK takes for success;
        another "taken" counts too.
    :raises Absent: for 404, and for nothing else.
    :raises Retry: for throttling, trouble at Azure's side, no answer, somebody else's write.
    :raises FlagFirst: when regions cannot be removed before the safety flag is set.
    :raises Refused: when the same request would be refused again.
    :raises Malformed: for an answer that the SDK cannot take apart.
    """
    try:
        yield
    except (ServiceRequestError, ServiceResponseError, IncompleteReadError) as fault:
        raise Retry(f"no answer from Azure: {type(fault).__name__}", after=UNHURRIED) from fault
    except _UNREADABLE as fault:
        raise Malformed(f"Azure's answer cannot be read: {type(fault).__name__}") from fault
    except HttpResponseError as fault:
        if write and fault.status_code in _TAKEN:
            return
        if isinstance(fault, DecodeError) and fault.status_code == _OK:
            raise Malformed("Azure's answer cannot be read: it is no JSON") from fault
        meaning = _meaning(fault)
        if meaning is None:
            raise
        raise meaning from fault


def _meaning(fault: HttpResponseError) -> Exception | None:
    status = fault.status_code or 0
    code = (fault.error and fault.error.code) or str(status)
    message = reason(fault)
    if status == _ABSENT:
        return Absent(message)
    if status in NOT_NOW or (status == _CONFLICT and code not in _FINAL_CONFLICTS):
        return Retry(f"Azure answered {status} {code}", after=wait(fault))
    if _FLAG_FIRST in message:
        return FlagFirst(code, message)
    if code == _LOCKED:
        return Locked(code, message)
    return Refused(code, message) if status in _REFUSED else None


def reason(fault: Exception) -> str:
    """Say in Azure's words why something failed, its details first; pages of proxies in between are not shown."""
    error, status = getattr(fault, "error", None), getattr(fault, "status_code", None)
    if error:
        told = [each.message for each in (*(error.details or ()), error) if each.message] or [str(error.code)]
    else:
        told = [f"HTTP {status}" if status else str(fault)]
    return " ".join("; ".join(map(str, told)).split())[:_LONGEST_REASON]


def wait(fault: HttpResponseError) -> timedelta:
    """Find how long Azure wants to be left alone: its header, else the seconds in its text (documented for 429)."""
    headers = getattr(fault.response, "headers", {})
    told = retry_after(str(headers.get("Retry-After", "")), *_SECONDS.findall(reason(fault)))
    return UNHURRIED if told is None else min(told, LONGEST_DELAY)


def is_of_subscription(fault: HttpResponseError) -> bool:
    """Whether it is the whole subscription that Azure wants left alone, and not one kind of call."""
    return fault.error is not None and fault.error.code == _OF_SUBSCRIPTION
