"""Azure's limit of image versions, which counts over all galleries and image definitions of a subscription and region.

A pass knows one image definition. What passes recorded of all of them is summed here, for the sweep to tell of.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from shared.core.names import ImageId, Name
from shared.core.notices import Notice, versions_news
from shared.core.plan import MANY_VERSIONS
from shared.core.status.definition import DefinitionStatus


@dataclass(frozen=True, slots=True)
class Crowd:
    """The versions of several image definitions in one subscription and home region, nearly as many as Azure takes.

    :param used: how many versions there are in all.
    :param definitions: how many image definitions they belong to.
    :param fullest: the definition that has most of them.
    """

    region: str
    used: int
    definitions: int
    fullest: ImageId

    @property
    def news(self) -> Notice:
        """Tell of it, at the definition that has most of the versions."""
        return versions_news(self.fullest, self.region, self.used, definitions=self.definitions)


def crowds(statuses: Iterable[DefinitionStatus]) -> list[Crowd]:
    """Find where image definitions together have nearly as many versions as Azure takes.

    What one definition has alone is not among them: the pass over it tells of that.
    """
    homes: dict[tuple[Name, str], dict[ImageId, int]] = defaultdict(dict)
    for status in statuses:
        for region, used in status.homes.items():
            homes[status.image.gallery.subscription, region][status.image] = used
    return [
        _crowd(region, used)
        for (_, region), used in homes.items()
        if len(used) > 1 and sum(used.values()) >= MANY_VERSIONS
    ]


def _crowd(region: str, used: dict[ImageId, int]) -> Crowd:
    fullest = min(used, key=lambda image: (-used[image], str(image).casefold()))
    return Crowd(region, sum(used.values()), len(used), fullest)
