"""ARM's refusals: status, code and words.

Codes and words were seen in captured traffic or public reports unless the function says otherwise.
"""

from typing import Any

from local.azure.names import ResourceId


class ArmError(Exception):
    """A request that ARM refuses.

    `status` is the HTTP status, `code` ARM's error code, `retry_after` the seconds of a Retry-After header.
    """

    def __init__(self, status: int, code: str, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.retry_after = retry_after

    @property
    def body(self) -> dict[str, Any]:
        """The answer's body."""
        return {"error": {"code": self.code, "message": self.message}}


def invalid(message: str) -> ArmError:
    """Refuse a value."""
    return ArmError(400, "InvalidParameter", message)


def missing(parameter: str) -> ArmError:
    """Refuse a body that lacks something."""
    return invalid(f"Required parameter '{parameter}' is missing (null).")


def immutable(message: str) -> ArmError:
    """Refuse the change of a property that cannot change."""
    return ArmError(409, "PropertyChangeNotAllowed", message)


def conflict(message: str) -> ArmError:
    """Refuse a write that comes at the wrong moment. The code is unverified."""
    return ArmError(409, "Conflict", message)


def no_api_version() -> ArmError:
    """Refuse a request without api-version."""
    return ArmError(
        400,
        "MissingApiVersionParameter",
        "The api-version query parameter (?api-version=) is required for all requests.",
    )


def no_group(resource: ResourceId) -> ArmError:
    """Say that the resource group is absent."""
    return ArmError(404, "ResourceGroupNotFound", f"Resource group '{resource.group}' could not be found.")


def no_parent(resource: ResourceId, *, action: str) -> ArmError:
    """Say that the resource's parent is absent; `action` is read, write or delete."""
    return ArmError(
        404,
        "ParentResourceNotFound",
        f"Failed to perform '{action}' on resource(s) of type '{resource.type}', because the parent resource "
        f"'{resource.parent.text}' could not be found.",
    )


def no_resource(resource: ResourceId) -> ArmError:
    """Say that the resource is absent."""
    return ArmError(
        404,
        "ResourceNotFound",
        f"The Resource '{resource.relative}' under resource group '{resource.group}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix",
    )


def not_simulated(method: str, path: str) -> ArmError:
    """Say that the simulation has no such route: never a plausible success."""
    return ArmError(501, "NotImplemented", f"The simulated Azure does not know {method} {path}.")
