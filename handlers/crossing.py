"""Writes that crossed: image versions have no ETag, and somebody else's write may fall into the gap before ours."""

from handlers.journal import note, warn
from handlers.stage import Wait
from shared.core.errors import Absent, Retry
from shared.core.messages import Replicate
from shared.core.model import ImageVersion
from shared.core.plan import VersionPlan
from shared.wiring import App


def look_back(app: App, written: VersionPlan) -> bool:
    """Read a version right after a write of ours, to put back what that lost; say whether it could be read.

    If not, whoever reads it next looks back: what the write knew of is remembered until then.
    """
    try:
        after = app.gallery.version(written.version.id)
    except (Absent, Retry) as fault:
        note("write.not-looked-back", version=written.version.id, reason=fault)
        return False
    put_back(app, after, written.known)
    return True


def put_back(app: App, after: ImageVersion, known: frozenset[str]) -> None:
    """Ask for what a write of ours lost, because somebody had added it since the version was read.

    Such a region is still to be seen in ``replicationStatus``, on its way out.

    :param known: the regions that the write knew of; what of them leaves was taken out by us, or by others later.
    """
    now = app.now()
    for region in after.leaving:
        if region not in known:
            warn("write.crossed", version=after.id, region=region)
            deadline = now + app.settings.rollout_deadline
            app.queues.put(Replicate(after.id, region, since=now, deadline=deadline, back=True))


def flag_first(app: App, part: VersionPlan) -> Wait:
    """Do what is left when Azure wants the safety flag before a write: set it, if that is ours to do, and come back.

    Where we take nothing out, or may not set it, somebody's write fell into the gap before ours: what it changed is to
    be read first.
    """
    version, later = part.version, app.settings.watch_first
    if not part.removals or not app.settings.policy_for(version.id.image).unlocks_regions:
        return Wait(later, "somebody wrote to the version meanwhile, and its safety flag stands against our write")
    app.gallery.unlock(version)
    note("write.unlocked", version=version.id)
    return Wait(later, "the safety flag is being set")
