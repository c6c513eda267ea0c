"""What is remembered of an image definition from one pass to the next. Azure does not hold it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from shared.core.names import VersionNumber
from shared.core.tags import Tagged
from shared.core.times import iso, moment

_MOST_SAID = 50
_ABOUT_NOW = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered of an image definition.

    :param newest: the newest kept version at the last pass: when an older one is the newest, it was withdrawn.
    :param next_pass: when a pass that asked for another one will have it.
    :param reported: the plan that was reported last (mode observe), as the identity of its notice.
    :param reports: how many plans were reported, to tell one that comes back from the one that it was.
    :param said: what was said once and need not be said again, as identities of notices, the latest last.
    :param tags: those that the pass went by that found the newest version, or a later one that found others: who writes
        soon need not read them.
    """

    newest: VersionNumber | None = None
    next_pass: datetime | None = None
    reported: str = ""
    said: tuple[str, ...] = ()
    reports: int = 0
    tags: Tagged | None = None

    def expects(self, due: datetime, now: datetime) -> bool:
        """Whether another pass comes by then anyway; the one that comes just now is not another."""
        return self.next_pass is not None and now + _ABOUT_NOW < self.next_pass <= due

    def expecting(self, due: datetime) -> Self:
        """Remember when the next pass comes."""
        return replace(self, next_pass=due)

    def having(self, newest: VersionNumber) -> Self:
        """Remember the newest kept version."""
        return replace(self, newest=newest)

    def ruled_by(self, tags: Tagged) -> Self:
        """Remember the tags that a pass went by, unless later ones are remembered."""
        return replace(self, tags=tags.or_later(self.tags))

    def misleads(self, tags: Tagged) -> bool:
        """Whether other tags are remembered than a pass has read since."""
        return self.tags is not None and not self.tags.says_as(tags.or_later(self.tags))

    def reporting(self, plan: str) -> Self:
        """Remember the plan that was reported."""
        return replace(self, reported=plan, reports=self.reports + 1)

    def saying(self, notice: str) -> Self:
        """Remember that something was said."""
        return replace(self, said=(*self.said, notice)[-_MOST_SAID:])

    def to_json(self) -> dict[str, Any]:
        """Give the stored form."""
        return {
            "newest": self.newest.name if self.newest else None,
            "nextPass": iso(self.next_pass),
            "reported": self.reported,
            "said": list(self.said),
            "reports": self.reports,
            "tags": self.tags.to_json() if self.tags else None,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read the stored form."""
        return cls(
            newest=VersionNumber.parse(stored["newest"]) if stored["newest"] else None,
            next_pass=moment(stored["nextPass"]),
            reported=stored["reported"],
            said=tuple(stored["said"]),
            reports=stored.get("reports", 0),
            tags=Tagged.from_json(stored["tags"]) if stored.get("tags") else None,
        )
