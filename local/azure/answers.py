"""How versions, operations and lists look in ARM's answers (shapes seen in captured traffic)."""

from base64 import b64decode, b64encode
from copy import deepcopy

from local.azure.state import Json, Operation, OperationStatus, Replication, Version

FAILURE_DETAILS = "Failed with internal server error."


def version(resource: Version, *, now: float, expand: bool) -> Json:
    """Show a version; `expand` adds `replicationStatus`, as `$expand=ReplicationStatus` does."""
    shown = deepcopy(resource.document)
    shown["properties"]["provisioningState"] = resource.provisioning_state
    if expand:
        shown["properties"]["replicationStatus"] = replication_status(resource, now=now)
    return shown


def replication_status(resource: Version, *, now: float) -> Json:
    """Show how far each region is, those included that are still being removed."""
    replications = [*resource.replications.values(), *(gone.replication for gone in resource.leaving.values())]
    summary = [_regional_status(replication, now, resource.reads) for replication in replications]
    return {"aggregatedState": _aggregated({status["state"] for status in summary}), "summary": summary}


def _regional_status(replication: Replication, now: float, reads: int) -> Json:
    """Show one region. `details` comes with failures only; the progress of a failed region is unverified."""
    fraction = replication.progress.fraction(now, reads)
    status: Json = {"region": replication.region, "state": "Replicating", "progress": int(fraction * 100)}
    if replication.failed(now, reads):
        status |= {"state": "Failed", "details": FAILURE_DETAILS, "progress": 0}
    elif fraction >= 1.0:
        status["state"] = "Completed"
    return status


def _aggregated(states: set[str]) -> str:
    """Sum the regions up: the enum is documented, its precedence is unverified."""
    if not states:
        return "Unknown"
    if "Replicating" in states:
        return "InProgress"
    return "Failed" if "Failed" in states else "Completed"


def operation(resource: Operation) -> Json:
    """Show an operation: the HTTP status of a poll is 200 however it ended."""
    shown: Json = {"startTime": resource.started_text}
    if resource.ended_text is not None:
        shown["endTime"] = resource.ended_text
    shown |= {"status": resource.status.value, "name": resource.guid}
    if resource.status is OperationStatus.FAILED and resource.error is not None:
        shown["error"] = resource.error
    return shown


def page[T](items: dict[str, T], *, size: int, token: str | None) -> tuple[list[T], str | None]:
    """Cut one page out of items that are kept by key; return it and the token of the next page.

    Items come in the order of their keys' text, so that 1.0.10 stands before 1.0.9: ARM promises no order.
    Raises ValueError for a token that is none.
    """
    after = b64decode(token, validate=True).decode() if token else ""
    keys = [key for key in sorted(items) if key > after]
    following = b64encode(keys[size - 1].encode()).decode() if len(keys) > size else None
    return [items[key] for key in keys[:size]], following
