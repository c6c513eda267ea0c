"""Tags by which owners of images tune what happens to them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from shared.core.errors import Malformed
from shared.core.policy import Policy
from shared.core.target_regions import parse_target_regions
from shared.core.text import whole

REGIONS_TAG = "gallery-fanout-regions"
KEEP_LATEST_TAG = "gallery-fanout-keep-latest"
MOST_KEPT = 1000


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
