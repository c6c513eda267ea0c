"""The host as a whole: start everything, run until told to stop, let what runs come to its end."""

import asyncio
import secrets
import signal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from azure.storage.queue.aio import QueueClient

from local.host import routes, server, worker
from local.host.admin import Admin
from local.host.config import HostConfig
from local.host.console import log
from local.host.messages import Handling
from local.host.model import Function
from local.host.outputs import Invoker
from local.host.queues import Listener
from local.host.storage import Storage
from local.host.timers import Timer

# How long a received message stays invisible, in seconds (QueueListener of the WebJobs SDK: ten minutes).
_LEASE = 600

# How long running invocations may go on after SIGTERM, in seconds.
_GRACE = 10.0

_SERVED = {"httpTrigger", "queueTrigger", "timerTrigger", "eventGridTrigger"}


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run and how. `lease` in seconds; port 0 takes a free one."""

    root: Path
    config: HostConfig
    settings: Mapping[str, str]
    port: int

    @property
    def lease(self) -> int:
        """How long a message stays invisible: LOCAL_HOST_LEASE, in seconds, so that tests need not wait ten minutes."""
        return max(1, round(float(self.settings.get("LOCAL_HOST_LEASE", _LEASE))))


async def serve(plan: Plan) -> bool:
    """Serve the app until SIGTERM or SIGINT; says whether all invocations had ended by then.

    Raises BadApp when the app cannot be served (in Azure the host would keep restarting, with no function indexed),
    OSError when the port is taken.
    """
    app = await worker.index(plan.root, plan.settings)
    stopping = _stop_signal()
    async with Storage(plan.settings) as storage:
        invoker = Invoker(storage, plan.config.queues)
        timers = {each.name: Timer(each, invoker, stopping) for each in _with(app, "timerTrigger")}
        listeners = [Listener(_handling(each, plan, invoker), stopping) for each in _with(app, "queueTrigger")]
        key = plan.settings.get("LOCAL_HOST_KEY") or secrets.token_urlsafe(24)
        admin = Admin(app, timers, invoker)
        endpoints = server.Endpoints(app, routes.table(app.values(), plan.config.route_prefix), invoker, admin, key)
        runner, port = await server.listen(endpoints, plan.port)
        _announce(plan, endpoints, f"http://127.0.0.1:{port}")
        runs = [*(each.run() for each in timers.values()), *(each.run() for each in listeners)]
        work = [asyncio.create_task(each) for each in runs]
        await _first_end(stopping, work)
        stopping.set()
        storage.wake_all()
        ended = asyncio.gather(runner.cleanup(), *work, *admin.running, return_exceptions=True)
        _, late = await asyncio.wait({ended}, timeout=_GRACE)
    return not late


def _stop_signal() -> asyncio.Event:
    """Give the event that SIGTERM and SIGINT set."""
    told = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, told.set)
    return told


async def _first_end(stopping: asyncio.Event, work: Sequence[asyncio.Task[None]]) -> None:
    """Wait until the host is told to stop. A listener or timer that ends earlier has a fault, which is raised."""
    told = asyncio.create_task(stopping.wait())
    done, _ = await asyncio.wait({told, *work}, return_when=asyncio.FIRST_COMPLETED)
    if told not in done:
        for each in done:
            each.result()


def _with(app: Mapping[str, Function], trigger: str) -> Iterator[Function]:
    return (each for each in app.values() if each.trigger.type == trigger)


def _handling(function: Function, plan: Plan, invoker: Invoker) -> Handling:
    def queue(name: str) -> QueueClient:
        return invoker.storage.queue(function.trigger.text("connection"), name)

    name = function.trigger.text("queueName")
    poison = None if name.endswith("-poison") else queue(f"{name}-poison")
    return Handling(function, invoker, queue(name), poison, plan.config.queues, plan.lease)


def _announce(plan: Plan, endpoints: server.Endpoints, address: str) -> None:
    """Say on stdout what is served. The last line means that everything is ready."""
    for each in endpoints.app.values():
        if each.trigger.type not in _SERVED:
            log.warning("%s: this host does not serve a %s", each.name, each.trigger.type)
    for route in endpoints.routes:
        print(f"{route.function.name}: {','.join(sorted(route.methods)) or 'any'} {address}{route.path}")
    for each in _with(endpoints.app, "eventGridTrigger"):
        print(f"{each.name}: POST {address}/runtime/webhooks/eventgrid?functionName={each.name}")
    if not plan.settings.get("LOCAL_HOST_KEY"):
        print(f"Key of this run (?code= or x-functions-key): {endpoints.key}")
    print(f"Listening on {address}", flush=True)
