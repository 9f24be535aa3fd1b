"""The unit cube that is searched besides the grid of rates: dimensions, and the points in it.

One cube for all optimizers: the same quasi-random points, of which each reads the coordinates that
it has hyper-parameters for. So everybody is given as many settings, spread alike.
"""

from dataclasses import dataclass
from math import log
from typing import Literal

from adamas.lab.course import LONGEST_WARMUP, SCHEDULES, Further, further_of
from adamas.lab.problems import generator

Scale = Literal["log", "complement", "linear", "schedule"]
# The rate moves by this factor to either side of the one that was found alone.
AROUND = 10**0.75
# The share of the points at which a weight decay, whose scale is a logarithm, is left out.
OFF = 0.25
# The outer share of a range that counts as its edge.
EDGE = 0.05
# The random stream that shifts the points, the same shift for every comparison; see `generator`.
SHIFT, STREAM = 31, 4


@dataclass(frozen=True)
class Dimension:
    """A hyper-parameter with the range that is searched.

    `scale` says what is uniform: the logarithm, that of 1 - value ("complement"), the value itself,
    or the three schedules. `off` says that 0 is tried, too, below the range; `column` is the
    coordinate of the cube that is read, the first after that of the rate; `whole` says that whole
    numbers alone are tried.
    """

    name: str
    scale: Scale
    low: float = 0.0
    high: float = 1.0
    off: bool = False
    column: int = 0
    whole: bool = False

    def at(self, share: float) -> float | str:
        """Return the value at a share from 0 to 1 of the range, with three digits.

        >>> [Dimension("beta2", "complement", 0.9, 0.9999).at(u) for u in (0, 0.5, 1)]
        [0.9, 0.99684, 0.9999]
        >>> [Dimension("weight_decay", "log", 1e-4, 1.0, off=True).at(u) for u in (0.1, 0.25, 1)]
        [0.0, 0.0001, 1.0]
        """
        if self.scale == "schedule":
            return SCHEDULES[min(int(share * len(SCHEDULES)), len(SCHEDULES) - 1)]
        if self.off and share < OFF:
            return 0.0
        share = (share - OFF) / (1 - OFF) if self.off else share
        if self.scale == "complement":
            return rounded_rest((1 - self.low) * ((1 - self.high) / (1 - self.low)) ** share)
        value = self.low + (self.high - self.low) * share
        if self.scale == "log":
            value = self.low * (self.high / self.low) ** share
        return round(value) if self.whole else rounded(value)

    def at_edge(self, value: float | str) -> bool:
        """Return whether a value is at an end of the range beyond which there would be more.

        An end at 0 is none: there is nothing below it. Nor is the low end above `off`.
        """
        if isinstance(value, str) or value == 0:
            return False
        share = self.share(value)
        low = share < EDGE and self.low > 0 and not self.off
        return low or (share > 1 - EDGE and (self.name, self.high) != ("warmup", LONGEST_WARMUP))

    def share(self, value: float) -> float:
        """Return where a value is between the ends of the range."""
        if self.scale == "linear":
            return (value - self.low) / (self.high - self.low)
        if self.scale == "log":
            return log(value / self.low) / log(self.high / self.low)
        return log((1 - value) / (1 - self.low)) / log((1 - self.high) / (1 - self.low))


def rounded(value: float) -> float:
    """Return a number with three digits."""
    return float(f"{value:.3g}")


@dataclass(frozen=True)
class Space:
    """What is declared of a search over more than the rate: a part of the plan.

    `asked` is what the user named, `points` the number of settings that each optimizer is tried at,
    `finalists` how many of them run in full, and `dimensions` what is changed of each optimizer.
    """

    asked: tuple[str, ...]
    points: int
    finalists: int
    dimensions: dict[str, tuple[Dimension, ...]]

    def settings(self, name: str) -> list[tuple[float, Further]]:
        """Return the settings of an optimizer, the rate as a multiple of the one found alone."""
        own = self.dimensions[name]
        cube = points(self.points, 1 + max((one.column + 1 for one in own), default=0))
        return [
            (
                rounded(AROUND ** (2 * row[0] - 1)),
                further_of({one.name: one.at(row[1 + one.column]) for one in own}),
            )
            for row in cube
        ]


def points(count: int, width: int) -> list[list[float]]:
    """Return `count` points of the unit cube of `width` dimensions, always the same ones.

    Sobol's sequence, shifted by one random vector (Cranley and Patterson 1976), so that no point
    has a coordinate of 0. Fewer points are the first of more.
    """
    from scipy.stats.qmc import Sobol

    whole = 2 ** max(count - 1, 1).bit_length()
    cube = Sobol(width, scramble=False).random(whole)[:count]
    shift = generator(SHIFT, STREAM).random(width)
    return [list(map(float, row)) for row in (cube + shift) % 1]


def rounded_rest(rest: float) -> float:
    """Return 1 - rest with three digits of `rest`."""
    return float(f"{1 - rounded(rest):.12g}")
