"""500 versions published at once, while Azure allows 375 writes in three minutes; and news for others meanwhile."""

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from math import ceil
from typing import Final

from bench.latency import PATIENCE, news_to_write
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
_OTHERS: Final = "22222222-2222-2222-2222-222222222222"


def burst(desk: Desk) -> Iterator[Line]:
    """Publish them; when half are written see how long news for another subscription waits behind the other half."""
    count = _FEW if desk.quick else _VERSIONS
    pace = Behaviour(update=Pace.after(600), replicate=Pace.after(1200), enforce_budgets=True)
    with SlowAzure(latency=_LATENCY, behaviour=pace, retry_scale=0.1) as azure:
        gallery, other = azure.add_gallery("prodgallery"), azure.add_gallery("others", subscription=_OTHERS)
        images = [azure.add_image(gallery, f"image-{number:03}") for number in range(count)]
        versions = [azure.add_version(image, "1.0.0", home=HOME, regions=[HOME]) for image in images]
        news = [azure.add_image(other, f"news-{number:02}") for number in range(0 if desk.quick else _SAMPLES)]
        settings = {"TARGET_REGIONS": " ".join(REGIONS[:_REGIONS])}
        with desk.app(azure, [gallery, other], settings, root=ROOT) as app:
            begin = time.time()
            for version in versions:
                azure.emit(azure.event_for(version))
            _until_written(azure, gallery, count // 2, _LONGEST / 2)
            with ThreadPoolExecutor(1) as helper:
                behind = helper.submit(_news, azure, news)
                _until_written(azure, gallery, count, _LONGEST - (time.time() - begin))
            beside = {"MiB at most": app.peak_mib, **_waited(behind.result())}
        requests = azure.requests
    yield _line(count, begin, [each for each in requests if each.path.lower().startswith(gallery.lower())], beside)


def _until_written(azure: SlowAzure, gallery: str, count: int, seconds: float) -> None:
    """Wait until so many are written, or time is up; the line says how many were."""
    with suppress(TooLong):
        until(lambda: _written(azure, gallery) >= count, seconds=seconds, what="writes", every=0.25)


def _waited(behind: Sequence[float]) -> dict[str, float]:
    """Say how long news waited behind the other half."""
    if not behind:
        return {}
    heard = [each for each in behind if each < PATIENCE]
    return {
        "news behind half of them": len(behind),
        f"of it written within {PATIENCE:.0f} s": len(heard),
        "s of the quickest": min(behind),
    }


def _written(azure: SlowAzure, gallery: str) -> int:
    return sum(each.path.lower().startswith(gallery.lower()) for each in azure.writes())


def _news(azure: SlowAzure, images: Sequence[str]) -> list[float]:
    """Give news a second apart, and the seconds that each took until its write."""
    with ThreadPoolExecutor(_SAMPLES) as pool:
        given = []
        for image in images:
            given.append(pool.submit(news_to_write, azure, image))
            time.sleep(1.0)
        return [each.result() for each in given]


def _line(count: int, begin: float, requests: Sequence[Request], beside: Mapping[str, float]) -> Line:
    writes = [each.at - begin for each in requests if each.method == "PATCH" and each.status < 300]  # noqa: PLR2004  it was taken
    last = max(writes) * count / len(writes)
    by_budget = (ceil(count / _BUDGET) - 1) * _WINDOW
    by_latency = _CALLS * _LATENCY * ceil(count / AT_ONCE)
    floor = max(by_budget, by_latency)
    over = sum(each.status == 429 for each in requests)  # noqa: PLR2004  Too Many Requests
    until_last = [each for each in requests if each.at - begin <= max(writes)]
    broken_off = f"broken off with {len(writes)} written after {max(writes):.0f} s: the figure is worked out from that"
    return Line(
        "burst",
        f"{count} versions at once, {_REGIONS} regions, {_LATENCY * 1000:.0f} ms latency",
        "s until all writes are accepted",
        last,
        floor,
        "budget" if by_budget >= by_latency else "latency",
        floor / last,
        f"at least {_LEAST:.0%} of what binds; never over the budgets",
        met=floor / last >= _LEAST and not over,
        figures={
            "floor by budget": by_budget,
            "floor by latency": by_latency,
            "s until the share of a window is used": _share_used(writes),
            "writes in 3 minutes, on the whole": count * _WINDOW / last,
            "most writes in any 3 minutes": max(sum(at <= other < at + _WINDOW for other in writes) for at in writes),
            "refused for a budget": over,
            "calls": len(until_last),
            "calls per second": len(until_last) / max(writes),
            **beside,
        },
        note=broken_off if len(writes) < count else "",
    )


def _share_used(writes: Sequence[float]) -> float:
    """Say when as many writes were made as the app allows itself in three minutes, or all of them."""
    return sorted(writes)[min(len(writes), int(_BUDGET * _SHARE)) - 1]
