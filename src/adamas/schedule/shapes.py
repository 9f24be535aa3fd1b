"""The shapes of a schedule: eight formulas of k = t - 1, the steps already done.

Each function here is called without k: ``cosine(1e-3, steps=100)`` returns a `Schedule`, any number
of which may be joined with ``a.then(b, at=n)`` and multiplied, and given as any hyper-parameter.
Every shape is exact at both ends and holds its end value for ever after. Arguments are finite
numbers of at least 0; a wrong one raises TypeError or ValueError and names the limit.

They are written in the words of `adamas.words`, so that one text is called with whole numbers and
traced by a framework: a choice is `where`, which evaluates both sides, and what a word is given is
a name, because a framework's word takes no plain number.
"""

from __future__ import annotations

from math import pi

from adamas.schedule.base import Schedule, shape
from adamas.words import Value, maximum, minimum, sin, where

__all__ = ["Schedule", "constant", "cosine", "exponential", "linear", "one_cycle"]
__all__ += ["step", "warmup", "wsd"]

ZERO, ONE = 0.0, 1.0


@shape
def constant(k: Value, value: float) -> Value:
    """Return the same value at every step. optax: ``constant_schedule(value)``.

    >>> constant(0.1)(1_000_000)
    0.1
    """
    return value


@shape
def linear(k: Value, start: float, end: float, *, steps: int) -> Value:
    """Go from start at t = 1 to end at t = steps + 1 in a straight line.

    Falling to 0 it is the schedule that Defazio et al. 2023 (arXiv 2310.07831) derive.
    torch: ``LinearLR`` with factors start / lr, end / lr; optax: ``linear_schedule``.

    >>> [linear(1, 0.5, steps=2)(t) for t in (1, 2, 3, 4)]
    [1.0, 0.75, 0.5, 0.5]
    """
    return _line(start, end, k, steps)


@shape
def warmup(k: Value, lr: float, *, steps: int, fraction: float = 0.0) -> Value:
    """Rise from fraction * lr at t = 1 to lr at t = steps + 1 in a straight line.

    Gradual warm-up, Goyal et al. 2017 (arXiv 1706.02677), section 2.2.
    torch: ``LinearLR(start_factor=fraction, total_iters=steps)``; optax:
    ``warmup_constant_schedule``. With fraction 0 the first step has length 0.

    >>> [warmup(1, steps=4, fraction=0.5)(t) for t in (1, 2, 5, 6)]
    [0.5, 0.625, 1.0, 1.0]
    """
    return _line(fraction * lr, lr, k, steps)


@shape
def cosine(k: Value, lr: float, *, steps: int, end: float = 0.0) -> Value:
    """Go from lr at t = 1 to end at t = steps + 1 along half a cosine.

    Loshchilov & Hutter 2017 (arXiv 1608.03983), eq. 5, one period.
    torch: ``CosineAnnealingLR(T_max=steps, eta_min=end)``, which rises again after T_max;
    optax: ``cosine_decay_schedule(lr, steps, alpha=end / lr)``.

    >>> [round(cosine(1, steps=3)(t), 12) for t in (1, 2, 3, 4, 5)]
    [1.0, 0.75, 0.25, 0.0, 0.0]
    """
    return half_cosine(lr, end, k, steps)


@shape
def step(k: Value, lr: float, *, every: int, factor: float) -> Value:
    """Multiply lr by factor after every so many steps: lr * factor ** (k // every).

    torch: ``StepLR(step_size=every, gamma=factor)``; optax: ``exponential_decay(lr, every, factor,
    staircase=True)``. It has no last step. A factor above 1 ends in OverflowError, traced in
    infinity.

    >>> [step(1, every=2, factor=0.5)(t) for t in (1, 2, 3, 4, 5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """
    return _grown(lr, factor, k // every)


@shape
def exponential(k: Value, lr: float, *, factor: float) -> Value:
    """Multiply lr by factor after every step: lr * factor ** k.

    torch: ``ExponentialLR(gamma=factor)``; optax: ``exponential_decay(lr, 1, factor)``.
    It has no last step. A factor above 1 ends in OverflowError, traced in infinity.

    >>> [exponential(1, factor=0.5)(t) for t in (1, 2, 3)]
    [1.0, 0.5, 0.25]
    """
    return _grown(lr, factor, k)


@shape
def one_cycle(
    k: Value,
    max_lr: float,
    *,
    steps: int,
    pct_start: float = 0.3,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
) -> Value:
    """Rise from max_lr / div_factor to max_lr, then fall to that start / final_div_factor.

    Both along half a cosine; the peak is at t = pct_start * steps, the end at t = steps. Smith &
    Topin 2018 (arXiv 1708.07120), in the two-phase form of fastai and torch's ``OneCycleLR(max_lr,
    total_steps=steps)``. optax: ``cosine_onecycle_schedule(steps - 1, max_lr)``, whose pct_start
    counts from k = 0. torch cycles the momentum as well; here that is a schedule for beta1.

    >>> [round(one_cycle(1, steps=10)(t), 6) for t in (1, 3, 10, 11)]
    [0.04, 1.0, 4e-06, 4e-06]
    """
    start, last, peak = max_lr / div_factor, steps - 1, pct_start * steps - 1
    k = minimum(k, last)
    rises = k <= peak
    low, high = where(rises, start, max_lr), where(rises, max_lr, start / final_div_factor)
    return half_cosine(low, high, where(rises, k, k - peak), where(rises, peak, last - peak))


@shape
def wsd(k: Value, lr: float, *, warmup: int, stable: int, decay: int, end: float = 0.0) -> Value:
    """Warm up from 0 to lr, stay there, and decay in a straight line to end: three step counts.

    The end is at t = warmup + stable + decay + 1. Hu et al. 2024 (MiniCPM, arXiv 2404.06395),
    WSD(T; s) with a linear f, the cool-down of Hägele et al. 2024 (arXiv 2405.18392). torch and
    optax: three schedules in ``SequentialLR``, ``join_schedules``.

    >>> [wsd(1, warmup=2, stable=2, decay=4)(t) for t in range(1, 11)]
    [0.0, 0.5, 1.0, 1.0, 1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
    """
    rises = k < warmup
    done = where(rises, k, maximum(k - warmup - stable, ZERO))
    return _line(where(rises, ZERO, lr), where(rises, lr, end), done, where(rises, warmup, decay))


def _grown(lr: Value, factor: Value, n: Value) -> Value:
    """Return lr * factor ** n, and 0 for an lr of 0, however large the power."""
    return lr * where(lr > ZERO, factor, ONE) ** n


def _line(start: Value, end: Value, k: Value, n: Value) -> Value:
    """Return start at k = 0, end from k = n on, and the straight line between."""
    k = minimum(k, n)
    return start * ((n - k) / n) + end * (k / n)


def half_cosine(start: Value, end: Value, k: Value, n: Value) -> Value:
    """Return start at k = 0, end from k = n on, and half a cosine between.

    (1 + cos x) / 2 is written cos(x / 2)**2, and that as a sine from the other end: the last of
    a million steps is right to 1e-15 of its value, where the sum is off by 6e-6.
    """
    # Below n = 1 there is nothing between: k is 0 or at the end.
    whole = maximum(n, ONE)
    k = minimum(k, whole)
    falling, rising = sin(pi / 2 * ((whole - k) / whole)), sin(pi / 2 * (k / whole))
    return where(k >= n, end, start * falling**2 + end * rising**2)
