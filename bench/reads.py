"""Telling apart what the app asks of Azure Resource Manager, from the simulated one's journal.

A read decides when something is planned from it; it polls when it only looks how far Azure is with what was decided:
every look of `watch`, and every read of `prune` after its write, except the one right after it, which looks for writes
that crossed.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final

from bench.meter import IMAGE_HEADER, STAGE_HEADER
from local.azure import Request


class Read(StrEnum):
    """What is read."""

    LIST = "lists"
    TAGS = "tags"
    VERSION = "versions"
    GRAPH = "queries"


_VERSION: Final = re.compile(r"/versions/[\d.]+$")


def kind(request: Request) -> Read | None:
    """Classify a request; ``None`` for what is no read of the app's."""
    if request.method == "POST":
        return Read.GRAPH
    if request.method != "GET" or "capsOperations" in request.path:
        return None
    if _VERSION.search(request.path):
        return Read.VERSION
    return Read.LIST if request.path.endswith(("/versions", "/images")) else Read.TAGS


def stage(request: Request) -> str:
    """Say which function asked."""
    return request.headers.get(STAGE_HEADER, "")


def deciding(requests: Sequence[Request]) -> list[Request]:
    """Leave out writes, queries of Resource Graph (they have a budget of their own) and polls of progress."""
    polls = {id(each) for each in _polls(requests)}
    return [each for each in requests if kind(each) not in (None, Read.GRAPH) and id(each) not in polls]


def _polls(requests: Iterable[Request]) -> list[Request]:
    """Find the polls: how often `prune` has written each version tells what its next read is for."""
    found, looked_back, written = [], set[str](), set[str]()
    for each in requests:
        path = each.path.lower()
        if each.method == "PATCH":
            written.add(path)
            looked_back.discard(path)
        elif stage(each) == "watch":
            found.append(each)
        elif stage(each) == "prune" and path in written:
            if path in looked_back:
                found.append(each)
            looked_back.add(path)
    return found


def polls(requests: Sequence[Request]) -> int:
    """Count the polls of progress."""
    return len(_polls(requests))


def counted(requests: Iterable[Request]) -> Counter[str]:
    """Count reads by what is read."""
    return Counter(str(found) for each in requests if (found := kind(each)))


def of(image: str, requests: Iterable[Request]) -> list[Request]:
    """Give the requests that messages about an image definition have led to, by its name."""
    name = image.rpartition("/")[2].lower()
    return [each for each in requests if each.headers.get(IMAGE_HEADER) == name]
