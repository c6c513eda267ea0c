"""A status as a message for a Teams Workflows webhook: an Adaptive Card 1.4.

Text goes into ``TextRun``, which shows markdown as it is (documented): names come from users.
"""

from collections.abc import Mapping
from typing import Any

from shared.formats.cards import card

CONTENT_TYPE = "application/json"


def body(event: Mapping[str, Any]) -> dict[str, Any]:
    """Give what is posted for a CloudEvent."""
    told = card(event)
    rows = [_text([_run(f"{label}: ", weight="Bolder"), _run(text)], spacing="Small") for label, text in told.lines]
    content = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": told.headline,
        "body": [
            _text([_run(told.headline, weight="Bolder", size="Medium")]),
            _text([_run(told.where, isSubtle=True)], spacing="None"),
            *rows,
        ],
    }
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": content,
    }
    return {"type": "message", "attachments": [attachment]}


def _text(runs: list[dict[str, Any]], **style: Any) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": runs, **style}


def _run(text: str, **style: Any) -> dict[str, Any]:
    return {"type": "TextRun", "text": text, **style}
