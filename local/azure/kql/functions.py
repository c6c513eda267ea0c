"""The functions and comparisons of the query language.

Kusto is strict about types; where it is not documented how strict, this is as strict as it may be.
"""

import operator
from collections.abc import Callable, Sequence
from typing import Any, Final

from local.azure.kql.values import Expression, InvalidQuery, Kind, Row, text

type _Build = Callable[[Sequence[Expression]], Expression]
type _Comparison = Callable[[Any, Any], bool]
_MOST_ARGUMENTS: Final = 64


def call(name: str, arguments: Sequence[Expression]) -> Expression:
    """Call a function by its name, which is case-sensitive."""
    if name not in _FUNCTIONS:
        raise InvalidQuery(f"The function '{name}' is not known, or not simulated.")
    least, most, build = _FUNCTIONS[name]
    if not least <= len(arguments) <= most:
        raise InvalidQuery(f"The function '{name}' does not take {len(arguments)} arguments.")
    return build(arguments)


def compare(sign: str, left: Expression, right: Expression) -> Expression:
    """Compare two expressions by an operator of COMPARISONS."""
    _require_comparable(left, right)
    holds = COMPARISONS[sign]
    return Expression(Kind.BOOL, lambda row: holds(left.value(row), right.value(row)))


def is_in(sign: str, left: Expression, options: Sequence[Expression]) -> Expression:
    """Tell whether an expression equals one of the options: `in`, or case-blind `in~`."""
    for option in options:
        _require_comparable(left, option)
    holds = COMPARISONS["==" if sign == "in" else "=~"]
    return Expression(Kind.BOOL, lambda row: any(holds(left.value(row), option.value(row)) for option in options))


def joined(combine: Callable[[bool, bool], bool], left: Expression, right: Expression) -> Expression:
    """Join two conditions by `and` or `or`."""
    left.must_be(Kind.BOOL)
    right.must_be(Kind.BOOL)
    return Expression(Kind.BOOL, lambda row: combine(left.value(row), right.value(row)))


def _require_comparable(left: Expression, right: Expression) -> None:
    """Refuse what is no text; two dynamic values want a `tostring` (unverified, but right in any case)."""
    for each in (left, right):
        each.must_be(Kind.STRING, Kind.DYNAMIC)
    if left.kind is right.kind is Kind.DYNAMIC:
        raise InvalidQuery("Cannot compare values of types dynamic and dynamic. Try adding explicit casts.")


def _equal(left: Any, right: Any) -> bool:
    """Evaluate `==`: null equals nothing (documented), not even an empty string (unverified)."""
    return left is not None and right is not None and text(left) == text(right)


def _of_text(holds: Callable[[str, str], bool]) -> _Comparison:
    """Compare as texts, where null is empty (unverified)."""
    return lambda left, right: holds(text(left), text(right))


def _case_blind(holds: Callable[[str, str], bool]) -> _Comparison:
    return lambda left, right: holds(text(left).lower(), text(right).lower())


COMPARISONS: Final[dict[str, _Comparison]] = {
    "==": _equal,
    "!=": lambda left, right: not _equal(left, right),
    "=~": _case_blind(operator.eq),
    "!~": _case_blind(operator.ne),
    "startswith": _case_blind(str.startswith),
    "startswith_cs": _of_text(str.startswith),
    "endswith": _case_blind(str.endswith),
    "contains": _case_blind(operator.contains),
}


def _simple(kind: Kind, compute: Callable[[Any], Any], *takes: Kind) -> _Build:
    """Build a function of one argument, of text or of anything dynamic unless told otherwise."""

    def build(arguments: Sequence[Expression]) -> Expression:
        (argument,) = arguments
        argument.must_be(*(takes or (Kind.STRING, Kind.DYNAMIC)))
        return Expression(kind, lambda row: compute(argument.value(row)))

    return build


def _choice(arguments: Sequence[Expression]) -> Expression:
    """Build `iff`. That both results have one type is unverified."""
    condition, then, otherwise = arguments
    condition.must_be(Kind.BOOL)
    otherwise.must_be(then.kind)
    return Expression(then.kind, lambda row: (then if condition.value(row) else otherwise).value(row))


def _coalesced(arguments: Sequence[Expression]) -> Expression:
    """Build `coalesce`: the first that is not null, or not empty, of arguments of one type (documented)."""
    for argument in arguments:
        argument.must_be(Kind.STRING, Kind.DYNAMIC)
        argument.must_be(arguments[0].kind)
    nothing = "" if arguments[0].kind is Kind.STRING else None

    def value(row: Row) -> Any:
        values = (argument.value(row) for argument in arguments)
        return next((each for each in values if each != nothing), nothing)

    return Expression(arguments[0].kind, value)


def _concatenated(arguments: Sequence[Expression]) -> Expression:
    """Build `strcat`."""
    for argument in arguments:
        argument.must_be(Kind.STRING, Kind.DYNAMIC)
    return Expression(Kind.STRING, lambda row: "".join(text(argument.value(row)) for argument in arguments))


_FUNCTIONS: Final[dict[str, tuple[int, int, _Build]]] = {
    "not": (1, 1, _simple(Kind.BOOL, operator.not_, Kind.BOOL)),
    "tostring": (1, 1, _simple(Kind.STRING, text)),
    "tolower": (1, 1, _simple(Kind.STRING, lambda value: text(value).lower())),
    "isempty": (1, 1, _simple(Kind.BOOL, lambda value: not text(value))),
    "isnotempty": (1, 1, _simple(Kind.BOOL, lambda value: bool(text(value)))),
    "isnull": (1, 1, _simple(Kind.BOOL, lambda value: value is None)),
    "isnotnull": (1, 1, _simple(Kind.BOOL, lambda value: value is not None)),
    "iff": (3, 3, _choice),
    "iif": (3, 3, _choice),
    "coalesce": (2, _MOST_ARGUMENTS, _coalesced),
    "strcat": (1, _MOST_ARGUMENTS, _concatenated),
}
