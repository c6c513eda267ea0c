"""Versions that test code puts there: long since published, or published now as a build pipeline does."""

from local.azure import documents, progress, rules, seeding
from local.azure.behaviour import Pace
from local.azure.names import ResourceId
from local.azure.provider import DEFAULT_SIZE_GIB, Provider
from local.azure.seeding import VersionOptions
from local.azure.state import Json, Progress, Replication, Version


def place(provider: Provider, image: ResourceId, name: str, options: VersionOptions) -> Version:
    """Put a version there without an operation; raise ArmError when ARM would never have let it come about."""
    resource = image.child("versions", name)
    provider.store.require_parent(resource, action="write")
    document = documents.created(resource, _body(provider, image, options), published=_now(provider))
    rules.refuse(rules.Proposal(resource=resource, old=None, new=document))
    state, size = options.get("provisioning_state", "Succeeded"), options.get("size_gib", DEFAULT_SIZE_GIB)
    version = Version(resource, document, state, size)
    _date(provider, version, options)
    progress.capture(version)
    if options.get("completed", True):
        done = Progress(Pace.at_once(), provider.clock(), 0)
        version.replications = {region: Replication(region, done) for region in documents.target_regions(document)}
    else:
        provider.replicate(version, operation="")
    provider.store.versions[resource.key] = version
    return version


def publish(provider: Provider, image: ResourceId, name: str, options: VersionOptions) -> Version:
    """Create a version; it is Creating now and ends in the state that the options say."""
    resource = image.child("versions", name)
    size = options.get("size_gib", DEFAULT_SIZE_GIB)
    operation = provider.put(resource, _body(provider, image, options), size_gib=size)
    operation.outcome = options.get("provisioning_state", "Succeeded")
    version = provider.store.version(resource)
    _date(provider, version, options)
    return version


def _body(provider: Provider, image: ResourceId, options: VersionOptions) -> Json:
    """Return the body of the PUT; the home is the gallery's location unless the options say otherwise."""
    location = str(provider.store.gallery(image.parent)["location"])
    return seeding.body(image, options.get("home", location), options)


def _date(provider: Provider, version: Version, options: VersionOptions) -> None:
    """Give a version the publish date of the options: none at all when they say None."""
    if "published" not in options:
        return
    profile, published = version.document["properties"]["publishingProfile"], options["published"]
    profile.pop("publishedDate", None)
    if published is not None:
        profile["publishedDate"] = provider.stamps.write(published.timestamp())


def _now(provider: Provider) -> str:
    return provider.stamps.write(provider.clock())
