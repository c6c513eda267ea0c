"""The functions of an app, as the host sees them: a name, a trigger, outputs."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.host.errors import BadApp
from local.host.protos import RpcFunctionMetadata


@dataclass(frozen=True, slots=True)
class Binding:
    """One binding: `queueTrigger`, `queue`, `http`, ..., and its properties with every %NAME% resolved."""

    type: str
    name: str
    properties: Mapping[str, Any]

    def text(self, name: str, default: str = "") -> str:
        """Give the property as text."""
        return str(self.properties.get(name) or default)


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the app."""

    name: str
    id: str
    trigger: Binding
    outputs: tuple[Binding, ...]

    @property
    def bindings(self) -> tuple[Binding, ...]:
        """All of its bindings, the trigger first."""
        return (self.trigger, *self.outputs)


def functions(metadata: list[RpcFunctionMetadata], settings: Mapping[str, str]) -> dict[str, Function]:
    """Read what the worker announced, by function name.

    Raises BadApp when a %NAME% names no setting, or a function has not exactly one trigger. (Azure's host leaves
    such a function out and serves the others; on a desk that would only hide the mistake.)
    """
    return {each.name: _function(each, settings) for each in metadata}


def _function(metadata: RpcFunctionMetadata, settings: Mapping[str, str]) -> Function:
    bindings = [_binding(json.loads(raw), settings) for raw in metadata.raw_bindings]
    triggers = [each for each in bindings if each.type.endswith("Trigger")]
    if len(triggers) != 1:
        raise BadApp(f"{metadata.name}: a function has one trigger, this has {len(triggers)}")
    outputs = tuple(each for each in bindings if each.properties.get("direction") == "OUT")
    return Function(name=metadata.name, id=metadata.function_id, trigger=triggers[0], outputs=outputs)


def _binding(raw: dict[str, Any], settings: Mapping[str, str]) -> Binding:
    properties = {name: _resolved(value, settings) for name, value in raw.items()}
    return Binding(type=str(raw["type"]), name=str(raw["name"]), properties=properties)


def _resolved(value: Any, settings: Mapping[str, str]) -> Any:
    if not isinstance(value, str):
        return value

    def setting(match: re.Match[str]) -> str:
        try:
            return settings[match[1]]
        except KeyError:
            raise BadApp(f"'%{match[1]}%' does not resolve to a value: there is no such app setting") from None

    return re.sub(r"%([^%\s]+)%", setting, value)
