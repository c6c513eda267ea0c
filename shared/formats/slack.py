"""A status as a message for a Slack webhook: Block Kit, plain text only, because names come from users."""

from collections.abc import Iterable, Mapping
from typing import Any

from shared.formats.cards import card

CONTENT_TYPE = "application/json"
_LONGEST_HEADER = 150  # documented limits of Block Kit
_LONGEST_TEXT = 3000


def body(event: Mapping[str, Any]) -> dict[str, Any]:
    """Give what is posted for a CloudEvent."""
    told = card(event)
    texts = _packed(f"{label}: {text}" for label, text in told.lines)
    return {
        "text": _escaped(told.headline),
        "blocks": [
            {"type": "header", "text": _plain(told.headline, _LONGEST_HEADER)},
            {"type": "context", "elements": [_plain(told.where, _LONGEST_TEXT)]},
            *({"type": "section", "text": _plain(text, _LONGEST_TEXT)} for text in texts),
        ],
    }


def _packed(lines: Iterable[str]) -> list[str]:
    """Join lines into as few texts as Slack's limit allows; no line is cut in two."""
    texts: list[str] = []
    for line in lines:
        if texts and len(texts[-1]) + 1 + len(line) <= _LONGEST_TEXT:
            texts[-1] += f"\n{line}"
        else:
            texts.append(line)
    return texts


def _plain(text: str, longest: int) -> dict[str, Any]:
    cut = text if len(text) <= longest else f"{text[: longest - 3]}..."
    return {"type": "plain_text", "text": cut, "emoji": False}


def _escaped(text: str) -> str:
    """Escape the fallback text, which Slack reads as markup (documented: these three)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
