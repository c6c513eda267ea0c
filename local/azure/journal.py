"""What was asked of ARM, in order."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from local.azure.names import requested

WRITES: Final = frozenset({"PUT", "PATCH", "DELETE"})
_REFUSED_FROM: Final = 400


@dataclass(frozen=True, slots=True)
class Request:
    """One request to ARM and what came of it.

    `at` is in seconds by the simulation's clock, `body` the parsed JSON (None: none, or none that parses), `status` 0
    no answer, `error_code` ARM's, `headers` the request's, with lower-case names. `retry_after` is that of the answer's
    header. `spoiled` says that it was carried out with this status, and another answer went back, or none. `before` is
    what the witness saw, just before a write was carried out.
    """

    at: float
    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    status: int
    error_code: str | None
    headers: Mapping[str, str]
    retry_after: float | None = None
    spoiled: bool = False
    before: Any = None


def accepted_writes(requests: list[Request], version: str | None) -> list[Request]:
    """Return the PUT, PATCH and DELETE requests that were accepted, optionally of one version id, case-blind."""
    accepted = [r for r in requests if r.method in WRITES and 0 < r.status < _REFUSED_FROM]
    return [r for r in accepted if version is None or requested(r.path).key == version.lower()]
