"""The page as HTML, with the header that lets nothing else run in it. Jinja2 is loaded when it is first needed."""

import base64
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING

from shared.formats import page_words
from shared.formats.board import Board

if TYPE_CHECKING:
    from jinja2 import Environment

_STYLE, _SCRIPT = "page.css", "page.js"


def page(board: Board, said: str = "") -> str:
    """Give the page.

    :param said: what came of what somebody asked for on it.
    """
    return _templates().get_template("page.html").render(board=board, now=board.now, said=said)


def fault_page(title: str, reason: str, back: str) -> str:
    """Give a page that says what went wrong.

    :param back: the query of the page to go back to.
    """
    return _templates().get_template("fault.html").render(title=title, reason=reason, back=back)


@cache
def headers() -> Mapping[str, str]:
    """Give the headers of the page: nothing runs or shows in it but its own style and script; its address stays here.

    The address holds the function key, so that it is not sent on, and the page not kept.
    """
    policy = {
        "default-src": "'none'",
        "style-src": _hash(_STYLE),
        "script-src": _hash(_SCRIPT),
        "img-src": "data:",
        "connect-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Opener-Policy": "same-origin",
    }


def _hash(name: str) -> str:
    digest = sha256(_source(name).encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _source(name: str) -> str:
    environment = _templates()
    assert environment.loader  # noqa: S101  it was given one
    return environment.loader.get_source(environment, name)[0]


@cache
def _templates() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415  only the page needs it
    from markupsafe import Markup  # noqa: PLC0415  the same

    environment = Environment(
        loader=PackageLoader("shared.formats"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words = (page_words.ago, page_words.clock, page_words.count, page_words.going, page_words.hint, page_words.lasting)
    environment.globals.update({each.__name__: each for each in words})
    environment.globals["word"] = page_words.word
    environment.globals["asset"] = lambda name: Markup(_source(name))  # noqa: S704  our own, and nobody else's
    return environment
