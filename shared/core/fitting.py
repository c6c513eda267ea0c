"""Making what is told fit into a message: the longest texts and lists give way first, and say how much was cut."""

import json
from collections.abc import Mapping
from typing import Any

_STEPS = ((1000, 1000), (300, 300), (200, 100), (100, 60), (60, 20), (40, 5))
"""Longest text in characters and longest list in entries, tried in this order."""


def fitted(data: Mapping[str, Any], most: int) -> dict[str, Any]:
    """Give data whose JSON takes no more than so many characters.

    A text that was cut ends in ``...``; beside a list that was cut, ``<its name>Cut`` counts what is missing.
    """
    told = dict(data)
    for longest, many in _STEPS:
        if len(json.dumps(told)) <= most:
            break
        told = _cut(data, longest, many)
    return told


def _cut(value: Any, longest: int, many: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= longest else f"{value[: longest - 3]}..."
    if isinstance(value, Mapping):
        lists = {name: each for name, each in value.items() if isinstance(each, list) and len(each) > many}
        missing = {f"{name}Cut": len(each) - many + value.get(f"{name}Cut", 0) for name, each in lists.items()}
        return {name: _cut(each, longest, many) for name, each in value.items()} | missing
    if isinstance(value, list):
        return [_cut(each, longest, many) for each in value[:many]]
    return value
