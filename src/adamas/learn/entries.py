"""What the catalogue says of a rule in numbers and code, all of it asked from what computes it."""

import inspect
import re
from collections.abc import Callable, Mapping
from functools import cache
from math import dist
from typing import Any, NamedTuple

import numpy as np

from adamas import dialects, rules
from adamas.classes import CLASSES, hypers
from adamas.codecs import FORMATS
from adamas.engine.options import formula_of
from adamas.homes import keras
from adamas.kernel.bound import refuse
from adamas.kernel.formula import Formula
from adamas.kernel.traffic import passes, size
from adamas.learn.problems import PROBLEMS
from adamas.learn.relations import base
from adamas.learn.trace import trace
from adamas.show import layout_of

RULES: Mapping[str, Callable[..., Any]] = {
    name: getattr(home, name)
    for rule in rules.__all__
    for home, name in (
        (rules, rule),
        *((dialects, one) for one in dialects.__all__ if base(one) == rule),
    )
}
"""Every rule, each followed by its dialects."""
CLASS_NAMES = {rule.__name__: name for name, rule in CLASSES.items()}
STATE_FORMATS = [name for name in FORMATS if name != "float64"]
# Where a picture's runs go, how far, and the rates of which the best is shown.
VALLEY, START, STEPS = PROBLEMS["diagonal"], (-1.4, -0.6), 40
RATES = [float(f"{digit}e{power}") for power in range(-3, 2) for digit in (1, 2, 5)]
# What raises for a rule that a home has no place for.
CHECKS: Mapping[str, Callable[[Formula], None]] = {
    "adamas.jax": lambda found: refuse(found, "in JAX"),
    "adamas.keras": keras.check,
}
CITED = re.compile(
    r"[A-Z][\w.]*(?:(?:,? & |, )[A-Z]\w*)*(?: et al\.)? (?:19|20)\d\d"
    r"(?:, (?:p\. |eq\. |section |Algorithm |Figure |Lecture |end of section )\d[\d.]*(?:-\d+)?)?"
)


class Path(NamedTuple):
    """A run in the valley: its rate, its points and the losses there."""

    lr: float
    points: list[list[float]]
    losses: list[float]


@cache
def formula(rule: str) -> Formula:
    """Return the formula of a rule or dialect."""
    return formula_of(RULES[rule])


def summary(rule: str) -> str:
    """Return the first sentence of a rule's docstring."""
    return inspect.cleandoc(RULES[rule].__doc__ or "").partition("\n")[0]


def papers(rule: str) -> list[str]:
    """Return the papers that a rule's docstring names, with the place in them.

    >>> papers("adam_eps_hat")
    ['Kingma & Ba 2015, end of section 2']
    """
    text = " ".join(inspect.cleandoc(RULES[rule].__doc__ or "").split())
    return list(dict.fromkeys(found.rstrip(".") for found in CITED.findall(text)))


@cache
def kept(rule: str, state: str) -> float:
    """Return the bytes that are kept for each parameter, with the state in a format."""
    return sum(size(codec) for codec in layout_of(formula(rule), state=state).states)


@cache
def moved(rule: str, state: str) -> float:
    """Return the bytes that a step moves for each parameter in float32, with defaults."""
    found = formula(rule)
    return sum(one.moved for one in passes(found, layout_of(found, state=state)))


def calls(rule: str) -> dict[str, str]:
    """Return how each home that has a place for a rule makes its optimizer, by what is imported."""
    found = formula(rule)
    return {home: call for home, call in _calls(rule).items() if takes(home, found)}


def takes(home: str, found: Formula) -> bool:
    """Return whether a home has a place for a rule of this formula."""
    try:
        CHECKS.get(home, id)(found)
    except (TypeError, ValueError):
        return False
    return True


def _calls(rule: str) -> dict[str, str]:
    """How each home would make an optimizer of a rule; one for matrices routes a whole module."""
    function = RULES[rule]
    model = "model" if formula(rule).orthogonalizes else "model.parameters()"
    lr = f"lr={hypers(function)['lr']!r}"
    rate = lr.replace("lr", "learning_rate")
    minimize = "minimize(f, x0, jac=gradient, method=adamas.scipy.{}, options={{{}}})"
    option = f'"lr": {hypers(function)["lr"]!r}'
    if rule in CLASS_NAMES:
        name = CLASS_NAMES[rule]
        return {
            "adamas": f"adamas.{name}(params, {lr})",
            "adamas.torch": f"adamas.torch.{name}({model}, {lr})",
            "adamas.jax": f"adamas.jax.{rule}({rate})",
            "adamas.keras": f"adamas.keras.{name}({rate})",
            "adamas.scipy": minimize.format(rule, option),
        }
    dialect = f"dialects.{rule}"
    return {
        "adamas": f"adamas.rule({dialect})(params, {lr})",
        "adamas.torch": f"adamas.torch.optimizer({dialect})({model}, {lr})",
        "adamas.jax": f"adamas.jax.transform({dialect})({rate})",
        "adamas.keras": f"adamas.keras.optimizer({dialect})({rate})",
        "adamas.scipy": minimize.format(f"method({dialect})", option),
    }


@cache
def path(rule: str, lr: float) -> Path:
    """Return the run of a rule in the valley, at the points where it is evaluated."""
    run = trace(RULES[rule], VALLEY, STEPS, start=START, lr=lr)
    points = run.points
    average: Callable[..., Any] | None = rules.AVERAGES.get(RULES[rule])
    if average:
        states = zip(run.points[1:], run.states, strict=True)
        points = [points[0], *(average(np.array(p), np.array(s["z"])).tolist() for p, s in states)]
    return Path(lr, points, [float(VALLEY.loss(*point)) for point in points])


@cache
def best(rule: str) -> Path:
    """Return the run that ends lowest of those of a rule by `RATES` that stay in the picture."""
    runs = (path(rule, lr) for lr in RATES)
    return min((run for run in runs if seen(run)), key=lambda run: run.losses[-1])


def seen(run: Path) -> bool:
    """Return whether all points of a run are in the picture."""
    return all(
        low <= x <= high
        for point in run.points
        for x, (low, high) in zip(point, VALLEY.view, strict=True)
    )


def apart(one: Path, other: Path) -> float:
    """Return how far two runs are from each other where they are farthest, step by step."""
    return max(dist(a, b) for a, b in zip(one.points, other.points, strict=True))
