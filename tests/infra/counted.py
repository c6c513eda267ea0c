"""What the app does for one publish, and for one sweep that finds nothing to do, call by call.

The stages, the SDKs and the table are the real ones, on a clock that is moved by hand, so that rollouts take as long as
in Azure and every look at them counts. The host delivers a message at a time, and takes a queue operation to receive
it, one to delete it; Azure's host may receive several at once, which costs less.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from local.azure import SimulatedAzure
from local.azure.regions import DISPLAY
from local.outage import Call
from tests.flows.clockwork import HOME, Clockwork, Waiting
from tests.infra.logged import HOUR, MINUTE, lines_of, publish

TEN = (HOME, *[name for name in DISPLAY if name != HOME][:9])
_LONG = timedelta(hours=3)


@dataclass(frozen=True)
class Counts:
    """How often something was done."""

    executions: int
    queue: int
    table: int
    arm: int
    posts: int
    events: int
    log_lines: int

    def __str__(self) -> str:
        return ", ".join(f"{name} {number}" for name, number in self.__dict__.items())


class Counting:
    """The app with an image that has one older version in ten regions, and one receiver of statuses."""

    def __init__(self, azure: SimulatedAzure, clockwork: Clockwork) -> None:
        self._azure, self._clockwork = azure, clockwork
        azure.add_version(clockwork.image, "1.0.2", regions=list(TEN))
        clockwork.decide(" ".join(TEN))
        clockwork.sweep()  # what is remembered from the first pass on costs nothing again
        clockwork.run(HOUR, handle=clockwork.deliver)

    def publish(self) -> Counts:
        """Count what one publish costs, until nothing is left to do; each write of the app is an event, too."""
        return self._count(lambda: publish(self._clockwork), executions=1, events=1)

    def sweep(self) -> Counts:
        """Count what a sweep of one gallery with one image definition costs that finds nothing to do."""
        return self._count(self._clockwork.sweep, executions=1)

    def sweep_with_another(self) -> Counts:
        """Count a sweep that finds nothing to do when the gallery has an image definition more, just like the first."""
        another = self._azure.add_image(self._clockwork.gallery, "windows-2022")
        for number in self._azure.versions(self._clockwork.image):
            regions = list(TEN) if number == "1.0.3" else [HOME]
            self._azure.add_version(another, number, home=HOME, regions=regions)
        self.sweep()
        return self.sweep()

    def _count(self, begin: Callable[[], None], *, executions: int = 0, events: int = 0) -> Counts:
        clockwork, delivered = self._clockwork, Counter(executions=executions, events=events)
        calls = clockwork.outside.calls
        calls.clear()

        def deliver(message: Waiting) -> None:
            delivered["executions"] += 1
            clockwork.deliver(message)

        with lines_of(clockwork) as lines:
            begin()
            writing: set[str] = set()
            end = clockwork.clock.at + _LONG
            while clockwork.clock.at < end:
                clockwork.run(MINUTE, handle=deliver)
                now = {number for number in self._azure.versions(clockwork.image) if self._updating(number)}
                for number in writing - now:
                    clockwork.event(number)
                    delivered["executions"] += 1
                    delivered["events"] += 1
                writing = now
            assert not clockwork.queues.waiting
        kinds = Counter(map(self._kind, calls))
        return Counts(
            executions=delivered["executions"],
            queue=kinds["queue"] + (delivered["executions"] - delivered["events"] - (executions - events)),
            table=kinds["table"],
            arm=kinds["arm"],
            posts=kinds["chat"],
            events=delivered["events"],
            log_lines=len(lines),
        )

    def _updating(self, number: str) -> bool:
        shown = self._azure.show(self._clockwork.version(number)) or {"properties": {}}
        return shown["properties"].get("provisioningState") == "Updating"

    def _kind(self, call: Call) -> str:
        if call.host == "queue":
            return "queue"
        if call.host in self._azure.endpoint:
            return "chat" if "/chat" in call.path else "arm"
        return "table"
