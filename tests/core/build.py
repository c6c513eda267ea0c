"""Short ways to say what a gallery looks like."""

from datetime import UTC, datetime, timedelta
from typing import Any

from shared.core.model import Definition, ImageVersion, ProvisioningState, Region, RegionState
from shared.core.names import ImageId, VersionId
from shared.core.policy import Policy, RegionDefaults, parse_target_regions

NOW = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SUBSCRIPTION = "12345678-9abc-def0-1234-56789abcdef0"
GALLERY_ID = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/images-rg/providers/Microsoft.Compute/galleries/prodgallery"
IMAGE_ID = f"{GALLERY_ID}/images/ubuntu-2204"
VERSION_ID = f"{IMAGE_ID}/versions/1.0.3"
IMAGE = ImageId.parse(IMAGE_ID)
HOME = "westeurope"
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


def definition(*versions: ImageVersion, protected_by: str | None = None) -> Definition:
    """Make the image definition with these versions."""
    return Definition(IMAGE, versions, protected_by)


def policy(regions: str = THREE, **more: Any) -> Policy:
    """Make a policy."""
    return Policy(parse_target_regions(regions, RegionDefaults()), **more)
