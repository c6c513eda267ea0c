"""Two hosts on the same queues, as a scaled-out app has them: killed at any moment, and started again."""

import random
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from local.host.process import HostFailed, HostProcess

COUNT: Final = 2
_ROOT: Final = Path(__file__).parents[2]
_LEASE: Final = 6.0
_KEY: Final = "the-key-of-the-soak"
_PORTS: Final = range(20_000, 30_000)
_LOOK_AGAIN: Final = 0.1
_PAUSE: Final = 0.5
"""Seconds until whoever looks after hosts sees that one is gone."""


@dataclass(frozen=True, slots=True)
class Kill:
    """The end of a host's life; lives are named as in the `User-Agent` of their calls."""

    at: float
    life: str


@dataclass(slots=True)
class _Host:
    number: int
    port: int
    lives: int = 0
    process: HostProcess | None = None
    starting: threading.Thread | None = None

    @property
    def life(self) -> str:
        return f"host-{self.number}-life-{self.lives}"


class Hosts:
    """Starts two hosts on entering, and ends whatever runs on leaving.

    Every life has a name of its own, which its calls to Azure carry. The first host always has the same address: Event
    Grid posts to it.
    """

    def __init__(self, settings: Mapping[str, str], folder: Path) -> None:
        self.kills: list[Kill] = []
        self.fault: HostFailed | None = None
        self._settings = {**settings, "LOCAL_HOST_KEY": _KEY}
        self._folder = folder
        self._all = [_Host(number, _free_port()) for number in range(1, COUNT + 1)]

    def __enter__(self) -> Self:
        try:
            for host in self._all:
                self._start(host)
            self._wait()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _value: BaseException | None, _tb: TracebackType | None
    ) -> None:
        self._end()

    @property
    def lives(self) -> int:
        """How many hosts were started."""
        return sum(host.lives for host in self._all)

    @property
    def event_grid_url(self) -> str:
        """Where Event Grid posts to."""
        return self._process(self._all[0]).event_grid_url("image_event")

    def kill(self, which: int) -> str:
        """Kill a host that runs, this one if it does, and start it again; give its name. While none runs, wait."""
        while (up := next((host for host in (self._all[which], *self._all) if self._runs(host)), None)) is None:
            if self.fault:
                raise self.fault
            time.sleep(_LOOK_AGAIN)
        self.kills.append(Kill(time.time(), up.life))
        self._process(up).kill()
        self._start(up, after=_PAUSE)
        return self.kills[-1].life

    def sweep(self) -> bool:
        """Fire the timer in a host that runs; say whether there was one."""
        for host in self._all:
            if self._runs(host):
                try:
                    self._process(host).fire("sweep")
                except (OSError, HostFailed):
                    continue
                return True
        return False

    def settle(self) -> None:
        """Wait until both run; raises HostFailed when one does not start."""
        self._wait()

    def logs(self) -> Iterator[str]:
        """Give the log of each host."""
        return (path.read_text(errors="replace") for path in sorted(self._folder.glob("host-*.log")))

    def _start(self, host: _Host, after: float = 0.0) -> None:
        """Start a host in a thread of its own, because the others go on meanwhile."""
        host.lives += 1
        settings = {**self._settings, "AZURE_HTTP_USER_AGENT": host.life}
        log = self._folder / f"host-{host.number}.log"
        host.process = HostProcess(_ROOT, settings, log, port=host.port, lease_seconds=_LEASE)
        host.starting = threading.Thread(target=self._started, args=(host.process, after), daemon=True)
        host.starting.start()

    def _started(self, process: HostProcess, after: float) -> None:
        time.sleep(after)
        try:
            process.start()
        except HostFailed as failed:
            self.fault = failed

    def _wait(self) -> None:
        for host in self._all:
            if host.starting:
                host.starting.join()
        if self.fault:
            raise self.fault
        ended = [host for host in self._all if not self._runs(host)]
        if ended:
            raise HostFailed(f"{ended[0].life} ended by itself, with code {self._process(ended[0]).returncode}")

    def _end(self) -> None:
        """Kill what runs or starts: nobody waits for what it does."""
        for host in self._all:
            if host.starting:
                host.starting.join()
            if host.process:
                host.process.kill()

    def _runs(self, host: _Host) -> bool:
        ready = host.starting is not None and not host.starting.is_alive()
        return ready and self._process(host).returncode is None

    @staticmethod
    def _process(host: _Host) -> HostProcess:
        if host.process is None:
            raise HostFailed(f"host {host.number} was never started")
        return host.process


def _free_port() -> int:
    """Find a port that stays free between two lives: none of those that the system gives to outgoing connections."""
    for port in random.sample(_PORTS, len(_PORTS)):
        with suppress(OSError), closing(socket.create_server(("127.0.0.1", port))):
            return port
    raise HostFailed(f"no port from {_PORTS.start} to {_PORTS.stop - 1} is free")
