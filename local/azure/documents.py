"""From a request's body to the document of an image version that is stored: defaults, merging, region names.

`targetRegions` present is a full replacement, absent or null keeps them; `storageProfile` is kept when omitted (seen).
A PUT that omits `safetyProfile` or `tags` is unverified: the safety profile is kept, tags go.
"""

from copy import deepcopy
from typing import Any, Final

from local.azure import regions
from local.azure.names import ResourceId
from local.azure.state import Json

TYPE: Final = "Microsoft.Compute/galleries/images/versions"
_MOVING: Final = ("provisioningState", "replicationStatus")
_KEPT_BY_PUT: Final = ("targetRegions", "storageAccountType", "publishedDate")


def target_regions(document: Json) -> dict[str, Json]:
    """Return a document's target regions by short name; of a region that is there twice the last."""
    return {regions.short(region["name"]): region for region in _profile(document)["targetRegions"]}


def deletion_allowed(document: Json) -> bool:
    """Tell whether the safety profile allows regions to be taken out."""
    return bool(document["properties"]["safetyProfile"]["allowDeletionOfReplicatedLocations"])


def created(resource: ResourceId, body: Json, *, published: str) -> Json:
    """Build a new version's document from the body of a PUT. Without target regions it goes to its home only."""
    sent = _without_nulls(body)
    home = {"publishingProfile": {"targetRegions": [{"name": sent.get("location", "")}]}}
    start = {"properties": {**home, "safetyProfile": _default_safety()}}
    document = _merged(resource, start, sent, replace=True)
    _profile(document)["publishedDate"] = published
    return document


def updated(resource: ResourceId, old: Json, body: Json, *, replace: bool) -> Json:
    """Build the document after a PUT (`replace`) or a PATCH of an existing version."""
    return _merged(resource, old, _without_nulls(body), replace=replace)


def _merged(resource: ResourceId, old: Json, sent: Json, *, replace: bool) -> Json:
    """Lay what was sent over what is stored."""
    old_properties, properties = old["properties"], dict(sent.get("properties", {}))
    merged = {**old_properties, **{name: value for name, value in properties.items() if name not in _MOVING}}
    merged["publishingProfile"] = _publishing(old_properties, properties, replace=replace)
    # What was captured from the source (sizes) stays, whatever an update says about it (seen in captured traffic).
    given, captured = properties.get("storageProfile", {}), old_properties.get("storageProfile", {})
    merged["storageProfile"] = {**given, **captured}
    if "source" in given:
        merged["storageProfile"]["source"] = given["source"]
    safety = {**old_properties["safetyProfile"], **properties.get("safetyProfile", {})}
    merged["safetyProfile"] = {**safety, "reportedForPolicyViolation": False}
    return deepcopy({**_top(resource, old, sent, replace=replace), "properties": merged})


def _top(resource: ResourceId, old: Json, sent: Json, *, replace: bool) -> Json:
    """Return everything beside `properties`; the id keeps the casing it was created with."""
    kept = {name: value for name, value in old.items() if not (replace and name == "tags")}
    given = {name: value for name, value in sent.items() if name not in {"id", "name", "type", "properties"}}
    text = str(old.get("id", resource.text))
    named = {"name": ResourceId(text).name, "id": text, "type": TYPE}
    return {**named, **kept, **given, **named}


def _publishing(old: Json, sent: Json, *, replace: bool) -> Json:
    """Return the publishing profile: a PUT replaces all but regions and storage type, a PATCH merges shallowly."""
    before, given = old["publishingProfile"], dict(sent.get("publishingProfile", {}))
    given.pop("publishedDate", None)  # read-only
    kept = {name: before[name] for name in _KEPT_BY_PUT if name in before}
    profile: Json = {"replicaCount": 1, "excludeFromLatest": False, "storageAccountType": "Standard_LRS"}
    profile |= (kept if replace else before) | given
    profile["targetRegions"] = [_region(region, profile) for region in profile["targetRegions"]]
    return {"targetRegions": profile.pop("targetRegions"), **profile}


def _region(region: Json, profile: Json) -> Json:
    """Complete one target region with the profile's defaults and the display name (seen in captured traffic)."""
    defaults = {
        "regionalReplicaCount": profile["replicaCount"],
        "storageAccountType": profile["storageAccountType"],
    }
    completed = {"name": "", **defaults, **region}
    completed["name"] = regions.display(str(completed["name"]))
    return completed


def _default_safety() -> Json:
    """Return what the service says when nobody asked (seen in captured traffic)."""
    return {"allowDeletionOfReplicatedLocations": False, "reportedForPolicyViolation": False}


def _profile(document: Json) -> Json:
    """Return a document's publishing profile."""
    profile: Json = document["properties"]["publishingProfile"]
    return profile


def _without_nulls(value: Any) -> Any:
    """Drop nulls: to ARM a null is as good as nothing."""
    if isinstance(value, dict):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_without_nulls(inner) for inner in value]
    return value
