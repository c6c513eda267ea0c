"""What people and programs may ask for: a pass over an image definition, and dead letters put back."""

from collections.abc import Sequence
from math import ceil

import azure.functions as func

from handlers.answering import as_json, back_to_page, definition, from_page, refusal
from handlers.journal import note, warn
from shared.core.errors import Absent, Malformed, Retry
from shared.core.messages import Queue, Reconcile
from shared.core.status import DeadLetter
from shared.formats.question import Question
from shared.wiring import App

MOST_AT_ONCE = 200
"""Dead letters that one request puts back, the oldest ones; the answer says whether there are more."""

_MOST_FAULTS = 3


def ask_for_a_pass(app: App, req: func.HttpRequest) -> func.HttpResponse:
    """Ask for a pass over an image definition."""
    try:
        image = definition(app, req)
    except Malformed as fault:
        return refusal(400, str(fault))
    except Absent as absent:
        return refusal(404, str(absent))
    app.queues.put(Reconcile(image, "somebody asked for it"))
    note("reconcile.asked", definition=image)
    if from_page(req):
        return back_to_page(f"status{_question(req).query}&said=asked")
    return as_json(202, {"definition": str(image)})


def replay_dead_letters(app: App, req: func.HttpRequest) -> func.HttpResponse:
    """Put dead letters of a queue back into it: the one that is named, or the oldest."""
    try:
        return _replay(app, req)
    except Retry as retry:
        return refusal(503, f"Not now: {retry}", {"Retry-After": str(ceil(retry.after.total_seconds()))})


def _replay(app: App, req: func.HttpRequest) -> func.HttpResponse:
    named, name = req.route_params.get("queue", ""), req.params.get("id", "")
    if named not in Queue:
        return refusal(404, f"There is no such queue. Wanted one of: {', '.join(Queue)}")
    queue = Queue(named)
    if name:
        letter = app.dead_letters.one(queue, name)
        if letter is None:
            return refusal(404, "There is no such dead letter, or it was put back already.")
        letters = [letter]
    else:
        letters = app.dead_letters.find(most=MOST_AT_ONCE + 1, queue=queue, oldest=True)
    replayed = _put_back(app, queue, letters[:MOST_AT_ONCE])
    left = len(letters) - replayed
    if from_page(req):
        return back_to_page(f"../../status{_question(req).query}&said=replayed-{replayed}")
    return as_json(200 if replayed or not letters else 502, {"queue": named, "replayed": replayed, "more": left > 0})


def _put_back(app: App, queue: Queue, letters: Sequence[DeadLetter]) -> int:
    """Put dead letters back, the oldest first; each is forgotten when it was put: a kill doubles one, at worst."""
    replayed = faults = 0
    for letter in sorted(letters, key=lambda letter: letter.at):
        try:
            app.queues.put_text(queue, letter.body)
        except Exception as fault:  # noqa: BLE001  one that no queue takes does not hold up the others
            warn("dead-letter.stays", queue=queue, message=letter.name, reason=type(fault).__name__)
            faults += 1
            if faults == _MOST_FAULTS:
                break
            continue
        app.dead_letters.forget(letter)
        note("dead-letter.replayed", queue=queue, message=letter.name)
        replayed += 1
    return replayed


def _question(req: func.HttpRequest) -> Question:
    """Find where somebody was on the page; whatever cannot be read is the whole of it."""
    try:
        return Question.parse({**req.params})
    except Malformed:
        return Question(key=req.params.get("code", ""))
