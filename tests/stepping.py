"""What the tests of the engine share: rules stepped by hand, and optimizers as comparable bytes."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

import adamas
from adamas import rules

Array = NDArray[Any]


def make(rule: str, params: Any, **options: Any) -> adamas.Optimizer:
    """An optimizer by one rule of the family."""
    return adamas.Optimizer(getattr(rules, rule), params, **options)


def snapshot(optimizer: adamas.Optimizer) -> dict[str, Any]:
    """Parameters, state and counts as bytes, which compare equal only if every bit is the same."""
    seen: dict[str, Any] = {"steps": optimizer.steps}
    for name, array in named(optimizer).items():
        seen[f"{name}"] = (array.dtype, array.shape, array.tobytes())
    for name, entry in optimizer.state.items():
        for key, value in entry.items():
            seen[f"{name}.{key}"] = value.tobytes() if isinstance(value, np.ndarray) else value
    return seen


def named(optimizer: adamas.Optimizer) -> dict[str | int, Array]:
    """Every parameter of an optimizer by its name, in order."""
    groups = optimizer.param_groups
    return {k: v for group in groups for k, v in zip(group["names"], group["params"], strict=True)}


def tensors(optimizer: adamas.Optimizer) -> list[Array]:
    """Every parameter of an optimizer, in order."""
    return list(named(optimizer).values())


class ByHand:
    """A rule called as the Python function it is, on float64 arrays: nothing of the engine.

    `rows` restricts a step to some rows; states that are one number per tensor stay one number.
    """

    def __init__(self, rule: str, p: Array, hypers: Mapping[str, float] | None = None) -> None:
        self.rule = getattr(rules, rule)
        self.p = np.array(p, np.float64)
        signature = inspect.signature(self.rule).parameters.values()
        positional = [q for q in signature if q.kind is not q.KEYWORD_ONLY]
        self.state: dict[str, Any] = {
            q.name: 0.0 if q.default is q.empty else q.default for q in positional[2:]
        }
        self.timed = any(q.name == "t" for q in signature)
        self.hypers = dict(hypers or {})
        self.t = 0

    def step(self, g: Array, rows: Any = ...) -> None:
        """Step once with gradient `g`, at `rows` only."""
        self.t += 1
        hypers = {**self.hypers, **({"t": self.t} if self.timed else {})}
        before = [x[rows] if isinstance(x, np.ndarray) else x for x in self.state.values()]
        with np.errstate(all="ignore"):
            out = self.rule(self.p[rows], g, *before, **hypers)
        p, *states = out if self.state else (out,)
        shape = self.p.shape
        self.p[rows] = p
        for name, value in zip(self.state, states, strict=True):
            if np.ndim(value) == 0 and len(shape):
                self.state[name] = value
                continue
            if not isinstance(self.state[name], np.ndarray):
                self.state[name] = np.full(shape, self.state[name])
            self.state[name][rows] = value


def momentum(p: Array, grads: Sequence[Array | None], lr: float, beta: float = 0.9) -> Array:
    """Heavy-ball momentum in NumPy, in the dtype of `p`: the bits that the kernel must have.

    Each operation is rounded once, in the order of Sutskever et al. 2013, eq. 1-2, as torch has it.
    """
    kind = p.dtype.type
    m = np.zeros_like(p)
    for g in grads:
        if g is not None:
            m = kind(beta) * m + g.astype(p.dtype)
            p = p - kind(lr) * m
    return p
