"""What a pass has to say to people, besides what it asks for: a plan that it may not carry out, limits, failures."""

from handlers.announcing import announce, announce_once
from handlers.observing import Observed
from shared.core.errors import Absent
from shared.core.memory import Memory
from shared.core.messages import Reconcile
from shared.core.model import ImageVersion, ProvisioningState
from shared.core.names import VersionId, VersionNumber
from shared.core.notices import failure_news, plan_news, replicas_news, versions_news
from shared.core.plan import Plan
from shared.core.planner import limit_warning, replicas_after
from shared.core.rollout import recorded
from shared.wiring import App


def report(app: App, made: Plan, observed: Observed) -> None:
    """Tell of a plan (mode observe), once, and again when it has become another, also one that there was before.

    Since when regions are complete is remembered all the same, for the day when the app may act.
    """
    for each in made.versions:
        if each.kept:
            _record(app, each.version)
    notice, memory = plan_news(made), observed.known.memory
    news = bool(made.withdrawn) or memory.reported != notice.id
    if news and (memory.reported or not made.empty):
        announce(app, notice.again(memory.reports))

    def having_said(before: Memory) -> Memory:
        said = before.reporting(notice.id) if news else before
        return said.having(made.newest.number) if made.newest else said

    if having_said(memory) != memory:
        app.rollouts.remember(made.image, having_said)


def _record(app: App, version: ImageVersion) -> None:
    now = app.now()
    app.rollouts.change_rollout(version.id, lambda before: recorded(before, version, now=now))


def warn_of_limits(app: App, made: Plan, observed: Observed) -> None:
    """Tell of versions with many replicas, and of regions with many versions."""
    for each in made.versions:
        reason = limit_warning(each)
        if reason:
            notice = replicas_news(each.version.id, replicas_after(each), reason)
            announce_once(app, made.image, notice, observed.known.memory)
    for home, used in made.crowded.items():
        announce_once(app, made.image, versions_news(made.image, home, used), observed.known.memory)


def tell_of_failure(app: App, message: Reconcile, observed: Observed) -> None:
    """Tell of a version that an event says could not be written, if so it is, and no write of ours was to blame.

    :raises Retry: when Azure says "not now".
    """
    if not message.failed:
        return
    version = VersionId(message.definition, VersionNumber.parse(message.failed))
    there = _find(app, version, observed)
    if there is None:
        notice = failure_news(version, "Absent", "Azure did not make it, or it was deleted since")
    elif there.state is ProvisioningState.FAILED and app.rollouts.rollout(version) is None:
        notice = failure_news(version, there.state, _details(there))
    else:
        return
    announce_once(app, message.definition, notice, observed.known.memory)


def _find(app: App, version: VersionId, observed: Observed) -> ImageVersion | None:
    """Find a version; one that is in no list is asked for by itself, because lists lag behind."""
    listed = next((each for each in observed.definition.versions if each.number == version.number), None)
    if listed:
        return listed
    try:
        return app.gallery.version(version)
    except Absent:
        return None


def _details(version: ImageVersion) -> str:
    told = [f"{region.name}: {region.details}" for region in version.regions if region.details]
    return "; ".join(told) or "Azure gives no reason; the activity log of the gallery may"
