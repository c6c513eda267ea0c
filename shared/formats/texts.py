"""Text for people, made of what others wrote: a line each, and never endless."""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from shared.core.text import span

_ODD = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control characters, and those that turn the direction of what follows: a name must not rewrite its neighbours."""


def line(words: object, longest: int) -> str:
    """Give somebody's words as one line; one that was cut says how much is missing."""
    text = " ".join(_ODD.sub(" ", str(words).encode(errors="replace").decode()).split())
    return text if len(text) <= longest else f"{text[:longest]}... ({len(text) - longest} more characters)"


def names(given: Sequence[object], most: int, missing: int = 0) -> str:
    """List names, no more than so many.

    :param missing: how many are not even among those given.
    """
    more = max(len(given) - most, 0) + missing
    told = ", ".join(str(each) for each in given[:most])
    return f"{told} and {more} more" if more else told


def spanned(seconds: float) -> str:
    """Say a duration that came as seconds."""
    return span(timedelta(seconds=seconds))


def packed(lines: Iterable[str], longest: int) -> list[str]:
    """Join lines into as few texts of a length as possible; no line is cut in two."""
    texts: list[str] = []
    for each in lines:
        if texts and len(texts[-1]) + 1 + len(each) <= longest:
            texts[-1] += f"\n{each}"
        else:
            texts.append(each)
    return texts


def fitting[T](parts: Iterable[T], room: int) -> tuple[list[T], int, int]:
    """Give the parts that fit into so much JSON, how many do not, and the room that is left."""
    whole = list(parts)
    for index, part in enumerate(whole):
        size = len(compact(part)) + 1  # and a comma
        if size > room:
            return whole[:index], len(whole) - index, 0
        room -= size
    return whole, 0, room


def compact(body: Any) -> str:
    """Give the JSON that is posted: as short as it can be, because receivers have limits, and ASCII only."""
    return json.dumps(body, separators=(",", ":"))
