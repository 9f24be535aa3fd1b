"""Where every rule goes on every problem of the guide, as the reference computes it."""

from collections.abc import Sequence
from functools import cache
from math import isfinite
from typing import Any

import numpy as np

from adamas import dialects, rules
from adamas.kernel.formula import parse
from adamas.kernel.reference import Reference
from adamas.learn.javascript import runs
from adamas.learn.problems import PROBLEMS, Problem
from long_form import LONG

# A page has no matrices.
RULES = {
    name: getattr(m, name)
    for m in (rules, dialects)
    for name in m.__all__
    if runs(parse(getattr(m, name)))
}
STEPS = 1000 if LONG else 300


def same_bits(name: str, problem: Problem) -> bool:
    """Return whether nothing but + - * / and the root occurs, in the rule and in the problem."""
    formula = parse(RULES[name])
    text = " ".join(formula.source.split('"""')[::2])
    # NumPy adds up in another order.
    return (
        not formula.over
        and not any(word in text for word in ("**", "exp(", "log("))
        and problem.name != "waves"
    )


def as_json(points: list[list[float]]) -> list[list[float | None]]:
    """Return numbers as JSON has them: what is not finite is None."""
    return [[x if isfinite(x) else None for x in point] for point in points]


def near(found: Sequence[Any], expected: Sequence[Any]) -> None:
    """Assert that two runs agree but for how libraries round powers and sines."""
    a, b = (np.array(points, np.float64) for points in (found, expected))
    np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


@cache
def expected_points(name: str) -> dict[str, list[list[float | None]]]:
    """Return the points of a rule on every problem.

    They are of one run on the coordinates of all problems, or of one for each where a rule sums.
    """
    problems = list(PROBLEMS.values())
    if parse(RULES[name]).over:
        return {k: x for one in problems for k, x in _points(name, [one]).items()}
    return _points(name, problems)


def _points(name: str, problems: Sequence[Problem]) -> dict[str, list[list[float | None]]]:
    ends = np.cumsum([0, *(len(problem.start) for problem in problems)])
    run = Reference(parse(RULES[name]), np.concatenate([problem.start for problem in problems]))
    points = [run.p]
    with np.errstate(all="ignore"):
        for t in range(1, STEPS + 1):
            slopes = [
                problem.gradient(*run.p[a:b], *([t] if problem.timed else []))
                for problem, a, b in zip(problems, ends, ends[1:], strict=False)
            ]
            run.step(np.concatenate([np.atleast_1d(slope) for slope in slopes]))
            for problem, a, b in zip(problems, ends, ends[1:], strict=False):
                if problem.bounds:
                    run.p[a:b] = np.clip(run.p[a:b], *problem.bounds)
            points.append(run.p)
    return {
        problem.name: as_json([point[a:b].tolist() for point in points])
        for problem, a, b in zip(problems, ends, ends[1:], strict=False)
    }
