"""Tags by which owners of images tune what happens to them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from shared.core.errors import Malformed
from shared.core.policy import Policy
from shared.core.target_regions import parse_target_regions
from shared.core.text import whole
from shared.core.times import iso

REGIONS_TAG = "gallery-fanout-regions"
KEEP_LATEST_TAG = "gallery-fanout-keep-latest"
MOST_KEPT = 1000
RECENT = timedelta(seconds=20)
"""For how long tags that were read may stand for the tags as they are, where something is to be added by them."""


@dataclass(frozen=True, slots=True)
class Tags:
    """The tags of an image definition and of its gallery, as they were read.

    :param at: when; those of the gallery may be older, by :data:`RECENT` at most.
    """

    at: datetime
    image: Mapping[str, str]
    gallery: Mapping[str, str]

    def recent(self, now: datetime) -> bool:
        """Whether they may stand for the tags as they are; clocks of instances may differ."""
        return abs(now - self.at) < RECENT

    def telling(self, protect_tag: str) -> Self:
        """Leave out what says nothing to us."""
        wanted = {protect_tag.casefold(), REGIONS_TAG, KEEP_LATEST_TAG}

        def told(tags: Mapping[str, str]) -> dict[str, str]:
            return {name: value for name, value in tags.items() if name.casefold() in wanted}

        return replace(self, image=told(self.image), gallery=told(self.gallery))

    def to_json(self) -> dict[str, Any]:
        """Give the stored form."""
        return {"at": iso(self.at), "image": dict(self.image), "gallery": dict(self.gallery)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read the stored form."""
        return cls(datetime.fromisoformat(stored["at"]), stored["image"], stored["gallery"])


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
