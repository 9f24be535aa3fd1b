"""The planned gradients that an optimizer is asked to step by: what each part of them can tell.

Gradients are numbers, not those of a loss, so that every optimizer gets the same ones wherever it
went. float32 holds all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Path = list[list[Array]]
Shape = tuple[int, ...]
SHAPES: tuple[Shape, ...] = ((6,), (8, 5))
# Shapes that are tried one after the other: some optimizers take matrices only, or vectors.
CHOICES = (SHAPES, SHAPES[1:], SHAPES[:1])
RATE = 2.0**-5
# What is told apart by how many steps, and by which size of gradients if not 1.
PARTS = {"first": 1, "varied": 8, "constant": 4, "zero": 4, "tiny": 4, "rate": 7}
SIZES = {"zero": 0.0, "tiny": 2.0**-12}


@dataclass(frozen=True)
class Plan:
    """Where parameters start, and for every step their gradients, the learning rate, its part."""

    starts: list[Array]
    gradients: Path
    rates: list[float]
    parts: list[str]

    def steps(self, first: int, end: int | None = None) -> "Plan":
        """Some of the steps."""
        here = slice(first, end)
        return Plan(self.starts, self.gradients[here], self.rates[here], self.parts[here])

    def rated(self, rate: float, change: bool) -> "Plan":
        """The same from another learning rate on, which changes or not."""
        return replace(self, rates=[rate * r / RATE if change else rate for r in self.rates])

    def scaled(self, factor: float) -> "Plan":
        """The same with all parameters and gradients multiplied."""
        scaled = [[factor * g for g in step] for step in self.gradients]
        return replace(self, starts=[factor * p for p in self.starts], gradients=scaled)


def varied(shapes: Sequence[Shape] = SHAPES) -> Plan:
    """The plan that tells rules apart: a first step, varied ones, constant, none, tiny, a new rate.

    Elements have gradients of sizes from 1/64 to 4, so that eps weighs in some and not in others.
    """
    parts = [part for part, count in PARTS.items() for _ in range(count)]
    rates = [RATE / 2 if part == "rate" else RATE for part in parts]
    plan = Plan([], [[] for _ in parts], rates, parts)
    for index, shape in enumerate(shapes):
        random = np.random.default_rng(index)
        signs = random.choice([-1, 1], shape)
        plan.starts.append(np.asarray(np.round(random.uniform(32, 96, shape)) / 64 * signs))
        sizes = np.asarray(2.0 ** np.linspace(-6, 2, int(np.prod(shape)))).reshape(shape)
        same = random.normal(size=shape)
        for part, step in zip(parts, plan.gradients, strict=True):
            drawn = same if part == "constant" else random.normal(size=shape)
            narrow = np.asarray(SIZES.get(part, 1.0) * sizes * drawn, np.float32)
            step.append(narrow.astype(np.float64))
    return plan


def constant(start: float, gradient: float, steps: int, shapes: Sequence[Shape]) -> Plan:
    """Parameters that are all alike, and the same gradient in every step."""
    gradients = [[np.full(shape, gradient) for shape in shapes]] * steps
    starts = [np.full(shape, start) for shape in shapes]
    return Plan(starts, gradients, [RATE] * steps, ["constant"] * steps)


def joined(arrays: Sequence[Array]) -> Array:
    """All numbers as one vector."""
    return np.concatenate([np.ravel(a) for a in arrays])
