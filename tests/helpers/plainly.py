"""A rule called as the Python function it is, on float64 arrays: nothing of the machine."""

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from adamas.kernel.formula import Formula
from foreign import Array, Trace


def kept_as(formula: Formula, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """The shape of each state beside a parameter of this shape: one number a row stays a column."""
    row, column = shape[:1] + (1,) * len(shape[1:]), (1, *shape[1:])[: len(shape)]
    kinds = (
        (formula.states, shape),
        (formula.rows, row),
        (formula.columns, column),
        (formula.scalars, ()),
    )
    return {name: kept for names, kept in kinds for name in names}


def numbers(rule: Callable[..., Any], t: int, shape: tuple[int, ...]) -> dict[str, int]:
    """What a step knows by itself, as far as the rule asks for it."""
    known = {"t": t, "rows": shape[0] if shape else 1, "columns": math.prod(shape[1:])}
    asked = inspect.signature(rule).parameters
    return {name: value for name, value in known.items() if name in asked}


def plainly(
    rule: Callable[..., Any],
    formula: Formula,
    p: Array,
    grads: list[Array],
    hypers: Mapping[str, float],
    **more: list[Array],
) -> Trace:
    """Step a copy of `p`; `more` are the arrays beside the gradient, by their names."""
    kept = kept_as(formula, p.shape)
    now: dict[str, Any] = {"p": np.array(p, np.float64)}
    now |= {name: np.full(shape, formula.initial[name])[()] for name, shape in kept.items()}
    order, trace = ["p", *formula.initial], []
    for t, g in enumerate(grads, start=1):
        beside = {name: arrays[t - 1] for name, arrays in more.items()}
        states = {name: np.array(now[name])[()] for name in order[1:]}
        known = numbers(rule, t, p.shape)
        # What is not chosen may divide by zero.
        with np.errstate(all="ignore"):
            out = rule(now["p"].copy(), g.copy(), **beside, **states, **hypers, **known)
        now = dict(zip(order, out if len(order) > 1 else [out], strict=True))
        trace.append({name: np.array(value) for name, value in now.items()})
    return trace
