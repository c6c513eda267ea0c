"""How many events the endpoint takes in a second, and how long the news takes until Azure has the write."""

import asyncio
import random
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any, Final

import aiohttp

from bench.results import Line
from bench.rig import HOME, REGIONS, ROOT, Desk, Running, until
from local.azure import Behaviour, Pace, SimulatedAzure

_POSTS: Final = 400
_AT_ONCE: Final = 16
_RUNS: Final = 3
_LEAST: Final = 0.7

_NOTHING: Final = """
import json
import azure.functions as func
app = func.FunctionApp()

@app.function_name("image_event")
@app.event_grid_trigger(arg_name="event")
@app.queue_output(arg_name="out", queue_name="reconcile", connection="AzureWebJobsStorage")
def image_event(event: func.EventGridEvent, out: func.Out[str]) -> None:
    out.set(json.dumps(event.get_json()))
"""

_OURS: Final = """
import os
import azure.functions as func
from handlers import image_event as stage
from shared import settings
from shared.wiring import App
app, wired = func.FunctionApp(), App(settings.load(os.environ))
@app.function_name("image_event")
@app.event_grid_trigger(arg_name="event")
@app.queue_output(arg_name="out", queue_name="reconcile", connection="AzureWebJobsStorage")
def image_event(event: func.EventGridEvent, out: func.Out[str]) -> None:
    text = stage.handle(wired, event)
    if text:
        out.set(text)
"""

_HOSTS: Final = 3
_SAMPLES: Final = 4
_LOOK_AGAIN: Final = 0.2
"""Seconds between two looks whether a write has come; when it came, the simulated Azure has written down."""

_POLL: Final = 2.0
"""`maxPollingInterval` of host.json, in seconds."""

_BACKED_OFF: Final = 3.4
"""Seconds of silence after which a listener polls no more often than that."""

_MOST_POLLS: Final = 1.5


def accepted(desk: Desk) -> Iterator[Line]:
    """Compare our function with one that does nothing, in turns, each in a host of its own; and the whole app."""
    with SimulatedAzure() as azure, ExitStack() as stack:
        gallery = azure.add_gallery("prodgallery")
        image = azure.add_image(gallery, "ubuntu-2204")
        event = azure.event_for(azure.add_version(image, "1.0.0", home=HOME))
        urls = {}
        for name, source in (("nothing", _NOTHING), ("ours", _OURS)):
            app = desk.app(azure, [gallery], {"TARGET_REGIONS": HOME}, root=desk.app_folder(name, source))
            urls[name] = stack.enter_context(app).host.event_grid_url("image_event")
            asyncio.run(_warm(urls[name], event))
        rates: dict[str, list[float]] = {"nothing": [], "ours": []}
        for _ in range(2 if desk.quick else _RUNS):
            for name, url in urls.items():
                rates[name].append(asyncio.run(rate(url, event)))
        stack.close()
        whole = stack.enter_context(desk.app(azure, [gallery], {"TARGET_REGIONS": HOME}, root=ROOT))
        asyncio.run(_warm(whole.host.event_grid_url("image_event"), event))
        busy = asyncio.run(rate(whole.host.event_grid_url("image_event"), event))
    floor, figure = statistics.median(rates["nothing"]), statistics.median(rates["ours"])
    yield Line(
        "accepted",
        f"{_POSTS} events, {_AT_ONCE} at once",
        "events per second",
        figure,
        floor,
        "a function that does nothing",
        figure / floor,
        f"at least {_LEAST:.0%} of it",
        met=figure / floor >= _LEAST,
        figures={"with all passes in the same process": busy},
        runs=rates["ours"],
    )


async def _warm(url: str, event: Any) -> None:
    """Post one event, which makes the queue, and then some."""
    await rate(url, event, posts=1)
    await rate(url, event, posts=5 * _AT_ONCE)


async def rate(url: str, event: Any, *, posts: int = _POSTS) -> float:
    """Post an event again and again, so many at once; give the events per second."""
    left = iter(range(posts))
    async with aiohttp.ClientSession() as session:

        async def post() -> None:
            for _ in left:
                headers = {"aeg-event-type": "Notification"}
                async with session.post(url, json=[event], headers=headers) as answer:
                    answer.raise_for_status()

        begin = time.perf_counter()
        await asyncio.gather(*(post() for _ in range(_AT_ONCE)))
        return posts / (time.perf_counter() - begin)


def latency(desk: Desk) -> Iterator[Line]:
    """Measure from an event to the accepted write in hosts that were idle before, a few of them side by side."""
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
    yield latency_line("idle", seconds)


def _sample(app: Running, images: Sequence[str], seconds: list[float]) -> None:
    """Give news again and again, at any moment between two polls; the first time does not count."""
    took = []
    for image in images:
        time.sleep(_BACKED_OFF + random.random() * _POLL)  # noqa: S311  any moment will do
        took.append(news_to_write(app.azure, image))
    seconds += took[1:]


def news_to_write(azure: SimulatedAzure, image: str, *, longest: float = 60.0) -> float:
    """Put a new version there, deliver its event, and give the seconds until its write was accepted."""
    version = azure.add_version(image, "1.0.1", home=HOME, regions=[HOME])
    begin = time.time()
    azure.emit(azure.event_for(version))
    until(lambda: azure.writes(version), seconds=longest, what="a write", every=_LOOK_AGAIN)
    return azure.writes(version)[0].at - begin


def latency_line(case: str, seconds: Sequence[float], note: str = "") -> Line:
    """Hold the seconds from event to write against the polling interval."""
    p50, p95 = statistics.median(seconds), percentile(seconds, 0.95)
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


def percentile(values: Sequence[float], share: float) -> float:
    """Give the value that this share of all does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * len(ordered) + 0.5) - 1)]
