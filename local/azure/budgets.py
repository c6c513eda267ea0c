"""The remaining-calls headers: they count down and nothing is refused for them (a fault says 429)."""

from collections.abc import Callable
from math import ceil
from typing import Final

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
_PER_SUBSCRIPTION: Final = {"reads": 12000, "writes": 1200, "deletes": 15000}
_HOUR: Final = 3600.0
# Queries of Resource Graph per user (documented).
_QUOTA: Final = 15
_QUOTA_WINDOW: Final = 5.0


class Budgets:
    """Counts calls per window; `clock` returns seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._windows: dict[str, tuple[float, int]] = {}

    def headers(self, operation: str | None, method: str) -> dict[str, str]:
        """Count one call and return its headers. `operation` is None for lists: they name no budget (seen)."""
        if method == "POST":
            return self._quota()
        kind = {"GET": "reads", "DELETE": "deletes"}.get(method, "writes")
        left = self._take(kind, _HOUR, _PER_SUBSCRIPTION[kind])
        headers = {f"x-ms-ratelimit-remaining-subscription-{kind}": str(left)}
        if operation is not None:
            headers["x-ms-ratelimit-remaining-resource"] = ",".join(self._resource(operation))
        return headers

    def _resource(self, operation: str) -> list[str]:
        pairs = zip(_WINDOWS.items(), _BUDGETS[operation], strict=True)
        return [
            f"Microsoft.Compute/{operation}{name};{self._take(operation + name, length, budget)}"
            for (name, length), budget in pairs
        ]

    def _quota(self) -> dict[str, str]:
        """Count a query: Resource Graph is the only thing that is asked by POST here."""
        left = self._take("quota", _QUOTA_WINDOW, _QUOTA)
        began, _ = self._windows["quota"]
        resets = ceil(_QUOTA_WINDOW - (self._clock() - began))
        return {"x-ms-user-quota-remaining": str(left), "x-ms-user-quota-resets-after": f"00:00:{resets:02d}"}

    def _take(self, window: str, length: float, budget: int) -> int:
        """Take one call out of a window, which begins anew when it is over; return what is left."""
        now = self._clock()
        began, taken = self._windows.get(window, (now, 0))
        if now - began >= length:
            began, taken = now, 0
        self._windows[window] = (began, taken + 1)
        return max(0, budget - taken - 1)
