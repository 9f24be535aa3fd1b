"""Whether a function computes what its text says: the text is all that adamas compiles.

A decorator computes something around it, a file may have been edited since it was imported, and a
word may be bound to something else. Each would run in plain Python and be missing in the kernel.
"""

import ast
import builtins
import copy
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any

from adamas import words
from adamas.kernel.text import FormulaError, Text

__all__ = ["check_text", "check_words", "defaults", "plain"]

# Whose functions mean what a word means, and what they call it.
LIBRARIES = frozenset({"builtins", "jax", "keras", "math", "numpy", "tensorflow", "torch"})
ALSO_CALLED = {"abs": {"absolute", "fabs"}, "atan2": {"arctan2"}}


def plain(function: Callable[..., Any]) -> FunctionType:
    """`function`, if it is one that runs its own text; raises `FormulaError` otherwise."""
    name = getattr(function, "__name__", repr(function))
    if not isinstance(function, FunctionType):
        raise FormulaError(
            f"rule {name!r}: its source text cannot be read (it is of type "
            f"{type(function).__name__}, not a plain function).\n"
            "  Write it as `def name(p, g, ...):`: adamas compiles the text itself."
        )
    if hasattr(function, "__wrapped__"):
        code = function.__code__
        raise FormulaError(
            f"rule {name!r}: a decorator has put another function around it, and adamas would "
            "compile the text without what that adds.\n"
            f"  {code.co_filename}:{code.co_firstlineno}\n"
            "  Remove the decorator, or write what it does into the rule."
        )
    return function


def defaults(function: FunctionType) -> dict[str, object]:
    """The defaults that a call uses, by name, whatever `__signature__` says."""
    code, values = function.__code__, function.__defaults__ or ()
    names = code.co_varnames[: code.co_argcount]
    found = dict(zip(names[len(names) - len(values) :], values, strict=True))
    return {**found, **(function.__kwdefaults__ or {})}


def check_text(text: Text, tree: ast.FunctionDef, function: FunctionType) -> None:
    """Refuse a text that Python would compile to something else than the function runs."""
    found = _compiled(tree, function.__code__.co_freevars)
    if found is None or _shown(found) != _shown(function.__code__):
        text.refuse(
            tree,
            "its text is not what Python runs: the file was edited after it was imported, or the "
            "function was changed",
            "Import the file again, or start a new process.",
        )


def _compiled(tree: ast.FunctionDef, free: tuple[str, ...]) -> CodeType | None:
    """The code of a function with this tree that finds the names `free` around it."""
    given = tree.args
    arguments = ast.arguments(
        [ast.arg(a.arg) for a in given.posonlyargs],
        [ast.arg(a.arg) for a in given.args],
        given.vararg and ast.arg(given.vararg.arg),
        [ast.arg(a.arg) for a in given.kwonlyargs],
        [None for _ in given.kwonlyargs],
        given.kwarg and ast.arg(given.kwarg.arg),
        [],
    )
    (around,) = ast.parse(f"def around({', '.join(free)}): pass").body
    assert isinstance(around, ast.FunctionDef)
    bare = copy.copy(around)
    bare.name, bare.args, bare.body = tree.name, arguments, tree.body
    around.body = [bare]
    whole = ast.fix_missing_locations(ast.Module([around], []))
    module = compile(whole, "<rule>", "exec", dont_inherit=True)
    (outer,) = (c for c in module.co_consts if isinstance(c, CodeType))
    inner = [c for c in outer.co_consts if isinstance(c, CodeType) and c.co_name == tree.name]
    return inner[0] if inner else None


def _shown(code: CodeType) -> tuple[object, ...]:
    """What a function computes; documentation and places do not matter."""
    constants = [
        _shown(c) if isinstance(c, CodeType) else "" if isinstance(c, str) else repr(c)
        for c in code.co_consts
    ]
    return code.co_name, code.co_code, code.co_names, code.co_varnames, code.co_freevars, constants


def check_words(text: Text, tree: ast.FunctionDef, function: FunctionType) -> None:
    """Refuse a call of a name that is a word here and something else where the rule stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            word = node.func.id
            if word in words.__all__ and not _means(word, _bound(function, word)):
                text.refuse(
                    node.func,
                    f"{word!r} is another function here than the word of this name",
                    f"Write `from adamas.words import {word}`, or write the formula out.",
                )


def _bound(function: FunctionType, name: str) -> Any:
    """What `name` is in `function`; the word itself where it is nothing."""
    word = getattr(words, name)
    if name in function.__code__.co_varnames:
        # A value of the rule itself.
        return None
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    around = {**vars(builtins), **function.__globals__}
    try:
        return cells[name].cell_contents if name in cells else around.get(name, word)
    except ValueError:
        # The name is assigned later than the function.
        return word


def _means(word: str, value: Any) -> bool:
    """Whether `value` is the word, or the function of a library that has its name."""
    if value is getattr(words, word):
        return True
    module = getattr(value, "__module__", None) or type(value).__module__
    names = {word} | ALSO_CALLED.get(word, set())
    return getattr(value, "__name__", "") in names and module.partition(".")[0] in LIBRARIES
