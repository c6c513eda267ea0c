"""An app whose Azure must not be called, and queues that are lists."""

from base64 import b64encode
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NoReturn

from shared.core.messages import Message, Queue, bury, read, write
from shared.core.status import DeadLetter
from shared.settings import Settings, load
from tests.core.build import NOW
from tests.settings.environment import GOOD

_LARGEST = 64 * 1024  # bytes of base64 that a storage queue takes (documented)
WEBHOOKS = "teams=https://example.org/a slack=https://example.org/b json=https://example.org/c"
TOPIC = "https://topic.example.org/api/events"


class TooLarge(Exception):
    """A storage queue would refuse this message."""


class AzureCalled(AssertionError):
    """Something was asked of Azure that should have ended before."""


@dataclass
class Lists:
    """Queues in memory; they take what a storage queue takes, and what is put as a message can be read."""

    there: list[tuple[str, str]] = field(default_factory=list)

    def put(self, message: Message, *, delay: timedelta = timedelta(0)) -> None:
        """Put a message."""
        assert read(message.queue, write(message)) == message
        self._send(message.queue, write(message), delay)

    def put_text(self, queue: Queue, text: str, *, delay: timedelta = timedelta(0)) -> None:
        """Put back a text."""
        self._send(queue, text, delay)

    def bury(self, queue: Queue, text: str, reason: str) -> None:
        """Put a text with a reason into the poison queue."""
        self._send(queue.poison, bury(text, reason), timedelta(0))

    def _send(self, queue: str, text: str, delay: timedelta) -> None:
        assert delay >= timedelta(0)
        if len(b64encode(text.encode())) > _LARGEST:
            raise TooLarge(queue)
        self.there.append((queue, text))


class OnlyQueues:
    """An app with settings, a clock and queues, and nothing else."""

    def __init__(self) -> None:
        self.settings: Settings = load({**GOOD, "STATUS_WEBHOOKS": WEBHOOKS, "STATUS_TOPIC_ENDPOINT": TOPIC})
        self.queues = Lists()

    def now(self) -> datetime:
        """Give the time, which stands still."""
        return NOW

    def __getattr__(self, name: str) -> NoReturn:
        raise AzureCalled(name)


class Kept:
    """Dead letters in memory."""

    def __init__(self) -> None:
        self.kept: list[DeadLetter] = []

    def keep(self, letter: DeadLetter) -> None:
        """Keep one."""
        self.kept.append(letter)


class WithDeadLetters(OnlyQueues):
    """The same app, where dead letters can be kept too."""

    def __init__(self) -> None:
        super().__init__()
        self.dead_letters = Kept()
