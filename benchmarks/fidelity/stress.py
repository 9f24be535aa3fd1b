"""Stress: gradients chosen to break a format, one tensor of 2,048 elements, beside float32.

Nothing here is a training. The optimizer is fed the same gradients as float32, its updates are
compared, and everything is seen from outside: only the parameters are read.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.fidelity.formats import Floats
from benchmarks.fidelity.side import Hypers, Make

SIZE, BLOCK, LR = 2048, 64, 1e-3
Mask = NDArray[np.bool_]

# Steps that a first moment of beta1 = 0.9 needs to fall from 1 to below 1e-20.
SETTLED = 500


@dataclass(frozen=True)
class Case:
    """A stream of gradients; `groups` are watched over the last `window` steps."""

    name: str
    title: str
    grads: Callable[[np.random.Generator], Iterator[Floats]]
    groups: Callable[[], dict[str, Mask]]
    window: int


@dataclass(frozen=True)
class Trace:
    """RMS of update/lr of each group over the window, the largest ever, and the drift."""

    rms: dict[str, float]
    largest: float
    # Mean and largest |change| over the window, in units of lr, for each group.
    drift: dict[str, tuple[float, float]]


def _second_half() -> Mask:
    half: Mask = np.arange(SIZE) % BLOCK >= BLOCK // 2
    return half


def _every_64th() -> Mask:
    hit: Mask = np.arange(SIZE) % BLOCK == BLOCK // 2
    return hit


def _draw(rng: np.random.Generator) -> Floats:
    return rng.standard_normal(SIZE, dtype=np.float32)


def _silent(rng: np.random.Generator) -> Iterator[Floats]:
    for i in range(2500):
        yield np.where(_second_half() & (i >= 500), np.float32(0), _draw(rng))
    yield _draw(rng)


def _tiny(rng: np.random.Generator) -> Iterator[Floats]:
    g = np.exp(rng.normal(0, 2, SIZE)) * rng.choice([-1, 1], SIZE) * 1e-6
    for _ in range(2000):
        yield g.astype(np.float32)


def _huge(rng: np.random.Generator) -> Iterator[Floats]:
    for i in range(1500):
        g = _draw(rng)
        yield np.where(_every_64th() & (i == 500), np.float32(1e4), g)


def exponents(low: float, high: float) -> NDArray[np.float64]:
    """The fixed decimal exponents of the scales of one tensor, mixed inside every block."""
    return np.random.default_rng(12345).uniform(low, high, SIZE)


def _decades(low: float, high: float) -> Callable[[np.random.Generator], Iterator[Floats]]:
    def grads(rng: np.random.Generator) -> Iterator[Floats]:
        scale = (10 ** exponents(low, high)).astype(np.float32)
        for _ in range(2000):
            yield _draw(rng) * scale

    return grads


def _quintiles(low: float, high: float) -> Callable[[], dict[str, Mask]]:
    def groups() -> dict[str, Mask]:
        fifth = (exponents(low, high) - low) / (high - low) * 5
        return {str(i + 1): fifth.astype(int) == i for i in range(5)}

    return groups


def _dead(rng: np.random.Generator) -> Iterator[Floats]:
    for i in range(500 + SETTLED + 11000):
        yield np.where(_second_half() & (i >= 500), np.float32(0), _draw(rng))


def _halves() -> dict[str, Mask]:
    return {"silent": _second_half(), "alive": ~_second_half()}


CASES = (
    Case("A", "half of each block silent for 2,000 steps, then one gradient", _silent, _halves, 1),
    Case(
        "C",
        "constant gradients, lognormal around 1e-6",
        _tiny,
        lambda: {"all": np.ones(SIZE, bool)},
        500,
    ),
    Case(
        "E",
        "one element of 64 gets 1e4 once, the others N(0,1)",
        _huge,
        lambda: {"hit": _every_64th(), "others": ~_every_64th()},
        999,
    ),
    Case("B3", "scales over 3 decades in a block", _decades(-3, 0), _quintiles(-3, 0), 500),
    Case("B6", "scales over 6 decades in a block", _decades(-5, 1), _quintiles(-5, 1), 500),
    Case("B15", "scales over 15 decades in a block", _decades(-12, 3), _quintiles(-12, 3), 500),
    Case("dead", "half of each block silent for 11,500 steps", _dead, _halves, 11000),
)


def trace(case: Case, make: Make, seed: int) -> Trace:
    """Feed one case to one optimizer."""
    params = {"p": np.zeros(SIZE, np.float32)}
    optimizer = make(params, Hypers(), seed)
    stream = list(case.grads(np.random.default_rng(seed)))
    groups = case.groups()
    squares, largest, start = np.zeros(SIZE), 0.0, np.zeros(SIZE)
    p = params["p"]
    for i, g in enumerate(stream):
        if i == len(stream) - case.window:
            start = p.astype(np.float64)
        # From zero every time: the update is then exact, whatever the parameter has become.
        where, p[...] = p.astype(np.float64), 0
        with np.errstate(all="ignore"):
            optimizer.step({"p": g}, LR)
        change = p.astype(np.float64)
        largest = max(largest, float(np.abs(change).max()) / LR)
        if i >= len(stream) - case.window:
            squares += (change / LR) ** 2
        p[...] = where + change
    moved = np.abs(p - start) / LR
    return Trace(
        {k: float(np.sqrt(squares[at].mean() / case.window)) for k, at in groups.items()},
        largest,
        {k: (float(moved[at].mean()), float(moved[at].max())) for k, at in groups.items()},
    )
