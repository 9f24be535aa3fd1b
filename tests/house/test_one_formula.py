"""A formula is written once: no second Adam ships, and the one in the README is the one that runs.

Second copies are found by their syntax, whatever their names: a moving average of squares, and a
division by a root plus something.
"""

import ast
import inspect
import re
import runpy
import textwrap
from collections.abc import Iterator
from typing import Any

import pytest

from adamas import rules
from places import PACKAGE, ROOT

PAGES = ["README.md", *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs").rglob("*.md"))]
CODE = re.compile(r"```python\n(.*?)```|((?:^    .*\n)+)", re.S | re.M)
OWN = runpy.run_path(str(ROOT / "examples/growing.py"))["growing"].function
# The rules that pages show: the family's own, and users' that are compared with other packages or
# with the float64 run of the same text.
EXAMPLES: dict[str, Any] = {
    "README.md": rules.adam,
    "docs/language.md": rules.lamb,
    "docs/language.zh.md": rules.lamb,
    "docs/homes.md": OWN,
    "docs/homes.zh.md": OWN,
}
# Whoever writes such a line besides the rules, and why.
WRITERS = {
    "rules": "the formulas",
    "dialects": "what one home computes otherwise",
    "lab/demo/tutorial_numpy.py": "the tutorial's own program, the demo's foreign witness",
    "bench/peers.py": "a tutorial's NumPy code, which adamas is timed beside",
}


def word(node: ast.expr) -> str:
    """The last part of a function's name."""
    return ast.unparse(node).rpartition(".")[2]


def squares(node: ast.AST) -> bool:
    """Whether something is squared in an expression."""
    for part in ast.walk(node):
        match part:
            case ast.BinOp(op=ast.Mult(), left=left, right=right):
                last = left.right if isinstance(left, ast.BinOp) else left
                if ast.unparse(right) in (ast.unparse(left), ast.unparse(last)):
                    return True
            case ast.BinOp(op=ast.Pow(), right=ast.Constant(value=2)):
                return True
            case ast.Call(func=function) if word(function) == "square":
                return True
    return False


def updates(tree: ast.AST) -> Iterator[str]:
    """Lines of an adaptive optimizer."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(
                targets=[name],
                value=ast.BinOp(op=ast.Add(), left=ast.BinOp(op=ast.Mult()) as kept, right=new),
            ) if ast.unparse(name) in map(ast.unparse, (kept.left, kept.right)) and squares(new):
                yield ast.unparse(node)
            case ast.BinOp(
                op=ast.Div(), right=ast.BinOp(op=ast.Add(), left=ast.Call(func=function))
            ) if word(function) == "sqrt":
                yield ast.unparse(node)


def parsed(page: str) -> Iterator[ast.AST]:
    """The Python of a page."""
    for block in CODE.findall((ROOT / page).read_text("utf-8")):
        try:
            yield ast.parse(textwrap.dedent("".join(block)))
        except SyntaxError:
            continue


COPIES = [
    "v = beta2 * v + (1 - beta2) * g * g",
    "v[k] = 0.999 * v[k] + 0.001 * np.square(g)",
    "second = second * b2 + (1 - b2) * slope**2",
    "p -= lr * m_hat / (np.sqrt(v_hat) + eps)",
    "step = lr / (torch.sqrt(v) + 1e-8)",
]


@pytest.mark.parametrize("line", COPIES)
def test_a_copy_is_found_by_its_syntax(line: str) -> None:
    """Other names, NumPy's or torch's functions and other constants hide nothing."""
    assert list(updates(ast.parse(line)))


def test_adam_is_written_in_one_place() -> None:
    """Its average of squares and its step stand in rules/, and nowhere else that ships.

    Four exceptions, each with its reason, are foreign witnesses and the dialects.
    """
    files = {f.relative_to(PACKAGE): f.read_text("utf-8") for f in PACKAGE.rglob("*.py")}
    holders = {name for name, text in files.items() if any(updates(ast.parse(text)))}
    folders = ("rules", "dialects")
    found = {n.parts[0] if n.parts[0] in folders else n.as_posix() for n in holders}
    assert found == set(WRITERS)


def test_the_readme_shows_adam_itself() -> None:
    """The lines that a reader sees first are those that run, without their docstring."""
    tree = ast.parse(inspect.getsource(rules.adam)).body[0]
    assert isinstance(tree, ast.FunctionDef)
    lines = inspect.getsource(rules.adam).splitlines()
    documented = range(tree.body[0].lineno - 1, tree.body[0].end_lineno or 0)
    source = "\n".join(line for k, line in enumerate(lines) if k not in documented) + "\n"
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S)
    assert source in blocks
    assert len(tree.body) - 1 == 7


@pytest.mark.parametrize("page", PAGES)
def test_no_page_has_a_formula_of_its_own(page: str) -> None:
    """What documentation shows of Adam, or of LAMB, is a block that is held to others' numbers."""
    found = [line for tree in parsed(page) for line in updates(tree)]
    shown = EXAMPLES.get(page)
    assert found == (list(updates(ast.parse(inspect.getsource(shown)))) if shown else [])
