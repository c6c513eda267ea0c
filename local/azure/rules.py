"""What ARM refuses of a proposed write to an image version. Pure; each rule raises ArmError or returns.

Words and codes were seen in captured traffic, public reports or documentation unless a rule says "unverified".
"""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from local.azure import documents, regions
from local.azure.errors import ArmError, disallowed, immutable, invalid, missing
from local.azure.names import ResourceId
from local.azure.state import Json

_NAME: Final = re.compile(r"\d+\.\d+\.\d+", re.ASCII)
_LARGEST_NUMBER: Final = 2**31 - 1
_MOST_REPLICAS: Final = 100
_ZONE_REDUNDANT: Final = "Standard_ZRS"
_VERSION: Final = "galleryImageVersion"
_REGIONS: Final = f"{_VERSION}.properties.publishingProfile.targetRegions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A write before it is accepted: the stored document (None: a new version) and the one it would become.

    `replicated` are the short names of the regions that hold a copy or are getting one, `closed` of those that are not
    to be had, `zoneless` of those without zones, `disallowed` of those that a policy forbids.
    """

    resource: ResourceId
    old: Json | None
    new: Json
    replicated: frozenset[str] = frozenset()
    flag_with_removal: bool = True
    closed: frozenset[str] = frozenset()
    zoneless: frozenset[str] = frozenset()
    disallowed: frozenset[str] = frozenset()

    @property
    def added(self) -> list[Json]:
        """The proposed target regions that the stored document has not, as sent."""
        there = documents.target_regions(self.old) if self.old else {}
        return [region for region in self.regions if regions.short(region["name"]) not in there]

    @property
    def regions(self) -> list[Json]:
        """The proposed target regions, as sent: duplicates and all."""
        sent: list[Json] = self.new["properties"]["publishingProfile"]["targetRegions"]
        return sent

    @property
    def kept(self) -> Iterable[tuple[Json, Json]]:
        """The regions in both documents, old and new."""
        old, new = documents.target_regions(self.old) if self.old else {}, documents.target_regions(self.new)
        return [(old[name], new[name]) for name in old if name in new]


def refuse(proposal: Proposal) -> None:
    """Raise ArmError for the first rule that the proposal breaks."""
    for rule in _RULES:
        rule(proposal)


def _named_as_version(proposal: Proposal) -> None:
    """Require a name Major.Minor.Patch, each a 32-bit integer."""
    name = proposal.resource.name
    if not _NAME.fullmatch(name) or any(int(part) > _LARGEST_NUMBER for part in name.split(".")):
        raise invalid(
            "The entity name 'galleryImageVersionName' is invalid according to its validation rule: "
            "^[0-9]+\\.[0-9]+\\.[0-9]+$."
        )


def _location(proposal: Proposal) -> None:
    """Require a location, which stays what it is."""
    location = str(proposal.new.get("location", ""))
    if not location:
        raise ArmError(400, "LocationRequired", "The location property is required for this definition.")
    if proposal.old and regions.short(location) != regions.short(proposal.old["location"]):
        raise ArmError(
            409,
            "InvalidResourceLocation",
            f"The resource '{proposal.resource.name}' already exists in location '{proposal.old['location']}' in "
            f"resource group '{proposal.resource.group}'. A resource with the same name cannot be created in location "
            f"'{location}'. Please select a new resource name.",
        )


def _source(proposal: Proposal) -> None:
    """Require a source of a new version."""
    profile = proposal.new["properties"]["storageProfile"]
    if proposal.old is None and not any(profile.get(name) for name in ("source", "osDiskImage", "dataDiskImages")):
        raise missing(f"{_VERSION}.properties.storageProfile.source")


def _regions_exist(proposal: Proposal) -> None:
    """Require regions that Azure has, and this subscription may have. The words are unverified."""
    unknown = [region["name"] for region in proposal.regions if not regions.known(region["name"])]
    closed = [region["name"] for region in proposal.added if regions.short(region["name"]) in proposal.closed]
    if unknown or closed:
        name = (unknown + closed)[0]
        raise invalid(f"The value '{name}' of parameter '{_REGIONS}.name' is not a supported location.")


def _zones(proposal: Proposal) -> None:
    """Refuse zone-redundant storage where there are no zones. Code and words are unverified."""
    for region in proposal.added:
        kinds = {str(each.get("storageAccountType", "")).lower() for each in (region, *_replica_sets(region))}
        if regions.short(region["name"]) in proposal.zoneless and _ZONE_REDUNDANT.lower() in kinds:
            raise invalid(
                f"The value '{_ZONE_REDUNDANT}' of parameter '{_REGIONS}.storageAccountType' is not supported in "
                f"location '{region['name']}', which has no availability zones."
            )


def _policies(proposal: Proposal) -> None:
    """Refuse what an Azure Policy disallows. That this comes before the provider's own rules is unverified."""
    if proposal.disallowed & documents.target_regions(proposal.new).keys():
        raise disallowed(proposal.resource)


