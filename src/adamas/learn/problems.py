"""What the guide's optimizers are let loose on: losses and their gradients, as formulas.

Each is a plain function of one or two numbers in the words of a formula, so it runs here in float64
and in the page as JavaScript. Gradients are written by hand; a test holds them against differences.
"""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from adamas.learn.javascript import function
from adamas.words import abs, cos, sign, sin

Slope = Callable[..., Any]


@dataclass(frozen=True)
class Problem:
    """A loss of `dimensions` numbers, its gradient, where runs start and what a picture shows.

    `view` is (lowest, highest) of each coordinate; `least` a point of least loss. A `timed`
    gradient takes the step, 1 at the first, as its last argument; `bounds` is where the point of
    each step is cut.
    """

    name: str
    loss: Callable[..., Any]
    gradient: Slope
    start: tuple[float, ...]
    view: tuple[tuple[float, float], ...]
    least: tuple[float, ...]
    timed: bool = False
    bounds: tuple[float, float] | None = None

    @property
    def dimensions(self) -> int:
        """Return 1 or 2."""
        return len(self.start)


# mypy: allow-untyped-defs, allow-untyped-calls


def parabola(x):
    return 0.5 * x * x


def parabola_slope(x):
    return x


def kink(x):
    return abs(x)


def kink_slope(x):
    return sign(x)


def two_wells(x):
    return 0.25 * (x * x - 1) * (x * x - 1) + 0.2 * x


def two_wells_slope(x):
    return x * (x * x - 1) + 0.2


def waves(x):
    return 0.05 * x * x + 0.5 * (1 - cos(3 * x))


def waves_slope(x):
    return 0.1 * x + 1.5 * sin(3 * x)


def bowl(x, y):
    return 0.5 * (x * x + y * y)


def bowl_slope(x, y):
    return x, y


def valley(x, y):
    return 0.5 * (x * x + 50 * y * y)


def valley_slope(x, y):
    return x, 50 * y


def diagonal(x, y):
    a = x + y
    b = x - y
    return 0.25 * (a * a + 50 * b * b)


def diagonal_slope(x, y):
    a = 0.5 * (x + y)
    b = 25 * (x - y)
    return a + b, a - b


def rosenbrock(x, y):
    a = 1 - x
    b = y - x * x
    return a * a + 100 * b * b


def rosenbrock_slope(x, y):
    b = y - x * x
    return -2 * (1 - x) - 400 * x * b, 200 * b


def saddle(x, y):
    return 0.5 * (x * x - y * y) + 0.05 * y * y * y * y


def saddle_slope(x, y):
    return x, -y + 0.2 * y * y * y


def himmelblau(x, y):
    a = x * x + y - 11
    b = x + y * y - 7
    return a * a + b * b


def himmelblau_slope(x, y):
    a = x * x + y - 11
    b = x + y * y - 7
    return 4 * x * a + 2 * b, 2 * a + 4 * y * b


def reddi(x):
    return x / 3


def reddi_slope(x, t):
    return 3.0 if t % 3 == 1 else -1.0


WIDE = ((-2.5, 2.5), (-1.6, 1.6))
HILLS = ((-6.0, 6.0), (-5.0, 5.0))
PROBLEMS = {
    one.name: one
    for one in (
        Problem("parabola", parabola, parabola_slope, (2.0,), ((-2.5, 2.5),), (0.0,)),
        Problem("kink", kink, kink_slope, (2.0,), ((-2.5, 2.5),), (0.0,)),
        Problem("two_wells", two_wells, two_wells_slope, (1.6,), ((-1.8, 1.8),), (-1.0880,)),
        Problem("waves", waves, waves_slope, (5.2,), ((-6.0, 6.0),), (0.0,)),
        Problem("bowl", bowl, bowl_slope, (-2.0, 1.2), WIDE, (0.0, 0.0)),
        Problem("valley", valley, valley_slope, (-2.0, 0.6), WIDE, (0.0, 0.0)),
        Problem("diagonal", diagonal, diagonal_slope, (-2.0, -0.4), WIDE, (0.0, 0.0)),
        Problem(
            "rosenbrock",
            rosenbrock,
            rosenbrock_slope,
            (-1.5, 1.5),
            ((-2.0, 2.0), (-0.5, 2.1)),
            (1.0, 1.0),
        ),
        Problem(
            "saddle", saddle, saddle_slope, (-2.0, 0.01), ((-2.5, 2.5), (-4.0, 4.0)), (0.0, 3.1623)
        ),
        Problem("himmelblau", himmelblau, himmelblau_slope, (0.0, 0.0), HILLS, (3.0, 2.0)),
        Problem("reddi", reddi, reddi_slope, (0.0,), ((-1.1, 1.1),), (-1.0,), True, (-1.0, 1.0)),
    )
}
"""`reddi` is that of Reddi, Kale & Kumar 2018, section 3, with C = 3; its loss is the mean one."""

