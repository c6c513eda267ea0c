"""A status as a message for a Teams Workflows webhook: an Adaptive Card 1.4.

Text goes into ``RichTextBlock``, which shows markdown and HTML as they are (documented): names come from users.
A table is a ``ColumnSet`` per row, because only 1.5 has tables: so its rows stay rows where a phone wraps their cells.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from shared.formats.cards import Card, Tone, card, more_lines
from shared.formats.tables import Column, Row, Table
from shared.formats.texts import compact, fitting

CONTENT_TYPE = "application/json"

LARGEST_MESSAGE = 28 * 1024
"""Bytes of a message that Teams takes: "approximately 28 KB" (documented for webhooks and for the Teams connector)."""

_SPARE = 1024  # for what a workflow adds: who sent the card, and by which template
_STYLES = {Tone.GOOD: "good", Tone.BAD: "attention", Tone.WARNING: "warning", Tone.PLAIN: "emphasis"}

type Block = dict[str, Any]


def body(event: Mapping[str, Any]) -> dict[str, Any]:
    """Give what is posted for a CloudEvent."""
    told = card(event)
    head = {"type": "Container", "style": _STYLES[told.tone], "bleed": True, "items": list(_head(told))}
    titles = [_titles(told.table)] if told.table else []
    bare = _message(told.headline, [head, *titles, _end(10**6)])
    facts, missing, room = fitting(_facts(told.facts), LARGEST_MESSAGE - _SPARE - len(compact(bare)))
    rows, more, _ = fitting(_rows(told.table), room)
    missing += more + told.cut
    return _message(told.headline, [head, *facts, *titles, *rows, *([_end(missing)] if missing else [])])


def _message(headline: str, blocks: list[Block]) -> dict[str, Any]:
    content = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": headline,
        "body": blocks,
    }
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": content,
    }
    return {"type": "message", "attachments": [attachment]}


def _head(told: Card) -> Iterator[Block]:
    yield _text([_run(told.headline, weight="Bolder", size="Medium")])
    yield _text([_run(told.where, isSubtle=True)], spacing="None")


def _facts(facts: Iterable[tuple[str, str]]) -> Iterator[Block]:
    for label, text in facts:
        yield _text([_run(f"{label}: ", weight="Bolder"), text], spacing="Small")


def _titles(told: Table) -> Block:
    titles = [[_run(column.title, isSubtle=True, weight="Bolder")] for column in told.columns]
    return _columns(told.columns, titles, spacing="Medium", separator=True)


def _rows(told: Table | None) -> Iterator[Block]:
    if told is None:
        return
    for row in told.rows:
        yield _columns(
            told.columns, [list(_cell(told, row, index)) for index in range(len(row.cells))], spacing="Small"
        )


def _cell(told: Table, row: Row, index: int) -> Iterator[Any]:
    text = row.cells[index]
    if index == told.noted and row.note:
        text = f"{text}: {row.note}"
    if text:
        yield _run(text, color="Attention", weight="Bolder") if row.bad and index == told.noted else text


def _columns(columns: Iterable[Column], cells: Iterable[list[Any]], **style: Any) -> Block:
    made = [
        {"type": "Column", "width": column.share, "items": [_text(inlines)] if inlines else []}
        for column, inlines in zip(columns, cells, strict=True)
    ]
    return {"type": "ColumnSet", "columns": made, **style}


def _end(missing: int) -> Block:
    return _text([_run(more_lines(missing), isSubtle=True)], spacing="Small")


def _text(inlines: list[Any], **style: Any) -> Block:
    return {"type": "RichTextBlock", "inlines": inlines, **style}


def _run(text: str, **style: Any) -> dict[str, Any]:
    return {"type": "TextRun", "text": text, **style}
