"""The remaining-calls headers. They count down; whether a budget that is used up refuses is the behaviour's."""

from collections import deque
from collections.abc import Callable
from math import ceil
from typing import Final

from local.azure.behaviour import Behaviour
from local.azure.calls import Call
from local.azure.errors import budget_used_up

_WINDOWS: Final = {"3Min": 180.0, "30Min": 1800.0}
# Calls per 3 and 30 minutes: versions are documented, the rest seen in captured traffic.
_BUDGETS: Final = {
    "CreateUpdateGalleryImageVersion": (375, 1200),
    "DeleteGalleryImageVersion": (150, 1000),
    "GetGalleryImageVersion": (2000, 10000),
    "GetGalleryImage": (600, 3000),
    "GetGallery": (350, 2500),
    "GetOperationStatus": (1200, 2400),
}
_VERSIONS: Final = "galleries/images/versions"
_OPERATIONS: Final = {
    ("PUT", _VERSIONS): "CreateUpdateGalleryImageVersion",
    ("PATCH", _VERSIONS): "CreateUpdateGalleryImageVersion",
    ("DELETE", _VERSIONS): "DeleteGalleryImageVersion",
    ("GET", _VERSIONS): "GetGalleryImageVersion",
    ("GET", "galleries/images"): "GetGalleryImage",
    ("GET", "galleries"): "GetGallery",
}
_PER_SUBSCRIPTION: Final = {"reads": 12000, "writes": 1200, "deletes": 15000}
_HOUR: Final = 3600.0
# Queries of Resource Graph per user (documented).
_QUOTA: Final = 15
_QUOTA_WINDOW: Final = 5.0


class Budgets:
    """Counts the calls per subscription and window; `clock` returns seconds."""

    def __init__(self, clock: Callable[[], float], behaviour: Callable[[], Behaviour]) -> None:
        self._clock = clock
        self._behaviour = behaviour
        self._taken: dict[tuple[str, str], deque[float]] = {}

    def refuse(self, call: Call) -> None:
        """Raise ArmError when the behaviour enforces budgets and the call's is used up; nothing is counted.

        That refused calls do not count, and that the code is this one, is unverified.
        """
        operation = _operation(call)
        if operation is None or not self._behaviour().enforce_budgets:
            return
        ends = [
            window[0] + length
            for name, length, budget in self._parts(operation)
            if len(window := self._window(call.subscription, operation + name, length)) >= budget
        ]
        if ends:
            raise budget_used_up(operation, ceil(max(ends) - self._clock()))

    def headers(self, operation: str | None, call: Call) -> dict[str, str]:
        """Count one call and return its headers. `operation` is None for lists: they name no budget (seen)."""
        if call.method == "POST":
            return self._quota()
        kind = {"GET": "reads", "DELETE": "deletes"}.get(call.method, "writes")
        left = self._take(call.subscription, kind, _HOUR, _PER_SUBSCRIPTION[kind])
        headers = {f"x-ms-ratelimit-remaining-subscription-{kind}": str(left)}
        if operation is not None:
            headers["x-ms-ratelimit-remaining-resource"] = ",".join(self._resource(operation, call.subscription))
        return headers

    def _resource(self, operation: str, subscription: str) -> list[str]:
        return [
            f"Microsoft.Compute/{operation}{name};{self._take(subscription, operation + name, length, budget)}"
            for name, length, budget in self._parts(operation)
        ]

    def _parts(self, operation: str) -> list[tuple[str, float, int]]:
        """Return name, length and budget of an operation's windows."""
        budgets = self._behaviour().budgets.get(operation, _BUDGETS[operation])
        pairs = zip(_WINDOWS.items(), budgets, strict=True)
        return [(name, length, budget) for (name, length), budget in pairs]

    def _quota(self) -> dict[str, str]:
        """Count a query: Resource Graph is the only thing that is asked by POST here."""
        left = self._take("", "quota", _QUOTA_WINDOW, _QUOTA)
        resets = ceil(self._taken["", "quota"][0] + _QUOTA_WINDOW - self._clock())
        return {"x-ms-user-quota-remaining": str(left), "x-ms-user-quota-resets-after": f"00:00:{resets:02d}"}

    def _take(self, subscription: str, name: str, length: float, budget: int) -> int:
        """Take one call out of a window; return what is left."""
        window = self._window(subscription, name, length)
        window.append(self._clock())
        return max(0, budget - len(window))

    def _window(self, subscription: str, name: str, length: float) -> deque[float]:
        """Return the times of the calls that count now. A fixed window begins anew when it is over."""
        window, over = self._taken.setdefault((subscription, name), deque()), self._clock() - length
        if window and window[0] <= over and self._behaviour().budget_window == "fixed":
            window.clear()
        while window and window[0] <= over:
            window.popleft()
        return window


def _operation(call: Call) -> str | None:
    """Return what a call counts against, None for what names no budget."""
    is_list = len(call.id.parts) % 2 == 1
    return None if is_list else _OPERATIONS.get((call.method, call.id.type.lower()))
