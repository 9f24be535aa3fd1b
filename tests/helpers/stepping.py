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


class Step(float):
    """A step count that answers `t == 1` for a row, while arithmetic sees the tensor's."""

    first = False

    def __eq__(self, other: object) -> bool:
        return self.first if other == 1.0 else float(self) == other

    __hash__ = float.__hash__


class ByHand:
    """A rule called as the Python function it is, on float64 arrays: nothing of the engine.

    `rows` restricts a step to some rows; states that are one number per tensor stay one number.
    Rows that were never stepped take the rule's first step.
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
        self.stepped = np.zeros(self.p.shape[:1], bool)

    def step(self, g: Array, rows: Any = ...) -> None:
        """Step once with gradient `g`, at `rows` only."""
        self.t += 1
        if rows is ... and (not self.p.ndim or not self.timed):
            self._step(g, ..., self.t == 1)
            return
        named = np.arange(len(self.p))[rows]
        old = dict(self.state)
        for first in (False, True):
            # What is kept once per tensor changes once, for old and new rows alike.
            for name, value in old.items():
                if not isinstance(value, np.ndarray) and not isinstance(
                    self.state[name], np.ndarray
                ):
                    self.state[name] = value
            chosen = self.stepped[named] != first
            self._step(g[chosen], named[chosen], first)
        self.stepped[named] = True

    def _step(self, g: Array, rows: Any, first: bool) -> None:
        t = Step(self.t)
        t.first = first
        hypers = {**self.hypers, **({"t": t} if self.timed else {})}
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
