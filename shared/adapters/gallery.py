"""Azure Compute Galleries, through the management SDK. Readings that wait together are one call."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from azure.mgmt.compute import ComputeManagementClient

from shared.adapters.arm_client import NoCredential, client_options
from shared.adapters.arm_errors import translated
from shared.adapters.gallery_json import read_version, unlock_body, write_body
from shared.adapters.throttle import Throttle, write_of
from shared.adapters.together import Together
from shared.core.errors import FlagFirst, Malformed
from shared.core.model import ImageVersion
from shared.core.names import GalleryId, ImageId, Name, VersionId, VersionNumber
from shared.core.plan import VersionPlan
from shared.core.tags import Tags

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.core.paging import ItemPaged
    from azure.mgmt.compute.models import GalleryImageVersionUpdate

_MOST_PAGES = 1000


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Gallery:
    """The galleries that the app manages, in any subscription.

    :param endpoint: Azure Resource Manager's address.
    :param credential: ``None`` sends no credential at all; only for a simulated Azure on this machine.
    :param throttle: what the calls of this process pass; ``None`` holds nothing back.
    :param now: gives the time.
    """

    def __init__(
        self,
        endpoint: str,
        credential: "TokenCredential | None",
        throttle: Throttle | None = None,
        *,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._endpoint = endpoint
        self._credential = credential
        self._throttle = throttle
        self._clients: dict[Name, ComputeManagementClient] = {}
        self._building = threading.Lock()
        self._together = Together()
        self._flag_first = False
        self._now = now
        self._recent: dict[GalleryId | ImageId, Tags] = {}

    def images(self, gallery: GalleryId) -> list[ImageId]:
        """List the image definitions of a gallery.

        :raises Absent: when there is no such gallery.
        :raises Retry: when Azure says "not now".
        :raises Malformed: when Azure's answer cannot be read; so do the other readings.
        """
        client = self._client(gallery)
        with translated():
            found = client.gallery_images.list_by_gallery(gallery.group, gallery.gallery)
            return [ImageId.parse(f"{gallery}/images/" + (each.name or "")) for each in _every(found)]

    def tags(self, thing: GalleryId | ImageId) -> Tags:
        """Read the tags of a gallery or an image definition; they are those of when they were asked for.

        :raises Absent: when it does not exist.
        :raises Retry: when Azure says "not now".
        """
        at = self._now()
        tags = Tags(at, self._together.read(("tags", thing), lambda: self._tags(thing)))
        known = self._recent.get(thing)
        if known is None or known.at <= at:
            self._recent[thing] = tags
        return tags

    def recent_tags(self, thing: GalleryId | ImageId, elsewhere: Tags | None = None) -> Tags:
        """Read tags as they are, or as this process, or another, read them less than 20 s ago: what is latest of that.

        Azure allows 350 readings of a gallery and 600 of image definitions in three minutes (captured traffic), hardly
        more than it allows writes, and every plan asks for both. Raises what :meth:`tags` raises.

        :param elsewhere: how another process read them.
        """
        known = [tags for tags in (self._recent.get(thing), elsewhere) if tags]
        latest = max(known, key=lambda tags: tags.at, default=None)
        return latest if latest and latest.recent(self._now()) else self.tags(thing)

    def _tags(self, thing: GalleryId | ImageId) -> Mapping[str, str]:
        gallery = thing.gallery if isinstance(thing, ImageId) else thing
        client = self._client(gallery)
        with translated():
            if isinstance(thing, ImageId):
                return dict(client.gallery_images.get(gallery.group, gallery.gallery, thing.image).tags or {})
            return dict(client.galleries.get(gallery.group, gallery.gallery).tags or {})

    def versions(self, image: ImageId) -> Sequence[ImageVersion]:
        """List the versions of an image definition; the state of their regions is not in a list.

        :raises Absent: when there is no such image definition.
        :raises Retry: when Azure says "not now", also in the middle of a list: half a list is no list.
        """
        return self._together.read(("versions", image), lambda: self._versions(image))

    def _versions(self, image: ImageId) -> Sequence[ImageVersion]:
        gallery = image.gallery
        versions = self._client(gallery).gallery_image_versions
        with translated():
            found = versions.list_by_gallery_image(gallery.group, gallery.gallery, image.image)
            named = ((VersionId(image, VersionNumber.parse(each.name or "")), each) for each in _every(found))
            return [read_version(identity, each.as_dict()) for identity, each in named]

    def version(self, version: VersionId) -> ImageVersion:
        """Read one version, with the state of its regions.

        :raises Absent: when it does not exist.
        :raises Retry: when Azure says "not now".
        """
        return self._together.read(("version", version), lambda: self._version(version))

    def _version(self, version: VersionId) -> ImageVersion:
        gallery = version.image.gallery
        versions = self._client(gallery).gallery_image_versions
        with translated():
            found = versions.get(
                gallery.group, gallery.gallery, version.image.image, version.number.name, expand="ReplicationStatus"
            )
            return read_version(version, found.as_dict())

    def may_write(self, version: VersionId) -> None:
        """Ask whether a write could leave now, before much is read for one that could not. Nothing is sent.

        :raises Retry: when writes to the subscription have to wait, with how long.
        """
        if self._throttle:
            self._throttle.check(write_of(version))

    def write(self, plan: VersionPlan) -> None:
        """Bring a plan about: one write with the full set of regions. Returns as soon as Azure took it.

        Where Azure has wanted the flag first once, it is not asked again with writes that count and change nothing.

        :raises Absent: when the version does not exist any more.
        :raises FlagFirst: when the safety flag wants a write of its own first: :meth:`unlock`.
        :raises Refused: when Azure will not do it.
        :raises Retry: when Azure says "not now", or somebody else is writing.
        """
        unlocks = bool(plan.removals) and not plan.version.removal_allowed
        if unlocks and self._flag_first:
            raise FlagFirst("BadRequest", "the safety flag wants a write of its own")
        try:
            self._patch(plan.version.id, write_body(plan))
        except FlagFirst:
            self._flag_first |= unlocks
            raise

    def unlock(self, version: ImageVersion) -> None:
        """Allow regions of a version to be removed. Raises what :meth:`write` raises."""
        self._patch(version.id, unlock_body(version))

    def _patch(self, version: VersionId, body: dict[str, Any]) -> None:
        gallery = version.image.gallery
        versions = self._client(gallery).gallery_image_versions
        with translated(write=True):
            versions.begin_update(
                gallery.group,
                gallery.gallery,
                version.image.image,
                version.number.name,
                cast("GalleryImageVersionUpdate", body),  # JSON is as good, and keeps fields that the model lacks
                polling=False,
            )

    def _client(self, gallery: GalleryId) -> ComputeManagementClient:
        with self._building:
            if gallery.subscription not in self._clients:
                self._clients[gallery.subscription] = self._build(str(gallery.subscription))
            return self._clients[gallery.subscription]

    def _build(self, subscription: str) -> ComputeManagementClient:
        return ComputeManagementClient(
            self._credential or NoCredential(),
            subscription,
            **client_options(self._endpoint, self._credential, self._throttle),
        )


def _every[T](items: "ItemPaged[T]") -> Iterator[T]:
    """Give what a list holds, page by page.

    :raises Malformed: when it does not end: a page names the next one, and could name itself.
    """
    for number, page in enumerate(items.by_page(), start=1):
        yield from page
        if number == _MOST_PAGES:
            raise Malformed("Azure's list does not end")
