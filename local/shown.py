"""Image versions as ARM shows them, and writes as they were sent: what they say of regions and states."""

from collections.abc import Mapping
from typing import Any

from local.azure import Request
from local.azure.regions import short

type Json = Mapping[str, Any]


def home(version: Json) -> str:
    """Give the region that a version belongs to."""
    return short(version["location"])


def targets(version: Json) -> dict[str, int]:
    """Give the regions that a version is to be in, each with its replicas."""
    named = version["properties"]["publishingProfile"]["targetRegions"]
    return {short(region["name"]): region["regionalReplicaCount"] for region in named}


def hidden(version: Json) -> set[str]:
    """Name the regions where a version is hidden from latest."""
    named = version["properties"]["publishingProfile"]["targetRegions"]
    return {short(region["name"]) for region in named if region.get("excludeFromLatest")}


def states(version: Json) -> dict[str, str]:
    """Give the regions that a version is to be in, each with its state."""
    summary = {entry["region"]: entry["state"] for entry in version["properties"]["replicationStatus"]["summary"]}
    return {region: summary.get(region, "Unknown") for region in targets(version)}


def written(write: Request) -> dict[str, Json]:
    """Give the regions that a write names; none where it is about something else."""
    profile = write.body["properties"].get("publishingProfile") or {"targetRegions": []}
    return {short(region["name"]): region for region in profile["targetRegions"]}


def good(version: Json) -> bool:
    """Whether machines can be made from a version, where it is."""
    return version["properties"]["provisioningState"] in ("Succeeded", "Updating")


def mended(version: Json) -> bool:
    """Whether Azure calls a version Failed, and a region of it failed: that can be repaired."""
    return version["properties"]["provisioningState"] == "Failed" and "Failed" in states(version).values()


def excluded(version: Json) -> bool:
    """Whether a version is excluded from latest."""
    return bool(version["properties"]["publishingProfile"].get("excludeFromLatest"))


def dated(version: Json) -> bool:
    """Whether it is known when a version was published."""
    return bool(version["properties"]["publishingProfile"].get("publishedDate"))


def number(name: str) -> tuple[int, ...]:
    """Give the number of a version, to compare it with others."""
    return tuple(int(part) for part in name.split("."))


def keeps(tags: Mapping[str, str]) -> bool:
    """Whether tags say that regions are to be left alone."""
    return any(name.lower() == "gallery-fanout-keep" and value != "false" for name, value in tags.items())
