"""What a `Problem` from Python is made of, as a hash: code, numbers, arrays, and what they name."""

import copyreg
import dis
import os
import random
import sys
import types
from collections.abc import Callable, Iterator
from functools import cached_property, partial
from hashlib import sha256
from typing import Any

import numpy as np

PLAIN: tuple[type, ...] = (type(None), bool, int, float, complex, str, bytes, range)
PLAIN += (types.EllipsisType, np.dtype, np.generic)
CODE = ["co_code", "co_consts", "co_names", "co_varnames", "co_cellvars", "co_freevars"]
CODE += ["co_argcount", "co_posonlyargcount", "co_kwonlyargcount", "co_flags", "co_exceptiontable"]
# What classes and modules hold besides what is computed with; fields are in __init__ too.
BESIDE = {*vars(types.ModuleType("any")), "__builtins__", "__file__", "__cached__", "_abc_impl"}
BESIDE |= {"__dict__", "__weakref__", "__module__", "__annotations__", "__annotate_func__"}
BESIDE |= {"__annotations_cache__", "__orig_bases__", "__parameters__", "__dataclass_fields__"}
BESIDE |= {"__dataclass_params__", "__firstlineno__", "__static_attributes__", "__match_args__"}
# What is another thing after each use, and methods in C of a class that no package keeps.
UNTOLD: tuple[type, ...] = (Iterator, random.Random, np.random.Generator, np.random.BitGenerator)
UNTOLD += (np.random.RandomState, types.MethodDescriptorType, types.WrapperDescriptorType)
PACKAGES = {"site-packages", "dist-packages"}
STANDARD = os.path.dirname(os.__file__) + os.sep


class UnknownError(Exception):
    """Something whose content cannot be told; the text names it."""


def content(value: object) -> str:
    """Return a SHA-256 that changes with what `value` computes from.

    Functions count by their code, defaults, closures and every global that they look up; classes
    and modules of the user by all that they hold; what Python and installed packages keep under a
    name by that name and the version; arrays by dtype, shape and bytes; other objects by what
    pickle would write. What code reads by itself, such as a file, is not seen. Raises
    `UnknownError` for anything else: an open file, a lock, a random generator.
    """
    found = sha256()
    seen: dict[int, tuple[int, object]] = {}
    todo = [value]
    while todo:
        one = todo.pop()
        piece, parts = _plain(one), list[Any]()
        if piece is None and id(one) in seen:
            piece = b"again %d" % seen[id(one)][0]
        elif piece is None:
            # Kept alive, or its id would become that of a later one.
            seen[id(one)] = len(seen), one
            piece, parts = b"", _parts(one)
        # The lengths first, so that two pieces are never taken for one.
        head = f"{type.__repr__(type(one))} {len(piece)} {len(parts)}:"
        found.update(head.encode())
        found.update(piece)
        todo += reversed(parts)
    return found.hexdigest()


def _plain(value: Any) -> bytes | None:
    """Return all there is to a number, a text or a thing that a package keeps under its name."""
    if isinstance(value, bytes) and type(value) is bytes:
        return value
    if isinstance(value, PLAIN) and installed(type(value).__module__):
        return repr(value).encode()
    if isinstance(value, types.ModuleType):
        return _versioned(value.__name__) if installed(value.__name__) else None
    module = getattr(value, "__module__", None) or type(value).__module__
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    if not isinstance(name, str) or not installed(module):
        return None
    found: object = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    if isinstance(value, type) and module == "builtins":  # that of built-in methods has no name
        found = value
    return _versioned(module) + f" {name}".encode() if found is value else None


def installed(module: object) -> bool:
    """Return whether a module is Python's or a package's, so that nobody edits it between calls."""
    top = str(module).partition(".")[0]
    found = sys.modules.get(top)
    file = getattr(found, "__file__", None) or next(iter(getattr(found, "__path__", ())), None)
    if file is None:
        return top in sys.stdlib_module_names
    packages = PACKAGES & set(str(file).split(os.sep))
    return top == "adamas" or str(file).startswith(STANDARD) or bool(packages)


