"""A query's text, cut into tokens that are taken one by one."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from local.azure.kql.values import InvalidQuery

_TOKEN: Final = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<literal>"(?:[^"\\\n]|\\["'\\])*"|'(?:[^'\\\n]|\\["'\\])*')
    | (?P<number>\d{1,9})
    | (?P<name>in~|[A-Za-z_]\w*)
    | (?P<sign>==|!=|=~|!~|[=|(),.])
    """,
    re.VERBOSE | re.ASCII,
)
_ESCAPED: Final = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a query: a name, a sign, a number, a literal without its quotes, or the end."""

    kind: str
    text: str
    at: int

    def says(self, text: str) -> bool:
        """Tell whether this is that word or sign; a literal of the same text is not."""
        return self.kind in {"name", "sign"} and self.text == text


class Tokens:
    """The tokens of a query. Raises InvalidQuery for a character that begins none."""

    def __init__(self, query: str) -> None:
        self._all = [*_cut(query), Token("end", "", len(query))]
        self._position = 0

    @property
    def next(self) -> Token:
        """The token that comes next, which stays."""
        return self._all[self._position]

    def follows(self, text: str) -> bool:
        """Tell whether the token after the next one is that word or sign."""
        return any(token.says(text) for token in self._all[self._position + 1 : self._position + 2])

    def take(self) -> Token:
        """Take the next token; the end can be taken again and again."""
        token = self.next
        self._position = min(self._position + 1, len(self._all) - 1)
        return token

    def take_of(self, kind: str) -> str:
        """Take a token of a kind; return its text."""
        if self.next.kind != kind:
            raise self.unexpected()
        return self.take().text

    def accept(self, text: str) -> bool:
        """Take the next token if it is that word or sign; tell whether it was."""
        found = self.next.says(text)
        if found:
            self.take()
        return found

    def expect(self, text: str) -> None:
        """Take that word or sign."""
        if not self.accept(text):
            raise self.unexpected()

    def unexpected(self) -> InvalidQuery:
        """Say that the next token may not stand here."""
        return InvalidQuery(f"'{self.next.text}' at {self.next.at} is not expected, or not simulated.")


def _cut(query: str) -> Iterator[Token]:
    """Yield the tokens of a text, without the space between them."""
    position = 0
    while position < len(query):
        match = _TOKEN.match(query, position)
        if match is None:
            raise InvalidQuery(f"'{query[position]}' at {position} is not expected, or not simulated.")
        if match.lastgroup == "literal":
            yield Token("literal", _ESCAPED.sub(r"\1", match[0][1:-1]), position)
        elif match.lastgroup != "space":
            yield Token(str(match.lastgroup), match[0], position)
        position = match.end()