def _regions_differ(proposal: Proposal) -> None:
    """Refuse a region that is there twice, in whatever spelling."""
    if len(proposal.regions) != len(documents.target_regions(proposal.new)):
        raise invalid("Duplicate regions are not allowed in target publishing regions.")


def _home_is_in(proposal: Proposal) -> None:
    """Require the version's own location among the regions."""
    names = documents.target_regions(proposal.new)
    if regions.short(proposal.new["location"]) not in names:
        raise invalid(
            f"Gallery image version publishing profile regions '{','.join(names)}' must contain the location of "
            f"image version '{proposal.new['location']}'."
        )


def _replicas(proposal: Proposal) -> None:
    """Require a replica in each region, and at most 100 in all. The words are unverified."""
    counts = [region["regionalReplicaCount"] for region in proposal.regions]
    counts += [extra.get("regionalReplicaCount", 1) for r in proposal.regions for extra in _replica_sets(r)]
    bad = any(not isinstance(count, int) or count < 1 for count in counts)
    if bad or sum(counts) > _MOST_REPLICAS:
        raise invalid(
            f"The value of parameter '{_REGIONS}.regionalReplicaCount' is out of range: "
            f"{sum(counts) if not bad else counts}. A version has 1 to {_MOST_REPLICAS} replicas in all its regions."
        )


def _replica_sets(region: Json) -> list[Json]:
    """Return a region's additional replica sets."""
    sets: list[Json] = region.get("additionalReplicaSets", [])
    return sets


def _shallow_stays_home(proposal: Proposal) -> None:
    """Refuse to replicate a shallow version. The words are unverified."""
    mode = str(proposal.new["properties"]["publishingProfile"].get("replicationMode", "Full"))
    if mode.lower() == "shallow" and len(proposal.regions) > 1:
        raise invalid("A gallery image version with replication mode 'Shallow' cannot be replicated to other regions.")


def _source_stays(proposal: Proposal) -> None:
    """Refuse another source."""
    if proposal.old is None:
        return
    old, new = (doc["properties"]["storageProfile"].get("source", {}) for doc in (proposal.old, proposal.new))
    if str(old.get("id", "")).lower() != str(new.get("id", "")).lower():
        raise immutable(f"Changing property '{_VERSION}.properties.storageProfile.source' is not allowed.")


def _storage_type_stays(proposal: Proposal) -> None:
    """Refuse another storage account type in an existing region.

    A region that gives none takes the profile's; where that differs the real Azure refuses too (seen in a report).
    """
    for old, new in proposal.kept:
        if old["storageAccountType"] != new["storageAccountType"]:
            raise immutable(
                f"Changing property '{_REGIONS}.storageAccountType' of the existing TargetRegion: '{old['name']}' is "
                f"not allowed. Please specify '{old['storageAccountType']}' for this region."
            )


def _encryption_stays(proposal: Proposal) -> None:
    """Refuse to change or add disk encryption sets in an existing region."""
    for old, new in proposal.kept:
        if _encryption(old) != _encryption(new):
            raise immutable(f"Changing property '{_REGIONS}.encryption' of region '{old['name']}' is not allowed.")


def _encryption_everywhere(proposal: Proposal) -> None:
    """Require a disk encryption set in every region or in none. Code and words are unverified."""
    encrypted = ["diskencryptionsetid" in _encryption(region) for region in proposal.regions]
    if any(encrypted) and not all(encrypted):
        raise invalid(f"A disk encryption set must be specified in every region of '{_REGIONS}' or in none.")


def _encryption(region: Json) -> str:
    """Return a region's encryption as text that compares without regard to case and order."""
    return json.dumps(region.get("encryption"), sort_keys=True).lower()


def _replicated_stay(proposal: Proposal) -> None:
    """Refuse to leave a replicated region out, unless the safety profile allows it."""
    gone = proposal.replicated - documents.target_regions(proposal.new).keys()
    allowed = documents.deletion_allowed(proposal.new)
    if proposal.old and not proposal.flag_with_removal:
        allowed = allowed and documents.deletion_allowed(proposal.old)
    if gone and not allowed:
        raise ArmError(
            400,
            "BadRequest",
            "Complete set of target locations not specified while updating gallery artifact "
            f"'{proposal.resource.name}' and type '{documents.TYPE}'. Deletion of previously replicated locations is "
            "not allowed, and you need to specify a complete set of target locations, or set allow deletion of "
            "replicated locations under safety profile property to true.",
        )


_RULES: Final[tuple[Callable[[Proposal], None], ...]] = (
    _policies,
    _named_as_version,
    _location,
    _source,
    _regions_exist,
    _zones,
    _regions_differ,
    _home_is_in,
    _replicas,
    _shallow_stays_home,
    _source_stays,
    _storage_type_stays,
    _encryption_stays,
    _encryption_everywhere,
    _replicated_stay,
)
