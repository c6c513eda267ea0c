"""A pass over longer and longer histories; and the planning in it by itself."""

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from typing import Any, Final

from bench.results import Clock, Line
from bench.rig import HOME, REGIONS, ROOT, Desk, Running, until
from local.azure import Behaviour, Request, SimulatedAzure

_SIZES: Final = (10, 200, 2_000, 10_000)
_QUICK: Final = (10, 2_000)
_PAGE: Final = 50
_MOST_PAGES: Final = 10
_BESIDE: Final = {True: 3, False: 5}
"""Reads besides the list: definition, gallery and newest version; and two queries for who uses what."""

_RUNS: Final = 3
_MOST_CPU: Final = 0.5
_MOST_MIB: Final = 100.0
_LINEAR: Final = 1.5


def passes(desk: Desk) -> Iterator[Line]:
    """Measure whole passes, each size in a host of its own."""
    for size in _QUICK if desk.quick else _SIZES:
        for converged in (True, False):
            yield _pass_line(desk, size, converged=converged)


def _pass_line(desk: Desk, size: int, *, converged: bool) -> Line:
    page = max(_PAGE, size // _MOST_PAGES)
    with SimulatedAzure(behaviour=Behaviour(page_size=page)) as azure:
        gallery = azure.add_gallery("prodgallery")
        small, image = (azure.add_image(gallery, name) for name in ("small", "large"))
        azure.add_version(small, "1.0.0", home=HOME, regions=list(REGIONS[:3]))
        for patch in range(size):
            everywhere = patch == size - 1 or not converged
            azure.add_version(image, f"1.0.{patch}", home=HOME, regions=list(REGIONS[: 3 if everywhere else 1]))
        # What follows a pass is not served, so that nothing else runs beside it and it can be made again.
        served = {"BENCH_FUNCTIONS": "image_event reconcile", "TARGET_REGIONS": " ".join(REGIONS[:3])}
        with desk.app(azure, [gallery], served) as app:
            _pass(app, f"{small}/versions/1.0.0")
            base = app.peak_mib
            runs = [
                _pass(app, f"{image}/versions/1.0.0") for _ in range(1 if desk.quick or size == max(_SIZES) else _RUNS)
            ]
            peak = app.peak_mib
    return _held(size, runs, (base, peak), pages=ceil(size / page), converged=converged)


def _pass(app: Running, version: str) -> tuple[Sequence[Request], Mapping[str, Any]]:
    """Let an event about a version ask for a pass; give its requests and its invocation."""

    def ends() -> list[Mapping[str, Any]]:
        return [each for each in app.meter.lines("invocation") if each["stage"] == "reconcile"]

    requests, ended = len(app.azure.requests), len(ends())
    app.azure.emit(app.azure.event_for(version))
    until(lambda: len(ends()) > ended, seconds=120, what="a pass to end")
    return app.azure.requests[requests:], ends()[-1]


def _held(size: int, runs: Sequence[Any], mib: tuple[float, float], *, pages: int, converged: bool) -> Line:
    base, peak = mib
    counts = [float(len(requests)) for requests, _ in runs]
    least = float(pages + _BESIDE[converged])
    figure = statistics.median(counts)
    cpu = statistics.median(float(invocation["cpu"]) for _, invocation in runs)
    return Line(
        "passes",
        f"{size:,} versions, {'converged' if converged else 'all but one to be pruned'}",
        "requests to ARM",
        figure,
        least,
        f"{pages} pages and {_BESIDE[converged]} more",
        figure / least,
        "the pages of the list, and what a pass reads besides",
        met=max(counts) <= least,
        runs=counts,
        clock=Clock.NONE,
        figures={
            "CPU s": cpu,
            "CPU ms a version": cpu / size * 1000,
            "wall s": statistics.median(float(invocation["seconds"]) for _, invocation in runs),
            "MiB at most": peak,
            "MiB more than with one version": peak - base,
        },
    )


def planning(desk: Desk) -> Iterator[Line]:
    """Measure the pure planning, each size in a process of its own."""
    for converged in (True, False):
        before: tuple[int, float] | None = None
        for size in _QUICK if desk.quick else _SIZES:
            found = [_planned(size, converged=converged) for _ in range(1 if desk.quick else _RUNS)]
            cpu = statistics.median(each["cpu"] for each in found)
            yield _planning_line(size, found, before, converged=converged)
            before = (size, cpu)


def _planned(size: int, *, converged: bool) -> Mapping[str, float]:
    words = [sys.executable, "-m", "bench.planned", str(size), "converged" if converged else "open"]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, check=True, text=True)
    found = json.loads(ended.stdout)
    assert isinstance(found, dict)  # noqa: S101  for the type checker
    return found


def _planning_line(
    size: int, found: Sequence[Mapping[str, float]], before: tuple[int, float] | None, *, converged: bool
) -> Line:
    cpu = statistics.median(each["cpu"] for each in found)
    memory = statistics.median(each["mib"] for each in found)
    floor = before[1] * size / before[0] if before else None
    largest = size == max(_SIZES)
    within = not largest or (cpu < _MOST_CPU and memory < _MOST_MIB)
    linear = floor is None or cpu / floor < _LINEAR
    return Line(
        "planning",
        f"{size:,} versions, {'converged' if converged else 'all but one to be pruned'}",
        "CPU s",
        cpu,
        floor,
        "as much for each version as in the line above" if before else "",
        cpu / floor if floor else None,
        f"linear (under {_LINEAR})" + (f", under {_MOST_CPU} s and {_MOST_MIB:.0f} MiB" if largest else ""),
        met=within and linear,
        runs=[each["cpu"] for each in found],
        figures={"MiB of versions and plan": memory, "MiB of the plan alone": found[0]["plan_mib"]},
    )
