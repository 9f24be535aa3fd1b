"""A number that several files must agree on is written in one of them; the others import it."""

import ast
from collections import defaultdict
from collections.abc import Iterator

from adamas.engine.optimizer import Optimizer
from adamas.engine.options import OPTIONS
from places import PACKAGE

# Each problem has its own sizes, changed alone, even where two are equal today.
APART = "lab/zoo/"
# The kernels' runtime is compiled file by file, and what it is made of imports nothing of adamas.
COMPILED = {"LANES", "LINE", "PURPOSE"}

Named = tuple[str, ast.expr | None]


def modules() -> dict[str, ast.Module]:
    """Every module of the package, by its path."""
    files = sorted(PACKAGE.rglob("*.py"))
    return {str(f.relative_to(PACKAGE)): ast.parse(f.read_text("utf-8")) for f in files}


def named(node: ast.AST) -> Iterator[Named]:
    """The names that a statement, an argument or a signature gives to values."""
    match node:
        case ast.arguments():
            given = [*node.posonlyargs, *node.args]
            given = given[len(given) - len(node.defaults) :]
            yield from zip([a.arg for a in given], node.defaults, strict=True)
            yield from zip([a.arg for a in node.kwonlyargs], node.kw_defaults, strict=True)
        case ast.keyword(arg=str(name), value=value):
            yield name, value
        case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
            yield from zip(map(ast.unparse, names), values, strict=True)
        case ast.Assign(targets=[target], value=value) | ast.AnnAssign(target=target, value=value):
            yield ast.unparse(target), value


def number(value: ast.expr | None) -> float | None:
    """A number as it is written; None for anything else."""
    found = value.value if isinstance(value, ast.Constant) else None
    return float(found) if type(found) in (int, float) else None


def test_no_constant_is_defined_twice() -> None:
    """One name with one number in two files would be changed in one of them only."""
    found = defaultdict(set)
    for path, tree in modules().items():
        for name, value in (pair for node in tree.body for pair in named(node)):
            if (size := number(value)) is not None and not path.startswith(APART):
                found[name, size].add(path)
    twice = {name: paths for (name, _), paths in found.items() if len(paths) > 1}
    assert {name: paths for name, paths in twice.items() if name not in COMPILED} == {}


def test_the_margin_of_a_verdict_is_written_once() -> None:
    """Command line, request, plan and statistics take the same for what does not matter."""
    found = [
        (path, number(value))
        for path, tree in modules().items()
        for node in ast.walk(tree)
        for name, value in named(node)
        if "margin" in name.lower() and isinstance(number(value), float)
    ]
    assert found == [("lab/constants.py", 0.02)]


def listed(node: ast.AST) -> set[str]:
    """The names that something lists: arguments, fields of a class, keys, texts of a tuple."""
    match node:
        case ast.arguments():
            return {a.arg for a in node.kwonlyargs}
        case ast.ClassDef(body=body):
            return {ast.unparse(f.target) for f in body if isinstance(f, ast.AnnAssign)}
        case ast.Dict(keys=items) | ast.Set(elts=items) | ast.Tuple(elts=items):
            return {str(e.value) for e in items if isinstance(e, ast.Constant)}
        case ast.List(elts=items):
            return {str(e.value) for e in items if isinstance(e, ast.Constant)}
    return set()


def test_the_options_are_listed_once() -> None:
    """A new option of an optimizer is one line of one signature; stubs and torch read it there."""
    found = {
        path
        for path, tree in modules().items()
        for node in ast.walk(tree)
        if len(listed(node) & OPTIONS.keys()) > len(OPTIONS) // 2
    }
    assert found == {"engine/options.py"}


def test_every_option_is_explained() -> None:
    """What an option does is said in the docstring of the optimizer, under its name."""
    assert [name for name in OPTIONS if f"\n    - `{name}`: " not in str(Optimizer.__doc__)] == []
