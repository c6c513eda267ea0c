"""What travels in the queues. A message is the unit of intent, delay, retry and blame: it says what to look at.

No top-level key may be named like a property of a queue message (``id``, ``dequeueCount``, ...): the Functions host
would let it overwrite the real one (documented in the host's binding data, seen in its source).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar, Self

from shared.core.errors import Malformed
from shared.core.names import ImageId, VersionId
from shared.core.text import plain

SCHEMA = 1
_LONGEST_TEXT = 48 * 1024  # a queue takes 64 KiB of base64 (documented)

_LONGEST_TICKET = 100  # ids have 36 characters (documented)

_DELAY = "delay"

LONGEST_DELAY = timedelta(days=6)
"""How long a message may wait; a queue delays by seven days at most (documented)."""


class Queue(StrEnum):
    """The queues, in flow order."""

    RECONCILE = "reconcile"
    REPLICATE = "replicate"
    WATCH = "watch"
    PRUNE = "prune"
    NOTIFY = "notify"

    @property
    def poison(self) -> str:
        """The queue of its messages that nobody could handle."""
        return f"{self}-poison"


@dataclass(frozen=True, slots=True)
class Reconcile:
    """Look at an image definition.

    :param cause: what made us look, for people.
    :param failed: the number of a version of which an event said that it could not be written.
    :param gathered: whether others, who came during another pass, left theirs to this one.
    """

    queue: ClassVar[Queue] = Queue.RECONCILE
    definition: ImageId
    cause: str
    failed: str = ""
    gathered: bool = False


@dataclass(frozen=True, slots=True)
class Replicate:
    """Bring a version to a region.

    :param again: the region is there but failed; it is to be repaired.
    :param back: somebody added the region, and a write of ours that crossed theirs lost it.
    """

    queue: ClassVar[Queue] = Queue.REPLICATE
    version: VersionId
    region: str
    since: datetime
    deadline: datetime
    again: bool = False
    back: bool = False


@dataclass(frozen=True, slots=True)
class Watch:
    """Look how far a version has come.

    :param look: 1, 2, ...; a look that is behind what ``rollouts`` remembers is a double and ends.
    """

    queue: ClassVar[Queue] = Queue.WATCH
    version: VersionId
    look: int
    since: datetime
    deadline: datetime


@dataclass(frozen=True, slots=True)
class Prune:
    """Take an older version out of the regions that it may leave.

    :param batch: the prunes that were asked for together; empty for one that was asked for alone.
    """

    queue: ClassVar[Queue] = Queue.PRUNE
    version: VersionId
    since: datetime
    deadline: datetime
    batch: str = ""


@dataclass(frozen=True, slots=True)
class Notify:
    """Post a status to one receiver, or to several: then each gets a message of its own.

    :param webhook: position and kind (``"1-teams"``, ``"1-teams,3-topic"``), never a URL, which is a credential.
    :param event: the status as CloudEvent.
    :param attempt: how often it was posted in vain.
    """

    queue: ClassVar[Queue] = Queue.NOTIFY
    webhook: str
    event: Mapping[str, Any]
    since: datetime
    deadline: datetime
    attempt: int = 0

    @classmethod
    def to(cls, names: Sequence[str], event: Mapping[str, Any], *, since: datetime, deadline: datetime) -> Self:
        """Make the message for receivers."""
        return cls(",".join(names), event, since, deadline)

    @property
    def each(self) -> "list[Notify]":
        """Give a message for each receiver."""
        return [replace(self, webhook=name) for name in self.webhook.split(",")]

    def failed_once_more(self) -> "Notify":
        """Give the message for the next try."""
        return replace(self, attempt=self.attempt + 1)


type Message = Reconcile | Replicate | Watch | Prune | Notify

KINDS: Mapping[Queue, type[Message]] = {kind.queue: kind for kind in (Reconcile, Replicate, Watch, Prune, Notify)}


def write(message: Message) -> str:
    """Give the text of a message, ready for its queue."""
    values = {field.name: _plain(getattr(message, field.name)) for field in fields(message)}
    return json.dumps({"schema": SCHEMA, **values}, separators=(",", ":"))


def read(queue: Queue, text: str) -> Message:
    """Read the text of a message of a queue.

    :raises Malformed: when it is anything else.
    """
    kind = KINDS[queue]
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        raise Malformed(f"a message in {queue} is not JSON") from None
    if not isinstance(values, dict) or values.get("schema") != SCHEMA:
        raise Malformed(f"a message in {queue} is not an object of schema {SCHEMA}")
    given = [field for field in fields(kind) if field.name in values or field.default is MISSING]
    return kind(**{field.name: _value(queue, field.name, field.type, values.get(field.name)) for field in given})


def ticketed(text: str, ticket: str) -> str:
    """Give the text of a message that is put back with the ticket that it has: put anew, it is another in its queue."""
    return json.dumps({**json.loads(text), "ticket": ticket}, separators=(",", ":"))


def ticket_in(text: str) -> str | None:
    """Find the ticket of a message that was put back; ``None`` for what no queue gives as an id.

    A ticket goes into rows and names, which do not take any text.
    """
    ticket = json.loads(text).get("ticket")
    fits = isinstance(ticket, str) and 0 < len(ticket) <= _LONGEST_TICKET and ticket.isascii() and ticket.isprintable()
    return ticket if fits else None


def delayed(text: str, delay: timedelta) -> str:
    """Give the text of a message that is put to wait: a queue tells when it was put, and not when it was due.

    What is no message stays as it is, and so does one that neither waits nor has waited.
    """
    values = _object(text)
    if values is None or not (delay or _DELAY in values):
        return text
    return json.dumps({**values, _DELAY: delay.total_seconds()}, separators=(",", ":"))


def lateness(text: str, put: datetime | None, now: datetime) -> timedelta:
    """Tell how long a message was due before somebody took it.

    :param put: when it was put, as its queue says; ``None`` when it does not, and nothing is known then.
    """
    waited = (_object(text) or {}).get(_DELAY, 0)
    if put is None or not isinstance(waited, int | float) or not 0 <= waited <= LONGEST_DELAY.total_seconds():
        return timedelta(0)
    return max(now - put - timedelta(seconds=waited), timedelta(0))


def _object(text: str) -> dict[str, Any] | None:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None


def bury(text: str, reason: str) -> str:
    """Wrap the text of a message that we give up on, so that its reason goes with it.

    One too long goes bare; one that grew when it was decoded, because its bytes are no text, goes as far as it fits.
    """
    wrapped = json.dumps({"schema": SCHEMA, "buried": text, "reason": reason}, separators=(",", ":"))
    kept = wrapped if len(wrapped) <= _LONGEST_TEXT else text
    return kept.encode(errors="replace")[:_LONGEST_TEXT].decode(errors="ignore")


def unearth(text: str) -> tuple[str, str | None]:
    """Give the text of a buried message as it was, and the reason; ``None`` for one that the host gave up on."""
    values = _object(text)
    if values and isinstance(values.get("buried"), str) and isinstance(values.get("reason"), str):
        return values["buried"], values["reason"]
    return text, None


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, ImageId | VersionId) else value


def _value(queue: Queue, name: str, kind: Any, given: object) -> Any:
    reader = _READERS[kind]
    try:
        return reader(given)
    except (TypeError, ValueError) as fault:
        raise Malformed(plain(f"a message in {queue} has a bad {name}: {fault}")) from None


def _exactly[T](kind: type[T]) -> Callable[[object], T]:
    def check(given: object) -> T:
        if type(given) is not kind:
            raise TypeError(f"wanted {kind.__name__}, given {type(given).__name__}")
        return given

    return check


def _text(given: object) -> str:
    text = _exactly(str)(given)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("it holds half a letter, which no row can hold") from None
    return text


def _moment(given: object) -> datetime:
    moment = datetime.fromisoformat(_text(given))
    if moment.tzinfo is None:
        raise ValueError("wanted a time with an offset")
    return moment


_READERS: Mapping[Any, Callable[[object], object]] = {
    str: _text,
    int: _exactly(int),
    bool: _exactly(bool),
    datetime: _moment,
    ImageId: lambda given: ImageId.parse(_text(given)),
    VersionId: lambda given: VersionId.parse(_text(given)),
    Mapping[str, Any]: _exactly(dict),
}
