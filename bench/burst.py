"""500 versions published at once, while Azure allows 375 writes in three minutes; and news for others meanwhile."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from math import ceil
from typing import Final

from bench.latency import news_to_write
from bench.results import Line
from bench.rig import AT_ONCE, HOME, REGIONS, ROOT, Desk, SlowAzure, TooLong, until
from local.azure import Behaviour, Pace, Request

_VERSIONS: Final = 500
_FEW: Final = 60
_REGIONS: Final = 12
_LATENCY: Final = 0.15
_BUDGET, _WINDOW = 375, 180.0
_SHARE: Final = 0.8
"""What the app takes of the budget; the rest is left to others (`shared/core/pacing.py`)."""

_CALLS: Final = 5
"""The fewest calls from an event to its write: the four reads of a pass, and the write."""

_LEAST: Final = 0.9
_LONGEST: Final = 300.0
"""Seconds after which it is broken off; what is written by then tells how long all of it would take."""

_SAMPLES: Final = 12
_PATIENCE: Final = 60.0
"""Seconds after which news is not waited for any longer."""

_OTHERS: Final = "22222222-2222-2222-2222-222222222222"


def burst(desk: Desk) -> Iterator[Line]:
    """Publish them; when half are written see how long news for another subscription waits behind the other half."""
    count = _FEW if desk.quick else _VERSIONS
    pace = Behaviour(update=Pace.after(600), replicate=Pace.after(1200), enforce_budgets=True)
    with SlowAzure(latency=_LATENCY, behaviour=pace, retry_scale=0.1) as azure:
        gallery, other = azure.add_gallery("prodgallery"), azure.add_gallery("others", subscription=_OTHERS)
        images = [azure.add_image(gallery, f"image-{number:03}") for number in range(count)]
        versions = [azure.add_version(image, "1.0.0", home=HOME, regions=[HOME]) for image in images]
        news = [azure.add_image(other, f"news-{number:02}") for number in range(_SAMPLES)]
        settings = {"TARGET_REGIONS": " ".join(REGIONS[:_REGIONS])}
        with desk.app(azure, [gallery, other], settings, root=ROOT) as app:
            begin, behind = time.time(), list[float]()
            for version in versions:
                azure.emit(azure.event_for(version))
            helper = threading.Thread(target=_news, args=(azure, news, behind), daemon=True)
            with suppress(TooLong):
                until(lambda: _written(azure, gallery) >= count / 2, seconds=_LONGEST / 2, what="half", every=0.25)
            helper.start()
            left = _LONGEST - (time.time() - begin)
            with suppress(TooLong):
                until(lambda: _written(azure, gallery) >= count, seconds=left, what="all writes", every=0.25)
            helper.join()
            peak = app.peak_mib
        requests = azure.requests
    ours = [each for each in requests if each.path.lower().startswith(gallery.lower())]
    yield from _lines(count, begin, ours, {"MiB at most": peak, "s that news waits behind the half": max(behind)})


def _written(azure: SlowAzure, gallery: str) -> int:
    return sum(each.path.lower().startswith(gallery.lower()) for each in azure.writes())


def _news(azure: SlowAzure, images: Sequence[str], heard: list[float]) -> None:
    """Give news all at once, a second apart, and wait for the writes; what does not come in time counts as the time."""
    helpers = []
    for image in images:
        helpers.append(threading.Thread(target=_hear, args=(azure, image, heard), daemon=True))
        helpers[-1].start()
        time.sleep(1.0)
    for helper in helpers:
        helper.join()


def _hear(azure: SlowAzure, image: str, heard: list[float]) -> None:
    try:
        heard.append(news_to_write(azure, image, longest=_PATIENCE))
    except TooLong:
        heard.append(_PATIENCE)


def _lines(count: int, begin: float, requests: Sequence[Request], beside: Mapping[str, float]) -> Iterator[Line]:
    """Hold the writes against the budget's pace, and against the least time that it leaves."""
    writes = [each.at - begin for each in requests if each.method == "PATCH" and each.status < 300]  # noqa: PLR2004  it was taken
    last = max(writes) * count / len(writes)
    by_budget = (ceil(count / _BUDGET) - 1) * _WINDOW
    by_latency = _CALLS * _LATENCY * ceil(count / AT_ONCE)
    over = sum(each.status == 429 for each in requests)  # noqa: PLR2004  Too Many Requests
    until_last = [each for each in requests if each.at - begin <= max(writes)]
    broken_off = f"broken off with {len(writes)} written after {max(writes):.0f} s: the figure is worked out from that"
    case = f"{count} versions at once, {_REGIONS} regions, {_LATENCY * 1000:.0f} ms latency"
    target, note = f"at least {_LEAST:.0%} of it; never over the budgets", broken_off if len(writes) < count else ""
    pace, least = count * _WINDOW / last, max(by_budget, by_latency)
    yield Line(
        "burst",
        case,
        "writes in 3 minutes, from the events to the last write",
        pace,
        float(_BUDGET),
        "the budget",
        pace / _BUDGET,
        target,
        met=pace / _BUDGET >= _LEAST and not over,
        figures={
            "most in any 3 minutes": max(sum(at <= other < at + _WINDOW for other in writes) for at in writes),
            "refused for a budget": over,
            "calls": len(until_last),
            "calls per second": len(until_last) / max(writes),
            **beside,
        },
        note=note,
    )
    yield Line(
        "burst",
        case,
        "s until all writes are accepted",
        last,
        least,
        "one window, if nothing before and after it took time" if by_budget >= by_latency else "latency",
        least / last,
        target,
        met=least / last >= _LEAST and not over,
        figures={
            "floor by budget": by_budget,
            "floor by latency": by_latency,
            "s until the share of a window is used": _share_used(writes),
        },
        note=note,
    )


def _share_used(writes: Sequence[float]) -> float:
    """Say when as many writes were made as the app allows itself in three minutes, or all of them."""
    return sorted(writes)[min(len(writes), int(_BUDGET * _SHARE)) - 1]
