"""Tags by which owners of images tune what happens to them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from shared.core.errors import Malformed
from shared.core.policy import Policy
from shared.core.target_regions import parse_target_regions
from shared.core.text import whole

REGIONS_TAG = "gallery-fanout-regions"
KEEP_LATEST_TAG = "gallery-fanout-keep-latest"
MOST_KEPT = 1000
_RECENT = timedelta(seconds=20)
"""For how long tags that were read may stand for the tags as they are, where something is to be added by them."""

_APART = timedelta(seconds=5)
"""What the clocks of two instances may be apart."""


@dataclass(frozen=True, slots=True)
class Tags:
    """The tags of an image definition or a gallery, as they were at a time."""

    at: datetime
    values: Mapping[str, str]

    def recent(self, now: datetime) -> bool:
        """Whether they may stand for the tags as they are."""
        return -_APART <= now - self.at < _RECENT

    def to_json(self) -> dict[str, Any]:
        """Give the stored form."""
        return {"at": self.at.isoformat(), "values": dict(self.values)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read the stored form."""
        return cls(datetime.fromisoformat(stored["at"]), stored["values"])


@dataclass(frozen=True, slots=True)
class Tagged:
    """An image definition and its gallery, by their tags."""

    image: Tags
    gallery: Tags

    def or_later(self, other: "Tagged | None") -> "Tagged":
        """Take what was read later, of each."""
        if other is None:
            return self
        pairs = ((self.image, other.image), (self.gallery, other.gallery))
        return Tagged(*(max(pair, key=lambda tags: tags.at) for pair in pairs))

    def says_as(self, other: "Tagged") -> bool:
        """Whether the tags are the same, whenever they were read."""
        return (self.image.values, self.gallery.values) == (other.image.values, other.gallery.values)

    def to_json(self) -> dict[str, Any]:
        """Give the stored form."""
        return {"image": self.image.to_json(), "gallery": self.gallery.to_json()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read the stored form."""
        return cls(Tags.from_json(stored["image"]), Tags.from_json(stored["gallery"]))


def protects(tags: object, protect_tag: str) -> bool:
    """Whether the protecting tag is among the tags; any value but false counts."""
    value = _value(tags, protect_tag)
    return value is not None and value.casefold() != "false"


def tuned(policy: Policy, tags: Mapping[str, str]) -> Policy:
    """Let the tags of an image definition win over the settings.

    A malformed tag does not count: the setting is used, and the policy's warnings say so.
    """
    readers: Mapping[str, tuple[str, Callable[[str], Any]]] = {
        REGIONS_TAG: ("regions", lambda text: parse_target_regions(text, policy.defaults)),
        KEEP_LATEST_TAG: ("keep_latest", lambda text: whole(text, 1, MOST_KEPT)),
    }
    changes: dict[str, Any] = {}
    warnings: list[str] = []
    for name, (field, read) in readers.items():
        text = _value(tags, name)
        if text is None:
            continue
        try:
            changes[field] = read(text)
        except Malformed as fault:
            warnings.append(f"the tag {name} of the image definition cannot be used, the setting holds: {fault}")
    return replace(policy, **changes, warnings=(*policy.warnings, *warnings))


def _value(tags: object, wanted: str) -> str | None:
    """Find a tag; tag names have no case in Azure (documented)."""
    if not isinstance(tags, Mapping):
        return None
    return next((str(value).strip() for name, value in tags.items() if str(name).casefold() == wanted.casefold()), None)
