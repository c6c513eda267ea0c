"""What a soak leaves behind, to be held against the rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from local.azure import Post, Request
from local.gallery_rules import Place, Seen
from local.shown import targets, written
from local.soak.hosts import Kill
from local.soak.scene import Change

_LATELY: Final = 3.0
"""Seconds that the app may take from reading to writing; what people do meanwhile it cannot know."""

_OK: Final = range(200, 300)
_REFUSALS: Final = ("InvalidParameter: ", "ScopeLocked: ")

type Event = Mapping[str, Any]


@dataclass(frozen=True)
class Aftermath:
    """What is left when all is quiet: messages by queue, dead letters, secrets, what a last sweep still did."""

    queued: Mapping[str, int]
    dead_letters: Sequence[str]
    secrets: Sequence[str]
    swept: Sequence[str]


@dataclass(frozen=True)
class Evidence:
    """All that was seen from outside. `seen` are the definitions in the end, by id; `added` are people's regions."""

    seen: Mapping[str, Seen]
    requests: Sequence[Request]
    posts: Sequence[Post]
    changes: Sequence[Change] = ()
    added: Mapping[str, set[str]] = field(default_factory=dict)
    kills: Sequence[Kill] = ()
    pauses: Sequence[tuple[float, float]] = ()
    log: str = ""
    aftermath: Aftermath | None = None

    @cached_property
    def writes(self) -> list[Request]:
        """Give the accepted writes of the app, each with what it found."""
        return [each for each in self.requests if each.method == "PATCH" and each.before and 200 <= each.status < 300]  # noqa: PLR2004  it was taken

    def events(self, kind: str, sink: str = "json") -> list[Event]:
        """Give the CloudEvents of a kind that a sink took."""
        taken = [post for post in self.posts if post.kind == sink and post.status in _OK]
        return [post.body for post in taken if str(post.body["type"]).endswith(kind)]

    def changed_lately(self, image: str, at: float) -> bool:
        """Whether people did something to a definition just before a moment, for as long as storage let the app run."""
        still = sum(min(end, at) - begin for begin, end in self.pauses if begin < at and end > at - _LATELY)
        return any(
            change.image.lower() == image.lower() and at - _LATELY - still <= change.at <= at for change in self.changes
        )

    @cached_property
    def excused(self) -> Mapping[str, set[Place]]:
        """Find, by definition, which versions Azure would not have where, or not let go, and the app told so."""
        found: dict[str, set[Place]] = {}
        for event in self.events("rollout.region-failed"):
            if str(event["data"]["reason"]).startswith(_REFUSALS):
                regions = str(event["data"]["region"]).split(", ")
                found.setdefault(str(event["source"]).lower(), set()).update(
                    (str(event["data"]["version"]), region) for region in regions
                )
        for event in self.events("prune.refused"):
            kept = [str(entry["name"]) for entry in event["data"]["regionsKept"]]
            found.setdefault(str(event["source"]).lower(), set()).update(
                (str(event["data"]["version"]), region) for region in kept
            )
        return found


def image_of(write: Request) -> str:
    """Give the definition of a written version, in lower case."""
    return write.path.lower().rpartition("/versions/")[0]


def number_of(write: Request) -> str:
    """Give the number of a written version."""
    return write.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Effect:
    """What a write changed: regions that came or grew, those that left or shrank, and whether it only set the flag.

    `repairs` says that it left all as it was where a copy had failed, or took such a copy out.
    """

    adds: bool
    removes: bool
    flag: bool
    repairs: bool

    @classmethod
    def of(cls, write: Request) -> "Effect":
        """Compare a write with what it found."""
        version = write.before.versions[number_of(write)]
        wanted = {name: region.get("regionalReplicaCount", 1) for name, region in written(write).items()}
        if not wanted:
            return cls(adds=False, removes=False, flag=True, repairs=False)
        had = targets(version)
        adds = any(count > had.get(name, 0) for name, count in wanted.items())
        gone = {name for name, count in had.items() if wanted.get(name, 0) < count}
        summary = version["properties"]["replicationStatus"]["summary"]
        failed = {entry["region"] for entry in summary if entry["state"] == "Failed"}
        unchanged = not adds and not gone
        kept = any(seen.belongs_everywhere(number_of(write)) for seen in write.before.readings())
        repairs = bool(failed) and (unchanged or (gone <= failed and kept))
        return cls(adds, bool(gone) and not repairs, flag=False, repairs=repairs)
