"""The text of a rule, and errors that point into it.

A rule is refused when it is defined, not at the first step, and the reader sees the line, a caret
under the place, and what to write instead.
"""

import ast
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn


class FormulaError(ValueError):
    """A rule uses something that cannot be compiled; the message shows where and what to write."""


@dataclass(frozen=True)
class Text:
    """The dedented source of one function, with the place it came from."""

    name: str
    file: str
    first_line: int
    source: str

    def refuse(self, node: ast.AST, problem: str, advice: str) -> NoReturn:
        """Raise `FormulaError` with a caret under `node`."""
        line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        shown = self.source.splitlines()[line - 1]
        end = getattr(node, "end_col_offset", column + 1)
        if getattr(node, "end_lineno", line) != line:
            end = len(shown)
        # ast counts UTF-8 bytes, a terminal counts characters.
        start = len(shown.encode()[:column].decode())
        width = max(1, len(shown.encode()[column:end].decode()))
        raise FormulaError(
            f"rule {self.name!r}: {problem}\n"
            f"  {self.file}:{self.first_line + line - 1}\n"
            f"    {shown}\n"
            f"    {' ' * start}{'^' * width}\n"
            f"  {advice}"
        )


def read(function: Callable[..., object]) -> tuple[Text, ast.FunctionDef]:
    """The source of `function` and its syntax tree.

    Raises `FormulaError` when Python kept no source (a rule typed into a bare prompt) or when the
    object is not a plain `def`.
    """
    name = getattr(function, "__name__", repr(function))
    try:
        lines, first = inspect.getsourcelines(function)
    except (OSError, TypeError) as error:
        raise FormulaError(
            f"rule {name!r}: its source text cannot be read ({error}).\n"
            "  Put the rule into a file or a notebook cell: adamas compiles the text itself."
        ) from error
    source = textwrap.dedent("".join(lines))
    text = Text(name, inspect.getsourcefile(function) or "<unknown>", first, source)
    try:
        tree = ast.parse(source).body[0]
    except SyntaxError as error:
        raise FormulaError(
            f"rule {name!r}: not a function of its own: {source.strip()!r}.\n"
            "  Write it as a plain `def` with one assignment a line."
        ) from error
    if not isinstance(tree, ast.FunctionDef):
        text.refuse(tree, "a rule must be a plain function", "Write it as `def name(p, g, ...):`.")
    return text, tree
