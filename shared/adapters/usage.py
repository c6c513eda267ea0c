"""Who makes machines from which version, through Azure Resource Graph.

Two queries per image definition, because Resource Graph joins no instances of uniform scale sets to the rest:
``union`` works within one table only, and they have a table of their own (both documented).

Resource Graph shows what the app's identity may read, minutes after it changed (documented).
"""

from typing import TYPE_CHECKING

from azure.mgmt.core.tools import parse_resource_id
from azure.mgmt.resourcegraph import ResourceGraphClient

from shared.adapters.arm_client import NoCredential, client_options
from shared.adapters.graph_rows import Row, read_rows
from shared.adapters.throttle import Throttle
from shared.adapters.together import Together
from shared.core.errors import Malformed, Refused, Retry
from shared.core.names import ImageId, VersionId, VersionNumber, region_name
from shared.core.policy import InUse
from shared.core.text import plain
from shared.core.usage import Usage, Use

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

# A flexible scale set's instances are virtual machines that name their scale set (documented).
_SCALE_SETS_AND_MACHINES = """
resources
| where type in~ ('microsoft.compute/virtualmachinescalesets', 'microsoft.compute/virtualmachines')
| extend image = coalesce(properties.virtualMachineProfile.storageProfile.imageReference, \
properties.storageProfile.imageReference)
| extend imageId = tostring(image.id), scaleSet = tostring(properties.virtualMachineScaleSet.id)
| where imageId =~ '{image}' or imageId startswith '{image}/versions/'
| project id, type, location, imageId, exactVersion = tostring(image.exactVersion), scaleSet
| order by id asc
"""
_UNIFORM_INSTANCES = """
computeresources
| where type =~ 'microsoft.compute/virtualmachinescalesets/virtualmachines'
| extend image = properties.storageProfile.imageReference
| extend imageId = tostring(image.id)
| where imageId =~ '{image}' or imageId startswith '{image}/versions/'
| project id, type, location, imageId, exactVersion = tostring(image.exactVersion), scaleSet = id
| order by id asc
"""


class ResourceGraph:
    """Azure Resource Graph, over every subscription that the app's identity can read.

    :param endpoint: Azure Resource Manager's address.
    :param credential: ``None`` sends no credential at all; only for a simulated Azure on this machine.
    :param throttle: what the calls of this process pass; ``None`` holds nothing back.
    """

    def __init__(self, endpoint: str, credential: "TokenCredential | None", throttle: Throttle | None = None) -> None:
        options = client_options(endpoint, credential, throttle)
        self._client = ResourceGraphClient(credential or NoCredential(), **options)
        self._together = Together()

    def usage(self, image: ImageId, protects: InUse) -> Usage:
        """Find who references which version of an image definition; never raises, because not to know is an answer."""
        if protects is InUse.OFF:
            return Usage()
        return self._together.read((image, protects), lambda: self._usage(image, protects))

    def _usage(self, image: ImageId, protects: InUse) -> Usage:
        try:
            queries = (_SCALE_SETS_AND_MACHINES, _UNIFORM_INSTANCES)
            rows = [row for query in queries for row in read_rows(self._client, query.format(image=image))]
            return Usage.of(use for row in rows if (use := _use(row, image, protects)))
        except Retry as retry:
            return Usage(unknown=str(retry), ask_again=retry.after)
        except (Malformed, Refused) as fault:
            return Usage(unknown=str(fault))


def _use(row: Row, image: ImageId, protects: InUse) -> Use | None:
    """Read who uses what, from one row; ``None`` for a use of "latest", or one that the policy does not protect.

    :raises Malformed: when it cannot be read; it could be the one use that matters.
    """
    try:
        number = _number(row["imageId"], row["exactVersion"], image)
        kind = _kind(row["type"], row["scaleSet"])
        if number is None or (kind == "VM" and protects is not InUse.ALL):
            return None
        return Use(number, region_name(row["location"]), f"{kind} {_name(row['scaleSet'] or row['id'])}")
    except (KeyError, TypeError, AttributeError) as fault:
        raise Malformed(plain(f"Resource Graph's answer cannot be read: {type(fault).__name__}: {fault}")) from fault


def _number(reference: str, exact: str, image: ImageId) -> VersionNumber | None:
    """Read which version is meant; ``None`` for "latest", until it has become an exact one."""
    if reference.casefold() in (str(image).casefold(), f"{image}/versions/latest".casefold()):
        return VersionNumber.parse(exact) if exact else None
    version = VersionId.parse(reference)
    return version.number if version.image == image else None


def _kind(kind: str, scale_set: str) -> str:
    if kind.casefold().endswith("/virtualmachinescalesets"):
        return "scale set"
    return "an instance of scale set" if scale_set else "VM"


def _name(resource: str) -> str:
    """Give the name of a machine or scale set, also from the id of an instance in it."""
    return plain(parse_resource_id(resource)["name"])
