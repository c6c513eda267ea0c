"""Where the soak plays: galleries of image definitions of several kinds, and what people have done to them so far."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from local.azure import Behaviour, Pace, SimulatedAzure
from local.gallery_rules import Place, Seen
from local.soak.kinds import EXCLUSIVE, HOME, KINDS, SUBSCRIPTION, Definition, encryption_set

REGIONS: Final = (HOME, "eastus2", "southeastasia")
PUBLISHED: Final = "published"
EXCLUDED, INCLUDED, DELETED = "excluded from latest", "not excluded any more", "deleted"
PROTECTED, UNPROTECTED = "protected by a tag", "protected no more"
WITHDRAWING: Final = frozenset({EXCLUDED, INCLUDED, DELETED, PROTECTED, UNPROTECTED})
"""What people do to a version that may change which other versions belong where."""

PUBLISHED_AFTER: Final = 0.8
"""Seconds until a version that is published is Succeeded."""

SECRET: Final = "c4nary-in-the-url"  # noqa: S105  it is planted, to be looked for
SINKS: Final = ("json", "audit")

CALM: Final = Behaviour(
    create=Pace.after(PUBLISHED_AFTER),
    update=Pace.after(0.8),
    delete=Pace.after(0.3),
    replicate=Pace.after(2.5),
    removal=Pace.after(0.5),
    page_size=6,
    graph_page_size=3,
    enforce_budgets=True,
    # Minutes stand for hours here, and reads for those of hours; only writes are paced.
    budgets=dict.fromkeys(("GetGalleryImageVersion", "GetGalleryImage", "GetGallery"), (10**6, 10**6)),
)

_SETTINGS: Final = {"TARGET_REGIONS": " ".join(REGIONS), "WATCH_INTERVAL": "PT1S..PT3S", "PRUNE_MAX_PER_PASS": "20"}
_GALLERIES: Final = 4


@dataclass(frozen=True, slots=True)
class Change:
    """Something that people did to a definition or, by its number, to one of its versions."""

    at: float
    image: str
    version: str
    text: str


@dataclass(slots=True)
class Scene:
    """The definitions, in a simulated Azure. `uses` has version and place by machine; `added` what people added."""

    azure: SimulatedAzure
    galleries: Sequence[str]
    definitions: Sequence[Definition]
    uses: dict[str, tuple[str, Place]] = field(default_factory=dict)
    added: dict[str, set[str]] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)

    @classmethod
    def set_up(cls, azure: SimulatedAzure, count: int) -> "Scene":
        """Put so many definitions into galleries of several subscriptions."""
        subscriptions = [SUBSCRIPTION.format(str(digit) * 8) for digit in range(1, _GALLERIES + 1)]
        galleries = [azure.add_gallery(f"gallery{at}", subscription=each) for at, each in enumerate(subscriptions)]
        kinds = [KINDS[number % len(KINDS)] for number in range(count)]
        images = [
            azure.add_image(galleries[number % len(galleries)], f"{kind.name}-{number:02}", tags=kind.tags)
            for number, kind in enumerate(kinds)
        ]
        scene = cls(azure, galleries, [Definition(image, kind) for image, kind in zip(images, kinds, strict=True)])
        azure.witness(scene.before)
        return scene

    def settings(self, storage: str) -> dict[str, str]:
        """Give the app settings of the soak."""
        return {
            **_SETTINGS,
            "AzureWebJobsStorage": storage,
            "ARM_ENDPOINT": self.azure.endpoint,
            "GALLERIES": " ".join(self.galleries),
            "ENCRYPTION_SETS": json.dumps({region: encryption_set(region) for region in REGIONS}),
            "POLICY_OVERRIDES": json.dumps({f"*/{EXCLUSIVE.name}-*": {"exclusive": True}}),
            "STATUS_WEBHOOKS": " ".join(f"json={self.azure.chat_url(sink, SECRET)}" for sink in SINKS),
        }

    def before(self, version: str) -> Seen | None:
        """See the definition of a version as it stands: the witness of each write."""
        image = version.lower().rpartition("/versions/")[0]
        found = next((each for each in self.definitions if each.image.lower() == image), None)
        return self.see(found) if found else None

    def see(self, definition: Definition) -> Seen:
        """See a definition as it stands."""
        uses = [place for image, place in tuple(self.uses.values()) if image == definition.image]
        policy: dict[str, Any] = {"regions": _SETTINGS["TARGET_REGIONS"], **definition.kind.policy}
        return Seen.of(self.azure.versions(definition.image), policy, uses, definition.kind.tags)
