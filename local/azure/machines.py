"""Virtual machines and scale sets, as the rows of Azure Resource Graph that they are.

Resource Graph keeps types and resource groups in lower case and ids as the resource was made (seen in public queries).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from local.azure import regions
from local.azure.names import ResourceId
from local.azure.state import Json

type TableName = Literal["resources", "computeresources"]
_SCALE_SETS: Final = "virtualMachineScaleSets"
_VMS: Final = "virtualMachines"


@dataclass(frozen=True, slots=True)
class Reference:
    """What a machine was made from: the id of an image version, or of an image definition, which means its latest.

    `exact_version` is what "latest" was when the machine was made.
    """

    id: str
    exact_version: str | None = None

    def document(self) -> Json:
        """Return the reference as `imageReference` shows it."""
        return {"id": self.id} | ({} if self.exact_version is None else {"exactVersion": self.exact_version})


@dataclass(frozen=True, slots=True)
class Machine:
    """A row and the table that it is in. `scale_set` is the one that an instance belongs to."""

    table: TableName
    row: Json
    scale_set: ResourceId | None = None

    @property
    def id(self) -> ResourceId:
        """The resource's id."""
        return ResourceId(self.row["id"])

    def belongs_to(self, resource: ResourceId) -> bool:
        """Tell whether this is the resource, or an instance of it."""
        return resource.key in {self.id.key, self.scale_set.key if self.scale_set else None}


def virtual_machine(resource: ResourceId, image: str | Reference, *, location: str) -> Machine:
    """Build a virtual machine that belongs to no scale set."""
    return Machine("resources", _row(resource, location, _storage(image)))


def scale_set(resource: ResourceId, image: str | Reference, *, location: str, flexible: bool) -> Machine:
    """Build a scale set without its instances."""
    properties = {
        "orchestrationMode": "Flexible" if flexible else "Uniform",
        "virtualMachineProfile": _storage(image),
        "provisioningState": "Succeeded",
    }
    return Machine("resources", _row(resource, location, properties))


def instances(owner: Machine, images: Sequence[str | Reference]) -> list[Machine]:
    """Build the instances of a scale set, one from each image."""
    return [_instance(owner, number, image) for number, image in enumerate(images)]


def machine_id(subscription: str, group: str, name: str, *, scale_set: bool = False) -> ResourceId:
    """Return the id of a virtual machine or a scale set."""
    scope = f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute"
    return ResourceId(f"{scope}/{_SCALE_SETS if scale_set else _VMS}/{name}")


def _instance(owner: Machine, number: int, image: str | Reference) -> Machine:
    """Build one instance: a virtual machine like any other when flexible, else something below its scale set.

    Where they are kept and what they are called was seen in documentation; flexible ones end with random letters there.
    """
    location, named = owner.row["location"], {"name": f"{owner.id.name}_{number}"}
    if owner.row["properties"]["orchestrationMode"] == "Flexible":
        resource = machine_id(owner.id.subscription, owner.id.group, named["name"])
        properties = _storage(image) | {"virtualMachineScaleSet": {"id": owner.id.text}}
        return Machine("resources", _row(resource, location, properties), owner.id)
    row = _row(owner.id.child(_VMS, str(number)), location, _storage(image)) | named
    return Machine("computeresources", row, owner.id)


def _storage(image: str | Reference) -> Json:
    reference = Reference(image) if isinstance(image, str) else image
    return {"storageProfile": {"imageReference": reference.document()}}


def _row(resource: ResourceId, location: str, properties: Json) -> Json:
    return {
        "id": resource.text,
        "name": resource.name,
        "type": f"microsoft.compute/{resource.type}".lower(),
        "location": regions.short(location),
        "resourceGroup": resource.group.lower(),
        "subscriptionId": resource.subscription,
        "tags": None,
        "properties": properties,
    }
