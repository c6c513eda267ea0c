"""Reading an image definition: what every plan is made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shared.core.errors import Absent
from shared.core.memory import Memory
from shared.core.model import Definition, ImageVersion
from shared.core.names import ImageId, VersionId, VersionNumber
from shared.core.plan import Line, Role
from shared.core.planner import could_prune, may_leave, rank, spread
from shared.core.planner.roles import Standing
from shared.core.policy import Mode, Policy
from shared.core.rollout import Rollout, recorded
from shared.core.tags import protects, tuned
from shared.core.usage import Usage
from shared.wiring import App


@dataclass(frozen=True, slots=True)
class Observed:
    """An image definition as last read, the policy that holds for it, and what is remembered of it.

    :param running: the rollouts that are not over.
    """

    definition: Definition
    policy: Policy
    memory: Memory
    running: Mapping[VersionNumber, Rollout]


def observe(app: App, image: ImageId, *, closely: ImageVersion | None = None, to_prune: bool = True) -> Observed:
    """Read an image definition: its versions, the state of the regions of those that the policy keeps, who uses them.

    A list does not hold the state of regions, and one GET per version would be too many for a long history.

    :param closely: a version that was just read by itself, because it is about to be written.
    :param to_prune: whether it matters what keeps older versions where they are; if not, that is not asked.
    :raises Absent: when there is no such image definition.
    :raises Retry: when Azure says "not now".
    """
    tags = app.gallery.tags(image)
    policy = tuned(app.settings.policy_for(image), tags)
    memory, running = app.rollouts.memory(image), app.rollouts.open_rollouts(image)
    ranked = rank(_repairable(_versions(app, image, memory.newest), running), policy)
    writes = closely is not None or not to_prune
    protected_by = (
        "the image definition" if protects(tags, policy.protect_tag) else _gallery(app, image, policy, writes=writes)
    )
    versions = tuple(version for standing in ranked if (version := _closer(app, standing, closely)) is not None)
    definition = Definition(
        image,
        versions,
        protected_by=protected_by,
        usage=_usage(app, image, rank(versions, policy), policy) if to_prune else Usage(),  # not as listed: lists lag
        refused=_refused(app, image, app.now()) if to_prune else {},
        newest_before=memory.newest,
    )
    return Observed(definition, policy, memory, running)


def wanted(app: App, version: ImageVersion, rollout: Rollout, now: datetime) -> tuple[Line, ...]:
    """Hold a version, as just read, against what its rollout was asked for and what is remembered of it."""
    return spread(rollout.recall(version, now), rollout.aim(app.settings.policy_for(version.id.image)), now)


def may_take_out(app: App, version: ImageVersion, region: str) -> bool:
    """Whether a region that failed may be taken out for a while: nothing forbids it, and nobody is known to use it."""
    policy = app.settings.policy_for(version.id.image)
    if not may_leave(version, region, policy):
        return False
    usage = app.resource_graph.usage(version.id.image, policy.protect_in_use)
    return not (usage.unknown or usage.reason(version.number, region))


def _versions(app: App, image: ImageId, newest_before: VersionNumber | None) -> Sequence[ImageVersion]:
    """List the versions. Lists lag behind: that the newest is not in one does not say that it was deleted."""
    versions = app.gallery.versions(image)
    if newest_before is None or any(version.number == newest_before for version in versions):
        return versions
    try:
        return [*versions, app.gallery.version(VersionId(image, newest_before))]
    except Absent:
        return versions


def _repairable(versions: Sequence[ImageVersion], running: Mapping[VersionNumber, Rollout]) -> list[ImageVersion]:
    """Mark the versions with a rollout of ours that still has something to try where a region failed."""
    trying = {number for number, rollout in running.items() if not rollout.gave_up}
    return [replace(version, repairable=version.number in trying) for version in versions]


def _closer(app: App, standing: Standing, closely: ImageVersion | None) -> ImageVersion | None:
    """Read a version by itself where its regions matter; ``None`` when it was deleted since the list was made."""
    listed = standing.version
    kept = standing.role in (Role.KEPT, Role.STAGED)
    read = closely if closely and closely.id == listed.id else None
    if not kept and read is None:
        return listed
    try:
        version = replace(read or app.gallery.version(listed.id), repairable=listed.repairable)
    except Absent:
        return None
    if not kept:
        return version
    now = app.now()
    return recorded(app.rollouts.rollout(version.id), version, now=now).recall(version, now)


def _gallery(app: App, image: ImageId, policy: Policy, *, writes: bool) -> str | None:
    """Say whether the gallery is protected: as it is now for who is about to write, as it was just now for a pass."""
    tags = (app.gallery.tags if writes else app.gallery.recent_tags)(image.gallery)
    return "the gallery" if protects(tags, policy.protect_tag) else None


def _usage(app: App, image: ImageId, ranked: list[Standing], policy: Policy) -> Usage:
    """Ask who uses what, where something might be pruned."""
    if policy.mode is Mode.REPLICATE or not could_prune(ranked, policy):
        return Usage()
    return app.resource_graph.usage(image, policy.protect_in_use)


def _refused(app: App, image: ImageId, now: datetime) -> dict[VersionNumber, str]:
    prunings = app.rollouts.prunings(image)
    return {number: pruning.refused for number, pruning in prunings.items() if pruning.refused_lately(now)}
