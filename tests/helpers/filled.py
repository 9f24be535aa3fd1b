"""Optimizers whose state is at random, without a step: what files must hold, for any rule."""

from typing import Any

import numpy as np

import adamas


def filled(optimizer: adamas.Optimizer, seed: int = 0) -> adamas.Optimizer:
    """`optimizer` with random bits in every array of its state, and a count for every number."""
    rng = np.random.default_rng(seed)
    saved = optimizer.state_dict()
    for entry in saved["state"].values():
        for name, value in entry.items():
            if isinstance(value, np.ndarray):
                whole = rng.integers(0, 2 if value.dtype == bool else 250, value.shape)
                value[...] = whole if value.dtype.kind in "biu" else rng.normal(size=value.shape)
            elif name in ("step", "rounding"):
                entry[name] = int(rng.integers(1, 1 << 40))
            elif name != "memory_order":
                entry[name] = float(rng.normal())
    optimizer.load_state_dict({**saved, "steps": int(rng.integers(1, 1 << 40)), "seed": 12345})
    return optimizer


def same(one: Any, other: Any) -> bool:
    """Whether two trees of dicts, lists, numbers and arrays are the same to the last bit."""
    if isinstance(one, np.ndarray):
        alike = isinstance(other, np.ndarray) and (one.dtype, one.shape) == (
            other.dtype,
            other.shape,
        )
        return alike and one.tobytes() == other.tobytes()
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        pairs = zip(one, other, strict=True)
        return type(one) is type(other) and all(same(a, b) for a, b in pairs)
    return type(one) is type(other) and (one == other or one != one and other != other)
