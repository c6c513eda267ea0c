"""Queue clients and the wake-up calls between them.

The asynchronous SDK and not threads: endpoints and worker live on one event loop already, a message's lease is
renewed by a task that ends with it, and neither polling nor renewing takes a thread from anybody. The price: an
async function that blocks the loop stalls the host too, where Azure's host, another process, would go on renewing.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import Self

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from local.host.console import storage_log
from local.host.errors import BadApp

DEFAULT_CONNECTION = "AzureWebJobsStorage"


class Storage:
    """The storage accounts that the app's bindings name, by the setting that holds the connection string."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = settings
        self._services: dict[str, QueueServiceClient] = {}
        self._news: dict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def queue(self, connection: str, name: str) -> QueueClient:
        """Give a client for a queue; raises BadApp when the setting `connection` holds no connection string."""
        connection = connection or DEFAULT_CONNECTION
        if connection not in self._services:
            self._services[connection] = self._service(connection)
        return self._services[connection].get_queue_client(name)

    def _service(self, connection: str) -> QueueServiceClient:
        text = self._settings.get(connection)
        if not text:
            raise BadApp(
                f"no app setting {connection} with a connection string (this host knows no identity-based ones)"
            )
        try:
            # The SDK's default waits 15 s before its first retry: too long for a service on this machine.
            return QueueServiceClient.from_connection_string(text, logger=storage_log, initial_backoff=1, retry_total=2)
        except ValueError as fault:
            raise BadApp(f"app setting {connection}: {fault}") from None

    def news(self, queue: QueueClient) -> asyncio.Event:
        """Give the event that is set when this host itself puts a message on the queue.

        The WebJobs SDK wakes its own listeners so (SharedQueueWatcher), whatever their polling interval has grown to.
        """
        return self._news[queue.url]

    def wake_all(self) -> None:
        """Wake every listener, so that each sees that the host is stopping."""
        for each in self._news.values():
            each.set()

    async def put(self, queue: QueueClient, content: str, time_to_live: int | None = None) -> None:
        """Put a message on the queue, which is created if it is missing; `time_to_live` in seconds, -1 for ever."""
        try:
            await queue.send_message(content, time_to_live=time_to_live)
        except ResourceNotFoundError:
            await queue.create_queue()
            await queue.send_message(content, time_to_live=time_to_live)
        self.news(queue).set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for each in self._services.values():
            await each.close()
