"""Reading back what a receiver would see of a message."""

from typing import Any

from shared.formats import cards


def lines(event: dict[str, Any]) -> list[str]:
    """Give the lines of a card below its headline; cells of a table are divided by bars, as Teams shows them."""
    told = cards.card(event)
    table = told.table
    titles = [" | ".join(column.title for column in table.columns)] if table else []
    rows = [" | ".join(_noted(row, table.noted)) for row in table.rows] if table else []
    end = [cards.more_lines(told.cut)] if told.cut else []
    return [told.where, *(f"{label}: {text}" for label, text in told.facts), *titles, *rows, *end]


def _noted(row: Any, noted: int) -> list[str]:
    return [f"{cell}: {row.note}" if index == noted and row.note else cell for index, cell in enumerate(row.cells)]


def teams_lines(body: dict[str, Any]) -> list[str]:
    """Give the lines of a Teams message, headline and place first."""
    (attachment,) = body["attachments"]
    head, *blocks = attachment["content"]["body"]
    return [_teams_line(block) for block in [*head["items"], *blocks]]


def _teams_line(block: dict[str, Any]) -> str:
    if block["type"] == "ColumnSet":
        return " | ".join("".join(map(_teams_line, column["items"])) for column in block["columns"])
    return "".join(run if isinstance(run, str) else run["text"] for run in block["inlines"])


def slack_lines(body: dict[str, Any]) -> list[str]:
    """Give the lines of a Slack message below its headline."""
    return "\n".join(text for block in body["blocks"][1:] for text in _slack_texts(block)).split("\n")


def _slack_texts(block: dict[str, Any]) -> list[str]:
    match block["type"]:
        case "rich_text":
            return [part["text"] for element in block["elements"] for part in element["elements"]]
        case "context":
            return [element["text"] for element in block["elements"]]
        case _:
            return [block["text"]["text"]]


def texts(value: Any) -> list[str]:
    """Give every string in a JSON value, keys left out."""
    if isinstance(value, dict):
        return [text for each in value.values() for text in texts(each)]
    if isinstance(value, list):
        return [text for each in value for text in texts(each)]
    return [value] if isinstance(value, str) else []
