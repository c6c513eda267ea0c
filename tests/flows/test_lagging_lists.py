"""Lists lag behind: a version may be shown as it was before, or after it was deleted."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from local.azure import Pace
from shared.adapters.gallery import Gallery
from shared.core.model import ImageVersion, RegionState
from shared.core.names import ImageId, VersionId, VersionNumber
from tests.flows.clockwork import HOME, Clockwork

pytestmark = pytest.mark.flow

MINUTE = timedelta(minutes=1)
REGIONS = [HOME, "eastus2", "southeastasia", "uksouth"]


def _as_published(version: ImageVersion) -> ImageVersion:
    home = (replace(each, state=RegionState.UNKNOWN) for each in version.regions if each.name == version.home)
    return replace(version, regions=tuple(home))


@pytest.mark.parametrize("lag", [0, 15, 60])
def test_a_list_that_shows_it_at_home_alone(clockwork: Clockwork, monkeypatch: pytest.MonkeyPatch, lag: int) -> None:
    """A list that shows a version as it was published, also long after it is everywhere, starts no rollout again."""
    clockwork.azure.set_behaviour(update=Pace.after(60), replicate=Pace.after(120))
    clockwork.decide(" ".join(REGIONS))
    clockwork.azure.add_version(clockwork.image, "1.0.3", regions=[HOME])
    listed, complete = Gallery.versions, list[datetime]()

    def lagging(gallery: Gallery, image: ImageId) -> list[ImageVersion]:
        if not complete and clockwork.complete_in("1.0.3", REGIONS):
            complete.append(clockwork.clock.at)
        late = bool(complete) and clockwork.clock.at >= complete[0] + lag * MINUTE
        return [each if late else _as_published(each) for each in listed(gallery, image)]

    monkeypatch.setattr(Gallery, "versions", lagging)
    clockwork.event("1.0.3")
    assert clockwork.run(120 * MINUTE)
    assert clockwork.told() == {"rollout.started 1.0.3": 1, "rollout.completed 1.0.3": 1}
    assert len(clockwork.writes()) == 1


def test_a_list_that_shows_what_was_deleted(clockwork: Clockwork, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version that was deleted, and is listed all the same, does not keep the one before it from its end."""
    clockwork.azure.set_behaviour(update=Pace.after(60), replicate=Pace.after(1200))
    clockwork.decide(" ".join(REGIONS), MODE="replicate")
    clockwork.azure.add_version(clockwork.image, "1.0.2", regions=[HOME])
    clockwork.event("1.0.2")
    clockwork.run(5 * MINUTE)
    clockwork.azure.add_version(clockwork.image, "1.0.3", regions=[HOME])
    listed, image = Gallery.versions, ImageId.parse(clockwork.image)
    stale = listed(clockwork.app.gallery, image)
    clockwork.azure.delete(clockwork.version("1.0.3"))
    clockwork.pass_time(2 * MINUTE)
    ends = clockwork.clock.at + 2 * MINUTE
    monkeypatch.setattr(
        Gallery, "versions", lambda gallery, of: stale if clockwork.clock.at < ends else listed(gallery, of)
    )
    clockwork.event("1.0.3", "ResourceDeleteSuccess")
    assert clockwork.run(180 * MINUTE)
    assert clockwork.told()["rollout.completed 1.0.2"] == 1
    assert not clockwork.told()["rollout.started 1.0.3"]
    gone = clockwork.app.rollouts.rollout(VersionId(image, VersionNumber.parse("1.0.3")))
    assert gone is None or not gone.open
