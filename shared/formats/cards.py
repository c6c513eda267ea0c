"""What a status says to people: a headline and a few lines, before any target gives them its own form."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from shared.core.text import span

_MOST_LINES = 40
_LONGEST_LINE = 500  # forty of these fit into the 28 KiB that Teams takes

_HEADLINES = {
    "rollout.started": "{image} {version}: rollout started",
    "rollout.completed": "{image} {version}: in all regions",
    "rollout.region-failed": "{image} {version}: {region} failed",
    "rollout.stalled": "{image} {version}: rollout stalled",
    "prune.completed": "{image} {version}: pruned",
    "prune.refused": "{image} {version}: Azure refused the prune",
    "message.dead-lettered": "A message could not be handled",
    "limit.near": "{image} {version}: near a limit of Azure",
    "plan.reported": "{image}: what a pass would do",
}


@dataclass(frozen=True, slots=True)
class Card:
    """A status for people.

    :param lines: label and text; at most forty, the last says how many were cut. Long texts say it themselves.
    """

    headline: str
    where: str
    lines: tuple[tuple[str, str], ...]


def card(event: Mapping[str, Any]) -> Card:
    """Make the card of a CloudEvent."""
    data = event.get("data") or {}
    kind = str(event["type"]).removeprefix("gallery-fanout.")
    words = {name: str(data.get(name) or "?") for name in ("gallery", "image", "version", "region")}
    lines = [*_facts(data), *_regions(data)]
    return Card(
        headline=_HEADLINES.get(kind, kind).format_map(words),
        where=f"Gallery {words['gallery']}",
        lines=_cut(lines),
    )


def _cut(lines: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    short = [(label, _shortened(text)) for label, text in lines[:_MOST_LINES]]
    if len(lines) <= _MOST_LINES:
        return tuple(short)
    return (*short[:-1], ("...", f"{len(lines) - _MOST_LINES + 1} more lines"))


def _shortened(text: str) -> str:
    if len(text) <= _LONGEST_LINE:
        return text
    return f"{text[:_LONGEST_LINE]}... ({len(text) - _LONGEST_LINE} more characters)"


def _facts(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    facts = [
        ("Queue", data.get("queue")),
        ("Because", data.get("cause")),
        ("Supersedes", _supersedes(data)),
        ("Reason", data.get("reason")),
        ("Tried", data.get("tried")),
        ("Later", f"{data['capped']} more versions, because of the cap" if data.get("capped") else None),
        *(("Warning", warning) for warning in data.get("warnings", ())),
        ("Time", _span(data.get("seconds"))),
        ("Freed", f"up to {data['gibFreed']} GiB" if data.get("gibFreed") else None),
    ]
    return [(label, str(text)) for label, text in facts if text]


def _supersedes(data: Mapping[str, Any]) -> str | None:
    numbers = data.get("supersedes")
    return f"the rollout of {', '.join(numbers)}, which goes no further" if numbers else None


def _regions(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        *((region["name"], _state(region)) for region in data.get("regions", ())),
        *((name, "removed") for name in data.get("regionsRemoved", ())),
        *((kept["name"], f"kept: {kept['reason']}") for kept in data.get("regionsKept", ())),
        *(
            (f"{line['version']} {line['region']}", f"{line['action']}: {line['reason']}")
            for line in data.get("changes", ())
        ),
    ]


def _state(region: Mapping[str, Any]) -> str:
    if region.get("reason"):
        return f"{region['state']}: {region['reason']}"
    progress = f" {region['progress']} %" if region.get("progress") not in (None, 0, 100) else ""
    span = f" in {_span(region['seconds'])}" if region["state"] == "Completed" else ""
    return f"{region['state']}{progress}{span}, replicas: {region['replicas']}"


def _span(seconds: int | None) -> str | None:
    return None if seconds is None else span(timedelta(seconds=seconds))
