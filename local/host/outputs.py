"""Output bindings: what a function returned or set becomes queue messages."""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local.host import console, worker
from local.host.config import QueueOptions
from local.host.errors import InvocationFailed
from local.host.model import Binding, Function
from local.host.protos import InvocationResponse, TypedData
from local.host.storage import Storage


@dataclass(frozen=True, slots=True)
class Invoker:
    """Runs functions and delivers their outputs."""

    storage: Storage
    options: QueueOptions

    async def run(
        self, function: Function, data: TypedData, metadata: Mapping[str, TypedData] | None = None
    ) -> TypedData | None:
        """Run a function and give its return value; raises InvocationFailed, after logging why.

        An output that cannot be delivered fails the invocation, as in Azure.
        """
        answer = await worker.run(function, data, metadata or {})
        try:
            await self._deliver(function, answer)
        except Exception as fault:  # noqa: BLE001 - whatever kept it from the queue
            console.report_failure(function.name, f"its output was not delivered: {type(fault).__name__}: {fault}", "")
            raise InvocationFailed(str(fault)) from None
        return answer.return_value

    async def _deliver(self, function: Function, answer: InvocationResponse) -> None:
        values = {each.name: each.data for each in answer.output_data} | {"$return": answer.return_value}
        for binding in function.outputs:
            value = values.get(binding.name)
            if value is not None and binding.type != "http":
                await self._put(binding, value)

    async def _put(self, binding: Binding, value: TypedData) -> None:
        if binding.type != "queue":
            raise NotImplementedError(f"this host has no output binding {binding.type!r}")
        queue = self.storage.queue(binding.text("connection"), binding.text("queueName"))
        for body in bodies(value):
            encoded = base64.b64encode(body).decode() if self.options.base64 else body.decode()
            await self.storage.put(queue, encoded)


def bodies(value: TypedData) -> Iterator[bytes]:
    """Give the messages that a value stands for: a JSON list is one message per item, anything else is one message."""
    if value.WhichOneof("data") != "json":
        yield _bytes(value.value)
        return
    document = json.loads(value.value)
    for item in document if isinstance(document, list) else [document]:
        yield _bytes(item)


def _bytes(item: Any) -> bytes:
    if isinstance(item, bytes):
        return item
    return (item if isinstance(item, str) else json.dumps(item)).encode()
