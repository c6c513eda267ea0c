"""How versions move by themselves: operations end, regions leave, versions go."""

from collections.abc import Iterator

from local.azure.answers import FAILURE_DETAILS
from local.azure.state import Json, Operation, OperationKind, OperationStatus, Version


def ended_operations(version: Version, now: float) -> list[Operation]:
    """Return the version's operations that end now, in the order they began."""
    return [operation for operation in version.running if _is_over(version, operation, now)]


def _is_over(version: Version, operation: Operation, now: float) -> bool:
    """Tell whether an operation ends: its own pace is done and so are the failures that it waits for."""
    awaited = (version.replications[region] for region in operation.awaited if region in version.replications)
    return operation.progress.done(now, version.reads) and all(r.progress.done(now, version.reads) for r in awaited)


def end(version: Version, operation: Operation, *, now: float, ended_text: str, fails_version: bool) -> None:
    """End an operation; the last one that ends gives the version its state."""
    failed = list(_failed_regions(version, operation, now))
    operation.error = _failure(failed) if failed else _broken() if operation.outcome == "Failed" else None
    operation.status = OperationStatus.FAILED if operation.error else OperationStatus.SUCCEEDED
    operation.ended_text = ended_text
    version.running.remove(operation)
    if operation.kind is OperationKind.CREATE:
        capture(version)
    if not version.running:
        version.provisioning_state = "Failed" if failed and fails_version else operation.outcome


def capture(version: Version) -> None:
    """Give a version its disk size: it is in answers only once the source was captured (seen in captured traffic)."""
    disk = {"sizeInGB": version.size_gib, "hostCaching": "ReadWrite", "source": {}}
    profile = version.document["properties"]["storageProfile"]
    profile["osDiskImage"] = disk | profile.get("osDiskImage", {})


def preempt(operation: Operation, *, ended_text: str) -> None:
    """End an operation because its version is being deleted. The code is Compute's own, its use here unverified."""
    operation.status = OperationStatus.FAILED
    operation.ended_text = ended_text
    operation.error = {
        "code": "OperationPreempted",
        "message": "Operation execution has been preempted by a more recent operation.",
    }


def drop_left_regions(version: Version, now: float) -> None:
    """Forget the regions whose removal is done."""
    running = {operation.guid for operation in version.running}
    version.leaving = {
        region: leaving
        for region, leaving in version.leaving.items()
        if (leaving.operation in running if leaving.progress is None else not leaving.progress.done(now, version.reads))
    }


def _failed_regions(version: Version, operation: Operation, now: float) -> Iterator[str]:
    """Yield the regions in which an operation's replication has failed."""
    for region in sorted(operation.awaited):
        replication = version.replications.get(region)
        if replication is not None and replication.failed(now, version.reads):
            yield region


def _failure(regions: list[str]) -> Json:
    """Word failed replications as a public report shows them; the code stands in another report."""
    details = ",".join(f"{{region:{region}, detail:{FAILURE_DETAILS}}}" for region in regions)
    return {
        "code": "CrpPirReplicationJobsNotCompleted",
        "message": "Gallery replication jobs failed in one or more regions. The failing regions' details are as "
        f"follows: '{details}'. If retry does not work, then please do an update by removing the failed regions and "
        "update again by adding them back.",
    }


def _broken() -> Json:
    """Word a publish that failed altogether. Unverified for galleries: Compute's usual words."""
    return {
        "code": "InternalExecutionError",
        "message": "An internal execution error occurred. Please retry later.",
    }
