"""Where resources, operations and locks are kept, and how ARM says that a resource is absent."""

from collections.abc import Mapping

from local.azure.errors import no_group, no_parent, no_resource
from local.azure.locks import Locks
from local.azure.machines import Machine
from local.azure.names import ResourceId
from local.azure.state import Json, Operation, Version


class Store:
    """Resources by id without regard to case, operations by guid."""

    def __init__(self) -> None:
        self.galleries: dict[str, Json] = {}
        self.images: dict[str, Json] = {}
        self.versions: dict[str, Version] = {}
        self.operations: dict[str, Operation] = {}
        self.machines: dict[str, Machine] = {}
        self.locks = Locks()

    def gallery(self, resource: ResourceId) -> Json:
        """Return a gallery; raise ArmError (404) when it, or its group, is absent."""
        self.require_group(resource)
        return self._found(self.galleries, resource)

    def image(self, resource: ResourceId) -> Json:
        """Return an image definition; raise ArmError (404) when it or what it lies in is absent."""
        self.require_parent(resource)
        return self._found(self.images, resource)

    def version(self, resource: ResourceId) -> Version:
        """Return an image version; raise ArmError (404) when it or what it lies in is absent."""
        self.require_parent(resource)
        return self._found(self.versions, resource)

    def require_group(self, resource: ResourceId) -> None:
        """Raise ArmError (404) when the resource's group holds no gallery: groups exist by their galleries."""
        scope = "/".join(resource.key.split("/")[:5]) + "/"
        if not any(key.startswith(scope) for key in self.galleries):
            raise no_group(resource)

    def require_parent(self, resource: ResourceId, *, action: str = "read") -> None:
        """Raise ArmError (404) when the resource's parent is absent."""
        self.require_group(resource)
        if resource.parent.key not in self.galleries.keys() | self.images.keys():
            raise no_parent(resource, action=action)

    def set_tags(self, resource: ResourceId, tags: Mapping[str, str]) -> None:
        """Replace the tags of a gallery, an image definition or an image version; raise ArmError (404) when absent.

        The documents are new ones, as an answer may still be writing an old one.
        """
        tagged = {"tags": dict(tags)}
        if resource.type.lower() == "galleries":
            self.galleries[resource.key] = self.gallery(resource) | tagged
        elif resource.type.lower() == "galleries/images":
            self.images[resource.key] = self.image(resource) | tagged
        else:
            version = self.version(resource)
            version.document = {**version.document, **tagged}

    def machine(self, resource: ResourceId) -> Machine:
        """Return a scale set, a virtual machine or an instance; raise ArmError (404) when it is absent."""
        return self._found(self.machines, resource)

    def galleries_in(self, scope: str) -> dict[str, Json]:
        """Return the galleries below a scope (an id's beginning), by key."""
        return {key: gallery for key, gallery in self.galleries.items() if key.startswith(scope.lower() + "/")}

    def images_of(self, gallery: ResourceId) -> dict[str, Json]:
        """Return a gallery's image definitions, by key."""
        return {key: image for key, image in self.images.items() if ResourceId(key).parent.key == gallery.key}

    def versions_of(self, image: ResourceId) -> dict[str, Version]:
        """Return a definition's versions, by key."""
        return {key: version for key, version in self.versions.items() if ResourceId(key).parent.key == image.key}

    @staticmethod
    def _found[T](resources: dict[str, T], resource: ResourceId) -> T:
        if resource.key not in resources:
            raise no_resource(resource)
        return resources[resource.key]
