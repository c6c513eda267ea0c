"""What the demo plays: a gallery with two older versions, one of them in use, a policy, and what counts as the end."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.azure import Behaviour, Pace, SimulatedAzure

IMAGE, NEW, OLD = "ubuntu-2204", "1.0.3", ("1.0.2", "1.0.1")
HOME = "westeurope"
BEFORE = (HOME, "eastus2", "southeastasia")
IN_USE, USER = ("1.0.1", "southeastasia"), "web-legacy"
LEFT = {"1.0.2": (HOME,), "1.0.1": (HOME, "southeastasia")}
"""Where the older versions are in the end: at home, and where a scale set still needs one."""

REGIONS: Mapping[str, float] = {
    HOME: 0,
    "northeurope": 4,
    "uksouth": 5,
    "eastus2": 8,
    "westus3": 9,
    "brazilsouth": 14,
    "southeastasia": 11,
    "australiaeast": 12,
}
"""Each region of the policy, with the seconds that the simulated Azure takes to copy an image there."""

_POSTS = {"teams": 3, "slack": 3, "json": 2 + len(OLD)}
"""A rollout's start and its end; of the prunes people hear in one message, and machines in one for each."""


def behaviour() -> Behaviour:
    """Give the simulated Azure the pace of the demo: minutes become seconds."""
    paces = {region: Pace.after(seconds) for region, seconds in REGIONS.items()}
    return Behaviour(create=Pace.after(1.5), update=Pace.after(1.5), replicate_by_region=paces)


@dataclass(frozen=True, slots=True)
class Scene:
    """The gallery of the demo in a simulated Azure."""

    azure: SimulatedAzure
    gallery: str
    image: str
    started: float

    @classmethod
    def set_up(cls, azure: SimulatedAzure) -> "Scene":
        """Put the gallery and its older versions there."""
        gallery = azure.add_gallery("prodgallery")
        image = azure.add_image(gallery, IMAGE)
        for version in OLD:
            azure.add_version(image, version, home=HOME, regions=list(BEFORE), size_gib=32)
        version, region = IN_USE
        azure.add_scale_set(USER, image=f"{image}/versions/{version}", location=region)
        return cls(azure, gallery, image, time.time())

    def settings(self, storage: str) -> dict[str, str]:
        """Give the app settings of the demo."""
        hooks = " ".join(f"{kind}={self.azure.chat_url(kind, 'demo')}" for kind in ("teams", "slack", "json"))
        return {
            "AzureWebJobsStorage": storage,
            "ARM_ENDPOINT": self.azure.endpoint,
            "GALLERIES": self.gallery,
            "TARGET_REGIONS": f"{HOME}=3 " + " ".join(region for region in REGIONS if region != HOME),
            "WATCH_INTERVAL": "PT1S..PT3S",
            "STATUS_WEBHOOKS": hooks,
        }

    def publish(self) -> None:
        """Do what the build pipeline does."""
        self.azure.publish(self.image, NEW, home=HOME, size_gib=32)

    def converged(self) -> bool:
        """Whether the new version is complete everywhere, the older ones went home, and the chat heard of it."""
        versions = self.azure.versions(self.image)
        told = Counter(post.kind for post in self.azure.posts)
        return (
            regions(versions.get(NEW)) == dict.fromkeys(REGIONS, "Completed")
            and all(regions(versions[old]) == dict.fromkeys(where, "Completed") for old, where in LEFT.items())
            and all(told[kind] >= count for kind, count in _POSTS.items())
        )


def regions(version: Mapping[str, Any] | None) -> dict[str, str]:
    """Give the state of each region of a version, with its progress while it is on its way."""
    summary = ((version or {}).get("properties", {}).get("replicationStatus") or {}).get("summary", [])
    return {entry["region"]: _state(entry) for entry in summary}


def _state(entry: Mapping[str, Any]) -> str:
    return f"{entry.get('progress', 0)} %" if entry["state"] == "Replicating" else str(entry["state"])
