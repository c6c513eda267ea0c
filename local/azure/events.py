"""Event Grid events of a subscription's system topic, in the shapes that they have been documented and seen in.

The shapes differ from event to event, in turn: consumers can trust the resource id only.
That operations on image versions raise these events under this operation name is inferred, not seen.
"""

from typing import Any, Final
from uuid import uuid4

from local.azure.names import ResourceId
from local.azure.state import Json, Operation, OperationKind, OperationStatus
from local.azure.timestamps import utc

_PROVIDER: Final = "Microsoft.Compute"
_TYPE: Final = "Microsoft.Compute/galleries/images/versions"
_TENANT: Final = "99999999-9999-9999-9999-999999999999"
_SCHEMAS: Final = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
_CLAIMS: Final = {
    "aud": "https://management.core.windows.net/",
    "_claim_names": '{"groups":"src1"}',
    "http://schemas.microsoft.com/claims/authnmethodsreferences": "rsa,mfa",
    "http://schemas.microsoft.com/identity/claims/scope": "user_impersonation",
    f"{_SCHEMAS}/name": "pipeline@contoso.example",
    f"{_SCHEMAS}/upn": "pipeline@contoso.example",
    "appid": "88888888-8888-8888-8888-888888888888",
    "ver": "1.0",
}


def kind_of(operation: Operation) -> str:
    """Return the event that an ended operation raises, without `Microsoft.Resources.`."""
    what = "Delete" if operation.kind is OperationKind.DELETE else "Write"
    how = "Success" if operation.status is OperationStatus.SUCCEEDED else "Failure"
    return f"Resource{what}{how}"


def build(kind: str, resource: ResourceId, *, at: float, turn: int) -> Json:
    """Build an event (`ResourceWriteSuccess`, ...) of a version; `turn` chooses among the shapes."""
    uri = _spelled(resource.text, turn)
    action = f"{_TYPE}/{'delete' if 'Delete' in kind else 'write'}"
    data: Json = {
        "authorization": {"scope": uri, "action": action, "evidence": {"role": "Contributor"}},
        "claims": dict(_CLAIMS),
        "correlationId": str(uuid4()),
        **_http_request(uri, kind, turn),
        "resourceProvider": _PROVIDER,
        "resourceUri": uri,
        "operationName": action,
        "status": "Failed" if kind.endswith("Failure") else "Succeeded",
        "subscriptionId": resource.subscription,
        "tenantId": _TENANT,
    }
    return {
        "subject": uri,
        "eventType": f"Microsoft.Resources.{kind}",
        "eventTime": utc(at),
        "id": str(uuid4()),
        "data": data,
        "dataVersion": "2",
        "metadataVersion": "1",
        "topic": f"/subscriptions/{resource.subscription}",
    }


def handshake(topic: str, code: str, *, at: float) -> Json:
    """Build the event that asks an endpoint whether it wants events (documented)."""
    return {
        "id": str(uuid4()),
        "topic": topic,
        "subject": "",
        "data": {"validationCode": code},
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "eventTime": utc(at),
        "metadataVersion": "1",
        "dataVersion": "2",
    }


def _spelled(text: str, turn: int) -> str:
    """Write the id in one of three casings (seen in captured events)."""
    spellings = (
        text,
        text.replace("/resourceGroups/", "/resourcegroups/"),
        text.replace("/Microsoft.Compute/", "/microsoft.compute/"),
    )
    return spellings[turn % len(spellings)]


def _http_request(uri: str, kind: str, turn: int) -> dict[str, Any]:
    """Return `httpRequest` absent, an object, empty, or a text (seen in captured events)."""
    full = {
        "clientRequestId": str(uuid4()),
        "clientIpAddress": "203.0.113.7",
        "method": "DELETE" if "Delete" in kind else "PUT",
        "url": f"https://management.azure.com{uri}?api-version=2024-03-03",
    }
    shapes: tuple[dict[str, Any], ...] = ({}, {"httpRequest": full}, {"httpRequest": {}}, {"httpRequest": ""})
    return shapes[turn % len(shapes)]
