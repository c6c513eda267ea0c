"""What the simulated Azure holds: galleries, image definitions, image versions and operations, as data."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from local.azure.behaviour import Pace
from local.azure.names import ResourceId

type Json = dict[str, Any]


class OperationKind(StrEnum):
    """What an asynchronous operation does to a version."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"

    @property
    def provisioning_state(self) -> str:
        """The version's state while the operation runs."""
        return {"create": "Creating", "update": "Updating", "delete": "Deleting"}[self]


class OperationStatus(StrEnum):
    """What a poll of an operation says."""

    IN_PROGRESS = "InProgress"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True)
class Progress:
    """Something under way: its pace, when it began and how often the version had been read by then."""

    pace: Pace
    started: float
    reads_before: int

    def fraction(self, now: float, reads: int) -> float:
        """Return how much is done, 0.0 to 1.0."""
        return self.pace.fraction(seconds=now - self.started, reads=reads - self.reads_before)

    def done(self, now: float, reads: int) -> bool:
        """Tell whether it is over."""
        return self.fraction(now, reads) >= 1.0


@dataclass(frozen=True, slots=True)
class Replication:
    """One region's copy of a version; `doomed` ones end Failed."""

    region: str
    progress: Progress
    doomed: bool = False

    def failed(self, now: float, reads: int) -> bool:
        """Tell whether it has ended Failed."""
        return self.doomed and self.progress.done(now, reads)


@dataclass(frozen=True, slots=True)
class Leaving:
    """A region that was taken out and is still being removed: until `progress` is done, or else the operation."""

    replication: Replication
    operation: str
    progress: Progress | None


@dataclass(slots=True)
class Operation:
    """An asynchronous operation on a version, as polled."""

    guid: str
    kind: OperationKind
    version: ResourceId
    location: str
    progress: Progress
    started_text: str
    awaited: frozenset[str] = frozenset()
    outcome: str = "Succeeded"
    status: OperationStatus = OperationStatus.IN_PROGRESS
    ended_text: str | None = None
    error: Json | None = None


@dataclass(slots=True)
class Version:
    """An image version. `document` is what answers show, without the states, which move."""

    id: ResourceId
    document: Json
    provisioning_state: str
    size_gib: int
    reads: int = 0
    replications: dict[str, Replication] = field(default_factory=dict)
    leaving: dict[str, Leaving] = field(default_factory=dict)
    running: list[Operation] = field(default_factory=list)

    @property
    def home(self) -> str:
        """The region that the version belongs to, as its document spells it."""
        return str(self.document["location"])

    def pending(self, now: float) -> bool:
        """Tell whether anything of it may still change by itself."""
        replications = self.replications.values()
        return bool(self.running or self.leaving) or any(not r.progress.done(now, self.reads) for r in replications)
