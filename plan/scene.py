"""A small gallery in a simulated Azure, for seeing a plan without having an Azure."""

from collections.abc import Iterator
from contextlib import contextmanager

from local.azure import Region, SimulatedAzure
from local.demo.scene import HOME, NEW, REGIONS, Scene

_WINDOWS = "windows-2022"
_USED = ("2.0.1", "eastus2")


@contextmanager
def simulated() -> Iterator[dict[str, str]]:
    """Give the app settings of a gallery, for as long as this lasts.

    One image has just been published; another is complete everywhere, so that its older versions can go home.
    """
    with SimulatedAzure() as azure:
        scene = Scene.set_up(azure)
        azure.add_version(scene.image, NEW, home=HOME, size_gib=32)
        everywhere = [Region(HOME, replicas=3), *(Region(name) for name in REGIONS if name != HOME)]
        windows = azure.add_image(scene.gallery, _WINDOWS)
        azure.add_version(windows, "2.1.0", home=HOME, regions=everywhere, size_gib=127)
        for number in ("2.0.1", "2.0.0"):
            regions = [Region(HOME, replicas=2), Region("eastus2"), Region("southeastasia")]
            azure.add_version(windows, number, home=HOME, regions=regions, size_gib=127)
        number, region = _USED
        azure.add_scale_set("web-prod", image=f"{windows}/versions/{number}", location=region)
        policy = scene.settings("")
        yield {name: policy[name] for name in ("ARM_ENDPOINT", "GALLERIES", "TARGET_REGIONS")}
