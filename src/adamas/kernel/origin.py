"""Whether a function computes what its text says: the text is all that adamas compiles.

A decorator computes something around it, a file may have been edited since it was imported, and a
word may be bound to something else. Each would run in plain Python and be missing in the kernel.
"""

import ast
import builtins
import copy
import itertools
import math
from collections.abc import Callable
from numbers import Integral, Real
from types import CodeType, FunctionType, ModuleType
from typing import Any

from adamas import words
from adamas.kernel.text import FormulaError, Text

__all__ = [
    "NOTHING", "check_text", "defaults", "is_local", "number", "of_a_library", "outside", "plain",
    "same_text", "word_of",
]  # fmt: skip

# Whose functions mean what a word means, and what they call it.
LIBRARIES = frozenset({"builtins", "jax", "keras", "math", "numpy", "tensorflow", "torch"})
CALLED_HERE = {"absolute": "abs", "fabs": "abs", "arctan2": "atan2", "clamp": "clip"}
NOTHING = object()


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
    if not same_text(tree, function):
        text.refuse(
            tree,
            "its text is not what Python runs: the file was edited after it was imported, or the "
            "function was changed",
            "Import the file again, or start a new process.",
        )


def same_text(tree: ast.FunctionDef, function: FunctionType) -> bool:
    """Whether Python would compile this tree to what the function runs."""
    free, runs = function.__code__.co_freevars, _shown(function.__code__)
    # Python calls a function of a module in another way where the same file, or the same cell of a
    # notebook, imports the module.
    dotted = (n.value for n in ast.walk(tree) if isinstance(n, ast.Attribute))
    names = {n.id for n in dotted if isinstance(n, ast.Name)}
    modules = sorted(n for n in names if isinstance(function.__globals__.get(n), ModuleType))
    for count in range(len(modules) + 1):
        for imported in itertools.combinations(modules, count):
            found = _compiled(tree, free, imported)
            if found is not None and _shown(found) == runs:
                return True
    return False


def _compiled(
    tree: ast.FunctionDef, free: tuple[str, ...], imported: tuple[str, ...]
) -> CodeType | None:
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
    # Its own name is that of the file, too, unless a function around it has one.
    around.body = [bare] if tree.name in free else [ast.Global([tree.name]), bare]
    imports = [ast.Import([ast.alias(name)]) for name in imported]
    whole = ast.fix_missing_locations(ast.Module([*imports, around], []))
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


def is_local(function: FunctionType, name: str) -> bool:
    """Whether `name` is an argument of the function, or assigned in it."""
    code = function.__code__
    return name in code.co_varnames or name in code.co_cellvars


def outside(function: FunctionType, node: ast.AST) -> Any:
    """What a name, or a dotted name of modules, is around the function; `NOTHING` if it is not."""
    match node:
        case ast.Name(id=name) if not is_local(function, name):
            return _bound(function, name)
        case ast.Attribute(value=value, attr=name):
            module = outside(function, value)
            return getattr(module, name, NOTHING) if isinstance(module, ModuleType) else NOTHING
    return NOTHING


def _bound(function: FunctionType, name: str) -> Any:
    free = function.__code__.co_freevars
    if name not in free:
        return function.__globals__.get(name, vars(builtins).get(name, NOTHING))
    try:
        return (function.__closure__ or ())[free.index(name)].cell_contents
    except ValueError:
        # The name is assigned later than the function.
        return NOTHING


def word_of(value: Any) -> str | None:
    """The word that `value` is, or whose meaning it has in another library; None if there is none.

    >>> import math, numpy
    >>> word_of(math.sqrt), word_of(numpy.arctan2), word_of(len)
    ('sqrt', 'atan2', None)
    """
    name = getattr(value, "__name__", None)
    word = CALLED_HERE.get(name, name) if isinstance(name, str) else None
    if word not in words.__all__:
        return None
    # Random numbers of other libraries have other arguments.
    alike = word not in ("normal", "uniform") and of_a_library(value)
    return word if alike or value is getattr(words, word) else None


def of_a_library(value: Any) -> bool:
    """Whether a function comes with Python or with one of the libraries whose words we know."""
    module = getattr(value, "__module__", None) or type(value).__module__
    return str(module).partition(".")[0] in LIBRARIES


def number(value: Any) -> float | None:
    """`value` as a number that a formula may contain; None if it is no finite real one."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    try:
        found = int(value) if isinstance(value, Integral) else float(value)
        return found if math.isfinite(found) else None
    except OverflowError:
        return None
