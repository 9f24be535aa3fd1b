"""The text of a rule, and errors that point into it.

A rule is refused when it is defined, not at the first step, and the reader sees the line, a caret
under the place, and what to write instead: of all its faults at once.
"""

import ast
import inspect
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn


class FormulaError(ValueError):
    """A rule uses something that cannot be compiled; the message shows where and what to write."""


class NoTextError(Exception):
    """A function has no text that could be compiled: `problem`, and `advice` what to do."""

    def __init__(self, problem: str, advice: str) -> None:
        # With both, which is what copies and pickles are made of.
        super().__init__(problem, advice)
        self.problem, self.advice = problem, advice


@dataclass(frozen=True)
class Piece:
    """The source of one function as it stands in its file; `offset` is added to its lines."""

    file: str
    first_line: int
    source: str
    offset: int

    def shown(self, node: ast.AST) -> tuple[tuple[str, int, int], str]:
        """Where `node` stands, and that line with carets under it, or under its first line."""
        line, column = getattr(node, "lineno", 1 + self.offset), getattr(node, "col_offset", 0)
        # Not splitlines: ast counts a form feed or a Unicode separator as part of its line.
        shown = self.source.split("\n")[line - self.offset - 1].rstrip()
        # ast counts UTF-8 bytes.
        encoded = shown.encode()
        end = getattr(node, "end_col_offset", None)
        if end is None or getattr(node, "end_lineno", line) != line:
            end = len(encoded)
        before, under = encoded[:column].decode(), encoded[column:end].decode()
        indent = len(before) - len(before.lstrip())
        place = self.first_line + line - self.offset - 1
        return (self.file, place, column), (
            f"  {self.file}:{place}\n"
            f"    {shown[indent:]}\n"
            f"    {_blank(before[indent:])}{'^' * max(1, len(_blank(under)))}\n"
        )


@dataclass
class Text:
    """The source of a rule and of the functions it calls, and the faults found in them so far."""

    name: str
    pieces: list[Piece] = field(default_factory=list)
    faults: dict[tuple[str, int, int, str], str] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """The source of the rule itself."""
        return self.pieces[0].source

    def read(self, function: Callable[..., object]) -> ast.stmt:
        """The syntax tree of one more function, with lines that no other piece has.

        Raises `NoTextError` when Python kept no source, or what it kept is no statement.
        """
        try:
            lines, first = inspect.getsourcelines(function)
            file = inspect.getsourcefile(function) or "<unknown>"
        except (OSError, TypeError) as error:
            raise NoTextError(
                f"its source text cannot be read ({error})",
                "Put the rule into a file or a notebook cell: adamas compiles the text itself.",
            ) from error
        source = "".join(lines)
        last = self.pieces[-1] if self.pieces else None
        # A text may end without a newline.
        offset = last.offset + last.source.count("\n") + 1 if last else 0
        try:
            tree = _parse(source)
        except SyntaxError as error:
            raise NoTextError(
                f"not a function of its own: {source.strip()!r}",
                "Write it as a plain `def` with one assignment a line.",
            ) from error
        self.pieces.append(Piece(file, first, source, offset))
        return ast.increment_lineno(tree, offset)

    def fault(self, node: ast.AST, problem: str, advice: str) -> None:
        """Note what is wrong with `node`, and what to write instead."""
        line = getattr(node, "lineno", 1)
        piece = [one for one in self.pieces if one.offset < line][-1]
        place, shown = piece.shown(node)
        message = f"rule {self.name!r}: {problem}\n{shown}  {advice}"
        self.faults.setdefault((*place, problem), message)

    def check(self) -> None:
        """Raise `FormulaError` with all faults in the order of the file, if there are any."""
        found = [message for _, message in sorted(self.faults.items())]
        if len(found) > 1:
            found.insert(0, f"rule {self.name!r}: {len(found)} faults")
        if found:
            raise FormulaError("\n\n".join(found))

    def refuse(self, node: ast.AST, problem: str, advice: str) -> NoReturn:
        """Raise `FormulaError` with this fault and all before: nothing can be read after it."""
        self.fault(node, problem, advice)
        self.check()
        raise AssertionError


def _blank(text: str) -> str:
    """Spaces as wide as `text` on a terminal; tabs stay tabs."""
    wide = "".join(c * (1 + (unicodedata.east_asian_width(c) in "WF")) for c in text)
    return re.sub(r"[^\t]", " ", wide)


def read(function: Callable[..., object]) -> tuple[Text, ast.FunctionDef]:
    """The source of a rule and its syntax tree.

    Raises `FormulaError` when Python kept no source (a rule typed into a bare prompt) or when the
    object is not a plain `def`.
    """
    text = Text(getattr(function, "__name__", repr(function)))
    try:
        tree = text.read(function)
    except NoTextError as error:
        raise FormulaError(f"rule {text.name!r}: {error.problem}.\n  {error.advice}") from error
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
