"""How an image definition stands, as people are told of it at a glance."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from shared.core.names import ImageId
from shared.core.status.history import Finished, Kept, Pruned, Running
from shared.core.status.places import Place
from shared.core.times import iso, moment


@dataclass(frozen=True, slots=True)
class DefinitionStatus:
    """How an image definition stands.

    :param seen: when Azure was last asked; ``cause`` says why.
    :param newest: the version that is "latest" for whoever makes VMs; empty when none is.
    :param places: how the newest stands in each region.
    :param newer: newer versions that do not count -> what Azure says of them.
    :param pruning: versions whose prune is under way.
    :param refused: version -> why Azure will not prune it.
    :param finished: rollouts that came to their end, the last one last; those that were over when first seen are not
        among them.
    :param pruned: the last prunes, the last one first.
    :param kept: older versions that stay in more regions than their home, the newest first.
    :param more_kept: how many more of those there are.
    :param versions: how many versions there are.
    :param capped: how many prunes wait for a later pass.
    :param warnings: what people should look at some day.
    :param homes: home region -> how many of the versions have it. Rows of releases before have none.
    """

    image: ImageId
    seen: datetime
    cause: str
    mode: str = "full"
    newest: str = ""
    published: datetime | None = None
    places: tuple[Place, ...] = ()
    newer: Mapping[str, str] = field(default_factory=dict)
    running: tuple[Running, ...] = ()
    pruning: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    finished: tuple[Finished, ...] = ()
    pruned: tuple[Pruned, ...] = ()
    kept: tuple[Kept, ...] = ()
    more_kept: int = 0
    versions: int = 0
    capped: int = 0
    warnings: tuple[str, ...] = ()
    homes: Mapping[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Give the stored form."""
        return {
            "image": str(self.image),
            "seen": self.seen.isoformat(),
            "cause": self.cause,
            "mode": self.mode,
            "newest": self.newest,
            "published": iso(self.published),
            "places": [each.to_json() for each in self.places],
            "newer": dict(self.newer),
            "running": [each.to_json() for each in self.running],
            "pruning": list(self.pruning),
            "refused": dict(self.refused),
            "finished": [each.to_json() for each in self.finished],
            "pruned": [each.to_json() for each in self.pruned],
            "kept": [each.to_json() for each in self.kept],
            "moreKept": self.more_kept,
            "versions": self.versions,
            "capped": self.capped,
            "warnings": list(self.warnings),
            "homes": dict(self.homes),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read the stored form."""
        return cls(
            image=ImageId.parse(stored["image"]),
            seen=datetime.fromisoformat(stored["seen"]),
            cause=stored["cause"],
            mode=stored["mode"],
            newest=stored["newest"],
            published=moment(stored["published"]),
            places=tuple(Place.from_json(each) for each in stored["places"]),
            newer=stored["newer"],
            running=tuple(Running.from_json(each) for each in stored["running"]),
            pruning=tuple(stored["pruning"]),
            refused=stored["refused"],
            finished=tuple(Finished.from_json(each) for each in stored["finished"]),
            pruned=tuple(Pruned.from_json(each) for each in stored["pruned"]),
            kept=tuple(Kept.from_json(each) for each in stored["kept"]),
            more_kept=stored["moreKept"],
            versions=stored["versions"],
            capped=stored["capped"],
            warnings=tuple(stored["warnings"]),
            homes=stored.get("homes", {}),
        )
