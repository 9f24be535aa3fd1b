"""The counter-example of Reddi, Kale and Kumar: one gradient in 101 outweighs all the others.

Adam forgets the large gradient before the small ones have run out and drifts to the worst point;
AMSGrad, which remembers the largest second moment, goes to the best one.
"""

from collections.abc import Iterator
from itertools import chain, cycle, repeat

import numpy as np

from adamas.lab.problems import About, Params, Problem, Quality, generator

CYCLE = 101
LARGE, SMALL = 1010.0, -10.0
FLOOR = 1e-12


class ReddiTask:
    """f(x) = 1010 x once in 101 steps and -10 x otherwise, on [-1, 1], from 0 (section 5).

    Rules know no bounds, so the projection is here: `gradient` first clips x, in place. The seed
    draws when in the cycle the large gradient comes: in its first half, so that a multiple of
    101 steps ends at least 50 steps after it and no run is judged on a jump.
    """

    def __init__(self, seed: int) -> None:
        self.phase = int(generator(seed, 2).integers(CYCLE // 2))

    def start(self) -> Params:
        """Return x = 0, float64, shape (1,)."""
        return {"x": np.zeros(1)}

    def batches(self) -> Iterator[float]:
        """Yield the slopes of the functions."""
        before, after = repeat(SMALL, self.phase), repeat(SMALL, CYCLE - 1 - self.phase)
        return cycle(chain(before, [LARGE], after))

    def gradient(self, params: Params, batch: float, grads: Params) -> float:
        """Clip x into [-1, 1] in place, write the slope and return slope times x."""
        x = params["x"]
        np.clip(x, -1, 1, out=x)
        grads["x"].fill(batch)
        return batch * float(x[0])

    def evaluate(self, params: Params) -> float:
        """Return the mean of f over a cycle above its minimum at -1: 10/101 (x + 1)."""
        x = min(max(float(params["x"][0]), -1.0), 1.0)
        return max((LARGE + (CYCLE - 1) * SMALL) / CYCLE * (x + 1), FLOOR)

    def extras(self, params: Params) -> dict[str, float]:
        """Return where x ended, clipped: -1 is best, 1 is worst."""
        return {"x": min(max(float(params["x"][0]), -1.0), 1.0)}


REDDI = Problem(
    "reddi",
    20_200,
    505,
    1,
    ReddiTask,
    about=About(
        title={
            "en": "Reddi's counter-example to the convergence of Adam",
            "zh": "Reddi 等人的 Adam 不收敛反例",
        },
        kind="convex",
        model={"en": "one number in [-1, 1]", "zh": "区间 [-1, 1] 内的一个数"},
        loss={
            "en": "mean value over a cycle above its minimum at -1: 0 is best, 0.198 is worst",
            "zh": "一个周期内的平均值与其在 -1 处最小值之差：0 最好，0.198 最差",
        },
        label="synthetic",
        quality=Quality(
            "loss",
            0.0495,
            {
                "en": "x = -1/2, half-way from the start to the best point; not for Adam",
                "zh": "x = -1/2，即从起点到最优点的一半；Adam 达不到",
            },
        ),
        notes={
            "en": "S. J. Reddi, S. Kale and S. Kumar, On the Convergence of Adam and Beyond, ICLR "
            "2018. The default beta2 of 0.999 shows it too; the paper's 0.99 shows it faster. A "
            "step of more than 1 jumps between the bounds and says nothing. Values below 1e-12 "
            "are shown as 1e-12.",
            "zh": "S. J. Reddi、S. Kale 和 S. Kumar，On the Convergence of Adam and Beyond，ICLR "
            "2018。默认的 beta2 = 0.999 也会出现该现象，论文的 0.99 更快。大于 1 的步长"
            "只会在边界之间跳动，没有意义。小于 1e-12 的值记为 1e-12。",
        },
    ),
)
