"""Every call to the outside that this process makes: counted, named, and broken off on demand.

The SDKs of Azure (through ``requests``) and the webhooks all end in urllib3's ``urlopen``, so that is where it stands
in between. What stands in for a service in this process, a list for a queue, reports its calls through `Outside.call`.

`Outside.kill_at` is a SIGKILL for code in this process: from that moment every call raises `Killed`, which nothing
catches that catches exceptions, so that ``finally`` and ``__exit__`` can do nothing outside any more.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO
from threading import Lock
from typing import Any, Final, Self
from unittest.mock import patch
from urllib.parse import unquote, urlsplit

from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPResponse
from urllib3.exceptions import ProtocolError

# What differs from one run to the next, or from one thing to its sister: ids, digests, versions, a table's partitions.
_NAMES: Final = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{16,}|\d+(\.\d+)+|(?<=PartitionKey=)'[^']*'"
)


class Moment(StrEnum):
    """When a call is broken off: before it is sent, or after it was answered and before the answer is seen."""

    BEFORE = "before"
    AFTER = "after"


class Killed(BaseException):
    """The process is dead, as far as the outside can tell, until `Outside.revive`."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call. ``str()`` names its kind: the same for two calls that differ in ids and versions only.

    `guarded` says that it has an ETag, and is refused when somebody else wrote since.
    """

    method: str
    host: str
    path: str
    guarded: bool = False

    @classmethod
    def of(cls, method: str, host: str, url: str, headers: Mapping[str, str]) -> Self:
        """Read a call from its request; the query is left out."""
        guarded = headers.get("If-Match", "*") != "*"
        return cls(method, host, unquote(urlsplit(url).path), guarded)

    @property
    def shape(self) -> str:
        """The path, with a star for each id and version."""
        return _NAMES.sub("*", self.path)

    def __str__(self) -> str:
        return f"{self.method} {self.shape}"


type When = Callable[[Call], object]
"""Says whether a call meets with trouble."""

type Trouble = Callable[[Callable[[], Any]], Any]
"""What happens to a call: it is handed the making of the call, and may make it, answer itself, or raise."""


class Outside:
    """The outside of this process. Calls are seen between entering and leaving; `calls` are those since entering."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.dead = False
        self.killed: Call | None = None
        self._plan: tuple[int, Moment] | None = None
        self._troubles: list[tuple[When, Trouble]] = []
        self._lock = Lock()
        self._patch: Any = None

    def __enter__(self) -> Self:
        urlopen: Callable[..., Any] = HTTPConnectionPool.urlopen

        def seen(pool: HTTPConnectionPool, method: str, url: str, *rest: Any, **options: Any) -> Any:
            call = Call.of(method, f"{pool.host}:{pool.port}", url, options.get("headers") or {})
            return self.call(call, lambda: urlopen(pool, method, url, *rest, **options))

        self._patch = patch.object(HTTPConnectionPool, "urlopen", seen)
        self._patch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._patch.stop()

    def kill_at(self, number: int, moment: Moment) -> None:
        """Kill this process at a call: 1 is the next one."""
        self._plan = (len(self.calls) + number, moment)

    def revive(self) -> None:
        """Let calls out again. What the dead process held in memory is for the caller to throw away."""
        self.dead, self._plan = False, None

    def trouble(self, when: When, what: Trouble) -> None:
        """Break calls until `heal`; the first trouble that a call meets with is the one that counts."""
        self._troubles.append((when, what))

    def heal(self) -> None:
        """End all trouble."""
        self._troubles.clear()

    def call(self, call: Call, act: Callable[[], Any]) -> Any:
        """Make a call, if this process is alive and nothing is in its way.

        Raises:
            Killed: when this process is dead, or dies of it.

        """
        number = self._number(call)
        self._die_at(number, Moment.BEFORE, call)
        trouble = next((what for when, what in self._troubles if when(call)), None)
        answer = trouble(act) if trouble else act()
        if (number, Moment.AFTER) == self._plan and isinstance(answer, BaseHTTPResponse):
            answer.close()
        self._die_at(number, Moment.AFTER, call)
        return answer

    def _number(self, call: Call) -> int:
        with self._lock:
            if self.dead:
                raise Killed
            self.calls.append(call)
            return len(self.calls)

    def _die_at(self, number: int, moment: Moment, call: Call) -> None:
        if (number, moment) == self._plan:
            self.dead, self.killed = True, call
        if self.dead:
            raise Killed


def unreachable(_act: Callable[[], Any]) -> Any:
    """Trouble: the connection breaks before anything was sent."""
    raise ProtocolError("Connection aborted.", ConnectionResetError("reset before it was sent"))


def unanswered(act: Callable[[], Any]) -> Any:
    """Trouble: the call arrives and is done, and its answer gets lost."""
    answer = act()
    if isinstance(answer, BaseHTTPResponse):
        answer.close()
    raise ProtocolError("Connection aborted.", ConnectionResetError("reset before it was answered"))


def answering(status: int, code: str) -> Trouble:
    """Trouble: the service answers with an error, in the words of Azure's storage."""
    body = json.dumps({"odata.error": {"code": code, "message": {"lang": "en", "value": code}}}).encode()
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), "x-ms-error-code": code}
    return lambda _act: HTTPResponse(BytesIO(body), headers, status, preload_content=False)
