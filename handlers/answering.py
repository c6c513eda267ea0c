"""Answers to HTTP requests of programs and of the page's buttons."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import azure.functions as func

from handlers.journal import note
from shared.core.errors import Absent, Malformed
from shared.core.names import ImageId
from shared.wiring import App


def definition(app: App, req: func.HttpRequest) -> ImageId:
    """Read which image definition a request is about.

    :raises Malformed: when it names none.
    :raises Absent: when it names one that is not managed.
    """
    given = req.params.get("definition", "")
    if not given:
        raise Malformed(f"Which image definition? {req.method} {urlsplit(req.url).path}?definition=<its resource id>")
    image = ImageId.parse(given)
    if not app.settings.manages(image):
        raise Absent("That image definition is in no gallery of GALLERIES.")
    return image


def as_json(status: int, body: Any, more: Mapping[str, str] | None = None) -> func.HttpResponse:
    """Answer a program."""
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **(more or {})}
    return func.HttpResponse(json.dumps(body), status_code=status, mimetype="application/json", headers=headers)


def refusal(status: int, reason: str, more: Mapping[str, str] | None = None) -> func.HttpResponse:
    """Say why not."""
    note("request.refused", status=status, reason=reason)
    return as_json(status, {"error": reason}, more)


def from_page(req: func.HttpRequest) -> bool:
    """Whether a browser asks, by a button of the page, and not a program."""
    return "text/html" in req.headers.get("accept", "")


def back_to_page(address: str) -> func.HttpResponse:
    """Send a browser back to the page; the address is relative, because its host is not ours to know."""
    headers = {"Location": address, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return func.HttpResponse(status_code=303, headers=headers)
