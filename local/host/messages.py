"""One queue message from receipt to its end: deleted, put back, poisoned, or left alone.

The rules are those of the WebJobs SDK's QueueProcessor (Microsoft.Azure.WebJobs.Extensions.Storage.Queues).
"""

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from azure.core.exceptions import HttpResponseError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from local.host import metadata
from local.host.config import QueueOptions
from local.host.console import log
from local.host.errors import InvocationFailed
from local.host.model import Function
from local.host.outputs import Invoker
from local.host.protos import TypedData

# All of these mean that somebody else has the message now, or that it is gone.
_LOST = {"PopReceiptMismatch", "MessageNotFound", "QueueNotFound"}


@dataclass(frozen=True, slots=True)
class Handling:
    """What happens to the messages of one queue.

    `poison` is None for a queue that is itself a poison queue: nothing is poisoned twice. `lease` is how long, in
    seconds, a received message stays invisible; it is renewed at half time, so it only ends early when this process
    does.
    """

    function: Function
    invoker: Invoker
    queue: QueueClient
    poison: QueueClient | None
    options: QueueOptions
    lease: int

    async def process(self, message: QueueMessage) -> None:
        """See one message through. Raises what the storage service raises; the message then comes back by itself."""
        if _tries(message) > self.options.max_dequeue_count:
            # Its last try ended without an outcome, for instance because the host was killed. It gets no further one.
            await self._poison(message, "it has been tried too often")
            return
        text = self._text(message)
        if text is None:
            await self._poison(message, "its body is not what messageEncoding says")
            return
        try:
            async with self._leased(message):
                await self.invoker.run(self.function, TypedData(string=text), metadata.of_message(message, text))
        except InvocationFailed:
            await self._failed(message)
        else:
            await self._delete(message)

    def _text(self, message: QueueMessage) -> str | None:
        if not self.options.base64:
            return str(message.content)
        try:
            return base64.b64decode(message.content, validate=True).decode()
        except (binascii.Error, UnicodeError):
            return None

    async def _failed(self, message: QueueMessage) -> None:
        if self.poison is None:
            return  # it stays invisible until its lease ends, "to prevent a fast infinite loop" (QueueProcessor)
        if _tries(message) >= self.options.max_dequeue_count:
            await self._poison(message, f"it failed {_tries(message)} times")
            return
        with _tolerating_loss(message):
            await self._renew(message, self.options.visibility_timeout)

    async def _poison(self, message: QueueMessage, why: str) -> None:
        if self.poison is None:
            log.warning("%s: message %s is left in %s: %s", self.function.name, message.id, self.queue.queue_name, why)
            return
        log.warning("%s: message %s goes to %s: %s", self.function.name, message.id, self.poison.queue_name, why)
        await self.invoker.storage.put(self.poison, message.content, time_to_live=-1)
        await self._delete(message)

    async def _delete(self, message: QueueMessage) -> None:
        with _tolerating_loss(message):
            await self.queue.delete_message(message.id, message.pop_receipt)

    async def _renew(self, message: QueueMessage, seconds: float) -> None:
        renewed = await self.queue.update_message(message.id, message.pop_receipt, visibility_timeout=round(seconds))
        message.pop_receipt = renewed.pop_receipt

    @asynccontextmanager
    async def _leased(self, message: QueueMessage) -> AsyncIterator[None]:
        """Keep the message invisible meanwhile. A renewal under way is waited for: the receipt must be the last one."""
        done = asyncio.Event()
        keeper = asyncio.create_task(self._keep(message, done))
        try:
            yield
        finally:
            done.set()
            await keeper

    async def _keep(self, message: QueueMessage, done: asyncio.Event) -> None:
        while True:
            try:
                await asyncio.wait_for(done.wait(), self.lease / 2)
            except TimeoutError:
                try:
                    await self._renew(message, self.lease)
                except Exception as fault:  # noqa: BLE001 - whatever it is, the next renewal may succeed
                    log.warning("message %s was not renewed: %s", message.id, type(fault).__name__)
            else:
                return


def _tries(message: QueueMessage) -> int:
    """Give how often the message has been received, this time included."""
    return message.dequeue_count or 0


@contextmanager
def _tolerating_loss(message: QueueMessage) -> Iterator[None]:
    try:
        yield
    except HttpResponseError as fault:
        code = getattr(fault, "error_code", None)
        if code not in _LOST:
            raise
        log.warning("message %s was no longer ours: %s", message.id, code)
