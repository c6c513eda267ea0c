"""An event loop in a thread of its own, with one HTTP server on one loopback port."""

import asyncio
from collections.abc import Awaitable, Callable
from threading import Event, Thread
from typing import Final

from aiohttp import web

LOOPBACK: Final = "127.0.0.1"
_START_WITHIN: Final = 30.0
# Requests still being answered when the server stops get this long, in seconds.
_FINISH_WITHIN: Final = 0.5


class ServerThread:
    """Serves an application until it is stopped; `port` 0 takes a free one, and keeps it from then on.

    `opened` and `closed` are awaited in the loop after the port is open and before it closes.
    """

    def __init__(
        self,
        build: Callable[[], web.Application],
        *,
        port: int,
        opened: Callable[[], Awaitable[None]],
        closed: Callable[[], Awaitable[None]],
    ) -> None:
        self.port = port
        self._build = build
        self._opened = opened
        self._closed = closed
        self._started = Event()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread: Thread | None = None

    def start(self) -> None:
        """Return when the port is open; raise what kept it from opening."""
        self._started.clear()
        self._failure = None
        self._thread = Thread(target=self._run, name="simulated-azure", daemon=True)
        self._thread.start()
        self._started.wait(_START_WITHIN)
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Return when the port is closed and the thread has ended."""
        if self._loop is not None and self._stop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as failure:  # noqa: BLE001  it is raised in the thread that waits in start()
            self._failure = failure
        finally:
            self._started.set()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        runner = web.AppRunner(self._build(), access_log=None, shutdown_timeout=_FINISH_WITHIN)
        await runner.setup()
        try:
            await web.TCPSite(runner, LOOPBACK, self.port).start()
            self.port = runner.addresses[0][1]
            await self._opened()
            self._started.set()
            await self._stop.wait()
            await self._closed()
        finally:
            await runner.cleanup()
