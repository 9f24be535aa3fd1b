"""Functions whose minimum is known: two quadratics and Rosenbrock's valley, all SYNTHETIC.

Each is its own excess above the minimum, computed without a subtraction, and a value below 1e-30 is
shown as 1e-30: a logarithm can always be taken.
"""

from collections.abc import Iterator
from itertools import repeat
from typing import Any

import numpy as np

from adamas.lab.problems import About, Array, Params, Problem, Quality, generator

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


EXCESS = {"en": "value above the known minimum, 0", "zh": "与已知最小值 0 之差"}
QUADRATIC = Problem(
    "quadratic-scaled",
    2000,
    50,
    1,
    lambda seed: QuadraticTask(seed, CURVATURES),
    about=About(
        title={"en": "Quadratic of condition number 10,000", "zh": "条件数为 10,000 的二次函数"},
        kind="convex",
        model={
            "en": "50 numbers, curvatures 0.0001 to 1 along the axes, exact gradients",
            "zh": "50 个数，沿坐标轴的曲率为 0.0001 到 1，精确梯度",
        },
        loss=EXCESS,
        label="synthetic",
        quality=Quality(
            "loss",
            0.00046,
            {
                "en": "what gradient descent at lr 1 (one over the largest curvature) has after "
                "2,000 steps, in expectation over starts, in closed form",
                "zh": "学习率为 1（最大曲率的倒数）的梯度下降在 2,000 步后对起点的期望值（闭式解）",
            },
        ),
        notes={
            "en": "The axes are those of the parameters, which favours methods that scale each "
            "parameter by itself. Values below 1e-30 are shown as 1e-30.",
            "zh": "主轴与参数坐标一致，这有利于逐参数缩放的方法。小于 1e-30 的值记为 1e-30。",
        },
    ),
)
NOISY = Problem(
    "noisy-quadratic",
    NOISY_STEPS,
    25,
    1,
    lambda seed: NoisyTask(seed, NOISY_CURVATURES),
    about=About(
        title={"en": "Noisy quadratic in 1,000 dimensions", "zh": "1,000 维带噪声的二次函数"},
        kind="convex",
        model={
            "en": "1,000 numbers, curvatures 1, 1/2, ... 1/1000, gradient noise of that variance",
            "zh": "1,000 个数，曲率为 1、1/2、…、1/1000，梯度噪声的方差与曲率相同",
        },
        loss=EXCESS,
        label="synthetic",
        quality=Quality(
            "loss",
            0.693,
            {
                "en": "twice 1/2 ln 2 = 0.347, the least that any method can have in expectation "
                "(the posterior mean); the plain mean of all centres has 0.5",
                "zh": "1/2 ln 2 = 0.347 的两倍；0.347 是任何方法的期望下限（后验均值），"
                "所有中心的简单平均为 0.5",
            },
        ),
        notes={
            "en": "After Schaul et al. 2013 and Zhang et al. 2019. Values below 1e-30 are shown as "
            "1e-30.",
            "zh": "依据 Schaul 等 2013 与 Zhang 等 2019。小于 1e-30 的值记为 1e-30。",
        },
    ),
)
ROSENBROCK = Problem(
    "rosenbrock",
    5000,
    125,
    1,
    lambda seed: RosenbrockTask(),
    random=False,
    about=About(
        title={"en": "Rosenbrock's curved valley", "zh": "Rosenbrock 弯曲山谷"},
        kind="nonconvex",
        model={"en": "two numbers, exact gradients", "zh": "两个数，精确梯度"},
        loss=EXCESS,
        label="synthetic",
        quality=Quality(
            "loss",
            1e-4,
            {
                "en": "the value on the valley's floor where x is 0.01 from its best",
                "zh": "谷底上 x 与最优值相差 0.01 处的函数值",
            },
        ),
        notes={
            "en": "Not convex. H. H. Rosenbrock, The Computer Journal 3 (1960) 175-184. Values "
            "below 1e-30 are shown as 1e-30.",
            "zh": "非凸函数。H. H. Rosenbrock, The Computer Journal 3 (1960) 175-184。"
            "小于 1e-30 的值记为 1e-30。",
        },
    ),
)
