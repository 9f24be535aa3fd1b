"""The counter-example of Reddi, Kale and Kumar: one gradient in 101 outweighs all the others.

Adam forgets the large gradient before the small ones have run out and drifts to the worst point;
AMSGrad, which remembers the largest second moment, goes to the best one.
"""

from collections.abc import Iterator
from itertools import chain, cycle, repeat

import numpy as np

from adamas.lab.problems import Params, Problem, generator
from adamas.lab.zoo.about import about

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
    about=about("reddi", "convex", ("loss", 0.0495), label="synthetic"),
)
