"""How test code describes the versions that it puts there."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime
from typing import Any, TypedDict

from local.azure import regions
from local.azure.names import ResourceId
from local.azure.state import Json


@dataclass(frozen=True, slots=True)
class Region:
    """A target region; what is None takes the publishing profile's value, `extra` goes into its JSON as it is."""

    name: str
    _: KW_ONLY
    replicas: int | None = None
    storage_account_type: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def document(self) -> Json:
        """Return the region as a request's body has it."""
        settings = {"regionalReplicaCount": self.replicas, "storageAccountType": self.storage_account_type}
        return {"name": self.name, **settings, **self.extra}


class VersionOptions(TypedDict, total=False):
    """What may be said of a version that is put there.

    `home` defaults to the gallery's location and `regions` to the home alone. `published`: left out, now by the
    clock; None, a version without a date. `provisioning_state`: the state it stands in or, when publishing, ends in.
    `completed`: whether its regions are Completed already; False starts to replicate into them by the behaviour
    (only `add_version`: publishing always replicates).
    """

    home: str
    regions: Sequence[str | Region] | None
    published: datetime | None
    excluded: bool
    provisioning_state: str
    safety_flag: bool
    tags: Mapping[str, str] | None
    shallow: bool
    size_gib: int
    completed: bool


def body(image: ResourceId, home: str, options: VersionOptions) -> Json:
    """Return the body of the PUT that a build pipeline would send."""
    wanted = options.get("regions") or [home]
    targets = [Region(region) if isinstance(region, str) else region for region in wanted]
    publishing: Json = {
        "targetRegions": [target.document() for target in targets],
        "excludeFromLatest": options.get("excluded", False),
    }
    if options.get("shallow", False):
        publishing["replicationMode"] = "Shallow"
    sent: Json = {
        "location": regions.short(home),
        "properties": {
            "publishingProfile": publishing,
            "storageProfile": {"source": {"id": _source(image)}},
            "safetyProfile": {"allowDeletionOfReplicatedLocations": options.get("safety_flag", False)},
        },
    }
    tags = options.get("tags")
    return sent | ({"tags": dict(tags)} if tags is not None else {})


def _source(image: ResourceId) -> str:
    """Return the id of a managed image that a version is made from."""
    scope = f"/subscriptions/{image.subscription}/resourceGroups/{image.group}"
    return f"{scope}/providers/Microsoft.Compute/images/{image.name}-build"


def gallery_document(resource: ResourceId, *, location: str, tags: Mapping[str, str] | None) -> Json:
    """Return a gallery as ARM shows it (shape seen in captured traffic)."""
    return {
        "name": resource.name,
        "id": resource.text,
        "type": "Microsoft.Compute/galleries",
        "location": regions.short(location),
        **({"tags": dict(tags)} if tags is not None else {}),
        "properties": {
            "identifier": {"uniqueName": f"{resource.subscription}-{resource.name.upper()}"},
            "provisioningState": "Succeeded",
        },
    }


def image_document(resource: ResourceId, *, location: str, tags: Mapping[str, str] | None) -> Json:
    """Return an image definition as ARM shows it (shape seen in captured traffic)."""
    return {
        "name": resource.name,
        "id": resource.text,
        "type": "Microsoft.Compute/galleries/images",
        "location": location,
        **({"tags": dict(tags)} if tags is not None else {}),
        "properties": {
            "hyperVGeneration": "V2",
            "osType": "Linux",
            "osState": "Generalized",
            "identifier": {"publisher": "Contoso", "offer": "Images", "sku": resource.name},
            "provisioningState": "Succeeded",
        },
    }
