"""Typed expressions of the query language.

A string is never null; a property that is missing is (both documented). What could make a condition null is refused.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

type Row = Mapping[str, Any]


class InvalidQuery(Exception):
    """A query that is wrong, or that only the real Resource Graph knows how to answer."""


class Kind(StrEnum):
    """The type of an expression: a column like `properties`, and any property of it, is dynamic."""

    STRING = "string"
    DYNAMIC = "dynamic"
    BOOL = "bool"


@dataclass(frozen=True, slots=True)
class Expression:
    """What has a value in each row. `name` is the column that it becomes when it is given no name (None: must be)."""

    kind: Kind
    value: Callable[[Row], Any]
    name: str | None = None

    def must_be(self, *kinds: Kind) -> None:
        """Raise InvalidQuery for an expression of any other kind."""
        if self.kind not in kinds:
            raise InvalidQuery(f"A value of type {self.kind} stands where {' or '.join(kinds)} must.")


def text(value: Any) -> str:
    """Write a value as `tostring` does: null is empty (documented), objects are JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
