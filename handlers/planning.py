"""What a pass would do now, for whoever asks: it reads what a pass reads, and writes nothing at all."""

import json
from math import ceil

import azure.functions as func

from handlers.journal import note
from handlers.observing import observe
from shared.core.errors import Absent, Malformed, Refused, Retry
from shared.core.names import ImageId
from shared.core.planner import plan
from shared.formats.plan_rows import Planned, Report
from shared.wiring import App


def blueprint(app: App) -> func.Blueprint:
    """Give the function that answers ``GET /api/plan?definition=...``."""
    stage = func.Blueprint()

    @stage.function_name("plan")
    @stage.route("plan", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
    def answer(req: func.HttpRequest) -> func.HttpResponse:
        return _answer(app, req.params.get("definition", ""))

    return stage


def planned(app: App, image: ImageId) -> Planned:
    """Plan as a pass does, and leave it at that.

    :raises Absent: when there is no such image definition.
    :raises Retry: when Azure or the storage says "not now".
    """
    observed = observe(app, image)
    made = plan(observed.definition, observed.policy, now=app.now(), cap=observed.policy.prune_cap)
    return Planned(made, observed.policy.mode)


def _answer(app: App, given: str) -> func.HttpResponse:
    if not given:
        return _refusal(400, "Which image definition? GET /api/plan?definition=<its resource id>")
    try:
        image = ImageId.parse(given)
    except Malformed as fault:
        return _refusal(400, str(fault))
    if not app.settings.manages(image):
        return _refusal(404, "That image definition is in no gallery of GALLERIES.")
    return _plan(app, image)


def _plan(app: App, image: ImageId) -> func.HttpResponse:
    """Answer with the plan. "Not now" is an answer too: nobody waits in here."""
    try:
        report = Report(app.now(), [planned(app, image)])
    except Absent:
        return _refusal(404, "There is no such image definition.")
    except Retry as retry:
        return _refusal(503, f"Not now: {retry}", {"Retry-After": str(max(ceil(retry.after.total_seconds()), 1))})
    except (Malformed, Refused) as fault:
        return _refusal(502, str(fault))
    note("plan.asked", definition=image, changes=report.changes)
    return _json(200, report.to_json())


def _refusal(status: int, reason: str, headers: dict[str, str] | None = None) -> func.HttpResponse:
    note("plan.refused", status=status, reason=reason)
    return _json(status, {"error": reason}, headers)


def _json(status: int, body: object, headers: dict[str, str] | None = None) -> func.HttpResponse:
    text = json.dumps(body)
    more = {"Cache-Control": "no-store", **(headers or {})}
    return func.HttpResponse(text, status_code=status, mimetype="application/json", headers=more)
