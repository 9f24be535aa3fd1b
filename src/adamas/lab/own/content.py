"""What a `Problem` from Python is made of, as a hash: source text, numbers and arrays."""

import inspect
import types
from collections.abc import Iterator, Mapping, Set
from dataclasses import fields, is_dataclass
from functools import partial
from hashlib import sha256
from typing import Any

import numpy as np

PLAIN = (type(None), bool, int, float, complex, str, bytes, range, np.dtype, np.generic)
WRITTEN_IN_PYTHON = 1 << 9  # Py_TPFLAGS_HEAPTYPE


class UnknownError(Exception):
    """Something whose content cannot be told; the text names it."""


def content(value: object) -> str:
    """Return a SHA-256 that changes with what `value` computes from.

    Functions count by their source, the values that they close over, and the functions, numbers
    and arrays of their own module that they name; arrays by dtype, shape and bytes; modules and
    what other modules define by name. Raises `UnknownError` for anything else, such as an open
    file, a random generator or a function whose source is not there.
    """
    found = sha256()
    for piece in _pieces(value, set()):
        # Its length first, so that two pieces are never taken for one.
        found.update(b"%d:" % len(piece))
        found.update(piece)
    return found.hexdigest()


def _pieces(value: Any, seen: set[int]) -> Iterator[bytes]:
    yield type(value).__qualname__.encode()
    if isinstance(value, PLAIN):
        yield repr(value).encode()
        return
    if isinstance(value, types.ModuleType | type | types.BuiltinFunctionType):
        yield f"{getattr(value, '__module__', '')}.{value.__name__}".encode()
        return
    if id(value) in seen:
        return
    seen.add(id(value))
    for part in _parts(value):
        yield from part if isinstance(part, list) else _pieces(part, seen)


def _parts(value: Any) -> Iterator[Any]:
    """Yield what a value consists of; a list holds finished bytes."""
    if hasattr(value, "__array__") and not hasattr(value, "columns"):
        yield [_array(value.detach() if hasattr(value, "detach") else value)]
    elif isinstance(value, types.FunctionType):
        yield from _function(value)
    elif isinstance(value, types.MethodType):
        yield from (value.__func__, value.__self__)
    elif isinstance(value, partial):
        yield from (value.func, value.args, value.keywords)
    elif isinstance(value, Mapping):
        for key in value:
            yield from (key, value[key])
    elif isinstance(value, Set):
        yield from sorted(value, key=repr)
    elif isinstance(value, list | tuple):
        yield from value
    elif is_dataclass(value) and not isinstance(value, type):
        yield from (getattr(value, field.name) for field in fields(value))
    elif inspect.isfunction(getattr(value, "__wrapped__", None)):
        yield value.__wrapped__
    elif hasattr(value, "__dict__") and type(value).__flags__ & WRITTEN_IN_PYTHON:
        own = [one for one in type(value).__mro__ if one.__module__ == type(value).__module__]
        yield from (part for one in own for part in vars(one).values() if inspect.isfunction(part))
        yield vars(value)
    else:
        raise UnknownError(f"a {type(value).__qualname__}")


def _array(value: Any) -> bytes:
    try:
        array = np.asarray(value)
    except (TypeError, RuntimeError) as error:
        raise UnknownError(f"a {type(value).__qualname__}") from error
    if array.dtype.hasobject:
        raise UnknownError("an array of Python objects")
    return f"{array.dtype.str}{array.shape}".encode() + array.tobytes()


def _function(function: types.FunctionType) -> Iterator[Any]:
    try:
        yield inspect.getsource(function)
    except (OSError, TypeError):
        raise UnknownError(
            f"the function {function.__qualname__}, whose source is not there"
        ) from None
    yield from (function.__defaults__, function.__kwdefaults__)
    for cell in function.__closure__ or ():
        yield cell.cell_contents
    for name in sorted(_names(function.__code__)):
        used = function.__globals__.get(name)
        own = isinstance(used, types.FunctionType) and used.__module__ == function.__module__
        if own or isinstance(used, (*PLAIN, np.ndarray)):
            yield used


def _names(code: types.CodeType) -> set[str]:
    """Return the names that a function and those inside it look up."""
    inner = [one for one in code.co_consts if isinstance(one, types.CodeType)]
    return set(code.co_names).union(*map(_names, inner))
