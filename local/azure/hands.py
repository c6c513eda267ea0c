"""What other hands than the app's do to the resources: test code, people, build pipelines."""

from collections.abc import Callable, Mapping, Sequence
from threading import Condition
from typing import Final, Unpack

from local.azure import machines, pipeline, seeding
from local.azure.machines import Machine, Reference
from local.azure.names import ResourceId, gallery_id
from local.azure.provider import Provider
from local.azure.seeding import VersionOptions
from local.azure.state import Json

_SUBSCRIPTION: Final = "11111111-1111-1111-1111-111111111111"


class Hands:
    """Puts, changes and looks at resources past HTTP. `changed` is the simulation's one lock."""

    def __init__(self, provider: Provider, changed: Condition) -> None:
        self._provider = provider
        self._changed = changed

    def add_gallery(
        self,
        name: str,
        *,
        subscription: str = _SUBSCRIPTION,
        group: str = "images",
        location: str = "westeurope",
        tags: Mapping[str, str] | None = None,
    ) -> str:
        """Put a gallery there, and its group; return its id."""
        resource = gallery_id(subscription, group, name)
        with self._changed:
            document = seeding.gallery_document(resource, location=location, tags=tags)
            self._provider.store.galleries[resource.key] = document
        return resource.text

    def add_image(self, gallery: str, name: str, *, tags: Mapping[str, str] | None = None) -> str:
        """Put an image definition into a gallery; return its id. Raises ArmError when the gallery is absent."""
        with self._changed:
            location = self._provider.store.gallery(ResourceId(gallery))["location"]
            resource = ResourceId(gallery).child("images", name)
            document = seeding.image_document(resource, location=location, tags=tags)
            self._provider.store.images[resource.key] = document
        return resource.text

    def add_version(self, image: str, name: str, **options: Unpack[VersionOptions]) -> str:
        """Put a version there that has long been published; no event is raised. Returns its id."""
        with self._changed:
            version = pipeline.place(self._provider, ResourceId(image), name, options)
            self._changed.notify_all()
        return version.id.text

    def publish(self, image: str, name: str, **options: Unpack[VersionOptions]) -> str:
        """Do what a build pipeline does: create a version, which takes its time. Returns its id."""
        with self._changed:
            version = pipeline.publish(self._provider, ResourceId(image), name, options)
            self._settle()
        return version.id.text

    def update(self, version: str, edit: Callable[[Json], object]) -> None:
        """Write a version as somebody else would: `edit` changes the JSON of a GET in place, and it is PUT back.

        What `edit` returns is ignored. Raises ArmError when ARM would refuse the write.
        """
        with self._changed:
            self._provider.advance()
            stored = self._provider.store.version(ResourceId(version))
            document = self._provider.show(stored, expand=False)
            edit(document)
            self._provider.put(stored.id, document)
            self._settle()

    def delete(self, version: str) -> None:
        """Delete a version as somebody else would. Raises ArmError when ARM would refuse."""
        with self._changed:
            self._provider.advance()
            self._provider.delete(ResourceId(version))
            self._settle()

    def show(self, version: str) -> Json | None:
        """Return what GET with $expand=ReplicationStatus answers now, None when absent; it is no read."""
        with self._changed:
            self._provider.advance()
            stored = self._provider.store.versions.get(version.lower())
            return None if stored is None else self._provider.show(stored, expand=True)

    def versions(self, image: str) -> dict[str, Json]:
        """Return every version of a definition as `show` does, by name."""
        with self._changed:
            self._provider.advance()
            stored = self._provider.store.versions_of(ResourceId(image)).values()
            return {version.id.name: self._provider.show(version, expand=True) for version in stored}

    def add_scale_set(  # noqa: PLR0913  each says one thing of it
        self,
        name: str,
        *,
        image: str,
        location: str,
        flexible: bool = False,
        instances: Sequence[str | Reference] = (),
        subscription: str = _SUBSCRIPTION,
        group: str = "compute",
    ) -> str:
        """Put a scale set there, for Resource Graph only; return its id.

        `image` is the id of an image version or of an image definition, and so is each of `instances` what one instance
        was made from; a Reference also says which version "latest" was then.
        """
        resource = machines.machine_id(subscription, group, name, scale_set=True)
        owner = machines.scale_set(resource, image, location=location, flexible=flexible)
        return self._put_machines(owner, *machines.instances(owner, instances))

    def add_vm(
        self,
        name: str,
        *,
        image: str | Reference,
        location: str,
        subscription: str = _SUBSCRIPTION,
        group: str = "compute",
    ) -> str:
        """Put a virtual machine there, for Resource Graph only; return its id."""
        resource = machines.machine_id(subscription, group, name)
        return self._put_machines(machines.virtual_machine(resource, image, location=location))

    def remove(self, machine: str) -> None:
        """Take a virtual machine, an instance, or a scale set with its instances away at once.

        Raises ArmError when it is absent.
        """
        with self._changed:
            resource, held = ResourceId(machine), self._provider.store.machines
            self._provider.store.machine(resource)
            for key in [key for key, each in held.items() if each.belongs_to(resource)]:
                del held[key]

    def set_tags(self, resource: str, tags: Mapping[str, str]) -> None:
        """Replace the tags of a gallery, an image definition or an image version at once. Raises ArmError when absent.

        There is no operation, no change of state and no event: that tags written through Microsoft.Resources/tags
        leave the provisioning state alone is unverified.
        """
        with self._changed:
            self._provider.store.set_tags(ResourceId(resource), tags)
            self._settle()

    def lock(self, scope: str) -> None:
        """Put a ReadOnly lock on a resource, a group or a subscription: writes over HTTP in it are refused.

        What test code does past HTTP is not.
        """
        with self._changed:
            self._provider.store.locks.lock(scope)

    def unlock(self, scope: str) -> None:
        """Take the lock off a scope. Raises KeyError when there is none."""
        with self._changed:
            self._provider.store.locks.unlock(scope)

    def _put_machines(self, first: Machine, *others: Machine) -> str:
        """Keep machines; return the id of the first."""
        with self._changed:
            self._provider.store.machines |= {machine.id.key: machine for machine in (first, *others)}
        return first.id.text

    def _settle(self) -> None:
        """Let happen what is due and tell those who wait. Lock held."""
        self._provider.advance()
        self._changed.notify_all()
