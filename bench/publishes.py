"""One publish after another, into more and more regions: what each asks of Azure and of storage."""

import json
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from bench import reads
from bench.results import Clock, Line
from bench.rig import HOME, REGIONS, Desk, Running, until
from local.azure import Behaviour, Pace, Request, SimulatedAzure

REGION_COUNTS: Final = (3, 10, 34, 60)
OLDER_COUNTS: Final = (1, 5)
NEW: Final = "1.1.0"
_MOST_READS: Final = 4
_OLD_REGIONS: Final = REGIONS[:3]
_RUNS: Final = 3
_APART: Final = 0.3
"""Seconds from one write to the next publish; what follows a write goes on meanwhile."""

_PACE: Final = Behaviour(create=Pace.after(0.2), update=Pace.after(0.4), replicate=Pace.after(1.2))


@dataclass(frozen=True, slots=True)
class Case:
    """One publish: into so many regions, with so many older versions that are in three of them."""

    regions: int
    older: int
    run: int = 0

    @property
    def name(self) -> str:
        """The name of its image definition."""
        return f"r{self.regions}-o{self.older}-{self.run}"

    def __str__(self) -> str:
        return f"{self.regions} regions, {self.older} older"


@dataclass(frozen=True, slots=True)
class Publish:
    """What one publish took: the requests from its event on, calls of the app to storage, and invocations."""

    case: Case
    requests: Sequence[Request]
    storage: Counter[str]
    executions: int

    @property
    def writes(self) -> int:
        """The writes that were sent, whatever became of them."""
        return sum(each.method == "PATCH" for each in self.requests)

    @property
    def to_write(self) -> list[Request]:
        """The reads until the write of the new version was accepted."""
        write = next(
            at for at, each in enumerate(self.requests) if each.method == "PATCH" and each.path.endswith(f"/{NEW}")
        )
        return reads.deciding(self.requests[:write])

    @property
    def fan_out(self) -> list[Request]:
        """The reads that decide where the new version is written: until its write, and those of its other messages."""
        fan = [each for each in reads.deciding(self.requests) if reads.stage(each) == "replicate"]
        return [*self.to_write, *(each for each in fan if each not in self.to_write)]


def publishes(desk: Desk) -> Iterator[Line]:
    """Publish every case, several times; give writes, reads, and calls to storage."""
    cases = [Case(regions, older) for regions in REGION_COUNTS for older in OLDER_COUNTS]
    if desk.quick:
        cases = [Case(3, 1), Case(34, 5)]
    runs = 1 if desk.quick else _RUNS
    repeated = [Case(each.regions, each.older, run) for run in range(runs) for each in cases]
    measured = measure(desk, repeated)
    apart = measure(desk, [Case(34, 5, run) for run in range(runs)], apart="replicate")
    of_case = {case: [each for each in measured if str(each.case) == str(case)] for case in cases}
    for case, some in of_case.items():
        yield writes_line(case, some)
    for case, some in of_case.items():
        yield from _reads_lines(str(case), some)
    yield from _reads_lines(f"{apart[0].case}, written elsewhere", apart)
    for case, some in of_case.items():
        yield _storage_line(case, some)


def measure(desk: Desk, cases: Sequence[Case], *, apart: str = "") -> list[Publish]:
    """Publish cases one after the other, each soon after the one before was written; wait until all is quiet.

    :param apart: a function that another instance serves.
    """
    with SimulatedAzure(behaviour=_PACE) as azure:
        gallery = azure.add_gallery("prodgallery")
        images = {case: azure.add_image(gallery, case.name) for case in cases}
        policy = {f"*/r{count}-*": {"target_regions": " ".join(REGIONS[:count])} for count in REGION_COUNTS}
        settings = {"TARGET_REGIONS": HOME, "POLICY_OVERRIDES": json.dumps(policy), "WATCH_INTERVAL": "PT1S..PT2S"}
        settings["PROTECT_IN_USE"] = "scale-sets"
        with desk.app(azure, [gallery], settings, apart=apart) as app:
            _settle(app)
            before = len(azure.requests), len(app.meter.lines("call")), len(app.meter.lines("invocation"))
            for case, image in images.items():
                _publish(app, case, image)
            for case, image in images.items():
                until(partial(_over, app, case, image), seconds=120, what=f"the end of {case}")
            app.until_quiet()
            return [_found(app, case, image, before) for case, image in images.items()]


