"""The text of a rule, and errors that point into it.

A rule is refused when it is defined, not at the first step, and the reader sees the line, a caret
under the place, and what to write instead.
"""

import ast
import inspect
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn


class FormulaError(ValueError):
    """A rule uses something that cannot be compiled; the message shows where and what to write."""


@dataclass(frozen=True)
class Text:
    """The source of one function as it stands in its file, with the place it came from."""

    name: str
    file: str
    first_line: int
    source: str

    def refuse(self, node: ast.AST, problem: str, advice: str) -> NoReturn:
        """Raise `FormulaError` with carets under `node`, or under the first line of it."""
        line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        # Not splitlines: ast counts a form feed or a Unicode separator as part of its line.
        shown = self.source.split("\n")[line - 1].rstrip()
        # ast counts UTF-8 bytes.
        encoded = shown.encode()
        end = getattr(node, "end_col_offset", None)
        if end is None or getattr(node, "end_lineno", line) != line:
            end = len(encoded)
        before, under = encoded[:column].decode(), encoded[column:end].decode()
        indent = len(before) - len(before.lstrip())
        raise FormulaError(
            f"rule {self.name!r}: {problem}\n"
            f"  {self.file}:{self.first_line + line - 1}\n"
            f"    {shown[indent:]}\n"
            f"    {_blank(before[indent:])}{'^' * max(1, len(_blank(under)))}\n"
            f"  {advice}"
        )


def _blank(text: str) -> str:
    """Spaces as wide as `text` on a terminal; tabs stay tabs."""
    wide = "".join(c * (1 + (unicodedata.east_asian_width(c) in "WF")) for c in text)
    return re.sub(r"[^\t]", " ", wide)


def read(function: Callable[..., object]) -> tuple[Text, ast.FunctionDef]:
    """The source of `function` and its syntax tree.

    Raises `FormulaError` when Python kept no source (a rule typed into a bare prompt) or when the
    object is not a plain `def`.
    """
    name = getattr(function, "__name__", repr(function))
    try:
        lines, first = inspect.getsourcelines(function)
        file = inspect.getsourcefile(function) or "<unknown>"
    except (OSError, TypeError) as error:
        raise FormulaError(
            f"rule {name!r}: its source text cannot be read ({error}).\n"
            "  Put the rule into a file or a notebook cell: adamas compiles the text itself."
        ) from error
    text = Text(name, file, first, "".join(lines))
    try:
        tree = _parse(text.source)
    except SyntaxError as error:
        raise FormulaError(
            f"rule {name!r}: not a function of its own: {text.source.strip()!r}.\n"
            "  Write it as a plain `def` with one assignment a line."
        ) from error
    if not isinstance(tree, ast.FunctionDef):
        text.refuse(tree, "a rule must be a plain function", "Write it as `def name(p, g, ...):`.")
    return text, tree


def _parse(source: str) -> ast.stmt:
    if not source[:1].isspace():
        return ast.parse(source).body[0]
    # Dedenting fails where a comment or a docstring is indented less than the function.
    (block,) = ast.parse("if True:\n" + source).body
    assert isinstance(block, ast.If)
    return ast.increment_lineno(block.body[0], -1)
