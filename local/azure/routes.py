"""ARM's routes: which request is answered by what. Unknown ones are 501, never a plausible success."""

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import quote, urlencode

from local.azure import answers, graph
from local.azure.behaviour import Behaviour
from local.azure.calls import Answer, Call
from local.azure.errors import ArmError, not_simulated
from local.azure.provider import Provider
from local.azure.state import Json, Operation, OperationKind, OperationStatus

_GALLERIES: Final = r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Compute/galleries"
_GALLERY: Final = _GALLERIES + r"/[^/]+"
_IMAGE: Final = _GALLERY + r"/images/[^/]+"
_VERSION: Final = _IMAGE + r"/versions/[^/]+"
_OPERATION: Final = r"/subscriptions/[^/]+/providers/Microsoft\.Compute/locations/[^/]+/capsOperations/[^/]+"
# About as long as the signed query of newer poll URLs (seen in captured traffic).
_SIGNATURE: Final = {
    "t": "638000000000000000",
    "c": "MIIH" + "A" * 2400,
    "s": "c2lnbmF0dXJl" + "B" * 900,
    "h": "aGFzaA",
}


type Handler = Callable[[Provider, Call], Answer]


def answer(provider: Provider, call: Call) -> Answer:
    """Answer a request; raise ArmError when it is refused or unknown."""
    for method, pattern, handler in _ROUTES:
        if method == call.method and re.fullmatch(pattern + "/?", call.path, re.IGNORECASE):
            return handler(provider, call)
    raise not_simulated(call.method, call.path)


def _list_galleries(provider: Provider, call: Call) -> Answer:
    provider.store.require_group(call.id)
    return _page(provider.store.galleries_in(call.id.text), provider.behaviour, call)


def _get_gallery(provider: Provider, call: Call) -> Answer:
    return Answer(200, provider.store.gallery(call.id), budget="GetGallery")


def _list_images(provider: Provider, call: Call) -> Answer:
    provider.store.require_parent(call.owner.child("images", "any"))
    return _page(provider.store.images_of(call.owner), provider.behaviour, call)


def _get_image(provider: Provider, call: Call) -> Answer:
    return Answer(200, provider.store.image(call.id), budget="GetGalleryImage")


def _list_versions(provider: Provider, call: Call) -> Answer:
    provider.store.require_parent(call.owner.child("versions", "any"))
    listed = {
        key: provider.show(version, expand=False)
        for key, version in provider.store.versions_of(call.owner).items()
        if version.id.name not in provider.behaviour.unlisted
    }
    return _page(listed, provider.behaviour, call)


def _get_version(provider: Provider, call: Call) -> Answer:
    version = provider.store.version(call.id)
    shown = provider.show(version, expand=call.query.get("$expand", "").lower() == "replicationstatus")
    version.reads += 1
    return Answer(200, shown, budget="GetGalleryImageVersion")


def _put_version(provider: Provider, call: Call) -> Answer:
    return _accepted(provider, call, provider.put(call.id, _document(call)))


def _patch_version(provider: Provider, call: Call) -> Answer:
    return _accepted(provider, call, provider.patch(call.id, _document(call)))


def _delete_version(provider: Provider, call: Call) -> Answer:
    """Accept a deletion: 202, empty (seen). What is absent already is 204, as ARM does elsewhere."""
    provider.store.require_parent(call.id, action="delete")
    if call.id.key not in provider.store.versions:
        return Answer(204, None, budget="DeleteGalleryImageVersion")
    operation = provider.delete(call.id)
    headers = _polled_at(provider, call, operation) | {"location": _poll_url(provider, call, operation, monitor=True)}
    return Answer(202, None, headers, budget="DeleteGalleryImageVersion")


def _poll(provider: Provider, call: Call) -> Answer:
    """Show an operation, or with monitor=true only whether it is over (202, then 200 with nothing: seen)."""
    operation = provider.store.operations.get(call.id.name.lower())
    if operation is None:
        raise ArmError(404, "NotFound", f"The operation '{call.id.name}' was not found.")
    shown, ended = answers.operation(operation), operation.status is not OperationStatus.IN_PROGRESS
    version = provider.store.versions.get(operation.version.key)
    if version is not None:
        version.reads += 1
    if call.query.get("monitor"):
        return Answer(200 if ended else 202, None, budget="GetOperationStatus")
    return Answer(200, shown, budget="GetOperationStatus")


def _accepted(provider: Provider, call: Call, operation: Operation) -> Answer:
    """Answer an accepted write: 201 for a new version, else 200 (seen)."""
    shown = provider.show(provider.store.version(call.id), expand=False)
    status = 201 if operation.kind is OperationKind.CREATE else 200
    return Answer(status, shown, _polled_at(provider, call, operation), budget="CreateUpdateGalleryImageVersion")


def _polled_at(provider: Provider, call: Call, operation: Operation) -> dict[str, str]:
    return {"azure-asyncoperation": _poll_url(provider, call, operation), "x-ms-request-id": operation.guid}


def _poll_url(provider: Provider, call: Call, operation: Operation, *, monitor: bool = False) -> str:
    """Return the absolute URL of an operation, or of its monitor."""
    scope = f"/subscriptions/{operation.version.subscription}/providers/Microsoft.Compute"
    query = {"monitor": "true"} if monitor else {}
    query |= {"p": operation.guid, "api-version": call.query["api-version"]}
    query |= _SIGNATURE if provider.behaviour.signed_poll_urls else {}
    return f"{call.endpoint}{scope}/locations/{operation.location}/capsOperations/{operation.guid}?{urlencode(query)}"


def _page(items: dict[str, Json], behaviour: Behaviour, call: Call) -> Answer:
    """Answer one page of a list: `nextLink` is absolute and only there when more follows (seen)."""
    try:
        shown, token = answers.page(items, size=behaviour.page_size, token=call.query.get("$skiptoken"))
    except ValueError as error:
        raise ArmError(400, "InvalidParameter", "The skip token is not valid.") from error
    body: Json = {"value": shown}
    if token:
        query = urlencode({**call.query, "$skiptoken": token}, quote_via=quote, safe="$")
        body["nextLink"] = f"{call.endpoint}{call.path}?{query}"
    return Answer(200, body)


def _document(call: Call) -> Json:
    """Return a write's body if it has the shape of a version; raise ArmError otherwise (words unverified)."""
    body = call.body
    if not isinstance(body, dict) or not _well_formed(body):
        raise ArmError(400, "InvalidRequestContent", "The request content was invalid and could not be deserialized.")
    return body


def _well_formed(body: Json) -> bool:
    """Tell whether everything that has parts has the right kind of parts."""
    properties = body.get("properties") or {}
    names = ("publishingProfile", "storageProfile", "safetyProfile")
    if not isinstance(properties, dict) or not all(isinstance(properties.get(name) or {}, dict) for name in names):
        return False
    regions = (properties.get("publishingProfile") or {}).get("targetRegions") or []
    return isinstance(regions, list) and all(isinstance(region, dict) for region in regions)


_ROUTES: Final[tuple[tuple[str, str, Handler], ...]] = (
    ("GET", _GALLERIES, _list_galleries),
    ("GET", _GALLERY, _get_gallery),
    ("GET", _GALLERY + "/images", _list_images),
    ("GET", _IMAGE, _get_image),
    ("GET", _IMAGE + "/versions", _list_versions),
    ("GET", _VERSION, _get_version),
    ("PUT", _VERSION, _put_version),
    ("PATCH", _VERSION, _patch_version),
    ("DELETE", _VERSION, _delete_version),
    ("GET", _OPERATION, _poll),
    ("POST", graph.PATH, graph.query),
)
