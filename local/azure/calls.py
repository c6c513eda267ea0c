"""A request to ARM as routes see it, and what they answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.azure.names import ResourceId, requested
from local.azure.state import Json


@dataclass(frozen=True, slots=True)
class Call:
    """A request to ARM, parsed. `endpoint` is what absolute URLs in answers begin with."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    endpoint: str

    @property
    def id(self) -> ResourceId:
        """The id in the path."""
        return requested(self.path)

    @property
    def subscription(self) -> str:
        """The subscription in the path, in lower case; empty when there is none."""
        parts = self.id.key.strip("/").split("/")
        return parts[1] if len(parts) > 1 and parts[0] == "subscriptions" else ""

    @property
    def owner(self) -> ResourceId:
        """The id in the path of a list, without the list's own segment."""
        return ResourceId(self.id.text.rsplit("/", 1)[0])


@dataclass(frozen=True, slots=True)
class Answer:
    """What ARM answers; `body` None is an empty body. `budget` names the calls it counts against (None: a list)."""

    status: int
    body: Json | None
    headers: Mapping[str, str] = field(default_factory=dict)
    budget: str | None = None
