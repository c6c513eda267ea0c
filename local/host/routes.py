"""Route templates of HTTP functions: `status/{id:int?}`, `{*rest}`."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from local.host.errors import BadApp
from local.host.model import Function

_CONSTRAINTS = {
    "": "[^/]+",
    "int": "-?[0-9]+",
    "long": "-?[0-9]+",
    "alpha": "[A-Za-z]+",
    "bool": "(?i:true|false)",
    "guid": "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
}

_PARAMETER = re.compile(r"\{(?P<rest>\*)?(?P<name>\w+)(?::(?P<constraint>[^}?]+))?(?P<optional>\?)?\}")


@dataclass(frozen=True, slots=True)
class Route:
    """Where an HTTP function listens."""

    function: Function
    path: str
    pattern: re.Pattern[str]
    methods: frozenset[str]

    @property
    def level(self) -> str:
        """The authorisation level: ANONYMOUS, FUNCTION or ADMIN."""
        return self.function.trigger.text("authLevel", "FUNCTION").upper()

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """Give the route parameters if this route is meant, None if not."""
        found = self.pattern.fullmatch(path)
        if not found or (self.methods and method not in self.methods):
            return None
        return {name: value for name, value in found.groupdict().items() if value is not None}


def table(functions: Iterable[Function], prefix: str) -> list[Route]:
    """Give the routes, literal segments before parameters; raises BadApp for a template that it does not understand."""
    routes = [_route(each, prefix) for each in functions if each.trigger.type == "httpTrigger"]
    return sorted(
        routes, key=lambda route: [segment.count("{") + segment.count("{*") for segment in route.path.split("/")]
    )


def _route(function: Function, prefix: str) -> Route:
    template = function.trigger.text("route", function.name).strip("/")
    path = "/" + "/".join(part for part in (prefix, template) if part)
    methods = frozenset(str(each).upper() for each in function.trigger.properties.get("methods") or ())
    return Route(function, path, re.compile(_pattern(path), re.IGNORECASE), methods)


def _pattern(path: str) -> str:
    return "".join(_segment(each) for each in path.strip("/").split("/"))


def _segment(segment: str) -> str:
    """Give the pattern of a segment, its slash included: an optional parameter takes the slash with it."""
    found = _PARAMETER.fullmatch(segment)
    if not found:
        if "{" in segment:
            raise BadApp(f"route segment {segment!r}: only whole parameters like {{name}} are understood")
        return "/" + re.escape(segment)
    if found["rest"]:
        return f"(?:/(?P<{found['name']}>.*))?"
    try:
        value = _CONSTRAINTS[found["constraint"] or ""]
    except KeyError:
        raise BadApp(f"route segment {segment!r}: unknown constraint") from None
    return f"(?:/(?P<{found['name']}>{value})){'?' if found['optional'] else ''}"
