"""Functions whose minimum is known: two quadratics and Rosenbrock's valley, all SYNTHETIC.

Each is its own excess above the minimum, computed without a subtraction, and a value below 1e-30 is
shown as 1e-30: a logarithm can always be taken.
"""

from collections.abc import Iterator
from itertools import repeat
from typing import Any

import numpy as np

from adamas.lab.problems import Array, Params, Problem, generator
from adamas.lab.zoo.about import about

FLOOR = 1e-30
CURVATURES = np.logspace(-4, 0, 50)
# h_i = 1/i, the spectrum of Zhang et al. 2019, section 3.
NOISY_CURVATURES = 1 / np.arange(1, 1001)
NOISY_STEPS = 1000


class QuadraticTask:
    """1/2 sum_i h_i x_i^2 in float64, from a normal start that the seed draws."""

    def __init__(self, seed: int, curvatures: Array) -> None:
        self.seed, self.curvatures = seed, curvatures

    def start(self) -> Params:
        """Return a standard normal "x", one number for each curvature."""
        return {"x": generator(self.seed, 1).standard_normal(len(self.curvatures))}

    def batches(self) -> Iterator[Any]:
        """Yield the centre of the quadratic, 0, without end."""
        return repeat(np.zeros(len(self.curvatures)))

    def gradient(self, params: Params, batch: Array, grads: Params) -> float:
        """Write h (x - c) for the batch's centre c and return 1/2 sum h (x - c)^2."""
        way = params["x"] - batch
        np.multiply(self.curvatures, way, out=grads["x"])
        return 0.5 * float(grads["x"] @ way)

    def evaluate(self, params: Params) -> float:
        """Return 1/2 sum h x^2, which is 0 only at the minimum."""
        x = params["x"]
        return float(np.maximum(0.5 * (x @ (self.curvatures * x)), FLOOR))

    def extras(self, params: Params) -> dict[str, float]:
        """Return the distance to the minimum."""
        return {"distance": float(np.linalg.norm(params["x"]))}


class NoisyTask(QuadraticTask):
    """The same with a new centre c ~ N(0, 1/h) at every step, so that gradients have covariance h.

    Centres that jump: Schaul, Zhang and LeCun 2013, No more pesky learning rates. Gradient noise in
    proportion to the curvature: Zhang et al. 2019, section 3.
    """

    def batches(self) -> Iterator[Array]:
        """Yield centres without end."""
        rng, deviation = generator(self.seed, 2), self.curvatures**-0.5
        while True:
            yield deviation * rng.standard_normal(len(deviation))


class RosenbrockTask:
    """(1 - x)^2 + 100 (y - x^2)^2 from (-1.2, 1), float64; nothing is random."""

    def start(self) -> Params:
        """Return Rosenbrock's start, shape (2,)."""
        return {"x": np.array([-1.2, 1.0])}

    def batches(self) -> Iterator[Any]:
        """Yield nothing, without end."""
        return repeat(())

    def gradient(self, params: Params, batch: Any, grads: Params) -> float:
        """Write the gradient and return the value."""
        x, y = params["x"].tolist()
        bend = y - x * x
        grads["x"][:] = -2 * (1 - x) - 400 * x * bend, 200 * bend
        return float((1 - x) * (1 - x) + 100 * bend * bend)

    def evaluate(self, params: Params) -> float:
        """Return the value, whose minimum is 0."""
        return float(np.maximum(self.gradient(params, (), self.start()), FLOOR))

    def extras(self, params: Params) -> dict[str, float]:
        """Return the distance to the minimum at (1, 1)."""
        return {"distance": float(np.linalg.norm(params["x"] - 1))}


QUADRATIC = Problem(
    "quadratic-scaled",
    2000,
    50,
    1,
    lambda seed: QuadraticTask(seed, CURVATURES),
    about=about(
        "quadratic-scaled", "convex", ("loss", 0.00046), label="synthetic", shared="excess"
    ),
)
NOISY = Problem(
    "noisy-quadratic",
    NOISY_STEPS,
    25,
    1,
    lambda seed: NoisyTask(seed, NOISY_CURVATURES),
    about=about("noisy-quadratic", "convex", ("loss", 0.693), label="synthetic", shared="excess"),
)
ROSENBROCK = Problem(
    "rosenbrock",
    5000,
    125,
    1,
    lambda seed: RosenbrockTask(),
    random=False,
    about=about("rosenbrock", "nonconvex", ("loss", 1e-4), label="synthetic", shared="excess"),
)
