"""The page, and the same facts as JSON: what was recorded, read from the table. Azure is asked nothing."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from math import ceil

import azure.functions as func

from handlers.answering import as_json, refusal
from handlers.journal import note
from shared.core.errors import Absent, Malformed, Retry
from shared.formats.board import Board
from shared.formats.page import fault_page, headers, page
from shared.formats.question import MOST_OPEN, Question
from shared.formats.status_json import facts
from shared.wiring import App

MOST_LETTERS = 100
"""Dead letters that are shown; each may be as long as a message."""

_REPLAYED = re.compile(r"replayed-(\d{1,4})", re.ASCII)

type _Refuse = Callable[[int, str, Mapping[str, str]], func.HttpResponse]


def status(app: App, req: func.HttpRequest) -> func.HttpResponse:
    """Answer with the page."""
    said = _said(req.params.get("said", ""))
    refuse = _page_refusal(req.params.get("code", ""))
    return _answer(app, req.params, lambda board: _html(200, page(board, said)), refuse)


def status_json(app: App, req: func.HttpRequest) -> func.HttpResponse:
    """Answer with the same facts, for programs."""
    return _answer(app, req.params, lambda board: as_json(200, facts(board)), refusal)


def _answer(
    app: App, asked: Mapping[str, str], give: Callable[[Board], func.HttpResponse], refuse: _Refuse
) -> func.HttpResponse:
    try:
        board = _board(app, Question.parse(asked))
    except Malformed as fault:
        return refuse(400, str(fault), {})
    except Absent as absent:
        return refuse(404, str(absent), {})
    except Retry as retry:
        return refuse(503, f"Not now: {retry}", {"Retry-After": str(ceil(retry.after.total_seconds()))})
    note("status.shown", definitions=board.total, open=len(board.to_open))
    return give(board)


def _board(app: App, question: Question) -> Board:
    """Read what stands on the page: one query per gallery, and a read for each image definition that is open."""
    statuses = [status for gallery in app.settings.galleries for status in app.records.statuses(gallery)]
    board = Board.of(question, statuses, app.now())
    if question.definition and not board.entries:
        raise Absent(
            f"Nothing is recorded of {question.definition}. The next pass over it, if there is one, records it."
        )
    images = [entry.status.image for entry in board.to_open[:MOST_OPEN]]
    letters = app.dead_letters.find(most=MOST_LETTERS + 1)
    return replace(
        board.opening({image: app.records.versions(image) for image in images}),
        sweep=app.records.sweep(),
        letters=tuple(letters[:MOST_LETTERS]),
        more_letters=len(letters) > MOST_LETTERS,
    )


def _said(code: str) -> str:
    """Say what came of a button, in our own words: the address may be anybody's."""
    replayed = _REPLAYED.fullmatch(code)
    if replayed:
        return f"{int(replayed[1])} put back into the queue."
    return "A pass was asked for; what it sees is here in a moment." if code == "asked" else ""


def _page_refusal(key: str) -> _Refuse:
    titles = {400: "That cannot be read", 404: "There is no such thing", 503: "Not now"}

    def refuse(status: int, reason: str, more: Mapping[str, str]) -> func.HttpResponse:
        return _html(status, fault_page(titles[status], reason, Question(key=key).query), more)

    return refuse


def _html(status: int, text: str, more: Mapping[str, str] | None = None) -> func.HttpResponse:
    return func.HttpResponse(
        text, status_code=status, mimetype="text/html", charset="utf-8", headers={**headers(), **(more or {})}
    )
