"""ARM's refusals: status, code and words.

Codes and words were seen in captured traffic or public reports unless the function says otherwise.
"""

import json
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from local.azure.names import ResourceId


class ArmError(Exception):
    """A request that ARM refuses.

    `status` is the HTTP status, `code` ARM's error code, `retry_after` the seconds of a Retry-After header; `details`
    are further codes with their messages.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        retry_after: float | None = None,
        details: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.retry_after = retry_after
        self.details = details

    @property
    def body(self) -> dict[str, Any]:
        """The answer's body."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.details:
            error["details"] = [{"code": code, "message": message} for code, message in self.details]
        return {"error": error}


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


def locked(resource: ResourceId, scopes: Sequence[str], *, action: str) -> ArmError:
    """Refuse what a lock forbids; `action` is write or delete. How several scopes are listed is unverified."""
    return ArmError(
        409,
        "ScopeLocked",
        f"The scope '{resource.text}' cannot perform {action} operation because following scope(s) are locked: "
        f"'{','.join(scopes)}'. Please remove the lock and try again.",
    )


def disallowed(resource: ResourceId) -> ArmError:
    """Refuse what an Azure Policy disallows (code, status and first words seen in public reports)."""
    scope = f"/subscriptions/{resource.subscription}/providers/Microsoft.Authorization"
    names = {
        "policyAssignment": {"name": "allowed-locations", "id": f"{scope}/policyAssignments/allowed-locations"},
        "policyDefinition": {"name": "allowed-locations", "id": f"{scope}/policyDefinitions/allowed-locations"},
    }
    return ArmError(
        403,
        "RequestDisallowedByPolicy",
        f"Resource '{resource.name}' was disallowed by policy. Policy identifiers: '{json.dumps([names])}'.",
    )


def throttled(status: int, code: str, seconds: int, *, with_header: bool = True) -> ArmError:
    """Refuse for so long. Azure quotes the number, or does not; this one does with a header, and does not without."""
    told = f"try again after '{seconds}' seconds" if with_header else f"try after {seconds} seconds"
    message = f"The request was throttled. Please {told}."
    return ArmError(status, code, message, retry_after=seconds if with_header else None)


def budget_used_up(operation: str, seconds: int) -> ArmError:
    """Refuse what no budget is left for. That the code is this one is unverified."""
    message = f"The budget of {operation} is used up. Please try again after '{seconds}' seconds."
    return ArmError(429, "TooManyRequests", message, retry_after=seconds)


def invalid_query(reason: str) -> ArmError:
    """Refuse a query of Resource Graph. The reason is ours: the real one names a line and a token at most."""
    general = (
        "Query is invalid. Please refer to the documentation for the Azure Resource Graph service and fix the error "
        "before retrying."
    )
    return _refused_by_graph(("InvalidQuery", general), ("ParserFailure", reason))


def invalid_query_request(reason: str) -> ArmError:
    """Refuse what comes along with a query. The inner code and the words are unverified."""
    return _refused_by_graph(("InvalidQueryRequest", reason))


def _refused_by_graph(*details: tuple[str, str]) -> ArmError:
    support = f"Please provide below info when asking for support: correlationId = {uuid4()}."
    return ArmError(400, "BadRequest", support, details=details)


def not_simulated(method: str, path: str) -> ArmError:
    """Say that the simulation has no such route: never a plausible success."""
    return ArmError(501, "NotImplemented", f"The simulated Azure does not know {method} {path}.")
