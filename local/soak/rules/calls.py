"""Rules about when Azure is called, and for how long."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Final

from local.azure import Request
from local.soak.evidence import Evidence
from local.soak.rules.verdict import Verdict

_UNDER_WAY: Final = 1.0
"""Seconds that a call may be under way to Azure when another one's refusal comes back."""

_LONGEST: Final = 30.0
"""Seconds: a bound for two busy cores, where invocations wait for a thread, and storage for seconds."""

_WINDOW: Final = 180.0
_SHARE: Final = 300
"""Writes to one subscription within the window: Azure's 375, and a fifth of it left to others."""

_WHOLE: Final = "SubscriptionRequestsThrottled"
_LIFE: Final = re.compile(r"host-\d+-life-\d+")
_DURATION: Final = re.compile(r"Executed 'Functions\.(\w+)' .*Duration=(\d+)ms")


def patient(evidence: Evidence) -> Verdict:
    """Make no call of a kind again, in one process, before Azure's Retry-After is over."""
    refused = [each for each in evidence.requests if each.retry_after]
    made = _by_process(evidence)
    broken = [fault for each in refused for fault in _too_early(each, made)]
    return Verdict(7, "no process calls again before Azure's Retry-After is over", f"{len(refused)} refusals", broken)


type _Process = tuple[str, str]
"""A life of a host, and the subscription that it calls."""


def _by_process(evidence: Evidence) -> dict[_Process, list[Request]]:
    found: dict[_Process, list[Request]] = {}
    for each in evidence.requests:
        found.setdefault(_process(each), []).append(each)
    return found


def _too_early(refusal: Request, made: dict[_Process, list[Request]]) -> Iterator[str]:
    """Find the calls that should have waited. Azure counts whole seconds, rounded up."""
    begin, end = refusal.at + _UNDER_WAY, refusal.at + (refusal.retry_after or 0) - 1
    whole, process = refusal.error_code == _WHOLE, _process(refusal)
    for each in made[process]:
        if begin < each.at < end and (whole or _kind(each) == _kind(refusal)):
            early = refusal.at + (refusal.retry_after or 0) - each.at
            yield f"{process[0]} sent {each.method} {each.path.rpartition('/')[2]} {early:.1f} s too early"


def paced(evidence: Evidence) -> Verdict:
    """Leave a fifth of Azure's budget for writes to others."""
    times: dict[str, list[float]] = {}
    for each in evidence.requests:
        if each.method == "PATCH":
            times.setdefault(_subscription(each), []).append(each.at)
    most = max((_most(at) for at in times.values()), default=0)
    refused = sum(each.error_code == "TooManyRequests" for each in evidence.requests)
    broken = [f"{most} writes within three minutes"] if most > _SHARE else []
    broken += [f"{refused} calls were refused because a budget was used up"] if refused else []
    words = f"Azure's budgets hold: at most {_SHARE} writes to a subscription within three minutes"
    return Verdict(0, words, f"{len(times)} subscriptions, {most} writes at most", broken)


def brief(evidence: Evidence) -> Verdict:
    """Wait in no invocation for Azure's work."""
    took = sorted((int(milliseconds) / 1000, name) for name, milliseconds in _DURATION.findall(evidence.log))
    broken = [f"{name} took {seconds:.1f} s" for seconds, name in reversed(took) if seconds > _LONGEST]
    words = "nobody waits in a handler: no invocation lasts while Azure is at work"
    return Verdict(7, words, f"{len(took)} invocations: {_spread([seconds for seconds, _ in took])}", broken)


def _spread(seconds: Sequence[float]) -> str:
    """Say how long things took that are sorted by it."""
    parts = {"half": 0.5, "99 %": 0.99, "all": 1.0}
    last = len(seconds) - 1
    return ", ".join(f"{name} within {seconds[int(last * part)]:.1f} s" for name, part in parts.items() if seconds)


def _most(times: list[float]) -> int:
    return max(bisect_left(times, at + _WINDOW) - index for index, at in enumerate(times))


def _subscription(request: Request) -> str:
    parts = request.path.lower().split("/")
    return parts[2] if parts[1] == "subscriptions" else ""


def _kind(request: Request) -> tuple[str, int]:
    """Tell kinds of calls apart: by method, and by how deep in a gallery they are."""
    return request.method, request.path.count("/")


def _process(request: Request) -> _Process:
    life = _LIFE.search(request.headers.get("user-agent", ""))
    return life[0] if life else "", _subscription(request)
