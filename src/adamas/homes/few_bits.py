"""State that adamas keeps in few bits, as the numbers that it stands for and back.

What is said of it by its arrays alone: codes have scales beside them, and integers of 16 bits
without any are bfloat16. Codes are encoded to nearest, as everything that is loaded.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from adamas.codecs import FORMATS, Codec, stored
from adamas.engine import codes
from adamas.engine.grid import Order
from adamas.homes.neutral import Array, Entry
from adamas.kernel.formula import Formula
from adamas.kernel.kinds import kinds
from adamas.kernel.layout import MEMORY_ORDER, REST, SCALE, columns

# What an entry has beside its states, which belongs to the optimizer that wrote it.
OWN = ("rounding", MEMORY_ORDER, "stepped", "p" + REST)


def plain(entry: Entry, formula: Formula, shape: tuple[int, ...]) -> Entry:
    """An entry as numbers, without what belongs to the optimizer that wrote it."""
    left = {name: value for name, value in entry.items() if name not in OWN}
    for state, kind in kinds(formula).items():
        if state in entry and entry[state].dtype.kind in "iu":
            codec = _codec(entry, state, kind.sign, shape)
            left[state] = codes.decoded(codec, entry, state, _order(entry, formula, shape))
    return {name: value for name, value in left.items() if not name.endswith(SCALE)}


def begun(entry: Entry, formula: Formula, shape: tuple[int, ...]) -> Entry:
    """The states of an entry as they are before the first step, as numbers."""
    held = plain(entry, formula, shape)
    numbers = {name: formula.initial[name] for name in held.keys() & formula.initial.keys()}
    return {
        name: np.full_like(held[name], value) if isinstance(held[name], np.ndarray) else value
        for name, value in numbers.items()
    }


def like(entry: Entry, formats: Mapping[str, str], live: Entry, formula: Formula) -> Entry:
    """An entry of numbers, in these formats and with what else `live` has."""
    made = {**live, **{k: v for k, v in entry.items() if not isinstance(v, np.ndarray)}}
    for state in formats.keys() & entry.keys():
        value = entry[state]
        sign = kinds(formula)[state].sign if state in formula.states else "exact"
        codec = stored(formats[state], sign)
        if codec.encode is None:
            made[state] = value.astype(live[state].dtype)
            continue
        made |= encoded(codec, state, value, _order(live, formula, value.shape))
    return made


def encoded(codec: Codec, name: str, value: Array, order: Order) -> dict[str, Array]:
    """The arrays of a state of these numbers, codes in their shape but for those of 4 bits."""
    flat = codes.encode(codec, name, order.dense(value).ravel(), order.grid)
    every = columns(name, codec)
    return {c.name: flat[c.name] if c.flat else order.turned(flat[c.name]) for c in every}


def _order(entry: Mapping[str, Any], formula: Formula, shape: tuple[int, ...]) -> Order:
    axes = Order.numbered(shape, int(entry.get(MEMORY_ORDER, 0))).axes
    return Order(shape, axes, formula.rowwise)


def _codec(entry: Entry, state: str, sign: str, shape: tuple[int, ...]) -> Codec:
    if state + SCALE not in entry:
        return FORMATS["bfloat16"]["mean"]
    eight, four = FORMATS["int8"][sign], FORMATS["int4"][sign]
    array = entry[state]
    if shape == (1,) and array.dtype == eight.dtype == four.dtype:
        raise ValueError(f"{state} of one element: its codes may be of 8 or of 4 bits.")
    return eight if array.dtype == eight.dtype and array.shape == shape else four
