"""How many events the endpoint takes in a second."""

import asyncio
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Final

import aiohttp

from bench.results import Line
from bench.rig import HOME, ROOT, Desk
from local.azure import SimulatedAzure

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