POINTS, SLOPE = 100, 2.5


@cache
def line_data() -> tuple[list[float], list[float]]:
    """Return x and y of the tutorial's line, those of `np.random.seed(42)`, 100 numbers each.

    >>> x, y = line_data()
    >>> round(x[0], 4), round(y[0], 4), len(x)
    (3.7454, 9.4506, 100)
    """
    random = np.random.RandomState(42)
    x = random.rand(POINTS, 1) * 10
    y = SLOPE * x + random.randn(POINTS, 1)
    return x[:, 0].tolist(), y[:, 0].tolist()


def line_loss(w: float, b: float = 0.0) -> float:
    """Return the mean squared error of y = w x + b on the tutorial's data, summed in order."""
    x, y = line_data()
    total = 0.0
    for one, other in zip(x, y, strict=True):
        error = one * w + b - other
        total = total + error * error
    return total / POINTS


def line_slope(
    w: float, b: float = 0.0, sample: Sequence[int] | None = None
) -> tuple[float, float]:
    """Return the gradient by w and b, on all points or on those numbered in `sample`."""
    x, y = line_data()
    by_w = by_b = 0.0
    chosen = range(POINTS) if sample is None else sample
    for k in chosen:
        error = x[k] * w + b - y[k]
        by_w = by_w + error * x[k]
        by_b = by_b + error
    return 2 * (by_w / len(chosen)), 2 * (by_b / len(chosen))


def best_line(bias: bool = False) -> tuple[float, ...]:
    """Return the w, or w and b, of least loss: `numpy.linalg.lstsq`, no optimizer involved.

    >>> best_line()  # doctest: +ELLIPSIS
    (2.4867855617...,)
    """
    x, y = map(np.array, line_data())
    columns = np.stack([x, np.ones(POINTS)][: 1 + bias], axis=1)
    return tuple(map(float, np.linalg.lstsq(columns, y, rcond=None)[0]))


def script() -> str:
    """Return the problems as JavaScript: `PROBLEMS` by name, and `LINE`, the tutorial's data."""
    entries = ",\n".join(f"{json.dumps(name)}: {_entry(one)}" for name, one in PROBLEMS.items())
    x, y = line_data()
    # Fewer digits than there are: the last ones depend on the library of linear algebra.
    least = [[float(f"{number:.10g}") for number in best_line(bias)] for bias in (False, True)]
    line = json.dumps({"x": x, "y": y, "least": least})
    return f"const PROBLEMS = {{\n{entries}\n}};\nconst LINE = {line};\n"


def _entry(problem: Problem) -> str:
    entry: dict[str, Any] = {
        "name": problem.name,
        "start": problem.start,
        "view": problem.view,
        "least": problem.least,
        "timed": problem.timed,
    }
    if problem.bounds:
        entry["low"], entry["high"] = problem.bounds
    loss, slope = _translated(problem.loss), _translated(problem.gradient)
    return f'{json.dumps(entry)[:-1]}, "loss": {loss}, "gradient": {slope}}}'


def _translated(formula: Callable[..., Any]) -> str:
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(formula))).body
    assert isinstance(tree, ast.FunctionDef)
    return function(tree)
