"""Storage queues: putting messages, now or later."""

from datetime import timedelta
from math import ceil
from typing import TYPE_CHECKING

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import LinearRetry, QueueClient, QueueServiceClient, TextBase64EncodePolicy

from shared.core.messages import LONGEST_DELAY, Message, Queue, bury, delayed, write

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

    from shared.settings import Storage

_NEVER_EXPIRES = -1
_NOW = timedelta(0)


class Queues:
    """The app's queues. Messages are base64, as the Functions host expects them."""

    def __init__(self, storage: "Storage", credential: "TokenCredential | None") -> None:
        # The SDK's default sleeps 15 s before it tries again; a stage that gives up comes back by itself, and holds no
        # thread meanwhile.
        patience = LinearRetry(backoff=1, retry_total=2, random_jitter_range=1)
        if storage.connection_string:
            self._service = QueueServiceClient.from_connection_string(storage.connection_string, retry_policy=patience)
        else:
            self._service = QueueServiceClient(storage.queue_uri or "", credential, retry_policy=patience)

    def put(self, message: Message, *, delay: timedelta = _NOW) -> None:
        """Put a message; nobody sees it before the delay is over (whole seconds, six days at most)."""
        self._send(message.queue, write(message), delay)

    def put_text(self, queue: Queue, text: str, *, delay: timedelta = _NOW) -> None:
        """Put back the text of a message as it came."""
        self._send(queue, text, delay)

    def bury(self, queue: Queue, text: str, reason: str) -> None:
        """Put a message that nobody can handle where the host puts them, ``<queue>-poison``, with the reason."""
        self._send(queue.poison, bury(text, reason), _NOW)

    def _send(self, queue: str, text: str, delay: timedelta) -> None:
        client = self._service.get_queue_client(queue, message_encode_policy=TextBase64EncodePolicy())
        try:
            _send(client, text, delay)
        except ResourceNotFoundError:
            _create(client)
            _send(client, text, delay)


def _create(client: QueueClient) -> None:
    try:
        client.create_queue()
    except ResourceExistsError:  # another thread was faster
        return


def _send(client: QueueClient, text: str, delay: timedelta) -> None:
    seconds = ceil(min(delay, LONGEST_DELAY).total_seconds())
    waiting = delayed(text, timedelta(seconds=seconds))
    client.send_message(waiting, visibility_timeout=seconds, time_to_live=_NEVER_EXPIRES)
