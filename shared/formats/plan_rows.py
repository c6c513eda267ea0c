"""A plan as facts, for programs and people: a row per version and region, and what it all comes to.

``docs/plan.schema.json`` describes its JSON.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from shared.core.names import ImageId
from shared.core.plan import Action, Line, Plan, VersionPlan
from shared.core.policy import Mode
from shared.core.times import iso

_SCHEMA = 1
_FIRST = (Action.ADD, Action.SIZE, Action.REMOVE, Action.WAIT, Action.SKIP, Action.KEEP)


@dataclass(frozen=True, slots=True)
class Row:
    """One region of one version: what a pass does with it, and why."""

    image: ImageId
    each: VersionPlan
    line: Line

    @property
    def before(self) -> int:
        """How many replicas there are."""
        return self.each.replicas_before(self.line.region)

    @property
    def after(self) -> int:
        """How many there are once the plan is done; what waits is not part of it."""
        return self.line.replicas if self.line.changes else self.before

    def to_json(self) -> dict[str, Any]:
        """Give it as programs read it."""
        return {
            "definition": str(self.image),
            "gallery": str(self.image.gallery.gallery),
            "image": str(self.image.image),
            "version": self.each.version.number.name,
            "role": self.each.role.value,
            "region": self.line.region,
            "action": self.line.action.value,
            "replicasBefore": self.before,
            "replicas": self.after,
            "storageAccountType": self.line.storage_account_type,
            "reason": self.line.reason,
            "until": iso(self.line.until),
            "settled": self.line.settled,
        }


@dataclass(frozen=True, slots=True)
class Planned:
    """The plan of one image definition, and the mode that holds for it."""

    plan: Plan
    mode: Mode

    @property
    def rows(self) -> list[Row]:
        """Its rows: newest version first, and of a version what changes first."""
        return [
            Row(self.plan.image, each, line)
            for each in self.plan.versions
            for line in sorted(each.lines, key=lambda line: _FIRST.index(line.action))
        ]

    def to_json(self) -> dict[str, Any]:
        """Give what is to be said of the image definition as a whole."""
        return {
            "id": str(self.plan.image),
            "gallery": str(self.plan.image.gallery.gallery),
            "image": str(self.plan.image.image),
            "mode": self.mode.value,
            "versions": len(self.plan.versions),
            "changes": not self.plan.empty,
            "capped": self.plan.capped,
            "withdrawn": self.plan.withdrawn,
            "warnings": list(self.plan.warnings),
        }


def _order(image: ImageId) -> tuple[str, str]:
    return str(image.gallery).casefold(), image.image.casefold()


@dataclass(frozen=True)
class Report:
    """What a pass over some image definitions would do.

    :param given: the plan of each, in any order.
    :param notes: what people should know of how it was made.
    """

    at: datetime
    given: Sequence[Planned]
    notes: Sequence[str] = ()

    @cached_property
    def definitions(self) -> Sequence[Planned]:
        """The image definitions, in the order of their names."""
        return sorted(self.given, key=lambda each: _order(each.plan.image))

    @cached_property
    def rows(self) -> Sequence[Row]:
        """Every region of every version."""
        return [row for each in self.definitions for row in each.rows]

    @property
    def changes(self) -> bool:
        """Whether there is anything to do now."""
        return any(not each.plan.empty for each in self.given)

    @cached_property
    def totals(self) -> dict[str, int]:
        """What it comes to. A version is changed by one write, whatever that does; GiB are upper bounds."""
        versions = [each for planned in self.given for each in planned.plan.versions]
        actions = Counter(row.line.action for row in self.rows)
        return {
            "definitions": len(self.given),
            "versions": len(versions),
            "writes": sum(bool(each.changes) for each in versions),
            "regionsAdded": actions[Action.ADD],
            "regionsRemoved": actions[Action.REMOVE],
            "regionsSized": actions[Action.SIZE],
            "regionsWaiting": actions[Action.WAIT],
            "gibAdded": sum(each.gib_added for each in versions),
            "gibFreed": sum(each.gib_freed for each in versions),
        }

    def to_json(self) -> dict[str, Any]:
        """Give it as programs read it."""
        return {
            "schema": _SCHEMA,
            "at": self.at.isoformat(),
            "changes": self.changes,
            "totals": self.totals,
            "definitions": [each.to_json() for each in self.definitions],
            "rows": [row.to_json() for row in self.rows],
            "notes": list(self.notes),
        }
