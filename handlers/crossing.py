"""Writes that crossed: image versions have no ETag, and somebody else's write may fall into the gap before ours."""

from handlers.journal import note, warn
from shared.core.errors import Absent, Retry
from shared.core.messages import Replicate
from shared.core.plan import VersionPlan
from shared.wiring import App


def look_back(app: App, written: VersionPlan) -> None:
    """Read a version right after a write of ours, and see to it that what others added meanwhile comes back.

    Such a region is still to be seen in ``replicationStatus``, on its way out; neither we had read it nor taken it out.
    """
    version, now = written.version, app.now()
    try:
        after = app.gallery.version(version.id)
    except (Absent, Retry) as fault:
        note("write.not-looked-back", version=version.id, reason=fault)
        return
    ours = {line.region for line in written.removals}
    for region in after.leaving:
        if region not in version.leaving and region not in ours:
            warn("write.crossed", version=version.id, region=region)
            deadline = now + app.settings.rollout_deadline
            app.queues.put(Replicate(version.id, region, since=now, deadline=deadline, back=True))
