"""Reading an image definition: what every plan is made from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from shared.core.errors import Absent
from shared.core.model import Definition, ImageVersion
from shared.core.names import ImageId, VersionId, VersionNumber
from shared.core.plan import Line, Role
from shared.core.planner import could_prune, may_leave, plan, rank, spread
from shared.core.planner.roles import Standing
from shared.core.policy import Mode, Policy
from shared.core.rollout import Rollout, recorded
from shared.core.tags import Tagged, protects, tuned
from shared.core.usage import Usage
from shared.wiring import App

if TYPE_CHECKING:
    from shared.adapters.rollouts import Remembered


type _Enough = Callable[[ImageVersion], bool]


@dataclass(frozen=True, slots=True)
class Observed:
    """An image definition as last read, the policy that holds for it, and what is remembered of it.

    :param tags: those that made the policy what it is.
    """

    definition: Definition
    policy: Policy
    known: "Remembered"
    tags: Tagged


def observe(app: App, image: ImageId, *, closely: ImageVersion | None = None, whole: bool = True) -> Observed:
    """Read an image definition: its versions, the state of the regions of those that the policy keeps, who uses them.

    A list does not hold the state of regions, and one GET per version would be too many for a long history.

    :param closely: a version that was just read by itself, because it is about to be written.
    :param whole: whether people are to see the state of the regions also where nothing hangs on it.
    :raises Absent: when there is no such image definition.
    :raises Retry: when Azure says "not now".
    """
    tags = read_tags(app, image, closely=closely is not None)
    policy, protected_by = _ruled(app, image, tags)
    known, now = app.rollouts.remembered(image), app.now()
    listed = Definition(image, _repairable(_versions(app, image, known.memory.newest), known), protected_by)
    enough = _never if whole else partial(_goes_out, listed, policy, now)
    read = [_closer(app, standing, known, closely, enough) for standing in rank(listed.versions, policy)]
    versions = tuple(each for each in read if each)
    definition = replace(
        listed,
        versions=versions,
        usage=_usage(app, image, rank(versions, policy), policy),  # not of those listed: lists lag
        refused={number: each.refused for number, each in known.prunings.items() if each.refused_lately(now)},
        newest_before=known.memory.newest,
    )
    return Observed(definition, policy, known, tags)


def observe_to_spread(app: App, version: VersionId, known: "Remembered", tags: Tagged) -> Observed:
    """Read what a write needs to know that brings a version to more regions: of the newest, nothing but itself.

    That no newer one has taken its place is known from the passes, which see it first. What keeps older versions where
    they are is not asked. Raises what :func:`observe` raises.
    """
    image = version.image
    policy, protected_by = _ruled(app, image, tags)
    alone = known.memory.newest == version.number and not policy.exclusive
    closely = app.gallery.version(version) if alone else None
    listed = _repairable([closely] if closely else _versions(app, image, known.memory.newest), known)
    read = [_closer(app, standing, known, closely, _never) for standing in rank(listed, policy)]
    return Observed(Definition(image, tuple(each for each in read if each), protected_by), policy, known, tags)


def read_tags(app: App, image: ImageId, *, closely: bool = True) -> Tagged:
    """Read the tags of an image definition and of its gallery. Raises what :func:`observe` raises.

    :param closely: whether the gallery's have to be those of this moment, too.
    """
    of_gallery = app.gallery.tags if closely else app.gallery.recent_tags
    return Tagged(app.gallery.tags(image), of_gallery(image.gallery))


def recent_tags(app: App, image: ImageId, known: "Remembered") -> Tagged:
    """Give the tags as a pass has just read them, on whatever instance it was, or this process; or as they are."""
    elsewhere, recent = known.memory.tags, app.gallery.recent_tags
    if elsewhere is None:
        return Tagged(recent(image), recent(image.gallery))
    return Tagged(recent(image, elsewhere.image), recent(image.gallery, elsewhere.gallery))


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


def _repairable(versions: Sequence[ImageVersion], known: "Remembered") -> tuple[ImageVersion, ...]:
    """Mark the versions with a rollout of ours that still has something to try where a region failed."""
    trying = {number for number, rollout in known.running.items() if not rollout.gave_up}
    return tuple(replace(version, repairable=version.number in trying) for version in versions)


def _closer(
    app: App, standing: Standing, known: "Remembered", closely: ImageVersion | None, enough: _Enough
) -> ImageVersion | None:
    """Read a version by itself where its regions matter; ``None`` when it was deleted since the list was made.

    One that was just published hardly matters yet: no prune waits for it, and whoever writes reads it.

    :param enough: says of such a version whether the list tells all that is to be known for now.
    """
    listed, now = standing.version, app.now()
    kept = standing.role in (Role.KEPT, Role.STAGED)
    read = closely if closely and closely.id == listed.id else None
    if not kept and read is None:
        return listed
    rollout = (known.running.get(listed.number) or app.rollouts.rollout(listed.id)) if kept else None
    if kept and _just_published(listed, rollout) and enough(recalled := _recalled(listed, rollout, now)):
        return recalled
    try:
        version = replace(read or app.gallery.version(listed.id), repairable=listed.repairable)
    except Absent:
        return None
    return _recalled(version, rollout, now) if kept else version


def _just_published(version: ImageVersion, rollout: Rollout | None) -> bool:
    """Whether a version is at home alone, and we never asked for more: lists lag, and may show it as it was before."""
    untouched = rollout is None or (rollout.open and not rollout.asked)
    return untouched and [region.name for region in version.regions] == [version.home]


def _never(_: ImageVersion) -> bool:
    return False


def _goes_out(listed: Definition, policy: Policy, now: datetime, version: ImageVersion) -> bool:
    """Whether a version is to go to more regions, whatever the state of those that it is in."""
    return plan(replace(listed, versions=(version,)), policy, now=now).versions[0].replicates


def _recalled(version: ImageVersion, rollout: Rollout | None, now: datetime) -> ImageVersion:
    return recorded(rollout, version, now=now).recall(version, now)


def _ruled(app: App, image: ImageId, tags: Tagged) -> tuple[Policy, str | None]:
    """Say which policy holds for an image definition, and what protects all of it."""
    policy = tuned(app.settings.policy_for(image), tags.image.values)
    if protects(tags.image.values, policy.protect_tag):
        return policy, "the image definition"
    return policy, "the gallery" if protects(tags.gallery.values, policy.protect_tag) else None


def _usage(app: App, image: ImageId, ranked: list[Standing], policy: Policy) -> Usage:
    """Ask who uses what, where something might be pruned."""
    if policy.mode is Mode.REPLICATE or not could_prune(ranked, policy):
        return Usage()
    return app.resource_graph.usage(image, policy.protect_in_use)
