"""The roles that the templates define and assign."""

from collections.abc import Iterator

from tests.infra import bicep

GALLERY_ROLE = bicep.INFRA / "modules" / "gallery-role.bicep"
USAGE_ROLE = bicep.INFRA / "modules" / "usage-access.bicep"

READ_BY_QUERIES = frozenset(
    {
        "Microsoft.Resources/subscriptions/read",
        "Microsoft.Compute/virtualMachines/read",
        "Microsoft.Compute/virtualMachineScaleSets/read",
        "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/read",
    }
)
"""What nobody calls: Resource Graph shows what the identity may read of it."""

NAMED_IN_WRITES = frozenset({"Microsoft.Compute/diskEncryptionSets/read"})
"""What nobody calls: Azure asks for it when a write names such a set."""


def custom() -> Iterator[bicep.Declaration]:
    """Give every role that the templates define."""
    for path in bicep.FILES:
        yield from bicep.read(path).resources("Microsoft.Authorization/roleDefinitions")


def actions() -> frozenset[str]:
    """Give every action that the roles of the templates allow the app in Azure Resource Manager."""
    found: set[str] = set()
    for role in custom():
        for permission in role.value["properties"]["permissions"]:
            assert permission["notActions"] == permission["dataActions"] == permission["notDataActions"] == []
            found.update(permission["actions"])
    return frozenset(found)
