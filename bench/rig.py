"""What rows run on: storage accounts, a simulated Azure, and the app in a host of its own."""

import asyncio
import json
import shutil
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from local.azure import SimulatedAzure
from local.azure.regions import DISPLAY
from local.azurite import Azurite
from local.host.process import HostProcess
from local.soak.storage import Storage

ROOT: Final = Path(__file__).parents[1]
HOME: Final = "westeurope"
REGIONS: Final = (HOME, *(name for name in DISPLAY if name != HOME))
"""All regions that the simulated Azure knows, the home first."""

_QUEUES: Final = json.loads((ROOT / "host.json").read_text())["extensions"]["queues"]
AT_ONCE: Final = int(_QUEUES["batchSize"] + _QUEUES["newBatchThreshold"])
"""Messages of a queue that a host handles at once, and so many threads the templates in `infra/` give a worker."""

ACCOUNTS: Final = 60
_LOOK_AGAIN: Final = 0.1
_QUIET_FOR: Final = 3
"""Looks in a row that must find every queue empty: between two messages there may be none."""

_METERED: Final = "from bench.meter import app\n"


class TooLong(Exception):
    """What a row waits for has not come in time; the text says what."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What every row gets.

    :param quick: whether to take fewer runs and leave out what takes long.
    :param folder: for logs and meters; gone at the end.
    :param threads: of a worker, `PYTHON_THREADPOOL_THREAD_COUNT`.
    """

    azurite: Azurite
    folder: Path
    quick: bool
    peers: bool = False
    threads: int = AT_ONCE
    say: Callable[[str], None] = print
    _numbers: Iterator[int] = field(default_factory=count)

    def storage(self) -> str:
        """Give the connection string of a storage account that no other row has used."""
        return self.azurite.account(next(self._numbers))

    @contextmanager
    def app(
        self,
        azure: SimulatedAzure,
        galleries: Sequence[str],
        settings: Mapping[str, str],
        *,
        root: Path | None = None,
        apart: str = "",
    ) -> Iterator["Running"]:
        """Run the app, metered unless `root` names another folder, subscribed to the simulated Azure's events.

        :param apart: a function that a second host serves, alone, as where functions scale by themselves.
        """
        number = next(self._numbers)
        storage = self.azurite.account(number)
        meter = Meter(self.folder / f"meter-{number}.jsonl")
        given = {
            "AzureWebJobsStorage": storage,
            "ARM_ENDPOINT": azure.endpoint,
            "GALLERIES": " ".join(galleries),
            "BENCH_METER": str(meter.path),
            "PYTHON_THREADPOOL_THREAD_COUNT": str(self.threads),
            **settings,
        }
        folder = root or self.app_folder(f"app-{number}", _METERED)
        with ExitStack() as stack:
            queues = stack.enter_context(Storage(storage))
            stack.callback(queues.drop_queues)  # Azurite looks at all messages there are, those of other rows as well
            host = stack.enter_context(self._host(f"host-{number}", folder, {**given, "BENCH_LEFT_OUT": apart}))
            running = Running(host, queues, meter, azure)
            if apart:
                stack.enter_context(self._host(f"host-{number}-{apart}", folder, {**given, "BENCH_FUNCTIONS": apart}))
            if "image_event" in settings.get("BENCH_FUNCTIONS", "image_event"):
                azure.deliver_to(running.host.event_grid_url("image_event"))
            yield running

    def _host(self, name: str, folder: Path, settings: Mapping[str, str]) -> HostProcess:
        return HostProcess(folder, settings, self.folder / f"{name}.log")

    def app_folder(self, name: str, source: str) -> Path:
        """Make an app folder with this `function_app.py`, and the host.json of the app."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        (folder / "function_app.py").write_text(source)
        shutil.copy(ROOT / "host.json", folder)
        return folder


@dataclass(frozen=True, slots=True)
class Meter:
    """What the metered app has written down so far."""

    path: Path

    def lines(self, kind: str) -> list[Mapping[str, Any]]:
        """Give the lines of a kind, `call` or `invocation`, in order."""
        if not self.path.exists():
            return []
        complete = self.path.read_text().rpartition("\n")[0].splitlines()
        return [line for line in map(json.loads, complete) if line["kind"] == kind]


@dataclass(frozen=True, slots=True)
class Running:
    """The app while it runs."""

    host: HostProcess
    queues: Storage
    meter: Meter
    azure: SimulatedAzure

    def until_quiet(self, *, seconds: float = 120.0) -> None:
        """Wait until no message is left anywhere and no operation runs. Raises TooLong."""
        until(_steadily(lambda: not self.queues.queued()), seconds=seconds, what="empty queues", every=_LOOK_AGAIN)

    def until_nothing_is_due(self, *, seconds: float) -> None:
        """Wait until every message that is due was taken; others wait for their time. Raises TooLong."""
        until(_steadily(lambda: not self.queues.messages()), seconds=seconds, what="no due message", every=_LOOK_AGAIN)

    @property
    def process(self) -> Path:
        """What the system tells of the host's process. Linux only."""
        child = self.host._child  # noqa: SLF001  its number is nobody else's business
        if child is None:
            raise TooLong("the host does not run")
        return Path(f"/proc/{child.pid}")

    @property
    def peak_mib(self) -> float:
        """The most memory that the host has held so far."""
        status = (self.process / "status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024


class SlowAzure(SimulatedAzure):
    """A simulated Azure each of whose answers takes a while on its way.

    :param latency: in seconds.
    """

    def __init__(self, *, latency: float, **options: Any) -> None:
        super().__init__(**options)
        self._latency = latency

    def _application(self) -> web.Application:
        application = super()._application()
        application.middlewares.append(self._late)
        return application

    @property
    def _late(self) -> Any:
        @web.middleware
        async def late(request: web.Request, handler: Callable[[web.Request], Any]) -> Any:
            if request.path.startswith("/subscriptions"):
                await asyncio.sleep(self._latency)
            return await handler(request)

        return late


def _steadily(condition: Callable[[], bool]) -> Callable[[], bool]:
    """Say whether something was so in the last looks in a row."""
    looks = deque[bool](maxlen=_QUIET_FOR)

    def look() -> bool:
        looks.append(condition())
        return sum(looks) == _QUIET_FOR

    return look


def until(condition: Callable[[], object], *, seconds: float, what: str, every: float = 0.05) -> None:
    """Wait for something. Raises TooLong when it does not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TooLong(f"waited {seconds:.0f} s in vain for {what}")
        time.sleep(every)
