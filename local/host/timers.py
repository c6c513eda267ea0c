"""Timer triggers, on UTC."""

import asyncio
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cronsim import CronSim, CronSimError

from local.host.console import log
from local.host.errors import BadApp, InvocationFailed
from local.host.model import Function
from local.host.outputs import Invoker
from local.host.protos import TypedData


@dataclass(slots=True)
class Timer:
    """One timer. Its runs never overlap, whoever fires them (in Azure a blob lease sees to that)."""

    function: Function
    invoker: Invoker
    stopping: asyncio.Event
    last: datetime | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        """Check the schedule; raises BadApp for one that is no NCRONTAB expression."""
        self.next_after(datetime.now(UTC))

    def next_after(self, moment: datetime) -> datetime:
        """Give the first tick later than `moment`. Runs that were missed meanwhile are not made up for."""
        schedule = self.function.trigger.text("schedule")
        try:
            return next(CronSim(schedule, moment))
        except CronSimError as fault:
            raise BadApp(f"{self.function.name}: {schedule!r} is not an NCRONTAB expression: {fault}") from None

    async def run(self) -> None:
        """Fire as scheduled, and once at the start if `runOnStartup` says so, until the host is stopping."""
        if self.function.trigger.properties.get("runOnStartup"):
            await self.fire()
        due = datetime.now(UTC)
        while True:
            due = self.next_after(max(due, datetime.now(UTC)))
            if await self._stopped_before(due):
                return
            await self.fire()

    async def fire(self) -> None:
        """Run the function now, or after the run under way. A failure is logged and not repeated, as in Azure."""
        async with self._turn:
            now = datetime.now(UTC)
            data = TypedData(json=json.dumps(self._info(now)))
            self.last = now
            try:
                await self.invoker.run(self.function, data)
            except InvocationFailed:
                log.info("%s: the next run is that of the schedule", self.function.name)

    async def _stopped_before(self, due: datetime) -> bool:
        remaining = (due - datetime.now(UTC)) / timedelta(seconds=1)
        try:
            await asyncio.wait_for(self.stopping.wait(), max(0.0, remaining))
        except TimeoutError:
            return False
        return True

    def _info(self, now: datetime) -> dict[str, object]:
        """Give TimerInfo as the host serialises it; nothing is past due, since no state outlives this process."""
        last = self.last or datetime.min.replace(tzinfo=UTC)
        status = {"Last": last.isoformat(), "LastUpdated": last.isoformat(), "Next": self.next_after(now).isoformat()}
        return {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status, "IsPastDue": False}
