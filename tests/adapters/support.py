"""What the tests of the adapters share: a server that answers as told, and threads that begin together."""

import json
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Barrier, Thread
from typing import Any, Self
from unittest.mock import patch

from azure.core.credentials import AccessToken
from azure.data.tables import TableServiceClient

from shared.core.names import ImageId, VersionId

IMAGE = ImageId.parse(
    "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/images"
    "/providers/Microsoft.Compute/galleries/prodgallery/images/ubuntu-2204"
)
NOBODY = "http://127.0.0.1:9"
"""An address where nobody listens."""

_PATIENCE = 1.0
_AGES = 15.0


def version_id(number: str = "1.0.3", image: ImageId = IMAGE) -> VersionId:
    """Name a version."""
    return VersionId.parse(f"{image}/versions/{number}")


def encryption_set(region: str) -> str:
    """Name the disk encryption set of a region."""
    return f"{str(IMAGE).partition('/galleries/')[0]}/diskEncryptionSets/keys-{region}"


def tables(storage: str) -> list[str]:
    """Name the tables of a storage account."""
    with TableServiceClient.from_connection_string(storage) as service:
        return [table.name for table in service.list_tables()]


@contextmanager
def quickly() -> Iterator[None]:
    """Fail when somebody sleeps, or waits for long. A machine that is busy makes nobody sleep."""
    begun, slept, sleep = time.monotonic(), [0.0], time.sleep

    def counted(seconds: float) -> None:
        slept.append(seconds)
        sleep(min(seconds, _PATIENCE))

    with patch("time.sleep", counted):
        yield
    assert sum(slept) < _PATIENCE
    assert time.monotonic() - begun < _AGES


class Tokens:
    """A credential that has a token for anybody, and remembers for what it was asked.

    :param fault: raised instead.
    """

    def __init__(self, fault: Exception | None = None) -> None:
        self.asked: list[tuple[str, ...]] = []
        self._fault = fault

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        """Give a token that lasts."""
        self.asked.append(scopes)
        if self._fault:
            raise self._fault
        return AccessToken("t0ken", 2**33)


@dataclass(frozen=True, slots=True)
class Taken:
    """A request that the server took; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


def reply(status: int, content: Any = b"", **headers: str) -> bytes:
    """Give the bytes of an answer; an underscore in a header's name is a hyphen."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    lines = {"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"}
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {value}" for name, value in lines.items())]
    return "\r\n".join([*head, "", ""]).encode() + body


def bare_reply(status: int) -> bytes:
    """Give the bytes of an answer that is nothing but a status, known to anybody or not."""
    return f"HTTP/1.1 {status} -\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()


class Server:
    """An HTTP server that gives the bytes it was told, the last ones again and again, and closes each connection."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.taken: list[Taken] = []

    def __enter__(self) -> Self:
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                server.taken.append(Taken(self.command, self.path, headers, body))
                self.close_connection = True
                self.wfile.write(server.answers[min(len(server.taken), len(server.answers)) - 1])

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        for method in ("GET", "POST", "PATCH"):
            setattr(Handler, f"do_{method}", Handler.handle_any)
        return Handler


def together[T](number: int, act: Callable[[int], T]) -> list[T]:
    """Let that many threads do something at the same time; give what came of it, or raise the first failure."""
    barrier = Barrier(number)

    def begin(which: int) -> T:
        barrier.wait()
        return act(which)

    with ThreadPoolExecutor(number) as threads:
        return list(threads.map(begin, range(number)))


def logged(records: list[logging.LogRecord]) -> str:
    """Give the text of log records, with tracebacks."""
    formatter = logging.Formatter("%(name)s %(message)s")
    return "\n".join(formatter.format(record) for record in records)
