"""What the soak shows: a line for each thing that happens, and two tables at the end."""

from collections import Counter
from collections.abc import Iterator, Sequence

from rich.table import Table
from rich.text import Text

from local.soak.evidence import Effect, Evidence
from local.soak.play import Play
from local.soak.rules.verdict import Verdict
from local.soak.scene import PUBLISHED

_MOST_SHOWN = 3


def rules(verdicts: Sequence[Verdict]) -> Table:
    """Draw the rules of the design, one by one, with the first of what broke them."""
    table = Table(title="The rules of the design", title_justify="left")
    for column in ("rule", "in words", "checked", "held"):
        table.add_column(column)
    for each in sorted(verdicts, key=lambda each: each.number):
        shown = [*each.broken[:_MOST_SHOWN]]
        more = len(each.broken) - len(shown)
        details = "\n".join(["", *shown, *([f"and {more} more"] if more else [])]) if shown else ""
        mark = Text("held", style="green") if each.held else Text(f"BROKEN {len(each.broken)}", style="red")
        table.add_row(str(each.number or ""), Text(each.rule) + Text(details, style="red"), each.checked, mark)
    return table


def figures(play: Play, evidence: Evidence) -> Table:
    """Draw what the soak did, in numbers."""
    table = Table(title="Figures", title_justify="left", show_header=False)
    table.add_column()
    table.add_column()
    for name, value in _figures(play, evidence):
        table.add_row(name, value)
    return table


def _figures(play: Play, evidence: Evidence) -> Iterator[tuple[str, str]]:
    published = sum(change.text == PUBLISHED for change in evidence.changes)
    people = len(evidence.changes) - published
    regions = {region for seen in evidence.seen.values() for region in seen.regions}
    statuses = Counter(request.status for request in evidence.requests)
    yield "published", f"{published} versions of {len(evidence.seen)} definitions, for {len(regions)} regions"
    yield "left", f"{sum(len(seen.versions) for seen in evidence.seen.values())} versions"
    yield "done by people", f"{people} things"
    yield "hosts", f"{play.rig.hosts.lives} lives, {len(evidence.kills)} of them killed"
    yield "events", _events(play)
    yield "calls to Azure", f"{len(evidence.requests)}: {_counted(Counter(each.method for each in evidence.requests))}"
    yield "answered", _counted({f"{status or 'cut'}": count for status, count in sorted(statuses.items())})
    yield "answers lost", str(sum(request.spoiled for request in evidence.requests))
    yield "writes taken", f"{len(evidence.writes)}: {_counted(_effects(evidence))}"
    yield "posts", _posts(evidence)
    yield "statuses", _counted(Counter(str(event["type"])[15:] for event in evidence.events("")))
    yield "troubles", _counted(play.rig.weather.times)
    yield "converged", "no" if play.converged is None else f"{play.converged:.0f} s after the last trouble"


def _effects(evidence: Evidence) -> Counter[str]:
    effects = [Effect.of(write) for write in evidence.writes]
    return Counter(name for each in effects for name in ("adds", "removes", "flag", "repairs") if getattr(each, name))


def _events(play: Play) -> str:
    deliveries, dropped = play.rig.scene.azure.deliveries, len(play.rig.scene.azure.dropped)
    again = sum(delivery.attempt > 1 for delivery in deliveries)
    return f"{len(deliveries)} deliveries, {again} of them tried again, {dropped} given up"


def _posts(evidence: Evidence) -> str:
    return f"{len(evidence.posts)}: {_counted(Counter(f'{post.kind} {post.status}' for post in evidence.posts))}"


def _counted(counts: "Counter[str] | dict[str, int]") -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())
