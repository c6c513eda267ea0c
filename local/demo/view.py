"""What the demo shows: one picture that redraws in a terminal, plain lines elsewhere."""

from collections import Counter
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from local.azure import Post, Request
from local.demo.scene import HOME, IN_USE, NEW, OLD, REGIONS, USER, Scene, regions

_SIGNS = {"Completed": ("● complete", "green"), "Failed": ("✕ failed", "red"), "Unknown": ("○ asked", "yellow")}
_LAST = 12


def picture(scene: Scene, seconds: float) -> RenderableType:
    """Draw versions and regions, writes and chat, as they are now."""
    writes = [f"  {at}  {text}" for at, text in _writes(scene, 0)]
    chat = [f"  {at}  {text}" for at, text in _chat(scene, 0)]
    return Group(
        _table(scene, seconds),
        Text("\nWrites to Azure Resource Manager", style="bold"),
        *(Text(line, overflow="ellipsis", no_wrap=True) for line in writes[-_LAST:] or ["  none yet"]),
        Text("\nChat", style="bold"),
        *(Text(line, overflow="ellipsis", no_wrap=True) for line in chat[-_LAST:] or ["  nothing yet"]),
    )


def _table(scene: Scene, seconds: float) -> Table:
    versions = scene.azure.versions(scene.image)
    table = Table(title=f"prodgallery / ubuntu-2204 after {seconds:.0f} s", title_justify="left")
    table.add_column("region")
    for name in (NEW, *OLD):
        state = versions.get(name, {}).get("properties", {}).get("provisioningState", "not published")
        table.add_column(f"{name}\n{state}", min_width=14)
    for region in REGIONS:
        cells = [_cell(regions(versions.get(name)).get(region)) for name in (NEW, *OLD)]
        table.add_row(f"{region} (home)" if region == HOME else region, *cells)
    return table


def _cell(state: str | None) -> Text:
    if state is None:
        return Text("·", style="dim")
    sign, style = _SIGNS.get(state, (f"◐ {state}", "cyan"))
    return Text(sign, style=style)


class Lines:
    """The same as plain lines: each change once, for logs and pipes."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._seen: dict[tuple[str, str], str] = {}
        self._writes = self._posts = 0

    def new(self) -> list[str]:
        """Give what has changed since the last call."""
        writes, posts = _writes(self._scene, self._writes), _chat(self._scene, self._posts)
        self._writes += len(writes)
        self._posts += len(posts)
        return [
            *(f"write  {text}" for _, text in writes),
            *self._changes(),
            *(f"chat   {text}" for _, text in posts),
        ]

    def _changes(self) -> list[str]:
        versions = self._scene.azure.versions(self._scene.image)
        now = {
            (name, region): "replicating" if state.endswith("%") else state.lower()
            for name, version in versions.items()
            for region, state in regions(version).items()
        }
        changed = [(where, state) for where, state in now.items() if self._seen.get(where) != state]
        gone = [(where, "removed") for where in self._seen if where not in now]
        self._seen = now
        return [f"region {name} {region}: {state}" for (name, region), state in [*changed, *gone]]


def _writes(scene: Scene, start: int) -> list[tuple[str, str]]:
    return [(_clock(write.at, scene), _write(write)) for write in scene.azure.writes()[start:]]


def _write(write: Request) -> str:
    named = write.body["properties"].get("publishingProfile", {}).get("targetRegions", [])
    names = ", ".join("".join(region["name"].lower().split()) for region in named)
    return f"{write.method} {write.path.rpartition('/')[2]} to {len(named)} regions: {names}"


def _chat(scene: Scene, start: int) -> list[tuple[str, str]]:
    return [(_clock(post.at, scene), f"{post.kind:5} {_headline(post)}") for post in scene.azure.posts[start:]]


def _headline(post: Post) -> str:
    body = post.body
    match post.kind:
        case "teams":
            return str(body["attachments"][0]["content"]["fallbackText"])
        case "slack":
            return str(body["text"])
        case _:
            return f"{body['type']} {body['subject'].rpartition('/')[2]}"


def _clock(at: float, scene: Scene) -> str:
    return f"{at - scene.started:5.1f} s"


def summary(scene: Scene, seconds: float) -> Sequence[str]:
    """Say in a few lines what was seen."""
    writes, posts = len(scene.azure.writes()), Counter(post.kind for post in scene.azure.posts)
    least = 1 + len(OLD)
    return (
        f"Converged after {seconds:.0f} s: {NEW} is complete in {len(REGIONS)} regions.",
        f"1.0.2 is left in its home region, {HOME}.",
        f"{IN_USE[0]} is left there and in {IN_USE[1]}, because scale set {USER} references it.",
        f"{writes} writes went to Azure Resource Manager (the least possible is {least}).",
        f"{sum(posts.values())} messages were posted: {', '.join(f'{count} {kind}' for kind, count in posts.items())}.",
    )
