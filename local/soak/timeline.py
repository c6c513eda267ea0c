"""Everything that happened, in the order of its time, one line each: for whoever has to find out why a rule broke."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from local.azure import Request
from local.shown import written
from local.soak.evidence import Evidence
from local.soak.rules.verdict import Verdict

_LIFE: Final = re.compile(r"host-\d+-life-\d+")


def timeline(evidence: Evidence, found: Sequence[Verdict], begun: float) -> str:
    """Write down calls, statuses, kills and what people did, in seconds since the beginning; then what broke a rule."""
    lines = [f"{at - begun:8.3f} {line}" for at, line in sorted(_lines(evidence))]
    lines += [f"broken, rule {each.number}: {fault}" for each in found for fault in each.broken]
    lines += [f"excused, rule {each.number}: {fault}" for each in found if each.held for fault in each.noted]
    return "\n".join([*lines, ""])


def _lines(evidence: Evidence) -> Iterator[tuple[float, str]]:
    for each in evidence.requests:
        yield each.at, _call(each)
    for post in evidence.posts:
        subject = str(post.body.get("subject") or post.body["source"]).partition("/galleries/")[2]
        yield post.at, f"{post.kind} {post.status} {post.body['type']} {subject} {post.body['id']}"
    for kill in evidence.kills:
        yield kill.at, f"killed {kill.life}"
    for change in evidence.changes:
        yield change.at, f"people: {change.image.partition('/galleries/')[2]} {change.version} {change.text}"
    for begin, end in evidence.pauses:
        yield begin, f"storage stands still for {end - begin:.1f} s"


def _call(request: Request) -> str:
    life = _LIFE.search(request.headers.get("user-agent", ""))
    path = request.path.partition("/galleries/")[2] or request.path
    wanted = written(request) if request.method == "PATCH" and request.body else {}
    regions = " ".join(f"{name}={region.get('regionalReplicaCount')}" for name, region in wanted.items())
    lost = " and the answer was lost" if request.spoiled else ""
    answered = f"{request.status} {request.error_code or ''}{lost}"
    return f"{life[0] if life else '-'} {request.method} {path} {answered} {regions}"
