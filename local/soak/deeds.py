"""Things that people and pipelines do to a version, and how they write one beside the app."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from local.azure import ArmError
from local.azure.regions import short
from local.soak.kinds import Definition
from local.soak.scene import REGIONS, Change, Scene

_FOREIGN: Final = "japaneast"

type Act = Callable[[Scene], None]


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that somebody does, some seconds after it was drawn for."""

    text: str
    act: Act
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Target:
    """A version of a definition, by the definition's place and its own number."""

    place: int
    number: str

    def definition(self, scene: Scene) -> Definition:
        """Find the definition."""
        return scene.definitions[self.place]

    def id(self, scene: Scene) -> str:
        """Give the version's id."""
        return self.definition(scene).version(self.number)

    def __str__(self) -> str:
        return f"{self.number} of definition {self.place}"


def done(target: Target, text: str, act: Act, after: float = 0.0) -> Deed:
    """Do something that Azure may refuse: the version is not there, or somebody is writing it."""

    def acting(scene: Scene) -> None:
        image = target.definition(scene).image
        scene.changes.append(Change(time.time(), image, target.number, text))
        with suppress(ArmError):
            act(scene)

    return Deed(f"{target}: {text}", acting, after)


def edited(target: Target, text: str, edit: Callable[[dict[str, Any]], object], after: float = 0.0) -> Deed:
    """Write a version as somebody else than the app would."""
    return done(target, text, lambda scene: scene.azure.update(target.id(scene), edit), after)


def add_region(_dice: Random, target: Target) -> Sequence[Deed]:
    """Add a region that the policy does not name."""

    def edit(version: dict[str, Any]) -> None:
        regions = version["properties"]["publishingProfile"]["targetRegions"]
        home = next(region for region in regions if short(region["name"]) == version["location"])
        if _FOREIGN not in {short(region["name"]) for region in regions}:
            regions.append({**deepcopy(home), "name": _FOREIGN})

    def act(scene: Scene) -> None:
        scene.azure.update(target.id(scene), edit)
        scene.added.setdefault(target.id(scene), set()).add(_FOREIGN)

    return [done(target, f"somebody adds {_FOREIGN}", act)]


def drop_region(dice: Random, target: Target) -> Sequence[Deed]:
    """Write back what was read before a region came, as a pipeline does that keeps its own list."""
    gone = dice.choice(REGIONS[1:])

    def edit(version: dict[str, Any]) -> None:
        version["properties"]["safetyProfile"]["allowDeletionOfReplicatedLocations"] = True
        profile = version["properties"]["publishingProfile"]
        profile["targetRegions"] = [each for each in profile["targetRegions"] if short(each["name"]) != gone]

    return [edited(target, f"somebody takes {gone} out", edit)]


def grow(_dice: Random, target: Target) -> Sequence[Deed]:
    """Add a replica to a region."""

    def edit(version: dict[str, Any]) -> None:
        for region in version["properties"]["publishingProfile"]["targetRegions"][:1]:
            region["regionalReplicaCount"] += 1

    return [edited(target, "somebody adds a replica", edit)]


def bump_tags(dice: Random, target: Target) -> Sequence[Deed]:
    """Write tags, and with them the regions as they were read just now."""
    build = str(dice.randrange(1000))
    return [edited(target, "somebody writes its tags", lambda version: version.update(tags={"build": build}))]
