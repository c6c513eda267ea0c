"""Expressions, read from tokens: `or` binds least, then `and`, then comparisons."""

import operator
from collections.abc import Iterator, Mapping
from typing import Any

from local.azure.kql import functions
from local.azure.kql.tokens import Tokens
from local.azure.kql.values import Expression, InvalidQuery, Kind, Row


class Expressions:
    """Reads the expressions that may be written over a table with these columns."""

    def __init__(self, tokens: Tokens, columns: Mapping[str, Kind]) -> None:
        self._tokens = tokens
        self._columns = columns

    def read(self) -> Expression:
        """Read one expression; raise InvalidQuery when there is none, or one of types that do not fit."""
        expression = self._both()
        while self._tokens.accept("or"):
            expression = functions.joined(operator.or_, expression, self._both())
        return expression

    def _both(self) -> Expression:
        expression = self._comparison()
        while self._tokens.accept("and"):
            expression = functions.joined(operator.and_, expression, self._comparison())
        return expression

    def _comparison(self) -> Expression:
        left, sign = self._operand(), self._tokens.next
        if sign.says("in") or sign.says("in~"):
            self._tokens.take()
            return functions.is_in(sign.text, left, self._in_parentheses())
        if any(sign.says(each) for each in functions.COMPARISONS):
            self._tokens.take()
            return functions.compare(sign.text, left, self._operand())
        return left

    def _operand(self) -> Expression:
        """Read a literal, a call, a path or an expression in parentheses."""
        tokens = self._tokens
        if tokens.accept("("):
            inner = self.read()
            tokens.expect(")")
            return inner
        if tokens.next.kind == "literal":
            literal = tokens.take().text
            return Expression(Kind.STRING, lambda _: literal)
        if tokens.follows("("):
            return functions.call(tokens.take_of("name"), self._in_parentheses())
        return self._path()

    def _in_parentheses(self) -> list[Expression]:
        """Read one or more expressions in parentheses."""
        self._tokens.expect("(")
        found = [self.read()]
        while self._tokens.accept(","):
            found.append(self.read())
        self._tokens.expect(")")
        return found

    def _path(self) -> Expression:
        """Read a column, or a property of a dynamic one; unnamed it is called `properties_a_b` (documented)."""
        names = [self._tokens.take_of("name"), *self._properties()]
        column, *properties = names
        if column not in self._columns:
            raise InvalidQuery(f"Failed to resolve column or scalar expression named '{column}'.")
        if properties and self._columns[column] is not Kind.DYNAMIC:
            raise InvalidQuery(f"The column '{column}' of type {self._columns[column]} has no properties.")
        return Expression(self._columns[column], lambda row: _reached(row, names), "_".join(names))

    def _properties(self) -> Iterator[str]:
        while self._tokens.accept("."):
            yield self._tokens.take_of("name")


def _reached(row: Row, names: list[str]) -> Any:
    """Follow a path, case-sensitively; what is missing is null."""
    value: Any = row
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
