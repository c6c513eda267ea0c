"""Hundreds of events for one image definition within two seconds, the last of which has news."""

import time
from collections.abc import Iterator
from typing import Final

from bench import reads
from bench.results import Clock, Line
from bench.rig import HOME, REGIONS, Desk, Running, until
from local.azure import Behaviour, Pace, Request, SimulatedAzure

_EVENTS: Final = 600
_BURSTS: Final = 20
_SECONDS: Final = 2.0
_MOST_READS: Final = 60
_LONGEST: Final = 240.0
_PACE: Final = Behaviour(update=Pace.after(0.4), replicate=Pace.after(1.2))


def storm(desk: Desk) -> Iterator[Line]:
    """Count what is read for them, and whether the last one was heard."""
    with SimulatedAzure(behaviour=_PACE, retry_scale=0.1) as azure:
        gallery = azure.add_gallery("prodgallery")
        image = azure.add_image(gallery, "ubuntu-2204")
        first = azure.add_version(image, "1.0.0", home=HOME, regions=list(REGIONS[:3]))
        policy = {"TARGET_REGIONS": " ".join(REGIONS[:3]), "WATCH_INTERVAL": "PT1S..PT2S"}
        with desk.app(azure, [gallery], policy) as app:
            app.host.fire("sweep")
            until(lambda: app.meter.lines("invocation"), seconds=30, what="the sweep")
            time.sleep(1.0)
            app.until_quiet()
            before, begun = len(azure.requests), time.monotonic()
            for burst in range(_BURSTS):
                if burst == _BURSTS - 1:
                    azure.add_version(image, "1.0.1", home=HOME, regions=[HOME])
                azure.emit(azure.event_for(first), times=_EVENTS // _BURSTS)
                time.sleep(_SECONDS / _BURSTS)
            until(lambda: azure.writes(f"{image}/versions/1.0.1"), seconds=_LONGEST, what="the last event to be heard")
            heard = time.monotonic() - begun
            until(lambda: len(azure.deliveries) >= _EVENTS, seconds=_LONGEST, what="every event to be delivered")
            app.until_quiet(seconds=_LONGEST)
            yield _line(app, reads.of(image, azure.requests[before:]), heard, time.monotonic() - begun)


def _line(app: Running, requests: list[Request], heard: float, quiet: float) -> Line:
    decided = reads.deciding(requests)
    passes = [each for each in decided if reads.stage(each) == "reconcile"]
    written = sum(each.method == "PATCH" for each in requests)
    invocations = sum(each["stage"] == "reconcile" for each in app.meter.lines("invocation"))
    return Line(
        "storm",
        f"{_EVENTS} events for one definition within {_SECONDS:.0f} s",
        "ARM reads of all passes",
        float(len(passes)),
        float(_MOST_READS),
        "ten a second and three to end with",
        len(passes) / _MOST_READS,
        f"at most {_MOST_READS}, none is lost",
        met=len(passes) <= _MOST_READS and written == 1 + 1,
        figures={
            **reads.counted(passes),
            "reads of all stages": len(decided),
            "polls besides": reads.polls(requests),
            "invocations of reconcile": invocations,
            "writes": written,
            "s until the news was written": heard,
            "s until all is quiet": quiet,
        },
        clock=Clock.NONE,
        note="the last burst comes after a new version, which must be written, and the older one pruned",
    )
