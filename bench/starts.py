"""Cold starts: what a fresh process takes to import the app and to handle its first message."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from bench.results import Line
from bench.rig import HOME, REGIONS, ROOT, Desk
from local.azure import SimulatedAzure

FLOOR: Final = "import azure.functions"
IMPORT: Final = "import function_app"
STAGES: Final = ("image_event", "notify", "sweep", "reconcile", "replicate", "watch", "prune", "poison", "status")
_TIGHT: Final = {"image_event", "notify"}
_MOST: Final = 1.5
_RUNS: Final = 5
_QUICK_RUNS: Final = 2


def starts(desk: Desk) -> Iterator[Line]:
    """Start a process for each, in turns with the floor; with compiled files, and without any."""
    with SimulatedAzure() as azure:
        gallery = azure.add_gallery("prodgallery")
        image = azure.add_image(gallery, "ubuntu-2204")
        azure.add_version(image, "1.0.0", home=HOME, regions=list(REGIONS[:3]))
        settings = {
            "AzureWebJobsStorage": desk.storage(),
            "ARM_ENDPOINT": azure.endpoint,
            "GALLERIES": gallery,
            "TARGET_REGIONS": " ".join(REGIONS[:3]),
            "STATUS_WEBHOOKS": f"json={azure.chat_url('json', 'bench')}",
            "BENCH_IMAGE": image,
        }
        yield from _lines(settings, "compiled", _QUICK_RUNS if desk.quick else _RUNS, (IMPORT, *STAGES))
        yield from _lines(settings, "nothing compiled", 1, (IMPORT, *sorted(_TIGHT)))


def _lines(settings: Mapping[str, str], how: str, runs: int, whats: Sequence[str]) -> Iterator[Line]:
    if how == "compiled":
        for what in whats:
            _start(settings, what, how)  # whatever was not compiled yet is now
    found: dict[str, list[Mapping[str, float]]] = {what: [] for what in (FLOOR, *whats)}
    for _ in range(runs):
        for what, starts in found.items():
            starts.append(_start(settings, what, how))
    floor = statistics.median(each["import"] for each in found[FLOOR])
    base = statistics.median(each["mib"] for each in found[FLOOR])
    for what in whats:
        measured = "s to import the app" if what == IMPORT else "s to import the app and handle a first message"
        figures = {
            "s of the import": statistics.median(each["import"] for each in found[what]),
            "s of the first message": statistics.median(each["first"] for each in found[what]),
            "MiB": statistics.median(each["mib"] for each in found[what]),
            "MiB of the floor": base,
        }
        line = _line(
            f"{what}, {how}", floor, [each["import"] + each["first"] for each in found[what]], tight=what in _TIGHT
        )
        yield replace(line, measured=measured, figures=figures)
        if what == "notify":
            line = _line(f"{what}, {how}", floor, [each["first"] for each in found[what]], tight=True)
            yield replace(line, measured="s to load what a first message needs, and handle it")


def _line(case: str, floor: float, runs: Sequence[float], *, tight: bool) -> Line:
    """Hold a start against the floor; what was measured is still to be said."""
    figure = statistics.median(runs)
    return Line(
        "starts",
        case,
        "",
        figure,
        floor,
        FLOOR,
        figure / floor,
        f"under {_MOST} times it" if tight else "",
        met=figure / floor < _MOST if tight else None,
        runs=runs,
    )


def _start(settings: Mapping[str, str], what: str, how: str) -> Mapping[str, float]:
    """Start a process and read what it measured."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
    with tempfile.TemporaryDirectory() as empty:
        nothing = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPYCACHEPREFIX": empty} if how != "compiled" else {}
        ended = subprocess.run(
            [sys.executable, str(Path(__file__).parent / "first.py"), what],
            cwd=ROOT,
            env={**kept, **settings, **nothing, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            check=True,
            text=True,
        )
    measured: Mapping[str, float] = json.loads(ended.stdout.splitlines()[-1])
    return measured
