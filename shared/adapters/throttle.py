"""What Azure has asked this process not to send: gates that every call to Azure Resource Manager passes.

After a 429 or 503 the gate of that kind of call is closed, for that subscription, until Azure may be asked again; and
writes are paced (:mod:`shared.core.pacing`). Who meets a closed gate comes back later; nothing is sent, nobody sleeps.

It loads no SDK, so that an app can hold one from its start: gates are of a process, not of a client.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import unquote

from shared.core.errors import Retry
from shared.core.names import Name, VersionId
from shared.core.pacing import WRITES, Budget, Pace, remaining

_REMAINING = "x-ms-ratelimit-remaining-resource"
_TYPES_FROM = 5  # subscriptions/ID/resourceGroups/NAME/providers/PROVIDER/TYPE/NAME/TYPE/NAME...
_VERSIONS = "galleries/images/versions"
_NONE = Name()


class Kind(StrEnum):
    """What Azure counts by itself: as the budgets in its answers are named (captured traffic).

    Lists name no budget there; they have a code of their own, ``ResourceCollectionRequestsThrottled``.
    """

    WRITE = "write of an image version"
    READ = "read of an image version"
    READ_IMAGE = "read of an image definition"
    READ_GALLERY = "read of a gallery"
    LIST = "list"
    QUERY = "query of Resource Graph"
    OTHER = "other call"


_READS = {"galleries": Kind.READ_GALLERY, "galleries/images": Kind.READ_IMAGE, _VERSIONS: Kind.READ}


@dataclass(frozen=True, slots=True)
class Call:
    """What a gate knows of a call.

    :param subscription: empty for Resource Graph, which counts by user.
    :param version: the path of the version that it writes.
    """

    kind: Kind
    subscription: Name = _NONE
    version: str = ""


def write_of(version: VersionId) -> Call:
    """Give the call that writes a version."""
    return call_of("PATCH", str(version))


def call_of(method: str, path: str) -> Call:
    """Classify a request to Azure Resource Manager.

    :param path: of its URL, without the query.
    """
    segments = unquote(path).strip("/").lower().split("/")
    if segments[0] != "subscriptions":
        return Call(Kind.QUERY if "microsoft.resourcegraph" in segments else Kind.OTHER)
    subscription = Name("".join(segments[1:2]))
    below = segments[_TYPES_FROM:]
    if below[:2] != ["microsoft.compute", "galleries"]:
        return Call(Kind.OTHER, subscription)
    kind = _kind(method, "/".join(below[1::2]), is_list=len(below) % 2 == 0)
    return Call(kind, subscription, "/".join(segments) if kind is Kind.WRITE else "")


def _kind(method: str, resource: str, *, is_list: bool) -> Kind:
    if method in ("PATCH", "PUT") and resource == _VERSIONS:
        return Kind.WRITE
    if method != "GET":
        return Kind.OTHER
    return Kind.LIST if is_list else _READS.get(resource, Kind.OTHER)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Throttle:
    """The gates of this process. Threads may share it.

    :param now: gives the time, with an offset.
    :param budgets: of the writes to one subscription.
    """

    def __init__(self, now: Callable[[], datetime] = _utc_now, *, budgets: tuple[Budget, ...] = WRITES) -> None:
        self._now = now
        self._unused = Pace(budgets)
        self._closed: dict[tuple[Name, Kind | None], datetime] = {}
        self._paces: dict[Name, Pace] = {}
        self._lock = threading.Lock()

    def enter(self, call: Call) -> None:
        """Let a call leave; it is to be sent at once.

        :raises Retry: when its gate is closed, with the time until it may be tried again.
        """
        with self._lock:
            now = self._now()
            self._check(call, now)
            if call.kind is Kind.WRITE:
                self._paces[call.subscription] = self._pace(call).writing(now)

    def check(self, call: Call) -> None:
        """Say whether a call could leave now; nothing is sent.

        :raises Retry: when its gate is closed, with the time until it may be tried again.
        """
        with self._lock:
            self._check(call, self._now())

    def close(self, call: Call, length: timedelta, *, whole_subscription: bool = False) -> None:
        """Let no call of a kind leave for so long, or none at all for its subscription."""
        gate = (call.subscription, None if whole_subscription else call.kind)
        with self._lock:
            until = self._now() + length
            self._closed[gate] = max(until, self._closed.get(gate, until))

    def hear(self, call: Call, headers: Mapping[str, Any]) -> None:
        """Take note of what an answer says that remains of the budgets."""
        if call.kind is not Kind.WRITE:
            return
        left = remaining(str(headers.get(_REMAINING, "")))
        with self._lock:
            self._paces[call.subscription] = self._pace(call).hearing(left, self._now())

    def _check(self, call: Call, now: datetime) -> None:
        gates = [(call.subscription, call.kind), (call.subscription, None)]
        opens = max((self._closed[gate] for gate in gates if gate in self._closed), default=now)
        if opens > now:
            raise Retry(f"Azure wants no {call.kind} for now", after=opens - now)
        if call.kind is Kind.WRITE and not self._pace(call).may_write(now):
            self._paces[call.subscription], back = self._pace(call).turning_away(call.version, now)
            raise Retry("the rest of Azure's budget for writes is left to others", after=back - now)

    def _pace(self, call: Call) -> Pace:
        return self._paces.get(call.subscription, self._unused)
