"""What keeps a whole version as it is. The first row that fits decides.

| version                                                          | what is held          |
|------------------------------------------------------------------|-----------------------|
| the protecting tag on it, on its definition or on its gallery    | every region          |
| ``Updating``: somebody's write is under way                      | the regions it has    |
| its publish date is not known                                    | the regions it has    |
| what is in use is not known                                      | the regions it has    |
| Azure refused to prune it a short time ago (a lock, for example) | the regions it has    |
| its safety flag forbids removal, and we may not set it           | the regions it has    |
| MODE ``replicate``                                               | the regions it has    |
| the cap of the pass is reached                                   | the regions it has    |

The last two are about the pass, not about the version: ``planner`` applies them when all else is decided.
"""

from collections.abc import Iterable

from shared.core.model import Definition, ImageVersion, ProvisioningState
from shared.core.plan import Line
from shared.core.planner.replication import keep
from shared.core.policy import Policy
from shared.core.tags import protects


def protection(version: ImageVersion, definition: Definition, policy: Policy) -> str:
    """Say which tag protects a version from every change; empty when none does."""
    if protects(version.tags, policy.protect_tag):
        return f"the tag {policy.protect_tag} is on the version"
    return f"the tag {policy.protect_tag} is on {definition.protected_by}" if definition.protected_by else ""


def hold(version: ImageVersion, definition: Definition, policy: Policy) -> str:
    """Say what forbids to take any region from a version; empty when nothing does."""
    if version.state is ProvisioningState.UPDATING:
        return "a write to it is under way"
    if version.published is None:
        return "its publish date is not known"
    if definition.usage.unknown:
        return f"what is in use is not known: {definition.usage.unknown}"
    if version.number in definition.refused:
        return f"Azure refused to prune it: {definition.refused[version.number]}"
    if not version.removal_allowed and not policy.unlocks_regions:
        return "its safety flag forbids removal, and PRUNE_UNLOCKS_REGIONS is false"
    return ""


def may_leave(version: ImageVersion, region: str, policy: Policy) -> bool:
    """Whether a region that failed may be taken out for a while: not the home, and not against the safety flag."""
    return region != version.home and (version.removal_allowed or policy.unlocks_regions)


def held(version: ImageVersion, lines: Iterable[Line], reason: str) -> tuple[Line, ...]:
    """Turn the lines by which a version would lose something into KEEP lines; the others keep their own reasons."""
    before = {region.name: region for region in version.regions}
    return tuple(keep(before[line.region], reason) if line.wants_change and not line.named else line for line in lines)
