"""Everything that can be wrong for a while: each kind of trouble, as many ways as it has, and how it passes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from local.azure import Fault, Pace
from local.soak.scene import REGIONS, SINKS

_VERSION: Final = r"/versions/[\d.]+$"
_LIST: Final = r"/versions$|/images$"
_GRAPH: Final = "Microsoft.ResourceGraph"
_UNHURRIED: Final = 35.0
"""Seconds until the app has come back to what Azure did not say a time for, with some to spare."""

_SOON: Final = 12.0


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong: fields of Azure's behaviour, faults, a throttling, a sink's answers, or storage standing still.

    `chat` has the sink, its status and its Retry-After.
    """

    text: str
    behaviour: Mapping[str, Any] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    throttled: Mapping[str, Any] | None = None
    chat: tuple[str, int, float | None] | None = None
    storage: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of trouble, and how often it comes. `aftermath` is how many seconds the app may need to get over it."""

    name: str
    draw: Callable[[Random], Trouble]
    aftermath: float = _SOON
    longest: float = 6.0
    often: int = 1


def _throttled(what: str, **which: Any) -> Kind:
    def draw(dice: Random) -> Trouble:
        how = {"status": 503, "code": "ServerBusy"} if dice.randrange(3) == 0 else {}
        spoken = {} if dice.randrange(4) else {"with_header": False}
        return Trouble(f"{what} throttled", throttled={**how, **which, **spoken})

    return Kind(f"{what} throttled", draw)


def _failing(what: str, method: str, path: str, *, done: bool = False) -> Kind:
    def draw(dice: Random) -> Trouble:
        status = dice.choice((0, 500))
        how = f"{'answers of ' if done else ''}{what} {'lost' if status == 0 else 'are 500'}"
        message = "An internal execution error occurred. Please retry later."
        fault = Fault(method, path, status, "InternalServerError", message, times=dice.randint(1, 12), done=done)
        return Trouble(how, faults=(fault,))

    name = f"answers of {what} lost" if done else f"{what} fail"
    return Kind(name, draw, _UNHURRIED, longest=4.0)


def _switch(name: str, aftermath: float = _SOON, **behaviour: Any) -> Kind:
    return Kind(name, lambda _: Trouble(name, behaviour=behaviour), aftermath, longest=10.0)


def _events(dice: Random) -> Trouble:
    text, delays = dice.choice((("lost", ()), ("doubled", (0.0, 0.0)), ("late", (3.0,)), ("doubled, late", (4.0, 0.5))))
    return Trouble(f"events {text}", behaviour={"event_delays": delays})


def _regions_fail(dice: Random) -> Trouble:
    regions = {region: dice.randint(1, 2) for region in dice.sample(REGIONS[1:], dice.randint(1, 2))}
    return Trouble(f"copies fail: {regions}", behaviour={"failing_regions": regions})


def _region_closed(dice: Random) -> Trouble:
    region = dice.choice(REGIONS[1:])
    return Trouble(f"{region} is not to be had", behaviour={"closed_regions": frozenset({region})})


def _region_slow(dice: Random) -> Trouble:
    region, seconds = dice.choice(REGIONS[1:]), dice.randint(6, 15)
    return Trouble(f"{region} takes {seconds} s", behaviour={"replicate_by_region": {region: Pace.after(seconds)}})


def _lists_lag(dice: Random) -> Trouble:
    names = frozenset(f"1.0.{dice.randrange(10)}" for _ in range(4))
    return Trouble(f"lists lack {', '.join(sorted(names))}", behaviour={"unlisted": names})


def _graph_incomplete(dice: Random) -> Trouble:
    how = dice.choice(("truncated", "limit-hit"))
    return Trouble(f"Resource Graph is incomplete ({how})", behaviour={"graph_incomplete": how})


def _sink(sink: str) -> Kind:
    def draw(dice: Random) -> Trouble:
        status, after = dice.choice(((500, None), (503, 3.0), (429, 3.0)))
        return Trouble(f"webhook {sink} answers {status}", chat=(sink, status, after))

    # Without Retry-After the app's pauses grow from 5 s to a minute with each try in vain: one try a time, three times.
    return Kind(f"webhook {sink} fails", draw, aftermath=75.0, longest=4.0)


KINDS: Final = (
    _throttled("writes", method="PATCH"),
    _throttled("reads", method="GET", path_regex=_VERSION),
    _throttled("lists", method="GET", path_regex=_LIST, code="ResourceCollectionRequestsThrottled"),
    _throttled("subscriptions", code="SubscriptionRequestsThrottled", status=429),
    _throttled("Resource Graph", method="POST", path_regex=_GRAPH),
    _failing("reads", "GET", _VERSION),
    _failing("lists", "GET", _LIST),
    _failing("writes", "PATCH", _VERSION),
    _failing("writes", "PATCH", _VERSION, done=True),
    _failing("queries", "POST", _GRAPH),
    Kind("Resource Graph incomplete", _graph_incomplete),
    # One failure is repaired at once, a second one of the same copy after two minutes.
    Kind("copies fail", _regions_fail, aftermath=135.0, often=2),
    _switch("versions fail with their regions", aftermath=135.0, failed_region_fails_version=True),
    Kind("a region closed", _region_closed),
    Kind("a region slow", _region_slow, aftermath=20.0),
    _switch("removals slow", removal=Pace.after(5)),
    _switch("writes refused while one is under way", write_while_updating="conflict"),
    _switch("the flag wants a write of its own", flag_with_removal=False),
    Kind("lists lag", _lists_lag),
    Kind("events", _events),
    *(_sink(sink) for sink in SINKS),
    Kind("storage stands still", lambda _: Trouble("storage stands still", storage=True), longest=4.0),
)
