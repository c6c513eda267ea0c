"""The resource provider: image versions are written, replicate, end and go, by behaviour and clock.

Nothing in here knows HTTP. Whoever calls holds the lock.
"""

from collections import Counter
from collections.abc import Callable
from typing import Final
from uuid import uuid4

from local.azure import answers, documents, progress, regions, rules
from local.azure.behaviour import Behaviour, Pace
from local.azure.errors import conflict, immutable
from local.azure.names import ResourceId
from local.azure.state import Json, Leaving, Operation, OperationKind, Progress, Replication, Version
from local.azure.store import Store
from local.azure.timestamps import Stamps, parsed

DEFAULT_SIZE_GIB: Final = 30


class Provider:
    """Microsoft.Compute's galleries.

    `clock` returns seconds since 1970; `on_ended` is called with each operation that ends by itself.
    """

    def __init__(
        self, behaviour: Behaviour, *, clock: Callable[[], float], on_ended: Callable[[Operation], None]
    ) -> None:
        self.store = Store()
        self.stamps = Stamps()
        self.clock = clock
        self._behaviour = behaviour
        self._on_ended = on_ended
        self._failures: Counter[str] = Counter()

    @property
    def behaviour(self) -> Behaviour:
        """How it behaves now."""
        return self._behaviour

    @behaviour.setter
    def behaviour(self, behaviour: Behaviour) -> None:
        if behaviour.failing_regions != self._behaviour.failing_regions:
            self._failures.clear()
        self._behaviour = behaviour

    @property
    def pending(self) -> bool:
        """Tell whether anything may still change by itself."""
        now = self.clock()
        return any(version.pending(now) for version in self.store.versions.values())

    def advance(self) -> None:
        """End what is due by now."""
        now = self.clock()
        for version in list(self.store.versions.values()):
            for operation in progress.ended_operations(version, now):
                self._end(version, operation, now)
            progress.drop_left_regions(version, now)

    def show(self, version: Version, *, expand: bool) -> Json:
        """Return a version as a GET would answer it now."""
        return answers.version(version, now=self.clock(), expand=expand)

    def put(self, resource: ResourceId, body: Json, *, size_gib: int = DEFAULT_SIZE_GIB) -> Operation:
        """Create or replace a version; raise ArmError when ARM would refuse."""
        self.store.require_parent(resource, action="write")
        if resource.key in self.store.versions:
            return self._update(self.store.versions[resource.key], body, replace=True)
        document = documents.created(resource, body, published=self.stamps.write(self.clock()))
        rules.refuse(self._proposal(resource, None, document))
        version = Version(resource, document, "Creating", size_gib)
        self.store.versions[resource.key] = version
        return self._begin(version, OperationKind.CREATE, self.behaviour.create)

    def patch(self, resource: ResourceId, body: Json) -> Operation:
        """Update a version; raise ArmError when it is absent or ARM would refuse."""
        return self._update(self.store.version(resource), body, replace=False)

    def delete(self, resource: ResourceId) -> Operation:
        """Begin to delete a version; raise ArmError when it is absent or protected."""
        version = self.store.version(resource)
        self._refuse_protected(version)
        for operation in version.running:
            progress.preempt(operation, ended_text=self.stamps.write(self.clock()))
        version.running.clear()
        return self._begin(version, OperationKind.DELETE, self.behaviour.delete)

    def replicate(self, version: Version, *, operation: str) -> frozenset[str]:
        """Start and end replications so that they match the document; return the regions that are going to fail."""
        wanted = documents.target_regions(version.document)
        now, before = self.clock(), version.replications
        kept = {name: copy for name, copy in before.items() if not copy.failed(now, version.reads)}
        version.replications = {name: kept.get(name) or self._replication(version, name) for name in wanted}
        version.leaving = {name: leaving for name, leaving in version.leaving.items() if name not in wanted}
        removal = self._started(version, self.behaviour.removal) if self.behaviour.removal else None
        version.leaving |= {n: Leaving(copy, operation, removal) for n, copy in before.items() if n not in wanted}
        return frozenset(name for name in wanted if name not in kept and version.replications[name].doomed)

    def _update(self, version: Version, body: Json, *, replace: bool) -> Operation:
        self._refuse_busy(version)
        document = documents.updated(version.id, version.document, body, replace=replace)
        now = self.clock()
        replicated = {name for name, copy in version.replications.items() if not copy.failed(now, version.reads)}
        rules.refuse(self._proposal(version.id, version.document, document, frozenset(replicated)))
        version.document = document
        return self._begin(version, OperationKind.UPDATE, self.behaviour.update)

    def _proposal(
        self, resource: ResourceId, old: Json | None, new: Json, replicated: frozenset[str] = frozenset()
    ) -> rules.Proposal:
        """Put a write before the rules, with what they go by now."""
        behaviour = self.behaviour
        return rules.Proposal(
            resource=resource,
            old=old,
            new=new,
            replicated=replicated,
            flag_with_removal=behaviour.flag_with_removal,
            closed=frozenset(map(regions.short, behaviour.closed_regions)),
            zoneless=frozenset(map(regions.short, behaviour.zoneless_regions)),
            disallowed=frozenset(map(regions.short, behaviour.disallowed_regions)),
        )

    def _begin(self, version: Version, kind: OperationKind, pace: Pace) -> Operation:
        """Start an operation on a version whose document is already the new one."""
        operation = Operation(
            guid=str(uuid4()),
            kind=kind,
            version=version.id,
            location=regions.short(version.home),
            progress=self._started(version, pace),
            started_text=self.stamps.write(self.clock()),
        )
        if kind is not OperationKind.DELETE:
            operation.awaited = self.replicate(version, operation=operation.guid)
        version.provisioning_state = kind.provisioning_state
        version.running.append(operation)
        self.store.operations[operation.guid] = operation
        return operation

    def _end(self, version: Version, operation: Operation, now: float) -> None:
        fails_version = self.behaviour.failed_region_fails_version
        progress.end(version, operation, now=now, ended_text=self.stamps.write(now), fails_version=fails_version)
        if operation.kind is OperationKind.DELETE:
            del self.store.versions[version.id.key]
        self._on_ended(operation)

    def _replication(self, version: Version, region: str) -> Replication:
        """Start to replicate into a region, with its own pace and its share of failures."""
        paces = {regions.short(name): pace for name, pace in self.behaviour.replicate_by_region.items()}
        failures = {regions.short(name): count for name, count in self.behaviour.failing_regions.items()}
        budget = failures.get(region, 0)
        doomed = budget < 0 or self._failures[region] < budget
        self._failures[region] += doomed
        pace = paces.get(region, self.behaviour.replicate)
        return Replication(region, self._started(version, pace), doomed)

    def _started(self, version: Version, pace: Pace) -> Progress:
        return Progress(pace, self.clock(), version.reads)

    def _refuse_busy(self, version: Version) -> None:
        """Refuse a write while the version is on its way out or, if so set, on its way anywhere."""
        busy = {"Deleting"} | ({"Creating", "Updating"} if self.behaviour.write_while_updating == "conflict" else set())
        if version.provisioning_state in busy:
            raise conflict(
                f"The request failed due to conflict with a concurrent request: resource '{version.id.text}' is in "
                f"provisioning state '{version.provisioning_state}'."
            )

    def _refuse_protected(self, version: Version) -> None:
        """Refuse to delete a version that blocks it before its end of life (documented; the code is unverified).

        A block without a date never ends.
        """
        properties = version.document["properties"]
        ends = properties["publishingProfile"].get("endOfLifeDate")
        over = ends is not None and parsed(ends) <= self.clock()
        if properties["safetyProfile"].get("blockDeletionBeforeEndOfLife") and not over:
            raise immutable(f"Deletion of '{version.id.text}' is blocked before its end of life date.")
