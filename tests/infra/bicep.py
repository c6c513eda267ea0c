"""Bicep files, read into values: what a test asks of them, without the compiler.

What is no literal stays an expression: its text, and the names that it uses.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

INFRA = Path(__file__).parents[2] / "infra"
MAIN = INFRA / "main.bicep"
EVENTS = INFRA / "events.bicep"
FILES = tuple(sorted(INFRA.rglob("*.bicep")))
PARAMETER_FILES = tuple(sorted(INFRA.glob("*.bicepparam")))

_PARSER = Parser(Language(tree_sitter_bicep.language()))
_ESCAPES = {r"\'": "'", r"\\": "\\", r"\$": "$", r"\n": "\n", r"\t": "\t", r"\r": "\r"}


@dataclass(frozen=True, slots=True)
class Expression:
    """What only a deployment can say.

    :param text: as it is written.
    :param node: where it is.
    """

    text: str
    node: Node = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Declaration:
    """A parameter, a variable, an output, a resource or a module.

    :param kind: which of these.
    :param type: of a value; of a resource its type and version; of a module its file.
    :param decorators: their first arguments, by name.
    :param value: a default, or what is declared; of a loop, what it repeats; ``None`` for nothing.
    :param loop: what is repeated over, as it is written; empty for no loop.
    :param condition: when it is made, as it is written; empty for always.
    """

    kind: str
    name: str
    type: str
    decorators: Mapping[str, Any]
    value: Any
    loop: str
    condition: str
    node: Node = field(repr=False, compare=False)

    @property
    def description(self) -> str:
        """What it says of itself."""
        return str(self.decorators.get("description", ""))

    @property
    def existing(self) -> bool:
        """Whether it is only referred to, and not made."""
        return self.kind == "resource" and any(child.type == "existing" for child in self.node.children)


@dataclass(frozen=True, slots=True)
class Template:
    """A Bicep file."""

    path: Path
    scope: str
    declarations: tuple[Declaration, ...]
    root: Node = field(repr=False, compare=False)

    def of(self, kind: str) -> dict[str, Declaration]:
        """Give what is declared of a kind, by name, in the order of the file."""
        return {each.name: each for each in self.declarations if each.kind == kind}

    def resources(self, prefix: str) -> list[Declaration]:
        """Give the resources of a type that the file makes."""
        return [
            each for each in self.of("resource").values() if each.type.partition("@")[0] == prefix and not each.existing
        ]


def faults(path: Path) -> list[str]:
    """Find what does not belong to the language: the line, and what is there."""
    return [
        f"{node.start_point.row + 1}: {_text(node)[:60]}" for node in _faulty(_PARSER.parse(_source(path)).root_node)
    ]


@cache
def read(path: Path) -> Template:
    """Read a file, of templates or of parameters."""
    root = _PARSER.parse(_source(path)).root_node
    declarations: list[Declaration] = []
    decorators: dict[str, Any] = {}
    scope = "resourceGroup"
    for node in root.named_children:
        if node.type == "decorators":
            decorators = dict(_decorator(child) for child in node.named_children)
        elif node.type == "target_scope_assignment":
            scope = str(value(node.named_children[0]))
        elif node.type.endswith("_declaration"):
            declarations.append(_declaration(node, decorators))
            decorators = {}
    return Template(path, scope, tuple(declarations), root)


def value(node: Node) -> Any:
    """Read a value."""
    children = [child for child in node.named_children if child.type != "comment"]
    match node.type:
        case "string" if not any(child.type == "interpolation" for child in children):
            return "".join(_ESCAPES.get(_text(child), _text(child)) for child in children)
        case "number":
            return int(_text(node))
        case "boolean":
            return _text(node) == "true"
        case "array":
            return [value(child) for child in children]
        case "object":
            pairs = (child.named_children for child in children if len(child.named_children) > 1)
            return {_key(pair[0]): value(pair[-1]) for pair in pairs}
    return Expression(_text(node), node)


def choice(found: Expression) -> tuple[str, Any, Any]:
    """Take ``condition ? this : that`` apart: the condition as it is written, and both values."""
    assert found.node.type == "ternary_expression", found.text
    condition, this, that = found.node.named_children
    return _text(condition), value(this), value(that)


def every(node: Node, *kinds: str) -> Iterator[Node]:
    """Give all nodes of some kinds, from the outside in."""
    if node.type in kinds:
        yield node
    for child in node.named_children:
        yield from every(child, *kinds)


def called(node: Node) -> set[str]:
    """Name the functions that are called, also those of something: ``account.listKeys()``; in any text, too."""
    return set(re.findall(r"(\w+)\(", _text(node)))


def used(node: Node) -> set[str]:
    """Name the parameters, variables, resources and modules that are used, and what lambdas and loops name."""
    found = (each for each in every(node, "identifier") if not _names_something(each))
    return {_text(each) for each in found} - called(node)


def name_of(node: Node) -> str:
    """Give the name that a declaration declares."""
    return _text(node.named_children[0])


def given(node: Node) -> set[str]:
    """Name what lambdas and loops give a name to."""
    found = {_text(each) for each in every(node, "loop_variable", "loop_enumerator")}
    found |= {_text(loop) for each in every(node, "for_statement") if (loop := each.child_by_field_name("initializer"))}
    return found | {_text(each.named_children[0]) for each in every(node, "lambda_expression")}


def _names_something(node: Node) -> bool:
    """Whether an identifier is a key, a function or the name of what is declared, and no use."""
    parent = node.parent
    if parent is None:
        return False
    if parent.type == "object_property" or parent.type.endswith("_declaration"):
        return parent.named_children[0] == node
    return False


def _source(path: Path) -> bytes:
    """Give the text; of a parameter file, with its parameters as variables, which the grammar knows."""
    text = path.read_text()
    if path.suffix == ".bicepparam":
        text = re.sub(
            r"^using .*$", "", re.sub(r"^param (\w+) =", r"var \1 =", text, flags=re.MULTILINE), flags=re.MULTILINE
        )
    return text.encode()


def _faulty(node: Node) -> Iterator[Node]:
    if node.is_error or node.is_missing:
        yield node
        return
    for child in node.children:
        if child.has_error:
            yield from _faulty(child)


def _decorator(node: Node) -> tuple[str, Any]:
    (call,) = node.named_children
    name, arguments = call.named_children
    return _text(name), value(arguments.named_children[0]) if arguments.named_children else True


def _declaration(node: Node, decorators: Mapping[str, Any]) -> Declaration:
    kind = node.type.removesuffix("_declaration")
    name, *rest = [child for child in node.named_children if child.type != "comment"]
    kind_of = ""
    if rest and (rest[0].type == "type" or kind in ("resource", "module")):
        kind_of = str(value(rest[0])) if rest[0].type == "string" else _text(rest[0])
        rest = rest[1:]
    body, loop, condition = rest[-1] if rest else None, "", ""
    if body is not None and body.type == "for_statement":
        over = [child for child in body.named_children if child.type not in ("for_loop_parameters", "comment")]
        loop, body = _text(over[-2]), over[-1]
    if body is not None and body.type == "if_statement":
        condition, body = _text(body.named_children[0]), body.named_children[-1]
    return Declaration(
        kind, _text(name), kind_of, decorators, None if body is None else value(body), loop, condition, node
    )


def _key(node: Node) -> str:
    return str(value(node)) if node.type == "string" and not list(every(node, "interpolation")) else _text(node)


def _text(node: Node) -> str:
    return (node.text or b"").decode()
