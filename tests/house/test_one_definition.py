"""A number that several files must agree on is written in one of them; the others import it."""

import argparse
import ast
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from adamas.cli import build_parser
from adamas.cli_values import count, loss, share
from adamas.engine.optimizer import Optimizer
from adamas.engine.options import OPTIONS
from adamas.lab import LabError, compare
from adamas.lab.constants import CLASSICAL, REFERENCES, REPORT_SEEDS
from places import PACKAGE

# Each problem and each figure has its own sizes, changed alone, even where two are equal today.
APART = ("lab/zoo/", "learn/chapters/")
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


def defaults(node: ast.AST) -> Iterator[tuple[str, object]]:
    """The defaults that are written out where an option, a field or an argument is declared."""
    match node:
        case ast.Call(
            func=ast.Attribute(attr="add_argument"), args=[ast.Constant(value=str(name))]
        ):
            values = {word.arg: word.value for word in node.keywords}
            yield from written(name.lstrip("-").replace("-", "_"), values.get("default"))
        case ast.ClassDef(body=body):
            for field in body:
                if isinstance(field, ast.AnnAssign):
                    yield from written(ast.unparse(field.target), field.value)
        case ast.arguments():
            for name, value in named(node):
                yield from written(name, value)


def written(name: str, value: ast.expr | None) -> Iterator[tuple[str, object]]:
    """A default if it is a number or a text that could be another; an empty one says nothing."""
    if isinstance(value, ast.Constant) and type(value.value) in (int, float, str) and value.value:
        yield name, value.value


# Both are part of a type, `Literal`, whose words stand where it is written.
CHOICES = {"lang", "mode"}


def doubled(trees: dict[str, ast.Module]) -> dict[str, list[str]]:
    """The defaults of options of the command line that are written out in several places."""
    places = defaultdict(list)
    for path, tree in trees.items():
        for node in ast.walk(tree):
            for name, value in defaults(node):
                places[name, value].append((path, isinstance(node, ast.Call)))
    return {
        name: [path for path, _ in found]
        for (name, _), found in places.items()
        if len(found) > 1 and any(option for _, option in found) and name not in CHOICES
    }


def test_no_default_of_an_option_is_written_twice() -> None:
    """What the command line takes unless told is what the function behind it takes."""
    assert doubled(modules()) == {}


@pytest.mark.parametrize(
    ("behind", "twice"),
    [
        ("class Question:\n    seeds: int = 3", True),
        ("def find(*, seeds: int = 3):\n    pass", True),
        ("class Question:\n    seeds: int = SEEDS", False),
        ("class Question:\n    rounds: int = 3", False),
    ],
)
def test_a_second_default_is_found(behind: str, twice: bool) -> None:
    """The check itself can fail: a parser's number is seen in a field and in a signature."""
    parser = ast.parse("parser.add_argument('--seeds', type=int, default=3, metavar='N')")
    assert bool(doubled({"cli.py": parser, "find.py": ast.parse(behind)})) == twice


def test_texts_name_the_defaults_that_are_taken() -> None:
    """What help and docstring say of seeds and optimizers is what runs."""
    quick, usual, rigorous = (REPORT_SEEDS[mode] for mode in ("quick", "default", "rigorous"))
    said = " ".join(str(compare.__doc__).split())
    assert f"{quick} or {rigorous} report seeds instead of {usual}" in said
    assert f"(default: {', '.join(CLASSICAL)})" in said
    assert f"(default: {' and '.join(REFERENCES)}, if they take part)" in said
    compared = next(a for a in build_parser()._actions if isinstance(a.choices, dict))
    text = " ".join(compared.choices["compare"].format_help().split())
    for words in (f"{quick} report seeds, about a minute", f"{rigorous} report seeds",
                  f"report seeds (default: {usual};", f"(default: {', '.join(CLASSICAL)})",
                  f"(default: {' and '.join(REFERENCES)})"):  # fmt: skip
        assert words in text


@pytest.mark.parametrize("word", ["0", "1001", "1e400", "-1", "1", "0.5", "1000"])
@pytest.mark.parametrize(
    ("name", "read", "number"),
    [("goal", loss, float), ("margin", share, float), ("workers", count, int)],
)
def test_command_line_and_notebook_refuse_the_same_numbers(
    name: str, read: Callable[[str], object], number: Callable[[str], Any], word: str
) -> None:
    """A goal, a margin or a count that one of them takes the other takes as well."""
    try:
        given = number(word)
    except ValueError:
        return
    with pytest.raises((ValueError, LabError)) as refusal:
        compare("no problem of ours", progress=False, **{name: given})
    with suppress(argparse.ArgumentTypeError):
        read(word)
        assert f"{name}=" not in str(refusal.value)
        return
    assert f"{name}=" in str(refusal.value)


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
