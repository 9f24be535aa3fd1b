"""A program that steps arrays which lie against pages that nobody may touch.

    python guarded.py '{"rules": ["adamw"], "states": ["int8"], "long": true, "kinds": [0, 1]}'

Some gradients hold NaN, whose blocks are left as they are.

Every array of the step, the optimizer's own included, ends at the last byte before such a page, and
in a second run begins at the first byte behind one. An access outside ends the process.
"""

import ctypes
import faulthandler
import itertools
import json
import mmap
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

PAGE = mmap.PAGESIZE
LENGTHS = (1, 31, 127, 128, 129, 255, 257, 1000)
TABLES = ((7, 1), (9, 31), (5, 64), (3, 128), (4, 129), (2, 257), (40, 3))
# Each parameter's dtype with a gradient narrower or wider, and one way to keep more than m and v.
KINDS: list[tuple[str, str, dict[str, Any]]] = [
    ("float32", "float16", {"ema": 0.9}),
    ("uint16", "uint16", {"master": 8, "zero_grads": True}),
    ("float32", "uint16", {"zero_grads": True}),
    ("float64", "float32", {"clip_norm": 1.0}),
    ("uint16", "float64", {}),
    ("uint16", "float32", {"master": 16}),
]
C = ctypes.CDLL(None, use_errno=True)
C.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)


