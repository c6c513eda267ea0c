"""Reading an image definition: what every plan is made from."""

from shared.core.errors import Absent
from shared.core.model import Definition, ImageVersion
from shared.core.names import ImageId, VersionId
from shared.core.plan import Role
from shared.core.planner import Standing, protects, rank
from shared.core.policy import Policy
from shared.wiring import App


def observe(app: App, image: ImageId, *, closely: VersionId | None = None) -> Definition:
    """Read an image definition: its versions, and the state of the regions of those that the policy keeps.

    A list does not hold the state of regions, and one GET per version would be too many for a long history.

    :param closely: a version to read by itself whatever its role, because it is about to be written.
    :raises Absent: when there is no such image definition.
    :raises Retry: when Azure says "not now".
    """
    policy = app.settings.policy
    versions = [_closer(app, standing, closely) for standing in rank(app.gallery.versions(image), policy)]
    return Definition(
        image,
        tuple(version for version in versions if version is not None),
        _protected_by(app, image, policy),
    )


def _closer(app: App, standing: Standing, closely: VersionId | None) -> ImageVersion | None:
    """Read a version by itself where its regions matter; ``None`` when it was deleted since the list was made."""
    version = standing.version
    if standing.role not in (Role.KEPT, Role.STAGED) and version.id != closely:
        return version
    try:
        return app.gallery.version(version.id)
    except Absent:
        return None


def _protected_by(app: App, image: ImageId, policy: Policy) -> str | None:
    if protects(app.gallery.tags(image), policy.protect_tag):
        return "the image definition"
    return "the gallery" if protects(app.gallery.tags(image.gallery), policy.protect_tag) else None
