"""How the text of a setting becomes a value. A reader raises ``ValueError`` for anything else than it wants."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from typing import Any

import isodate

from shared.core.errors import Malformed
from shared.core.names import GalleryId, encryption_set_id, region_name
from shared.core.text import whole


def within(least: int, most: int) -> Callable[[str], int]:
    """Read a whole number within bounds."""
    return lambda text: whole(text, least, most)


def one_of[E: StrEnum](kind: type[E]) -> Callable[[str], E]:
    """Read one of the values of an enumeration, in any letter case."""

    def read(text: str) -> E:
        return {value.lower(): value for value in kind}[text.lower()]

    return read


def optional[T](read: Callable[[str], T]) -> Callable[[str], T | None]:
    """Read something, or nothing from an empty text."""
    return lambda text: read(text) if text else None


def switch(text: str) -> bool:
    """Read true or false."""
    return {"true": True, "false": False}[text.lower()]


def duration(text: str) -> timedelta:
    """Read an ISO 8601 duration above zero; months and years have no fixed length and are refused."""
    value = pause(text)
    if not value:
        raise ValueError
    return value


def pause(text: str) -> timedelta:
    """Read an ISO 8601 duration that may be none at all."""
    if text.upper() in ("P", "PT"):  # the library takes half a duration for none
        raise ValueError
    try:
        value = isodate.parse_duration(text)
    except ArithmeticError:  # longer than Python can say
        raise ValueError from None
    if not isinstance(value, timedelta) or not timedelta(0) <= value <= timedelta(days=366):
        raise ValueError
    return value


def interval(text: str) -> tuple[timedelta, timedelta]:
    """Read ``PT15S..PT10M``. A queue message can wait seven days at most (documented), and whole seconds only."""
    first, longest = (duration(part) for part in text.split(".."))
    if not timedelta(seconds=1) <= first <= longest <= timedelta(days=6):
        raise ValueError
    return first, longest


def tag(text: str) -> str:
    """Read the name of a tag; these characters cannot be in one, and 512 is the most (documented)."""
    if re.search(r"[<>%&\\?/\x00-\x1f]", text) or len(text) > 512:  # noqa: PLR2004  as documented
        raise ValueError
    return text


def encryption_sets(text: str) -> dict[str, str]:
    """Read a JSON object of regions and the disk encryption set of each."""
    found: dict[str, str] = {}
    faults: list[str] = []
    for name, value in json_object(text).items():
        try:
            region, given = region_name(name), encryption_set_id(value if isinstance(value, str) else json.dumps(value))
        except Malformed as fault:
            faults.append(str(fault))
            continue
        if region in found:
            faults.append(f"{region} is named twice")
        found[region] = given
    if faults:
        raise Malformed("; ".join(faults))
    return found


def json_object(text: str) -> dict[str, Any]:
    """Read a JSON object; a name that is there twice is a fault, not the last one's victory."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        twice = {name for name, _ in pairs if [name for name, _ in pairs].count(name) > 1}
        if twice:
            raise Malformed(f"{', '.join(map(repr, sorted(twice)))}: named twice")
        return dict(pairs)

    try:
        found = json.loads(text, object_pairs_hook=unique)
    except Malformed:
        raise
    except (ValueError, RecursionError) as fault:
        raise Malformed(f"it is not JSON: {fault}") from None
    if not isinstance(found, dict):
        raise Malformed("it is not a JSON object")
    return found


def galleries(text: str) -> tuple[GalleryId, ...]:
    """Read resource ids, separated by spaces or commas."""
    named = [GalleryId.parse(word.rstrip("/")) for word in re.split(r"[\s,]+", text) if word]
    found = tuple(dict.fromkeys(named))
    if not found:
        raise ValueError
    return found


_CRON_FIELDS = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
_CRON_NAMES = re.compile(
    r"\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sun|mon|tue|wed|thu|fri|sat)\b", re.IGNORECASE
)
_CRON_ITEM = re.compile(r"(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:/[1-9]\d?)?", re.ASCII)


def schedule(text: str) -> str:
    """Read an NCRONTAB expression: six fields, seconds first (documented for timer triggers)."""
    parts = text.split()
    for part, (least, most) in zip(parts, _CRON_FIELDS, strict=True):
        for item in _CRON_NAMES.sub(str(least), part).split(","):
            match = _CRON_ITEM.fullmatch(item)
            if not match or not all(least <= int(number) <= most for number in match.groups() if number):
                raise ValueError
    return " ".join(parts)
