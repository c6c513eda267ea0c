"""Which versions count for what. The first row that fits decides.

"Good" is ``Succeeded`` or ``Updating``: our own write makes a version ``Updating``, and it stays the newest meanwhile.
So is ``Failed`` while a rollout of ours can still repair the region that failed: Azure may call the whole version so.

| version                                                        | role     | what happens to it                       |
|----------------------------------------------------------------|----------|------------------------------------------|
| ``Creating``, ``Failed``, ``Deleting``, ``Migrating``, unknown | ALONE    | nothing, with the state as reason        |
| shallow                                                        | ALONE    | nothing: Azure cannot replicate it       |
| good, not excluded from latest, among the newest KEEP_LATEST   | KEPT     | gets every region of the policy          |
| good, excluded from latest, newer than the newest KEPT         | STAGED   | gets every region, is never pruned       |
| any other good one                                             | OLDER    | is pruned to its home region             |

The newest KEPT version may be an older one than it was. Then it was brought back, for the first reason that fits:

| the version that was the newest                    | reason                             |
|----------------------------------------------------|------------------------------------|
| is not there                                       | it was deleted                     |
| ALONE                                              | its state, or that it is shallow   |
| excluded from latest                               | that                               |
| anything else                                      | none: it was not withdrawn         |
"""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.core.model import Definition, ImageVersion
from shared.core.plan import Role
from shared.core.policy import Policy


@dataclass(frozen=True, slots=True)
class Standing:
    """A version with its role; the reason says why it is left alone, and is empty for any other."""

    version: ImageVersion
    role: Role
    reason: str


def rank(versions: Iterable[ImageVersion], policy: Policy) -> list[Standing]:
    """Give each version its role, newest first."""
    ranked: list[Standing] = []
    kept = 0
    for version in sorted(versions, key=lambda version: version.number, reverse=True):
        reason = _left_alone(version)
        if reason:
            role = Role.ALONE
        elif version.excluded:
            role = Role.OLDER if kept else Role.STAGED
        else:
            role = Role.KEPT if kept < policy.keep_latest else Role.OLDER
            kept += 1
        ranked.append(Standing(version, role, reason))
    return ranked


def newest_of(ranked: Iterable[Standing]) -> ImageVersion | None:
    """Give the version that is "latest" for whoever makes VMs."""
    return next((standing.version for standing in ranked if standing.role is Role.KEPT), None)


def withdrawn(definition: Definition, newest: ImageVersion | None) -> str:
    """Say why the newest is an older version than it was: ``1.0.4 was deleted``; empty when it is not."""
    before = definition.newest_before
    if before is None or newest is None or newest.number >= before:
        return ""
    version = definition.version(before)
    if version is None:
        return f"{before} was deleted"
    if reason := _left_alone(version):
        return f"{before} is left alone: {reason}"
    return f"{before} is excluded from latest" if version.excluded else ""


def _left_alone(version: ImageVersion) -> str:
    if not version.good:
        return f"its provisioning state is {version.state}"
    return "it is shallow, and Azure cannot replicate that" if version.shallow else ""
