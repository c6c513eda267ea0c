"""How long the news takes until Azure has the write."""

import random
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Final

from bench.results import Line
from bench.rig import HOME, REGIONS, ROOT, Desk, Running, TooLong, until
from local.azure import Behaviour, Pace, SimulatedAzure

_HOSTS: Final = 3
_SAMPLES: Final = 4
_LOOK_AGAIN: Final = 0.2
"""Seconds between two looks whether a write has come; when it came, the simulated Azure has written down."""

_POLL: Final = 2.0
"""`maxPollingInterval` of host.json, in seconds."""

_BACKED_OFF: Final = 3.4
"""Seconds of silence after which a listener polls no more often than that."""

_MOST_POLLS: Final = 1.5

PATIENCE: Final = 60.0
"""Seconds after which news is not waited for any longer; what does not come by then counts as that."""

_IN_FLIGHT: Final = 500
_NEWS: Final = 30
_PARTS: Final = 5
"""Subscriptions that they are in: Azure's budget of each has room for its part at once."""

_SUBSCRIPTION: Final = "33333333-3333-3333-3333-33333333333{}"
_LONGEST: Final = 240.0


def latency(desk: Desk) -> Iterator[Line]:
    """Measure from an event to the accepted write, idle and with hundreds of rollouts in flight."""
    yield _line("idle", _idle(desk))
    if not desk.quick:
        yield _line(f"{_IN_FLIGHT} definitions in flight", *_in_flight(desk))


def _idle(desk: Desk) -> list[float]:
    """Give news to hosts that were idle before, a few of them side by side."""
    pace = Behaviour(update=Pace.after(0.4), replicate=Pace.after(600))
    with SimulatedAzure(behaviour=pace) as azure, ExitStack() as stack:
        seconds: list[float] = []
        threads = []
        for number in range(1 if desk.quick else _HOSTS):
            gallery = azure.add_gallery(f"gallery{number}")
            images = [azure.add_image(gallery, f"image-{each}") for each in range(_SAMPLES + 1)]
            for image in images:
                azure.add_version(image, "1.0.0", home=HOME, regions=list(REGIONS[:3]))
            policy = {"TARGET_REGIONS": " ".join(REGIONS[:3])}
            app = stack.enter_context(desk.app(azure, [gallery], policy, root=ROOT))
            threads.append(threading.Thread(target=_sample, args=(app, images, seconds), daemon=True))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return seconds


def _in_flight(desk: Desk) -> tuple[list[float], str]:
    """Give news while hundreds of rollouts are watched that do not end; no message of theirs is behind."""
    pace = Behaviour(update=Pace.after(3600), replicate=Pace.after(3600))
    with SimulatedAzure(behaviour=pace) as azure:
        galleries = [
            azure.add_gallery("prodgallery", subscription=_SUBSCRIPTION.format(each)) for each in range(_PARTS)
        ]
        images = [azure.add_image(each, f"image-{at}") for each in galleries for at in range(_IN_FLIGHT // _PARTS)]
        versions = [azure.add_version(image, "1.0.0", home=HOME, regions=[HOME]) for image in images]
        news = [azure.add_image(galleries[0], f"news-{at}") for at in range(_NEWS)]
        with desk.app(azure, galleries, {"TARGET_REGIONS": " ".join(REGIONS[:2])}, root=ROOT) as app:
            for version in versions:
                azure.emit(azure.event_for(version))
            until(lambda: len(azure.writes()) == _IN_FLIGHT, seconds=_LONGEST, what="all writes", every=1.0)
            app.until_nothing_is_due(seconds=_LONGEST)
            before, seconds = _looks(azure), []
            for image in news:
                time.sleep(random.random() * _POLL)  # noqa: S311  any moment will do
                seconds.append(news_to_write(azure, image))
            looks = _looks(azure) - before
    return seconds, f"meanwhile they were looked at {looks} times"


def _looks(azure: SimulatedAzure) -> int:
    return sum(each.method == "GET" and each.path.endswith("/versions/1.0.0") for each in azure.requests)


def _sample(app: Running, images: Sequence[str], seconds: list[float]) -> None:
    """Give news again and again, at any moment between two polls; the first time does not count."""
    took = []
    for image in images:
        time.sleep(_BACKED_OFF + random.random() * _POLL)  # noqa: S311  any moment will do
        took.append(news_to_write(app.azure, image))
    seconds += took[1:]


def news_to_write(azure: SimulatedAzure, image: str) -> float:
    """Put a new version there, deliver its event, and give the seconds until its write was accepted, or `PATIENCE`."""
    version = azure.add_version(image, "1.0.1", home=HOME, regions=[HOME])
    begin = time.time()
    azure.emit(azure.event_for(version))
    try:
        until(lambda: azure.writes(version), seconds=PATIENCE, what="a write", every=_LOOK_AGAIN)
    except TooLong:
        return PATIENCE
    return azure.writes(version)[0].at - begin


def _line(case: str, seconds: Sequence[float], note: str = "") -> Line:
    """Hold the seconds from event to write against the polling interval."""
    p50, p95 = statistics.median(seconds), _percentile(seconds, 0.95)
    return Line(
        "latency",
        case,
        "s from event to accepted write, p95",
        p95,
        _POLL,
        "polling interval of the queues",
        p95 / _POLL,
        f"p50 and p95 under {_MOST_POLLS} of it",
        met=p95 / _POLL < _MOST_POLLS,
        figures={"p50": p50, "p50 / interval": p50 / _POLL, "samples": len(seconds)},
        runs=sorted(seconds),
        note=note,
    )


def _percentile(values: Sequence[float], share: float) -> float:
    """Give the value that this share of all does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * len(ordered) + 0.5) - 1)]
