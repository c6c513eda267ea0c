"""The kinds of image definitions that a soak has: what they are tagged with, and what is published into them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from local.azure import Region, VersionOptions
from local.shown import Json

HOME: Final = "westeurope"
NOWHERE: Final = "atlantis"
"""A region that Azure does not have."""

SUBSCRIPTION: Final = "{}-1111-1111-1111-111111111111"
_SCOPE: Final = "/subscriptions/{}/resourceGroups/images/providers/Microsoft.Compute"


def _encryption(region: str) -> Json:
    return {"osDiskImage": {"diskEncryptionSetId": encryption_set(region)}}


def encryption_set(region: str) -> str:
    """Give the disk encryption set of a region."""
    return f"{_SCOPE.format(SUBSCRIPTION.format('0' * 8))}/diskEncryptionSets/keys-{region}"


_ENCRYPTED: Final[tuple[Region, ...]] = (Region(HOME, extra={"encryption": _encryption(HOME)}),)
_SPECIAL: Final[tuple[Region, ...]] = (
    Region(HOME, storage_account_type="Premium_LRS", extra={"excludeFromLatest": True, "newInAzure": {"kept": [1, 2]}}),
)


@dataclass(frozen=True, slots=True)
class Kind:
    """How an image definition differs from others: its tags, its settings beside the app's, what is published into it.

    `undated` says that every third version has no publish date.
    """

    name: str
    tags: Mapping[str, str] = field(default_factory=dict)
    policy: Mapping[str, str] = field(default_factory=dict)
    options: VersionOptions = field(default_factory=VersionOptions)
    undated: bool = False


EXCLUSIVE: Final = Kind("exclusive", policy={"POLICY_OVERRIDES": "exclusive"})
KINDS: Final = (
    Kind("plain"),
    Kind("waves", tags={"gallery-fanout-regions": "westeurope; eastus2=2; southeastasia"}),
    Kind("two", tags={"gallery-fanout-keep-latest": "2"}),
    Kind("away", options={"home": "northeurope"}),
    Kind("encrypted", options={"regions": _ENCRYPTED}),
    Kind("special", options={"regions": _SPECIAL, "tags": {"team": "images"}}),
    EXCLUSIVE,
    Kind("nowhere", tags={"gallery-fanout-regions": f"{HOME} eastus2 {NOWHERE}"}),
    Kind("undated", undated=True),
)


@dataclass(frozen=True, slots=True)
class Definition:
    """An image definition by its id."""

    image: str
    kind: Kind

    @property
    def name(self) -> str:
        """Its short name."""
        return self.image.rpartition("/")[2]

    def version(self, number: str) -> str:
        """Give the id of a version."""
        return f"{self.image}/versions/{number}"
