"""An optimizer on a problem, in float64, step by step: what the page's script does, in Python.

Rules run through the kernel's `Reference`; random numbers are the script's own.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from adamas.engine.options import formula_of
from adamas.kernel.reference import Reference
from adamas.learn.problems import POINTS, Problem, line_loss, line_slope

MASK = 0xFFFFFFFF


def uniform(seed: int, index: int) -> float:
    """Return number `index` of the stream `seed`, from [0, 1): a multiple of 2**-32."""
    z = (seed * 0x9E3779B1 + index * 0x85EBCA77) & MASK
    z = ((z ^ (z >> 16)) * 0x21F0AAAD) & MASK
    z = ((z ^ (z >> 15)) * 0x735A2D97) & MASK
    return (z ^ (z >> 15)) / 4294967296


def normal(seed: int, index: int) -> float:
    """Return a number of mean 0 and variance 1: the sum of twelve uniform ones less 6."""
    total = -6.0
    for k in range(12):
        total += uniform(seed, 12 * index + k)
    return total


@dataclass
class Trace:
    """What a run was: points (one more than steps), their losses, gradients, and the states."""

    points: list[list[float]]
    losses: list[float]
    gradients: list[list[float]] = field(default_factory=list)
    states: list[dict[str, Any]] = field(default_factory=list)

    @property
    def last(self) -> list[float]:
        """Return the point of the last step."""
        return self.points[-1]


def trace(
    rule: Callable[..., Any],
    problem: Problem,
    steps: int,
    *,
    start: Sequence[float] | None = None,
    noise: float = 0.0,
    seed: int = 0,
    **hypers: float | Callable[[int], float],
) -> Trace:
    """Run `rule` for `steps` steps from `start`, the problem's own by default.

    `noise` times a number of `normal` is added to each element of each gradient. A hyper-parameter
    may be a schedule, called with the step.
    """

    def gradient(p: list[float], t: int) -> list[float]:
        slope = problem.gradient(*p, *([t] if problem.timed else []))
        g = [float(x) for x in (slope if isinstance(slope, tuple) else (slope,))]
        if noise:
            g = [x + noise * normal(seed, (t - 1) * len(p) + i) for i, x in enumerate(g)]
        return g

    return _run(rule, problem, gradient, steps, start or problem.start, hypers)


def follow(
    rule: Callable[..., Any],
    gradients: Iterable[Sequence[float]],
    start: Sequence[float],
    **hypers: float,
) -> Trace:
    """Run `rule` with gradients that are given; the losses are all 0."""
    given = list(gradients)
    problem = Problem("given", lambda *_: 0.0, lambda *_: 0.0, tuple(start), (), ())
    return _run(rule, problem, lambda _, t: list(given[t - 1]), len(given), start, hypers)


def trace_of_line(
    rule: Callable[..., Any],
    steps: int,
    *,
    bias: bool = False,
    batch: int = 0,
    seed: int = 0,
    **hypers: float | Callable[[int], float],
) -> Trace:
    """Run `rule` on the tutorial's line from 0; `batch` points a gradient, or all of them."""
    problem = Problem("line", line_loss, line_slope, (0.0,) * (1 + bias), (), ())

    def gradient(p: list[float], t: int) -> list[float]:
        chosen = [int(uniform(seed, t * batch + k) * POINTS) for k in range(batch)] or None
        slope = line_slope(p[0], p[1] if bias else 0.0, chosen)
        return list(slope[: len(p)])

    return _run(rule, problem, gradient, steps, problem.start, hypers)


def _run(
    rule: Callable[..., Any],
    problem: Problem,
    gradient: Callable[[list[float], int], list[float]],
    steps: int,
    start: Sequence[float],
    hypers: dict[str, Any],
) -> Trace:
    moving = {name: value for name, value in hypers.items() if callable(value)}
    fixed = {name: value for name, value in hypers.items() if name not in moving}
    run = Reference(formula_of(rule), np.array(start, np.float64), **fixed)
    found = Trace([list(map(float, start))], [float(problem.loss(*start))])
    for t in range(1, steps + 1):
        g = gradient(found.last, t)
        run.hypers |= {name: np.float64(value(t)) for name, value in moving.items()}
        run.step(np.array(g))
        if problem.bounds:
            run.p = np.clip(run.p, *problem.bounds)
        found.points.append(run.p.tolist())
        found.losses.append(float(problem.loss(*run.p.tolist())))
        found.gradients.append(g)
        found.states.append({name: np.array(value).tolist() for name, value in run.state.items()})
    return found
