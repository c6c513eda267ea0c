"""The rules of a gallery in the words of ARM's JSON: written anew here, so that a mistake in the planner shows."""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Self

from local.azure import Request
from local.shown import Json, dated, excluded, good, hidden, home, keeps, mended, number, states, targets, written

type Place = tuple[str, str]
"""A version, by its number, in a region."""


@dataclass(frozen=True)
class Seen:
    """A gallery as it stood at a moment: versions by number, who uses them where, and what the policy wants.

    `mending` is whether a version that Azure calls Failed because of a region counts, as it does for the app while that
    region can be repaired. Only the app knows whether it can: see `readings`.
    """

    versions: Mapping[str, Json]
    uses: frozenset[Place]
    tags: Mapping[str, str]
    regions: Mapping[str, int]
    keep_latest: int
    home_replicas: int
    mode: str
    exclusive: bool
    mending: bool = False

    @classmethod
    def of(
        cls, versions: Mapping[str, Json], policy: Mapping[str, str], uses: Iterable[Place], tags: Mapping[str, str]
    ) -> Self:
        """Say what holds: the versions as ARM shows them, the settings, version and region of each use, all tags."""
        named = tags.get("gallery-fanout-regions", policy["regions"]).replace(";", " ")
        words = [word.partition("=") for word in named.split()]
        return cls(
            versions=versions,
            uses=frozenset(uses),
            tags=tags,
            regions={name: int(replicas or 1) for name, _, replicas in words},
            keep_latest=int(tags.get("gallery-fanout-keep-latest", policy.get("KEEP_LATEST", "1"))),
            home_replicas=int(policy.get("HOME_REPLICA_COUNT", "1")),
            mode=policy.get("MODE", "full"),
            exclusive="exclusive" in policy.get("POLICY_OVERRIDES", ""),
        )

    def readings(self) -> "tuple[Seen, Seen]":
        """Give both ways to see it; what is right either way is right."""
        return replace(self, mending=False), replace(self, mending=True)

    def good(self, version: Json) -> bool:
        """Whether a version counts."""
        return good(version) or (self.mending and mended(version))

    def kept(self) -> list[str]:
        """Name the newest good versions that are not excluded, newest first."""
        found = [name for name, version in self.versions.items() if self.good(version) and not excluded(version)]
        return sorted(found, key=number, reverse=True)[: self.keep_latest]

    def belongs_everywhere(self, name: str) -> bool:
        """Whether a version is one of the newest, or staged before them."""
        kept = self.kept()
        staged = excluded(self.versions[name]) and (not kept or number(name) > number(kept[0]))
        return self.good(self.versions[name]) and (name in kept or staged)

    def protected(self, name: str) -> bool:
        """Whether a tag keeps a version as it is."""
        return any(keeps(tags) for tags in (self.versions[name].get("tags") or {}, self.tags))

    def newest(self) -> Mapping[str, str]:
        """Give the state of each region of the newest version; empty when none is kept."""
        kept = self.kept()
        return states(self.versions[kept[0]]) if kept else {}

    def hidden(self) -> set[str]:
        """Name the regions where the newest version is hidden from latest."""
        kept = self.kept()
        return hidden(self.versions[kept[0]]) if kept else set()


def unsafe(before: Seen, write: Request) -> list[str]:
    """Hold a write against what stood there just before it; say what it breaks."""
    return [*meddling(before, write), *removals(before, write)]


def meddling(before: Seen, write: Request) -> list[str]:
    """Say why nobody should have written at all."""
    name = write.path.rpartition("/")[2]
    state = before.versions[name]["properties"]["provisioningState"]
    faults = {
        "it is protected by a tag": before.protected(name),
        f"somebody's write was under way, it was {state}": state in ("Creating", "Updating"),
    }
    return [f"{name}: {fault}" for fault, holds in faults.items() if holds]


def removals(before: Seen, write: Request) -> list[str]:
    """Say which regions a write should not have taken out."""
    name, wanted = write.path.rpartition("/")[2], written(write)
    gone = targets(before.versions[name]).keys() - wanted.keys() if wanted else set()
    if not gone:
        return []
    return min(
        ([f"{name}: {each}" for each in _unsafely_gone(seen, name, gone)] for seen in before.readings()), key=len
    )


def _unsafely_gone(before: Seen, name: str, gone: AbstractSet[str]) -> Iterator[str]:
    """Say why a version may not leave regions. One that failed may be taken out of a kept version, to be put back."""
    version = before.versions[name]
    if home(version) in gone:
        yield "it left its home"
    used = [region for region in gone if (name, region) in before.uses]
    if used:
        yield f"it left {used}, where it is in use"
    if before.belongs_everywhere(name):
        yield from _unsafely_taken(before, version, gone)
        return
    if before.mode != "full":
        yield f"mode {before.mode} prunes nothing"
    if not dated(version):
        yield "nobody knows when it was published"
    newest = before.newest()
    if any(newest.get(region) != "Completed" for region in gone):
        yield f"it left {sorted(gone)}, and the newest is in {dict(newest)}"
    if latest := gone & before.hidden():
        yield f"it left {sorted(latest)}, where the newest is hidden from latest"


def _unsafely_taken(before: Seen, version: Json, gone: AbstractSet[str]) -> Iterator[str]:
    """Say why a kept version may not leave regions."""
    shown = states(version)
    healthy = {region for region in gone if shown[region] != "Failed"}
    complete = {region for region, state in shown.items() if state == "Completed"}
    if healthy and not (before.exclusive and not healthy & before.regions.keys() and before.regions.keys() <= complete):
        yield f"it is kept, and left {sorted(healthy)}"


def unsettled(seen: Seen, excused: AbstractSet[Place] = frozenset()) -> list[str]:
    """Hold a gallery that was left alone for long against what the policy wants; say what is not so.

    :param excused: where Azure would not have a version, or not let it go.
    """
    return min((_unsettled(reading, excused) for reading in seen.readings()), key=len)


def _unsettled(seen: Seen, excused: AbstractSet[Place]) -> list[str]:
    found = []
    for name, version in seen.versions.items():
        if seen.protected(name):
            continue
        if seen.belongs_everywhere(name):
            found += [(name, region, "is not complete") for region in seen.regions if not _there(seen, version, region)]
        elif good(version) and seen.mode == "full":
            found += [(name, region, "is still there") for region in _to_leave(seen, name)]
    return [
        f"{name} {what} in {region}: it is in {states(seen.versions[name])}, the newest in {dict(seen.newest())}"
        for name, region, what in found
        if (name, region) not in excused
    ]


def _there(seen: Seen, version: Json, region: str) -> bool:
    return states(version).get(region) == "Completed" and targets(version)[region] >= seen.regions[region]


def _to_leave(seen: Seen, name: str) -> list[str]:
    """Find the regions that an older version should have left."""
    version, newest = seen.versions[name], seen.newest()
    if not dated(version):
        return []
    others = states(version).keys() - {home(version)} - seen.hidden()
    return [region for region in others if (name, region) not in seen.uses and newest.get(region) == "Completed"]
