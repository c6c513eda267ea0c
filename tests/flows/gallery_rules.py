"""The rules of a gallery in the words of ARM's JSON: written anew here, so that a mistake in the planner shows."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from local.azure import Request
from tests.flows.world import short

_GOOD = ("Succeeded", "Updating")


@dataclass(frozen=True)
class Seen:
    """A gallery as it stood at a moment: versions by number, who uses them where, and what the policy wants."""

    versions: Mapping[str, Mapping[str, Any]]
    uses: frozenset[tuple[str, str]]
    tags: Mapping[str, str]
    regions: Mapping[str, int]
    keep_latest: int
    home_replicas: int
    mode: str
    exclusive: bool

    @classmethod
    def of(
        cls,
        versions: Mapping[str, Mapping[str, Any]],
        policy: Mapping[str, str],
        uses: Iterable[tuple[str, str]],
        tags: Mapping[str, str],
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

    def kept(self) -> list[str]:
        """Name the newest good versions that are not excluded, newest first."""
        good = [name for name, version in self.versions.items() if _good(version) and not _excluded(version)]
        return sorted(good, key=_number, reverse=True)[: self.keep_latest]

    def belongs_everywhere(self, name: str) -> bool:
        """Whether a version is one of the newest, or staged before them."""
        kept = self.kept()
        staged = _excluded(self.versions[name]) and (not kept or _number(name) > _number(kept[0]))
        return _good(self.versions[name]) and (name in kept or staged)

    def protected(self, name: str) -> bool:
        """Whether a tag keeps a version as it is."""
        return any(_keeps(tags) for tags in (self.versions[name].get("tags") or {}, self.tags))


def removals_are_safe(before: Seen, write: Request) -> None:
    """Hold a write against what was seen just before it."""
    name = write.path.rpartition("/")[2]
    version = before.versions[name]
    profile = write.body["properties"].get("publishingProfile")
    assert version["properties"]["provisioningState"] not in ("Creating", "Updating"), "somebody's write was under way"
    assert not before.protected(name), f"{name} is protected by a tag"
    if profile is None:
        return
    gone = _regions(version).keys() - {short(region["name"]) for region in profile["targetRegions"]}
    if not gone:
        return
    assert before.mode == "full"
    assert _home(version) not in gone
    assert not [region for region in gone if (name, region) in before.uses], f"{name} is in use in {gone}"
    kept = before.kept()
    if name in kept:
        assert before.exclusive
        assert not gone & before.regions.keys()
        assert before.regions.keys() <= {region for region, state in _states(version).items() if state == "Completed"}
        return
    newest = _states(before.versions[kept[0]])
    assert all(newest.get(region) == "Completed" for region in gone), f"{name} left {gone}, the newest is in {newest}"


def settled(seen: Seen, remembered: Callable[[], str]) -> None:
    """Hold a gallery that was left alone for long against what the policy wants."""
    kept = seen.kept()
    for name, version in seen.versions.items():
        states = _states(version)
        if seen.protected(name) or not _good(version):
            continue
        if seen.belongs_everywhere(name):
            there = {region for region, state in states.items() if state in ("Completed", "Failed")}
            failed = {region for region, state in states.items() if state == "Failed"}
            assert seen.regions.keys() <= there or failed, f"{name} is in {states}; {remembered()}"
            continue
        if seen.mode != "full":
            continue
        newest = _states(seen.versions[kept[0]])
        for region in states.keys() - {_home(version)}:
            excused = (name, region) in seen.uses or newest.get(region) != "Completed"
            assert excused, f"{name} is still in {states}; the newest is in {newest}; {remembered()}"


def _good(version: Mapping[str, Any]) -> bool:
    return version["properties"]["provisioningState"] in _GOOD


def _excluded(version: Mapping[str, Any]) -> bool:
    return bool(version["properties"]["publishingProfile"].get("excludeFromLatest"))


def _number(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in name.split("."))


def _home(version: Mapping[str, Any]) -> str:
    return short(version["location"])


def _regions(version: Mapping[str, Any]) -> dict[str, int]:
    targets = version["properties"]["publishingProfile"]["targetRegions"]
    return {short(region["name"]): region["regionalReplicaCount"] for region in targets}


def _states(version: Mapping[str, Any]) -> dict[str, str]:
    summary = {entry["region"]: entry["state"] for entry in version["properties"]["replicationStatus"]["summary"]}
    return {region: summary.get(region, "Unknown") for region in _regions(version)}


def _keeps(tags: Mapping[str, str]) -> bool:
    return any(name.lower() == "gallery-fanout-keep" and value != "false" for name, value in tags.items())
