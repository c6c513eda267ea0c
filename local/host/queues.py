"""Queue triggers: poll, back off, hand over."""

import asyncio
from contextlib import suppress

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.queue import QueueMessage

from local.host.console import log
from local.host.messages import Handling

# QueuePollingIntervals.Minimum of the WebJobs SDK, in seconds.
_FIRST_PAUSE = 0.1


class Listener:
    """Polls one queue for one function, as the WebJobs SDK's QueueListener does.

    At most `batchSize + newBatchThreshold` messages run at once: a batch is fetched when no more than the threshold
    are running. Its back-off has some randomness added; ours doubles plainly.
    """

    def __init__(self, handling: Handling, stopping: asyncio.Event) -> None:
        self._handling = handling
        self._stopping = stopping
        self._running: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Poll until the host is stopping, then wait for the running messages.

        Polling is never cancelled: a batch that is lost on the way back stays invisible for its whole lease.
        """
        pause = _FIRST_PAUSE
        while not self._stopping.is_set():
            batch = await self._receive()
            self._running |= {asyncio.create_task(self._process(message)) for message in batch}
            if batch:
                pause = _FIRST_PAUSE
                await self._room(self._handling.options.new_batch_threshold)
            else:
                await self._rest(pause)
                pause = min(pause * 2, max(_FIRST_PAUSE, self._handling.options.max_polling_interval))
        await self._room(0)

    async def _receive(self) -> list[QueueMessage]:
        """Fetch one batch; a queue that does not exist (yet) and a service that does not answer give none."""
        pages = self._handling.queue.receive_messages(
            messages_per_page=self._handling.options.batch_size, visibility_timeout=self._handling.lease
        ).by_page()
        try:
            async for page in pages:
                return [message async for message in page]
        except ResourceNotFoundError:
            pass
        except AzureError as fault:
            log.warning("cannot poll %s: %s", self._handling.queue.queue_name, type(fault).__name__)
        return []

    async def _process(self, message: QueueMessage) -> None:
        try:
            await self._handling.process(message)
        except AzureError as fault:
            kind = type(fault).__name__
            log.warning("message %s of %s comes back later: %s", message.id, self._handling.queue.queue_name, kind)
        except Exception:  # noqa: BLE001 - one odd message does not end the polling
            log.exception("message %s of %s comes back later", message.id, self._handling.queue.queue_name)

    async def _room(self, threshold: int) -> None:
        """Wait until no more messages than this are running."""
        while len(self._running) > threshold:
            _, self._running = await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)

    async def _rest(self, pause: float) -> None:
        news = self._handling.invoker.storage.news(self._handling.queue)
        with suppress(TimeoutError):
            await asyncio.wait_for(news.wait(), pause)
        news.clear()
