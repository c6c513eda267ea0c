"""How the text of a setting becomes a value. A reader raises ``ValueError`` for anything else than it wants."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

import isodate

from shared.core.errors import Malformed
from shared.core.names import GalleryId, encryption_set_id, region_name
from shared.core.text import whole
from shared.settings.values import Storage, Webhook, WebhookKind

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_IDENTITY_PARTS = ("accountName", "queueServiceUri", "tableServiceUri", "clientId")
_AZURITE_ACCOUNT = "devstoreaccount1"
_AZURITE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Documented by Azurite for everybody; it opens nothing but an emulator."""
_AZURITE = ";".join(
    [
        "DefaultEndpointsProtocol=http",
        f"AccountName={_AZURITE_ACCOUNT}",
        f"AccountKey={_AZURITE_KEY}",
        f"QueueEndpoint=http://127.0.0.1:10001/{_AZURITE_ACCOUNT}",
        f"TableEndpoint=http://127.0.0.1:10002/{_AZURITE_ACCOUNT}",
    ]
)


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


def later(default: str) -> Callable[[str], str]:
    """Read a setting whose feature is not built yet: only its default, which changes nothing, can be had."""

    def read(text: str) -> str:
        if text != default:
            raise Malformed("not supported yet")
        return text

    return read


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


def safe_url(text: str) -> bool:
    """Whether it is https, or http that never leaves this machine; nothing that other readers of URLs see otherwise."""
    if re.search(r"[\\\s\x00-\x1f\x7f]", text):
        return False
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        return False
    secure = url.scheme == "https" or (url.scheme == "http" and url.hostname in _LOOPBACK)
    return secure and bool(url.hostname) and port != 0


def address(text: str) -> str:
    """Read the address of a service: nothing in it that could be a credential."""
    url = urlsplit(text)
    if not safe_url(text) or url.query or url.fragment or "@" in url.netloc:
        raise ValueError
    return text.rstrip("/")


def endpoint(text: str) -> str:
    """Read the address of a service, without a path."""
    if urlsplit(text).path.strip("/"):
        raise ValueError
    return address(text)


def webhooks(text: str) -> tuple[Webhook, ...]:
    """Read ``teams=URL slack=URL json=URL``. What is wrong is said without showing it: a URL is a credential."""
    found = []
    for position, word in enumerate(text.split(), start=1):
        kind, _, url = word.partition("=")
        if kind not in list(WebhookKind) or not safe_url(url):
            raise Malformed(f"entry {position} is not one")
        found.append(Webhook(f"{position}-{kind}", WebhookKind(kind), url))
    return tuple(found)


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


def storage(environment: Mapping[str, str], name: str) -> Storage:
    """Read a connection as the Functions host does: a connection string, or ``name__accountName`` and its like.

    :raises Malformed: when there is none, or one that sends keys over the network in the clear.
    """
    text = environment.get(name, "").strip()
    if text:
        return Storage(_connection(text))
    given = {part: environment.get(f"{name}__{part}", "").strip() for part in _IDENTITY_PARTS}
    account = given["accountName"]
    queue = given["queueServiceUri"] or (account and f"https://{account}.queue.core.windows.net")
    table = given["tableServiceUri"] or (account and f"https://{account}.table.core.windows.net")
    try:
        return Storage(None, address(queue), address(table), given["clientId"] or None)
    except ValueError:
        raise Malformed("neither a connection string nor identity-based addresses are given") from None


def _connection(text: str) -> str:
    if text.lower().rstrip(";") == "usedevelopmentstorage=true":
        return _AZURITE
    pairs = (pair.partition("=") for pair in text.split(";"))
    given = {key.strip().lower(): value.strip() for key, _, value in pairs}
    placed = "queueendpoint" in given and "tableendpoint" in given
    opened = ("accountname" in given and "accountkey" in given) or "sharedaccesssignature" in given
    if not opened or not (placed or "accountname" in given):
        raise Malformed("it is not a connection string")
    clear = given.get("defaultendpointsprotocol", "https").lower() != "https" and not placed
    if clear or not all(safe_url(value) for key, value in given.items() if key.endswith("endpoint")):
        raise Malformed("its endpoints are not https")
    return text
