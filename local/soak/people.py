"""What people and pipelines do beside the app: drawn beforehand, done when its time comes, if it is possible then."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from random import Random
from typing import Any, Final

from local.azure import VersionOptions
from local.soak.deeds import Act, Deed, Target, add_region, bump_tags, done, drop_region, edited, grow
from local.soak.scene import (
    DELETED,
    EXCLUDED,
    INCLUDED,
    PROTECTED,
    PUBLISHED,
    PUBLISHED_AFTER,
    REGIONS,
    UNPROTECTED,
    Change,
    Scene,
)

_KEEP: Final = {"gallery-fanout-keep": "true"}
_EXCLUDED_ONE_IN: Final = 12
_BROKEN_ONE_IN: Final = 30
_UNDATED_ONE_IN: Final = 3

type Draw = Callable[[Random, Target], Sequence[Deed]]


def publish(dice: Random, target: Target) -> Deed:
    """Draw what a build pipeline publishes: now and then excluded from latest, broken, or without a date."""
    excluded, broken, undated = (
        dice.randrange(one_in) == 0 for one_in in (_EXCLUDED_ONE_IN, _BROKEN_ONE_IN, _UNDATED_ONE_IN)
    )

    def act(scene: Scene) -> None:
        definition = target.definition(scene)
        options = VersionOptions(**definition.kind.options)
        options["excluded"] = excluded
        if broken:
            options["provisioning_state"] = "Failed"
        if undated and definition.kind.undated:
            options["published"] = None
        scene.azure.publish(definition.image, target.number, **options)
        scene.changes.append(Change(time.time() + PUBLISHED_AFTER, definition.image, target.number, PUBLISHED))

    return Deed(f"{target} is published", act)


def draw(dice: Random, target: Target) -> Sequence[Deed]:
    """Draw something that is done to a version, and what follows from it later."""
    (chosen,) = dice.choices(list(_DEEDS), list(_DEEDS.values()))
    return chosen(dice, target)


def _protect(dice: Random, target: Target) -> Sequence[Deed]:
    def tag(tags: Mapping[str, str]) -> Act:
        return lambda scene: scene.azure.set_tags(target.id(scene), tags)

    lasts = dice.uniform(4, 15)
    return [done(target, PROTECTED, tag(_KEEP)), done(target, UNPROTECTED, tag({}), lasts)]


def _exclude(dice: Random, target: Target) -> Sequence[Deed]:
    def setting(*, excluded: bool) -> Callable[[dict[str, Any]], object]:
        return lambda version: version["properties"]["publishingProfile"].update(excludeFromLatest=excluded)

    lasts = dice.uniform(5, 20)
    return [
        edited(target, EXCLUDED, setting(excluded=True)),
        edited(target, INCLUDED, setting(excluded=False), lasts),
    ]


def _delete(_dice: Random, target: Target) -> Sequence[Deed]:
    return [done(target, DELETED, lambda scene: scene.azure.delete(target.id(scene)))]


def _use(dice: Random, target: Target) -> Sequence[Deed]:
    name, region = f"web-{dice.getrandbits(32):08x}", dice.choice(REGIONS[1:])
    flexible, lasts, ends = dice.random() < 0.5, dice.uniform(5, 40), dice.random() < 0.5  # noqa: PLR2004  a coin
    machines: list[str] = []

    def begin(scene: Scene) -> None:
        image = target.definition(scene).image
        made = scene.azure.add_scale_set(name, image=target.id(scene), location=region, flexible=flexible)
        machines.append(made)
        scene.uses[made] = (image, (target.number, region))

    def end(scene: Scene) -> None:
        scene.uses.pop(machines[0], None)
        scene.azure.remove(machines[0])

    used = done(target, f"scale set {name} uses it in {region}", begin)
    return [used, done(target, f"scale set {name} is gone", end, lasts)] if ends else [used]


def _lock(dice: Random, target: Target) -> Sequence[Deed]:
    return [
        done(target, "its definition is locked", lambda scene: scene.azure.lock(target.definition(scene).image)),
        done(target, "unlocked", lambda scene: _unlock(scene, target), dice.uniform(1, 3)),
    ]


def _unlock(scene: Scene, target: Target) -> None:
    with suppress(KeyError):  # locked twice, and unlocked once already
        scene.azure.unlock(target.definition(scene).image)


_DEEDS: Final[Mapping[Draw, int]] = {
    add_region: 5,
    drop_region: 3,
    grow: 2,
    bump_tags: 4,
    _protect: 2,
    _exclude: 2,
    _delete: 2,
    _use: 6,
    _lock: 1,
}
