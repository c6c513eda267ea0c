"""Azure asks to be left alone for a while: what leaves meanwhile, what waits, and what comes right after."""

import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module
from typing import Any, Final

from bench.results import Clock, Line
from bench.rig import HOME, REGIONS, Desk, until
from local.azure import Behaviour, Pace, Request, SimulatedAzure

_SECONDS: Final = 120
_SHORT: Final = 10
_REGIONS: Final = REGIONS[:10]
_HELD: Final = 1.0
_IDLE: Final = 5.0
_HOUR: Final = timedelta(hours=1)


def throttled(desk: Desk) -> Iterator[Line]:
    """Throttle for 120 s on a clock that is moved by hand, and for 10 s in a host."""
    for name, which in (("everything", {}), ("writes", {"method": "PATCH"})):
        yield _by_hand(desk, name, which)
    yield _in_a_host(desk)


def _by_hand(desk: Desk, name: str, which: Any) -> Line:
    """Nobody takes time here but Azure: what is late is late because the app wants it so."""
    clockwork = import_module("tests.flows.clockwork")  # the app on a clock that is moved by hand is a test's
    clock = clockwork.Clock()
    pace = Behaviour(update=Pace.after(300), replicate=Pace.after(1200))
    with SimulatedAzure(behaviour=pace, clock=clock) as azure:
        app = clockwork.Clockwork(azure, clock, desk.storage())
        azure.add_version(app.image, "1.0.0", home=HOME, regions=list(_REGIONS))
        azure.add_version(app.image, "1.0.1", home=HOME, regions=[HOME])
        app.decide(" ".join(_REGIONS))
        begin = clock()
        azure.throttle(_SECONDS, **which)
        app.event("1.0.1")
        app.run(_HOUR, until=azure.writes)
        requests = azure.requests
    end = begin + _SECONDS
    refused = [each for each in requests if each.status == 429]  # noqa: PLR2004  Too Many Requests
    early = Counter(_kind(each) for each in refused)
    after = [each.at for each in requests if each.at >= end]
    write = next(each.at for each in requests if each.method == "PATCH" and each.status < 300)  # noqa: PLR2004
    return Line(
        "throttled",
        f"{name} for {_SECONDS} s",
        "s idle after the window",
        after[0] - end,
        float(_SECONDS),
        "the window",
        (_SECONDS + after[0] - end) / _SECONDS,
        f"0 calls too early; idle at most {_IDLE:.0f} s",
        met=all(number == 1 for number in early.values()) and after[0] - end <= _IDLE,
        figures={
            "calls too early": sum(number - 1 for number in early.values()),
            "calls that found out": len(early),
            "s from the window's end to the write": write - end,
        },
        clock=Clock.SIMULATED,
    )


def _kind(request: Request) -> tuple[str, int]:
    """Tell calls apart as Azure does: by method, and by how deep in a gallery they are."""
    return request.method, request.path.count("/")


def _in_a_host(desk: Desk) -> Line:
    """In a host: how long a worker is held at most, by any invocation, while Azure refuses."""
    with SimulatedAzure(behaviour=Behaviour(update=Pace.after(600))) as azure:
        gallery = azure.add_gallery("prodgallery")
        image = azure.add_image(gallery, "ubuntu-2204")
        with desk.app(azure, [gallery], {"TARGET_REGIONS": " ".join(_REGIONS)}) as app:
            app.host.fire("sweep")
            until(lambda: len(app.meter.lines("invocation")) > 1, seconds=30, what="a first pass")
            time.sleep(1.0)
            warm = len(app.meter.lines("invocation"))
            version = azure.add_version(image, "1.0.1", home=HOME, regions=[HOME])
            begin = time.time()
            azure.throttle(_SHORT)
            azure.emit(azure.event_for(version))
            until(lambda: azure.writes(version), seconds=60, what="the write")
            meanwhile = [each for each in app.meter.lines("invocation")[warm:] if each["at"] < begin + _SHORT]
            requests = [each for each in azure.requests if each.at >= begin]
    held = max(each["seconds"] for each in meanwhile)
    refused = Counter(_kind(each) for each in requests if each.status == 429)  # noqa: PLR2004  Too Many Requests
    after = min(each.at for each in requests if each.status < 300)  # noqa: PLR2004
    return Line(
        "throttled",
        f"everything for {_SHORT} s, in a host",
        "s of worker time held, by one invocation",
        held,
        float(_SHORT),
        "the window",
        held / _SHORT,
        f"nobody waits in a handler: under {_HELD:.0f} s; 0 calls too early",
        met=held < _HELD and all(number == 1 for number in refused.values()),
        figures={
            "invocations meanwhile": len(meanwhile),
            "s of all of them": sum(each["seconds"] for each in meanwhile),
            "calls too early": sum(number - 1 for number in refused.values()),
            "s idle after the window": after - begin - _SHORT,
        },
    )
