"""What happens when: all of it drawn from the seed before anything begins."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

from local.soak import people
from local.soak.deeds import Deed, Target
from local.soak.hosts import COUNT, Hosts
from local.soak.scene import Scene
from local.soak.troubles import KINDS, Kind
from local.soak.weather import Weather

_SECONDS_PER_VERSION: Final = 0.6
_STORMY: Final = 0.45
"""The part of the time during which things go wrong, at most."""

_BEFORE_AND_AFTER: Final = 15.0
"""Seconds for starting everything, for the last sweep and for checking."""

_PUBLISHING: Final = 0.8
"""The part of the storm in which versions are published; the rest is for those that are the newest in the end."""

_DEEDS_PER_VERSION: Final = 0.6
_LAST_ONES: Final = 0.3
"""The part of what people do that they do to the last version of a definition."""

_SPAN: Final = 50.0
"""Seconds within which each kind of trouble comes once."""

_LATER: Final = 20.0
"""Seconds after its publishing within which people do something to a version."""

_SHORTEST: Final = 2.0
_SWEEP_EVERY: Final = 20.0


@dataclass(frozen=True, slots=True)
class Size:
    """How large a soak is; `seconds` is how long it may take in all."""

    versions: int
    definitions: int
    kills: int
    seconds: float

    @property
    def stormy(self) -> float:
        """The seconds during which everything goes wrong."""
        return min(self.versions * _SECONDS_PER_VERSION, self.seconds * _STORMY)

    @property
    def calm(self) -> float:
        """The seconds that the app may need to get over it; after a short storm not more than twice as long."""
        return min(self.seconds - self.stormy - _BEFORE_AND_AFTER, 2 * self.stormy)


@dataclass(frozen=True, slots=True)
class Rig:
    """What steps act upon."""

    scene: Scene
    weather: Weather
    hosts: Hosts


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happens, so many seconds after the beginning. What it returns is told, or else its text."""

    at: float
    text: str
    act: Callable[[Rig], str | None]


def left_out(size: Size) -> list[str]:
    """Name the kinds of trouble whose aftermath is too long for a soak of this size."""
    return [kind.name for kind in KINDS if _until(kind, size) < _SHORTEST]


def write(seed: int, size: Size) -> list[Step]:
    """Draw what happens, in the order of its time; the same seed and size are the same script."""
    dice = Random(seed)  # noqa: S311  nothing is kept secret by it
    published = list(_publishing(dice, size))
    steps = [_step(at, people.publish(dice, target), told=False) for at, target in published]
    steps += _deeds(dice, size, published)
    steps += [step for kind in KINDS for step in _troubles(dice, kind, size)]
    gap = size.stormy / max(size.kills, 1)
    steps += [_kill(dice, gap * number, gap) for number in range(size.kills)]
    steps += [_sweep(at * _SWEEP_EVERY) for at in range(1, int(size.stormy / _SWEEP_EVERY) + 1)]
    return sorted(steps, key=lambda step: step.at)


def _publishing(dice: Random, size: Size) -> Iterator[tuple[float, Target]]:
    """Spread the versions over time and definitions; the numbers of each definition rise."""
    places = [number % size.definitions for number in range(size.versions)]
    dice.shuffle(places)
    for number, place in enumerate(places):
        patch = places[:number].count(place)
        at = _PUBLISHING * size.stormy * (number + dice.random()) / size.versions
        yield at, Target(place, f"1.0.{patch}")


def _deeds(dice: Random, size: Size, published: list[tuple[float, Target]]) -> Iterator[Step]:
    """Let people do things to versions, soon after they were published."""
    last = list({target.place: (since, target) for since, target in published}.values())
    for _ in range(round(size.versions * _DEEDS_PER_VERSION)):
        since, target = dice.choice(last if dice.random() < _LAST_ONES else published)
        at = since + dice.uniform(0, min(_LATER, size.stormy / 4))
        for deed in people.draw(dice, target):
            yield _step(min(at + deed.after, size.stormy), deed)


def _troubles(dice: Random, kind: Kind, size: Size) -> Iterator[Step]:
    until = _until(kind, size)
    if until < _SHORTEST:
        return
    count = max(1, round(kind.often * size.stormy / _SPAN))
    slot = until / count
    for number in range(count):
        length = min(dice.uniform(_SHORTEST, kind.longest), slot)
        at = slot * number + dice.uniform(0, slot - length)
        yield from _trouble(dice, kind, at, length)


def _until(kind: Kind, size: Size) -> float:
    """Say until when a kind of trouble may last, so that the app gets over it in time."""
    return size.stormy - max(0.0, kind.aftermath - size.calm)


def _trouble(dice: Random, kind: Kind, at: float, length: float) -> Iterator[Step]:
    trouble = kind.draw(dice)

    def begin(rig: Rig) -> None:
        rig.weather.begin(kind.name, trouble, length)

    def end(rig: Rig) -> str:
        rig.weather.end(kind.name)
        return ""

    yield Step(at, f"trouble  {trouble.text}, for {length:.0f} s", begin)
    yield Step(at + length, f"over: {trouble.text}", end)


def _step(at: float, deed: Deed, *, told: bool = True) -> Step:
    def act(rig: Rig) -> str | None:
        deed.act(rig.scene)
        return None if told else ""

    return Step(at, f"people   {deed.text}", act)


def _kill(dice: Random, since: float, length: float) -> Step:
    """Kill one of the hosts at some moment of a stretch of time."""
    at, which = dice.uniform(since, since + length), dice.randrange(COUNT)
    return Step(at, "a host is killed", lambda rig: f"killed   {rig.hosts.kill(which)}")


def _sweep(at: float) -> Step:
    def act(rig: Rig) -> str:
        return "sweep    fired" if rig.hosts.sweep() else "sweep    not fired: no host runs"

    return Step(at, "sweep", act)
