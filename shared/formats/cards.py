"""What a status says to people: a headline, some facts and a table, before any target gives them its own form."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shared.formats.tables import Table, freed, interest, table
from shared.formats.texts import line, names, spanned

_LONGEST_HEADLINE = 300
_LONGEST_FACT = 500
_MOST_NAMES = 30


class Tone(StrEnum):
    """How a status feels."""

    GOOD = "good"
    BAD = "bad"
    WARNING = "warning"
    PLAIN = "plain"


_HEADLINES = {
    "rollout.started": ("{image} {version}: rollout started", Tone.PLAIN),
    "rollout.completed": ("{image} {version}: in all regions", Tone.GOOD),
    "rollout.region-failed": ("{image} {version}: {region} failed", Tone.BAD),
    "rollout.stalled": ("{image} {version}: rollout stalled", Tone.WARNING),
    "prune.completed": ("{image} {version}: pruned", Tone.PLAIN),
    "prune.refused": ("{image} {version}: Azure refused the prune", Tone.BAD),
    "publish.failed": ("{image} {version}: publishing failed", Tone.BAD),
    "message.dead-lettered": ("A message could not be handled", Tone.BAD),
    "limit.near": ("{image} {version}: near a limit of Azure", Tone.WARNING),
    "plan.reported": ("{image}: what a pass would do", Tone.PLAIN),
}
_DIGEST = ("{image}: {count} versions pruned", Tone.PLAIN)
_OF_AN_IMAGE = ("{image}: near a limit of Azure", Tone.WARNING)
_NOTHING_TO_DO = ("{image}: a pass would change nothing any more", Tone.GOOD)


@dataclass(frozen=True, slots=True)
class Card:
    """A status for people.

    :param facts: label and text.
    :param cut: how much of what happened the status itself does not list.
    """

    headline: str
    tone: Tone
    where: str
    facts: tuple[tuple[str, str], ...]
    table: Table | None
    cut: int


def card(event: Mapping[str, Any]) -> Card:
    """Make the card of a CloudEvent."""
    data = event.get("data") or {}
    kind = str(event["type"]).removeprefix("gallery-fanout.")
    words = {name: str(data.get(name) or "?") for name in ("gallery", "image", "version", "region")}
    headline, tone = _headline(kind, data)
    count = len(data.get("prunes", ())) + data.get("prunesCut", 0)
    return Card(
        headline=line(headline.format_map({**words, "count": count}), _LONGEST_HEADLINE),
        tone=tone,
        where=line(f"Gallery {words['gallery']}", _LONGEST_HEADLINE),
        facts=tuple((label, line(text, _LONGEST_FACT)) for label, text in _facts(data) if text),
        table=table(data),
        cut=sum(data.get(f"{name}Cut", 0) for name in ("regions", "regionsKept", "changes", "prunes", "warnings")),
    )


def more_lines(count: int) -> str:
    """Say how many lines are not shown."""
    return f"{count} more {'line is' if count == 1 else 'lines are'} not shown."


def _headline(kind: str, data: Mapping[str, Any]) -> tuple[str, Tone]:
    if data.get("prunes"):
        return _DIGEST
    if kind == "limit.near" and not data.get("version"):
        return _OF_AN_IMAGE
    if kind == "plan.reported" and not (data.get("changes") or data.get("changesCut")):
        return _NOTHING_TO_DO
    return _HEADLINES.get(kind, (kind.replace("{", "{{").replace("}", "}}"), Tone.PLAIN))


def _facts(data: Mapping[str, Any]) -> list[tuple[str, object]]:
    seconds = data.get("seconds")
    return [
        ("Queue", data.get("queue")),
        ("Because", data.get("cause")),
        ("Supersedes", _supersedes(data)),
        ("State", data.get("state")),
        ("Limit", _limit(data)),
        ("Reason", data.get("reason")),
        ("Tried", data.get("tried")),
        ("Later", f"{data['capped']} more versions, because of the cap" if data.get("capped") else None),
        *(("Warning", warning) for warning in data.get("warnings", ())),
        ("Regions", _summary(data)),
        ("Time", None if seconds is None else spanned(seconds)),
        ("Removed from", names(data.get("regionsRemoved", ()), _MOST_NAMES, data.get("regionsRemovedCut", 0))),
        ("Freed", freed(data)),
    ]


def _supersedes(data: Mapping[str, Any]) -> str | None:
    told = names(data.get("supersedes", ()), _MOST_NAMES, data.get("supersedesCut", 0))
    return f"the rollout of {told}, which goes no further" if told else None


def _limit(data: Mapping[str, Any]) -> str | None:
    return f"{data['used']:,} of {data['of']:,} {data['limit']}" if data.get("limit") else None


def _summary(data: Mapping[str, Any]) -> str | None:
    """Say how far a rollout has come, in one line."""
    if not data.get("regions"):
        return None
    states = Counter(str(region["state"]) for region in data["regions"])
    total = states.total() + data.get("regionsCut", 0)
    others = sorted(states.keys() - {"Completed"}, key=interest)
    told = [f"{states[state]} {state.lower()}" for state in others]
    return ", ".join([f"{states['Completed']} of {total} complete", *told])
