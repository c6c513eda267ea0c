"""Faults that were asked for: which request gets which."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import ceil

from local.azure.behaviour import Fault
from local.azure.calls import Call
from local.azure.errors import ArmError, throttled


class Faults:
    """Hands out each fault as often as it says."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self._left = [(fault, fault.times) for fault in faults]

    def take(self, call: Call) -> Fault | None:
        """Use the first fault that matches and is not used up."""
        for position, (fault, times) in enumerate(self._left):
            if times and _matches(fault, call.method, call.path):
                self._left[position] = (fault, times - 1)
                return fault
        return None


def error_of(fault: Fault) -> ArmError:
    """Return a fault as ARM's refusal."""
    return ArmError(fault.status, fault.code, fault.message, retry_after=fault.retry_after)


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttling:
    """Until when which requests are refused, and how.

    `method` is an HTTP method or `*`; `path_regex` is searched in the path, case-blind; `subscription` None is all.
    Without the header the answer says only in its text how long.
    """

    until: float
    method: str = "*"
    path_regex: str = ""
    subscription: str | None = None
    status: int = 429
    code: str = "ResourceRequestsThrottled"
    with_header: bool = True

    def matches(self, call: Call) -> bool:
        """Tell whether it is for such a request."""
        theirs = self.subscription is None or self.subscription.lower() == call.subscription
        return theirs and _matches(self, call.method, call.path)


class Throttles:
    """Refuses for a while; `clock` returns seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._throttlings: list[Throttling] = []

    def add(self, throttling: Throttling) -> None:
        """Refuse from now on what matches, until its time."""
        self._throttlings.append(throttling)

    def refuse(self, call: Call) -> None:
        """Raise ArmError while the longest throttling that matches lasts, with what is left of it."""
        now = self._clock()
        self._throttlings = [each for each in self._throttlings if each.until > now]
        found = max(
            (each for each in self._throttlings if each.matches(call)), key=lambda each: each.until, default=None
        )
        if found:
            left = ceil(found.until - now)
            raise throttled(found.status, found.code, left, with_header=found.with_header)


def _matches(fault: Fault | Throttling, method: str, path: str) -> bool:
    """Tell whether a fault is for such a request."""
    return fault.method.upper() in {"*", method} and bool(re.search(fault.path_regex, path, re.IGNORECASE))
