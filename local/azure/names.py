"""Resource ids of galleries, image definitions and image versions, taken apart."""

from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote


@dataclass(frozen=True, slots=True)
class ResourceId:
    """An ARM resource id below a resource group, in the casing it was written in."""

    text: str

    @property
    def key(self) -> str:
        """The id without regard to case: ARM compares ids so (documented)."""
        return self.text.lower()

    @property
    def parts(self) -> list[str]:
        """The segments of the id."""
        return self.text.strip("/").split("/")

    @property
    def subscription(self) -> str:
        """The subscription's id."""
        return self.parts[1]

    @property
    def group(self) -> str:
        """The resource group's name."""
        return self.parts[3]

    @property
    def name(self) -> str:
        """The resource's own name."""
        return self.parts[-1]

    @property
    def parent(self) -> Self:
        """The id one level up: the definition of a version, the gallery of a definition."""
        return type(self)(self.text.rsplit("/", 2)[0])

    @property
    def type(self) -> str:
        """The type below the provider, such as `galleries/images/versions`."""
        return "/".join(self.parts[6::2])

    @property
    def relative(self) -> str:
        """Type and names in turn, as ARM's messages word them: `Microsoft.Compute/galleries/g/images/i`."""
        return "/".join(self.parts[5:])

    def child(self, kind: str, name: str) -> Self:
        """Return the id of a resource below this one."""
        return type(self)(f"{self.text}/{kind}/{name}")


def gallery_id(subscription: str, group: str, name: str) -> ResourceId:
    """Return the id of a gallery."""
    scope = f"/subscriptions/{subscription}/resourceGroups/{group}"
    return ResourceId(f"{scope}/providers/Microsoft.Compute/galleries/{name}")


def requested(path: str) -> ResourceId:
    """Return the id in a request's path, which may be percent-encoded and end with a slash."""
    return ResourceId(unquote(path).rstrip("/"))
