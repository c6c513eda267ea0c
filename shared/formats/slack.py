"""A status as a message for a Slack webhook: Block Kit, plain text only, because names come from users.

A table is text in columns of letters of one width, in ``rich_text_preformatted``, whose text no markup works in.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shared.formats.cards import card, more_lines
from shared.formats.tables import Row, Table
from shared.formats.texts import fitting, packed

CONTENT_TYPE = "application/json"

MOST_BLOCKS = 50
"""Blocks in a message (documented)."""

LONGEST_HEADER = 150
"""Characters of a header (documented)."""

LONGEST_TEXT = 3000
"""Characters of any other text (documented for sections; ours for preformatted text, of which nothing is said)."""

_MOST_TEXT = 11_000
"""Characters of JSON in all texts. Not documented: blocks of about 13,200 were refused (slackapi/bolt-js#2509)."""

_WIDEST = 30  # characters that a column is padded to; a longer cell pushes the rest of its row
_BETWEEN = "  "


def body(event: Mapping[str, Any]) -> dict[str, Any]:
    """Give what is posted for a CloudEvent."""
    told = card(event)
    facts, missing, room = fitting((f"{label}: {text}" for label, text in told.facts), _MOST_TEXT)
    rows, more, _ = fitting(_rows(told.table), room)
    missing += more + told.cut
    return {
        "text": _escaped(told.headline),
        "blocks": [
            {"type": "header", "text": _plain(told.headline, LONGEST_HEADER)},
            {"type": "context", "elements": [_plain(told.where, LONGEST_TEXT)]},
            *({"type": "section", "text": _plain(text, LONGEST_TEXT)} for text in packed(facts, LONGEST_TEXT)),
            *(_preformatted(text) for text in packed(rows, LONGEST_TEXT)),
            *([{"type": "context", "elements": [_plain(more_lines(missing), LONGEST_TEXT)]}] if missing else []),
        ],
    }


def _rows(told: Table | None) -> Iterator[str]:
    """Give the lines of a table; the titles belong to the first row, so that they are not counted as a line."""
    if told is None:
        return
    titles = Row(tuple(column.title for column in told.columns))
    widths = [
        min(max(len(row.cells[index]) for row in (titles, *told.rows)), _WIDEST) for index in range(len(told.columns))
    ]
    first, *others = (_padded(row, widths) for row in told.rows)
    yield f"{_padded(titles, widths)}\n{first}"
    yield from others


def _padded(row: Row, widths: Sequence[int]) -> str:
    cells = [cell.ljust(width) for cell, width in zip(row.cells, widths, strict=True)]
    return _BETWEEN.join([*cells, row.note]).rstrip()


def _preformatted(text: str) -> dict[str, Any]:
    told = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "elements": [told]}


def _plain(text: str, longest: int) -> dict[str, Any]:
    cut = text if len(text) <= longest else f"{text[: longest - 3]}..."
    return {"type": "plain_text", "text": cut, "emoji": False}


def _escaped(text: str) -> str:
    """Escape the fallback text, which Slack reads as markup (documented: these three)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
