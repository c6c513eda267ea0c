"""Short ways to say what a gallery looks like, and what a plan does with it."""

from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

from shared.core.model import Definition, ImageVersion, ProvisioningState, Region, RegionState
from shared.core.names import ImageId, VersionId
from shared.core.plan import Action, Line, Plan
from shared.core.planner import plan
from shared.core.policy import Policy
from shared.core.target_regions import RegionDefaults, parse_target_regions
from shared.core.usage import Usage, Use

NOW = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SUBSCRIPTION = "12345678-9abc-def0-1234-56789abcdef0"
GALLERY_ID = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/images-rg/providers/Microsoft.Compute/galleries/prodgallery"
IMAGE_ID = f"{GALLERY_ID}/images/ubuntu-2204"
VERSION_ID = f"{IMAGE_ID}/versions/1.0.3"
IMAGE = ImageId.parse(IMAGE_ID)
HOME = "westeurope"
EVERYWHERE = (HOME, "eastus2", "southeastasia")
THREE = "westeurope eastus2 southeastasia"


def version_id(number: str) -> VersionId:
    """Name a version of the one image definition."""
    return VersionId.parse(f"{IMAGE_ID}/versions/{number}")


def region(name: str, state: RegionState = RegionState.COMPLETED, *, replicas: int = 1, **more: Any) -> Region:
    """Make a region where the version is complete, unless told otherwise."""
    return Region(name, replicas, state=state, **more)


def version(number: str, *regions: Region | str, **more: Any) -> ImageVersion:
    """Make a good version, complete at home, unless told otherwise."""
    placed = tuple(region(each) if isinstance(each, str) else each for each in regions or (HOME,))
    given = {"home": HOME, "state": ProvisioningState.SUCCEEDED, "published": NOW - HOUR, "disk_gib": 30, **more}
    return ImageVersion(version_id(number), regions=placed, **given)


def old(**more: Any) -> ImageVersion:
    """Make an older version that is in all three regions, with two replicas at home."""
    return version("1.0.1", region(HOME, replicas=2), "eastus2", "southeastasia", **more)


def usage(*uses: tuple[str, str, str]) -> Usage:
    """Say who uses what: number of a version, region, resource."""
    return Usage.of(Use(version_id(number).number, place, by) for number, place, by in uses)


def definition(*versions: ImageVersion, **more: Any) -> Definition:
    """Make the image definition with these versions."""
    return Definition(IMAGE, versions, **more)


def policy(regions: str = THREE, **more: Any) -> Policy:
    """Make a policy."""
    return Policy(parse_target_regions(regions, RegionDefaults()), **more)


def planned(*versions: ImageVersion, by: Policy | None = None, cap: int | None = None, **more: Any) -> Plan:
    """Plan for an image definition with these versions, now."""
    return plan(definition(*versions, **more), by or policy(), now=NOW, cap=cap)


def lines(made: Plan, number: str) -> dict[str, Line]:
    """Find the line of each region of a version."""
    found = made.of(version_id(number).number)
    assert found is not None
    return {line.region: line for line in found.lines}


def actions(made: Plan, number: str) -> dict[str, Action]:
    """Say what a plan does with each region of a version."""
    return {name: line.action for name, line in lines(made, number).items()}


def reasons(made: Plan, number: str) -> dict[str, str]:
    """Say why a plan does that."""
    return {name: line.reason for name, line in lines(made, number).items()}


def tables(module: str) -> list[list[str]]:
    """Find the truth tables above a module of the planner: the first column of each, without head and markup."""
    found: list[list[str]] = []
    before = ""
    for line in (import_module(f"shared.core.planner.{module}").__doc__ or "").splitlines():
        if line.startswith("|--"):
            found.append([])
        elif line.startswith("|") and before.startswith("|"):
            found[-1].append(line.split("|")[1].strip().replace("``", ""))
        before = line
    return found
