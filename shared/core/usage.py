"""Who makes machines from which version, and where."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from shared.core.names import VersionNumber


@dataclass(frozen=True, slots=True)
class Use:
    """A resource that references an exact version.

    :param region: where the resource is.
    :param by: the resource, for people: ``scale set web-prod``.
    """

    number: VersionNumber
    region: str
    by: str


@dataclass(frozen=True, slots=True)
class Usage:
    """The uses of an image definition's versions.

    :param unknown: why they are not known; then nothing may be pruned. Empty when they are.
    :param ask_again: how long to wait before asking again is worth while; ``None``: until the next pass.
    """

    users: Mapping[tuple[VersionNumber, str], tuple[str, ...]] = field(default_factory=dict)
    unknown: str = ""
    ask_again: timedelta | None = None

    @classmethod
    def of(cls, uses: Iterable[Use]) -> "Usage":
        """Gather uses by version and region."""
        users: dict[tuple[VersionNumber, str], list[str]] = {}
        for use in uses:
            users.setdefault((use.number, use.region), []).append(use.by)
        return cls({place: tuple(sorted(set(names))) for place, names in users.items()})

    def reason(self, number: VersionNumber, region: str) -> str:
        """Say who references a version in a region: ``scale set web-prod and 2 more reference 1.0.1``."""
        users = self.users.get((number, region), ())
        if len(users) > 1:
            return f"{users[0]} and {len(users) - 1} more reference {number}"
        return f"{users[0]} references {number}" if users else ""
