"""What lies in the app's storage, as seen by somebody who may look into it."""

import json
from contextlib import ExitStack
from typing import Final, Self

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableClient
from azure.storage.queue import QueueServiceClient, TextBase64DecodePolicy

_MOST: Final = 32


class Storage:
    """The queues and the table of the app."""

    def __init__(self, connection: str) -> None:
        self._connection = connection
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._queues = self._open.enter_context(QueueServiceClient.from_connection_string(self._connection))
        self._table = self._open.enter_context(TableClient.from_connection_string(self._connection, "rollouts"))
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def queued(self) -> dict[str, int]:
        """Count the messages of each queue that has any, also those that wait or are being handled."""
        counts = {
            name: self._queues.get_queue_client(name).get_queue_properties().approximate_message_count
            for name in self._names()
        }
        return {name: number for name, number in counts.items() if number}

    def rows(self) -> list[str]:
        """Give every row of the table, as text."""
        try:
            return [json.dumps(dict(row), default=str) for row in self._table.list_entities()]
        except ResourceNotFoundError:  # nothing was ever written
            return []

    def dead_letters(self) -> list[str]:
        """Give the messages that nobody could handle."""
        return [row for row in self.rows() if '"PartitionKey": "dead-letters"' in row]

    def drop_queues(self) -> None:
        """Delete every queue, with all that is in it."""
        for name in self._names():
            self._queues.delete_queue(name)

    def messages(self) -> list[str]:
        """Give the text of visible messages, some of each queue."""
        decode = TextBase64DecodePolicy()
        queues = [self._queues.get_queue_client(name, message_decode_policy=decode) for name in self._names()]
        return [str(message.content) for queue in queues for message in queue.peek_messages(_MOST)]

    def _names(self) -> list[str]:
        return [str(each.name) for each in self._queues.list_queues()]
