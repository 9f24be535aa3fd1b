"""Which modules the text of a module imports, and which of them `import` itself runs."""

import ast
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Import:
    """One import: a module of adamas by its short name, or a package from outside.

    A lazy import stands in a function or under `TYPE_CHECKING`: `import` of the module leaves it
    out. A package's own file is called `__init__`.
    """

    target: str
    inside: bool
    lazy: bool = False


def sources(package: Path) -> dict[str, str]:
    """Read a package: short module name -> source."""
    files = {file.relative_to(package): file for file in sorted(package.rglob("*.py"))}
    return {
        ".".join(short.with_suffix("").parts): file.read_text("utf-8")
        for short, file in files.items()
    }


def imports(source: str, module: str, modules: Iterable[str]) -> set[Import]:
    """Find every import in `source`, the text of `module`, one of `modules`."""
    known = {*modules, "__init__"}
    found = set()
    for node, lazy in statements([ast.parse(source)]):
        for name in absolute(node, module):
            first, *rest = name.split(".")
            if first == "adamas":
                found.add(Import(longest(rest, known), inside=True, lazy=lazy))
            elif first not in sys.stdlib_module_names:
                found.add(Import(first, inside=False, lazy=lazy))
    return found


def loaded(texts: dict[str, str], start: str) -> set[Import]:
    """Follow the imports that `import` runs, from `start` on; return all, inside and outside."""
    seen: set[Import] = set()
    todo = [start]
    while todo:
        module = todo.pop()
        parts = module.split(".")[:-1]
        packages = {".".join([*parts[:end], "__init__"]) for end in range(1, len(parts) + 1)}
        new = imports(texts[module], module, texts)
        new |= {Import(package, inside=True) for package in packages & texts.keys()}
        new = {found for found in new if not found.lazy} - seen
        seen |= new
        todo += [found.target for found in new if found.inside]
    return seen


def statements(
    nodes: Iterable[ast.AST], lazy: bool = False
) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    """Yield every import statement below `nodes`, and whether it is lazy."""
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node, lazy
        elif isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            yield from statements(node.body, lazy=True)
            yield from statements(node.orelse, lazy)
        else:
            function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            yield from statements(ast.iter_child_nodes(node), lazy or function)


def absolute(node: ast.Import | ast.ImportFrom, module: str) -> list[str]:
    """Name what one statement imports, in full dotted names."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    above = ["adamas", *module.split(".")][: -node.level] if node.level else []
    base = [*above, node.module] if node.module else above
    return [".".join([*base, alias.name]) for alias in node.names]


def longest(parts: list[str], modules: set[str]) -> str:
    """Name the module that a dotted name leads to; what is left of the name is inside it."""
    for end in range(len(parts), 0, -1):
        for name in (".".join(parts[:end]), ".".join([*parts[:end], "__init__"])):
            if name in modules:
                return name
    return "__init__"