def _versioned(module: str) -> bytes:
    version = vars(sys.modules[module.partition(".")[0]]).get("__version__", "")
    return f"{module} {version}".encode()


def _parts(value: Any) -> list[Any]:
    """Return what a value consists of."""
    kind = type(value)
    try:
        if kind in PARTS:
            return PARTS[kind](value)
        if isinstance(value, type):
            return [kind, value.__bases__, _held(value)]
        if hasattr(value, "requires_grad") and installed(kind.__module__):  # a tensor
            return [kind, np.asarray(value.detach()), value.requires_grad]
        wrapped = getattr(value, "__wrapped__", None)
        if isinstance(wrapped, types.FunctionType) and installed(kind.__module__):
            return [wrapped, getattr(value, "targetoptions", None)]  # those of numba
        return [kind, *_state(value)]
    except UnknownError:
        raise
    except Exception as error:
        raise UnknownError(f"a {kind.__qualname__}") from error


def _held(value: Any) -> dict[str, Any]:
    return {name: one for name, one in vars(value).items() if name not in BESIDE}


def _state(value: Any) -> list[Any]:
    """Return what pickle would write; the user's own words for it could leave something out."""
    kind = type(value)
    words = [getattr(kind, name, None) for name in ("__reduce_ex__", "__reduce__", "__getstate__")]
    own = [how for how in words if isinstance(how, types.FunctionType)]
    if isinstance(value, UNTOLD) or not all(installed(how.__module__) for how in own):
        raise TypeError("what pickle would write is not all there is to it")
    table = copyreg.dispatch_table
    made = table[kind](value) if kind in table else value.__reduce_ex__(4)
    # A text is a name, such as that of a dtype of torch.
    if isinstance(made, str) and (callable(value) or not installed(kind.__module__)):
        raise TypeError(f"{made} is not where its name says")
    return [list(part) if isinstance(part, Iterator) else part for part in made]


def _array(array: Any) -> list[Any]:
    values = array.ravel().tolist() if array.dtype.hasobject else array.tobytes()
    return [array.dtype, array.shape, values]


def _function(function: types.FunctionType) -> list[Any]:
    used = _looked_up(function.__code__, function.__globals__)
    parts = [function.__code__, function.__defaults__, function.__kwdefaults__, vars(function)]
    return [*parts, function.__closure__, used]


def _looked_up(code: types.CodeType, known: dict[str, Any]) -> dict[str, Any]:
    """Return the globals and modules that a function and those inside it look up."""
    found = {}
    steps = list(dis.get_instructions(code))
    for place, one in enumerate(steps):
        if ("GLOBAL" in one.opname or one.opname == "LOAD_NAME") and one.argval in known:
            found[one.argval] = known[one.argval]
        elif one.opname == "IMPORT_NAME":
            if steps[place - 2].argval or one.argval not in sys.modules:  # relative, or not yet
                raise UnknownError(f"an import of {one.argval or '.'} inside a function")
            found[f"import {one.argval}"] = sys.modules[one.argval]
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            found |= _looked_up(inner, known)
    return found


PARTS: dict[type, Callable[[Any], list[Any]]] = {
    **dict.fromkeys((np.ndarray, np.memmap), _array),
    **dict.fromkeys((list, tuple), list),
    **dict.fromkeys((set, frozenset), partial(sorted, key=repr)),
    **dict.fromkeys((staticmethod, classmethod), lambda method: [method.__func__]),
    dict: lambda value: [part for pair in value.items() for part in pair],
    types.FunctionType: _function,
    types.CodeType: lambda code: [getattr(code, name) for name in CODE],
    types.CellType: lambda cell: [cell.cell_contents],
    types.MethodType: lambda method: [method.__func__, method.__self__],
    types.ModuleType: lambda module: [_held(module)],
    cached_property: lambda found: [found.func],
    property: lambda found: [found.fget, found.fset, found.fdel],
}
