"""Names of things in Azure: regions, version numbers, resource ids.

Ids come from events and queue messages, so they are checked here, strictly and once: exactly the shapes that we
manage, nothing that could climb out of a URL path. A general id parser would accept far more than we want to believe.
"""

import re
from dataclasses import dataclass, field
from typing import Self

from shared.core.errors import Malformed
from shared.core.text import shown

_LONGEST_ID = 1024
_NAME = r"[A-Za-z0-9](?:[\w.-]{0,78}[A-Za-z0-9])?"
_GROUP = r"[\w(](?:[\w.()-]{0,88}[\w()-])?"
_GALLERY = (
    r"/subscriptions/(?P<subscription>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    rf"/resourcegroups/(?P<group>{_GROUP})/providers/microsoft\.compute/galleries/(?P<gallery>{_NAME})"
)
_IMAGE = rf"{_GALLERY}/images/(?P<image>{_NAME})"
_GALLERY_ID = re.compile(_GALLERY, re.IGNORECASE | re.ASCII)
_IMAGE_ID = re.compile(_IMAGE, re.IGNORECASE | re.ASCII)
_VERSION_ID = re.compile(rf"{_IMAGE}/versions/(?P<version>[0-9.]{{5,32}})", re.IGNORECASE | re.ASCII)
_SUBSCRIPTION_AND_GROUP = _GALLERY.partition("/providers/")[0]
_ENCRYPTION_SET_ID = re.compile(
    rf"{_SUBSCRIPTION_AND_GROUP}/providers/microsoft\.compute/diskencryptionsets/[\w-]{{1,80}}",
    re.IGNORECASE | re.ASCII,
)
_VERSION = re.compile(r"(\d{1,10})\.(\d{1,10})\.(\d{1,10})", re.ASCII)
_REGION = re.compile(r"[a-z][a-z0-9]{2,39}")
_LARGEST_PART = 2**31 - 1  # int32 each, documented for gallery image versions


class Name(str):
    """A resource name as Azure treats it: its letter case is kept for people and ignored in comparisons."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and self.casefold() == other.casefold()

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.casefold())


def region_name(text: str) -> str:
    """Give the one spelling of a region that we compare by: ``"West US 2"`` and ``"westus2"`` are ``"westus2"``.

    ARM answers with display names in ``targetRegions`` and short names in ``replicationStatus`` (captured traffic).

    :raises Malformed: when this cannot be the name of a region.
    """
    name = text.replace(" ", "").lower()
    if not _REGION.fullmatch(name):
        raise Malformed(f"{shown(text)} is not the name of a region")
    return name


def encryption_set_id(text: str) -> str:
    """Check the resource id of a disk encryption set.

    :raises Malformed: when it is not one.
    """
    if len(text) > _LONGEST_ID or not _ENCRYPTION_SET_ID.fullmatch(text):
        raise Malformed(f"{shown(text)} is not the resource id of a disk encryption set")
    return text


@dataclass(frozen=True, slots=True, order=True)
class VersionNumber:
    """Major.Minor.Patch, compared as numbers, as Azure does to find the latest."""

    major: int
    minor: int
    patch: int
    name: str = field(compare=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``"1.0.3"``.

        :raises Malformed: when it is not three numbers of 32 bits.
        """
        match = _VERSION.fullmatch(text)
        if not match or any(int(part) > _LARGEST_PART for part in match.groups()):
            raise Malformed(f"{shown(text)} is not an image version: wanted Major.Minor.Patch, 32-bit numbers")
        major, minor, patch = (int(part) for part in match.groups())
        return cls(major, minor, patch, name=text)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class GalleryId:
    """An Azure Compute Gallery."""

    subscription: Name
    group: Name
    gallery: Name

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a resource id.

        :raises Malformed: when it is not the id of a gallery.
        """
        return cls(**_parts(_GALLERY_ID, text, "a gallery"))

    def __str__(self) -> str:
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"
            f"/providers/Microsoft.Compute/galleries/{self.gallery}"
        )


@dataclass(frozen=True, slots=True)
class ImageId:
    """An image definition in a gallery."""

    gallery: GalleryId
    image: Name

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a resource id.

        :raises Malformed: when it is not the id of an image definition.
        """
        parts = _parts(_IMAGE_ID, text, "an image definition")
        image = parts.pop("image")
        return cls(GalleryId(**parts), image)

    def __str__(self) -> str:
        return f"{self.gallery}/images/{self.image}"


@dataclass(frozen=True, slots=True)
class VersionId:
    """An image version of a definition."""

    image: ImageId
    number: VersionNumber

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a resource id.

        :raises Malformed: when it is not the id of an image version.
        """
        parts = _parts(_VERSION_ID, text, "an image version")
        number, image = VersionNumber.parse(parts.pop("version")), parts.pop("image")
        return cls(ImageId(GalleryId(**parts), image), number)

    def __str__(self) -> str:
        return f"{self.image}/versions/{self.number}"


def _parts(pattern: re.Pattern[str], text: str, what: str) -> dict[str, Name]:
    match = pattern.fullmatch(text) if len(text) <= _LONGEST_ID else None
    if match is None:
        raise Malformed(f"{shown(text)} is not the resource id of {what}")
    return {part: Name(value) for part, value in match.groupdict().items()}