def _settle(app: Running) -> None:
    """Let each definition have a pass, so that no publish is the first of its kind: clients and tables are there."""
    app.host.fire("sweep")
    until(lambda: app.meter.lines("invocation"), seconds=30, what="the sweep")
    time.sleep(1.0)
    app.until_quiet()


def _publish(app: Running, case: Case, image: str) -> None:
    """Put older versions there, publish another one, and wait until it is written, and a little longer."""
    for patch in range(case.older):
        app.azure.add_version(image, f"1.0.{patch}", home=HOME, regions=list(_OLD_REGIONS))
    version = app.azure.publish(image, NEW, home=HOME)
    until(lambda: app.azure.writes(version), seconds=60, what=f"the write of {case}")
    time.sleep(_APART)


def _found(app: Running, case: Case, image: str, before: tuple[int, int, int]) -> Publish:
    """Gather what belongs to one image definition."""
    requests, calls, invocations = before
    made = [each for each in app.meter.lines("call")[calls:] if each["image"] == case.name]
    done = [each for each in app.meter.lines("invocation")[invocations:] if each["image"] == case.name]
    services = Counter(_service(app, each) for each in made)
    return Publish(case, reads.of(image, app.azure.requests[requests:]), services, len(done))


def _over(app: Running, case: Case, image: str) -> bool:
    """Whether the new version is everywhere and the older ones are at home."""
    wanted = {NEW: case.regions} | {f"1.0.{patch}": 1 for patch in range(case.older)}
    return {name: _complete(each) for name, each in app.azure.versions(image).items()} == wanted


def _complete(version: Mapping[str, Any]) -> int:
    summary = version["properties"]["replicationStatus"]["summary"]
    return sum(each["state"] == "Completed" for each in summary)


def _service(app: Running, call: Mapping[str, Any]) -> str:
    if f":{call['port']}" in app.azure.endpoint:
        return "chat" if "/chat" in call["path"] else "arm"
    return "queue" if "/messages" in call["path"] else "table"


def writes_line(case: Case, some: Sequence[Publish]) -> Line:
    """Hold the writes of a case against the least possible."""
    runs = [float(each.writes) for each in some]
    least, figure = 1.0 + case.older, statistics.median(runs)
    return Line(
        "publishes",
        str(case),
        "ARM writes",
        figure,
        least,
        "1 + older that differ",
        figure / least,
        "the least possible",
        met=max(runs) <= least,
        runs=runs,
        clock=Clock.NONE,
    )


def _reads_lines(case: str, some: Sequence[Publish]) -> Iterator[Line]:
    for measured, found in (
        ("ARM reads, event to write", [each.to_write for each in some]),
        ("ARM reads, with those of the other messages of the fan-out", [each.fan_out for each in some]),
        ("ARM reads until quiet, without polls", [reads.deciding(each.requests) for each in some]),
    ):
        runs = [float(len(each)) for each in found]
        figure = statistics.median(runs)
        middle = sorted(zip(some, found, strict=True), key=lambda pair: len(pair[1]))[len(found) // 2]
        by_stage = Counter(f"{reads.stage(each)}" for each in middle[1])
        beside = {**reads.counted(middle[1]), **{f"by {name}": number for name, number in sorted(by_stage.items())}}
        if "quiet" in measured:
            beside["polls besides"] = reads.polls(middle[0].requests)
        yield Line(
            "publishes",
            case,
            measured,
            figure,
            float(_MOST_READS),
            "a pass",
            figure / _MOST_READS,
            f"at most {_MOST_READS}",
            met=max(runs) <= _MOST_READS,
            figures=beside,
            runs=runs,
            clock=Clock.NONE,
        )


def _storage_line(case: Case, some: Sequence[Publish]) -> Line:
    """Count what storage is asked; each message is received and deleted by the host, polls are not in it."""
    runs = [float(each.storage["queue"] + each.storage["table"] + 2 * (each.executions - 1)) for each in some]
    middle = sorted(some, key=lambda each: each.executions)[len(some) // 2]
    figures = {
        "executions": middle.executions,
        "queue": middle.storage["queue"] + 2 * (middle.executions - 1),
        "table": middle.storage["table"],
    }
    return Line(
        "publishes",
        str(case),
        "storage operations until quiet",
        statistics.median(runs),
        figures=figures,
        runs=runs,
        clock=Clock.NONE,
        note="feeds docs/cost.md; receiving and deleting a message is one operation each, polls are not in it",
    )