class Guards:
    """Makes arrays of which one end lies against a forbidden page."""

    upper = True
    long = False
    kinds: Sequence[int] = ()
    made = 0

    def empty(self, shape: Any, dtype: Any = float, order: str = "C") -> Array:
        """As `numpy.empty`, filled with what is wrong in any array: NaN, or the largest number."""
        kind, shape = np.dtype(dtype), (shape,) if isinstance(shape, int | np.integer) else shape
        size = kind.itemsize * int(np.prod(shape, dtype=int))
        pages = -(-max(size, 1) // PAGE)
        memory = mmap.mmap(-1, (pages + 2) * PAGE)
        start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        for forbidden in (start, start + (pages + 1) * PAGE):
            if C.mprotect(forbidden, PAGE, 0):
                raise OSError(ctypes.get_errno(), "mprotect")
        offset = PAGE + (pages * PAGE - size if self.upper else 0)
        array = np.frombuffer(memory, np.uint8, size, offset)
        array[...] = 255
        self.made += 1
        return array.view(kind).reshape(shape, order="F" if order == "F" else "C")

    def zeros(self, shape: Any, dtype: Any = float, order: str = "C") -> Array:
        """As `numpy.zeros`."""
        return self.full(shape, 0, dtype, order)

    def full(self, shape: Any, value: Any, dtype: Any = None, order: str = "C") -> Array:
        """As `numpy.full`."""
        array = self.empty(shape, dtype or np.asarray(value).dtype, order)
        array[...] = value
        return array

    def like(self, array: Array) -> Array:
        """A guarded copy."""
        copy = self.empty(array.shape, array.dtype)
        copy[...] = array
        return copy


class Proxy(ModuleType):
    """NumPy for the engine, whose arrays are guarded."""

    def __init__(self, guards: Guards) -> None:
        super().__init__("numpy")
        self.zeros, self.empty, self.full = guards.zeros, guards.empty, guards.full

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


def numbers(shape: Any, dtype: str, seed: int) -> Array:
    """Random numbers; uint16 are the bits of bfloat16."""
    found = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    if dtype == "uint16":
        return (found.view(np.uint32) >> 16).astype(np.uint16)
    return found.astype(dtype)


def strided(guards: Guards, shape: tuple[int, ...], dtype: str, seed: int, way: int) -> Array:
    """An array of this shape in one of the layouts: plain, every other, reversed, transposed."""
    values = numbers(shape, dtype, seed)
    if way == 0:
        return guards.like(values)
    if way == 1:
        # No element behind the last one.
        base = guards.empty((*shape[:-1], max(2 * shape[-1] - 1, 0)), dtype)
        view = base[..., ::2]
    elif way == 2:
        view = guards.empty(shape, dtype)[::-1]
    else:
        view = guards.empty(shape[::-1], dtype).T
    view[...] = values
    return view


def dense(optimizer: Any, guards: Guards, rule: str, state: str) -> int:
    """Step arrays of every length, dtype and layout; return how many."""
    count = 0
    for kind, gradient, settings in (KINDS[k] for k in guards.kinds):
        for n, way in itertools.product(LENGTHS, range(4)):
            shape = (n,) if way < 3 else (n, 2)
            p = strided(guards, shape, kind, n, way)
            made = optimizer(p, rule=rule, state=state, **settings)
            for step in range(2):
                made.step(strided(guards, shape, gradient, step, way if n % 3 else 0))
            for at in {0, n // 2, n - 1}:
                spoilt = strided(guards, shape, gradient, 3, way)
                spoilt[at] = 0x7FC0 if gradient == "uint16" else np.nan
                refused(made, spoilt)
            made.load_state_dict(made.state_dict())
            made.step(strided(guards, shape, gradient, 2, 0))
            count += 1
    return count


def matrices(optimizer: Any, guards: Guards, rule: str, state: str) -> int:
    """Step matrices of every width and height, in every layout, by a rule that sums over them."""
    count, lengths = 0, LENGTHS if guards.long else LENGTHS[1::2]
    for kind, gradient, settings in (KINDS[k] for k in guards.kinds):
        for n, way, wide in itertools.product(lengths, range(4), (True, False)):
            shape = (3, n) if wide else (n, 3)
            p = strided(guards, shape, kind, n, way)
            made = optimizer(p, rule=rule, state=state, **settings)
            for step in range(2):
                made.step(strided(guards, shape, gradient, step, way if n % 3 else 0))
            spoilt = strided(guards, shape, gradient, 3, way)
            spoilt[shape[0] - 1, shape[1] - 1] = 0x7FC0 if gradient == "uint16" else np.nan
            refused(made, spoilt)
            made.load_state_dict(made.state_dict())
            made.step(strided(guards, shape, gradient, 2, 0))
            count += 1
    return count


def refused(made: Any, gradient: Any) -> None:
    """A step with a gradient that is not finite."""
    import adamas

    try:
        made.step(gradient)
    except adamas.NonFiniteError:
        return
    raise AssertionError("a gradient that is not finite was taken")


def rows(optimizer: Any, guards: Guards, rule: str, state: str) -> int:
    """Step rows of tables, lazily and exactly; return how many tables."""
    import adamas

    count = 0
    kinds = ("float32", "float64", "uint16") if guards.long else ("float32",)
    for kind, shape, mode in itertools.product(kinds, TABLES, ("lazy", "exact")):
        p = strided(guards, shape, kind, 0, 0)
        try:
            made = optimizer(p, rule=rule, state=state, rows=mode)
        except ValueError:
            continue
        for step, chosen in enumerate(([0], [shape[0] - 1, 0, 0], [1, 0], [], [shape[0] - 1] * 3)):
            values = guards.like(numbers((len(chosen), shape[1]), "float32", step))
            index = guards.like(np.asarray(chosen, np.int64))
            try:
                made.step(adamas.Rows(index, values))
            except ValueError:
                # Rows that share blocks are refused.
                break
        else:
            spoilt = guards.like(numbers((2, shape[1]), "float32", 3))
            spoilt[1, -1] = np.inf
            refused(made, adamas.Rows(guards.like(np.array([1, 0])), spoilt))
            made.sync()
            count += 1
    return count


def main(asked: dict[str, Any]) -> None:
    """Step what was asked for, and print how many arrays were guarded."""
    import adamas.engine.optimizer
    import reduction_rules
    from adamas import rules
    from adamas.kernel.formula import parse

    faulthandler.enable()
    guards = Guards()
    guards.long = asked["long"]
    guards.kinds = asked["kinds"]
    for name, module in list(sys.modules.items()):
        if name.startswith("adamas.engine.") and hasattr(module, "np"):
            vars(module)["np"] = Proxy(guards)
        # It leaves room for an alignment that no kernel needs.
        if name.startswith("adamas.engine.") and hasattr(module, "zeros"):
            vars(module)["zeros"] = guards.zeros

    def optimizer(p: Array, rule: str, state: str, **settings: Any) -> Any:
        chosen = {"state": lambda key, array: state, **settings}
        return adamas.engine.optimizer.Optimizer(known(rule), p, **chosen)

    def known(rule: str) -> Any:
        return getattr(rules, rule, None) or getattr(reduction_rules, rule)

    found = {"dense": 0, "rows": 0, "matrices": 0}
    for rule, state, upper in itertools.product(asked["rules"], asked["states"], (True, False)):
        guards.upper = upper
        formula = parse(known(rule))
        if not formula.orthogonalizes:
            found["dense"] += dense(optimizer, guards, rule, state)
            found["rows"] += rows(optimizer, guards, rule, state)
        if formula.over:
            found["matrices"] += matrices(optimizer, guards, rule, state)
        print(rule, state, upper, file=sys.stderr, flush=True)
    print(json.dumps({**found, "guarded": guards.made}))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
