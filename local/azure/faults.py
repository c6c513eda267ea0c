"""Faults that were asked for: which request gets which."""

import re
from collections.abc import Iterable

from local.azure.behaviour import Fault
from local.azure.errors import ArmError


class Faults:
    """Hands out each fault as often as it says."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self._left = [(fault, fault.times) for fault in faults]

    def raise_for(self, method: str, path: str) -> None:
        """Raise the first fault that matches and is not used up, as ArmError."""
        for position, (fault, times) in enumerate(self._left):
            if times and _matches(fault, method, path):
                self._left[position] = (fault, times - 1)
                raise ArmError(fault.status, fault.code, fault.message, retry_after=fault.retry_after)


def _matches(fault: Fault, method: str, path: str) -> bool:
    """Tell whether a fault is for such a request."""
    return fault.method.upper() in {"*", method} and bool(re.search(fault.path_regex, path, re.IGNORECASE))
