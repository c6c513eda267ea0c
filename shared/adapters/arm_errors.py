"""Azure Resource Manager's refusals, turned into the errors that stages understand."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.core.exceptions import (
    AzureError,
    DecodeError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.mgmt.core.exceptions import ARMErrorFormat

from shared.adapters.retry_after import NOT_NOW, UNHURRIED, moment, retry_after, retry_after_header
from shared.core.errors import Absent, FlagFirst, Locked, Malformed, Refused, Retry
from shared.core.messages import LONGEST_DELAY
from shared.core.text import plain

LEAST_REFUSAL = 400
"""Answers below it take a request, or say something of it; redirects are among these, and are not followed."""

_REFUSED = frozenset({400, 409, 412, 422})
_TAKEN = frozenset({201, 202})
_OK, _FORBIDDEN, _ABSENT, _CONFLICT = 200, 403, 404, 409
_UNREADABLE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What the SDK raises for an answer of a shape that it does not expect."""

_LOCKED = "ScopeLocked"
_FINAL_CONFLICTS = frozenset({"PropertyChangeNotAllowed", "MissingSubscriptionRegistration", _LOCKED})
"""409 codes that stay: an immutable property, no resource provider, a lock. Any other is somebody else's write."""

_FLAG_FIRST = "Deletion of previously replicated locations is not allowed"
_DISALLOWED = "RequestDisallowedBy"
"""What the 403 codes of policies begin with: ``RequestDisallowedByPolicy``, ``RequestDisallowedByAzure``."""

_SECONDS = re.compile(r"(\d+(?:\.\d+)?)'? seconds", re.IGNORECASE)
"""``try after 120 seconds``, ``Please try again after '6' seconds.``: both are seen."""

_OF_SUBSCRIPTION = "SubscriptionRequestsThrottled"


@contextmanager
def translated(*, write: bool = False) -> Iterator[None]:
    """Turn the SDK's errors into ours, where a refusal has not become one already (:func:`meaning`).

    What is left (no permission, a redirect, a bug) is unknown, and propagates.

    :param write: the call is a PATCH. It answers 200 (captured traffic), which is all that the SDK takes for success;
        another "taken" counts too.
    :raises Retry: for no answer.
    :raises Malformed: for an answer that cannot be taken apart.
    """
    try:
        yield
    except (Absent, Malformed):
        raise
    except (ServiceRequestError, ServiceResponseError, IncompleteReadError) as fault:
        raise Retry(f"no answer from Azure: {type(fault).__name__}", after=UNHURRIED) from fault
    except _UNREADABLE as fault:
        raise Malformed(f"Azure's answer cannot be read: {type(fault).__name__}") from fault
    except HttpResponseError as fault:
        if write and fault.status_code in _TAKEN:
            return
        if isinstance(fault, DecodeError) and fault.status_code == _OK:
            raise Malformed("Azure's answer cannot be read: it is no JSON") from fault
        raise


def refusal(answer: Any) -> HttpResponseError:
    """Read a refusal. One whose body is of another shape, or was throttled and breaks off, has its status still.

    :raises AzureError: when the body of any other breaks off: it could have said what matters.
    """
    try:
        answer.read()  # the SDK streams some answers
    except AzureError:
        if answer.status_code not in NOT_NOW:
            raise
    return HttpResponseError(response=answer, error_format=ARMErrorFormat)


def meaning(fault: HttpResponseError, *, write: bool) -> Absent | Retry | Refused | None:
    """Say what a refusal means; ``None`` for one that nobody expects.

    404 is Absent, and nothing else is. Throttling, trouble at Azure's side and somebody else's write are Retry; what
    would be refused again is Refused, Locked, or FlagFirst where the safety flag wants a write of its own.

    :param write: an image version was to be written. What a policy says of that is about what it would become: another
        write may be allowed. That the app's identity has no right is unknown, as with any call.
    """
    status = fault.status_code or 0
    code = plain(fault.error.code) if fault.error and fault.error.code else str(status)
    message = reason(fault)
    if status == _ABSENT:
        return Absent(message)
    if status in NOT_NOW or (status == _CONFLICT and code not in _FINAL_CONFLICTS):
        return Retry(f"Azure answered {status} {code}", after=wait(fault))
    if _FLAG_FIRST in message:
        return FlagFirst(code, message)
    if code == _LOCKED:
        return Locked(code, message)
    disallowed = write and status == _FORBIDDEN and code.startswith(_DISALLOWED)
    return Refused(code, message) if disallowed or status in _REFUSED else None


def reason(fault: HttpResponseError) -> str:
    """Say in Azure's words why something failed, its details first; pages of proxies in between are not shown."""
    status = fault.status_code
    # The SDK's own reading of it may be of any shape.
    error = None if fault.response is None else refusal(fault.response).error
    if error:
        told = [each.message for each in (*(error.details or ()), error) if each.message] or [error.code]
    else:
        told = [f"HTTP {status}" if status else fault]
    return plain("; ".join(map(str, told)))


def wait(fault: HttpResponseError) -> timedelta:
    """Find how long Azure wants to be left alone: its header, else the seconds in its text (documented for 429).

    A wait of no time at all says nothing: who obeyed would ask again and again. A date counts from when the answer was
    made, as it says, so that it does not matter whose clock is wrong.
    """
    headers = getattr(fault.response, "headers", {})
    made = moment(str(headers.get("Date", ""))) or datetime.now(UTC)
    told = retry_after_header(str(headers.get("Retry-After", "")), made)
    told = told or retry_after(*_SECONDS.findall(reason(fault)))
    return min(told or UNHURRIED, LONGEST_DELAY)


def is_of_subscription(fault: HttpResponseError) -> bool:
    """Whether it is the whole subscription that Azure wants left alone, and not one kind of call."""
    return fault.error is not None and fault.error.code == _OF_SUBSCRIPTION
