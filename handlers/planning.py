"""What a pass would do now, for whoever asks: it reads what a pass reads, and writes nothing at all."""

from math import ceil

import azure.functions as func

from handlers.answering import as_json, definition, refusal
from handlers.journal import note
from handlers.observing import observe
from shared.core import planner
from shared.core.errors import Absent, Malformed, Refused, Retry
from shared.core.names import ImageId
from shared.formats.plan_rows import Planned, Report
from shared.wiring import App


def planned(app: App, image: ImageId) -> Planned:
    """Plan as a pass does, and leave it at that.

    :raises Absent: when there is no such image definition.
    :raises Retry: when Azure or the storage says "not now".
    """
    observed = observe(app, image)
    made = planner.plan(observed.definition, observed.policy, now=app.now(), cap=observed.policy.prune_cap)
    return Planned(made, observed.policy.mode)


def plan(app: App, req: func.HttpRequest) -> func.HttpResponse:
    """Answer with the plan. "Not now" is an answer too: nobody waits in here."""
    try:
        image = definition(app, req)
        report = Report(app.now(), [_planned_here(app, image)])
    except Malformed as fault:
        return refusal(400, str(fault))
    except Absent as absent:
        return refusal(404, str(absent))
    except Retry as retry:
        return refusal(503, f"Not now: {retry}", {"Retry-After": str(max(ceil(retry.after.total_seconds()), 1))})
    except Refused as refused:
        return refusal(502, str(refused))
    note("plan.asked", definition=image, changes=report.changes)
    return as_json(200, report.to_json())


def _planned_here(app: App, image: ImageId) -> Planned:
    """Plan; what Azure says that cannot be read is no fault of who asks."""
    try:
        return planned(app, image)
    except Absent:
        raise Absent("There is no such image definition.") from None
    except Malformed as fault:
        raise Refused("Malformed", str(fault)) from fault
