# mypy: allow-untyped-defs, allow-untyped-calls
"""The rules of `rules.py` with a weight decay, for searches over more than the rate.

`wide_first` and `wide_second` are equal in distribution; `wide_planted` goes the wrong way in a
tenth of its coordinates. `wide_poor` is `wide_second` in another phase and with a poor default:
without momentum, it loses to it until both are tuned.
"""

from adamas.words import abs, exp, where


def wide_first(p, g, m, x, *, lr=0.03, beta=0.9, weight_decay=0.0, phase=1.0, spread=2.5):
    """Momentum with a noisy step."""
    x = where(x == 0, 0.05 + 0.9 * exp(-phase * (0.37 + abs(p) + 10 * abs(g))), x)
    x = 3.999 * x * (1 - x)
    x = 3.999 * x * (1 - x)
    x = 3.999 * x * (1 - x)
    g = g + weight_decay * p
    m = beta * m + g
    p = p - lr * m * (1 + spread * (2 * x - 1))
    return p, m, x


def wide_second(p, g, m, x, *, lr=0.03, beta=0.9, weight_decay=0.0, phase=1.7, spread=2.5):
    """`wide_first` in another phase."""
    x = where(x == 0, 0.05 + 0.9 * exp(-phase * (0.37 + abs(p) + 10 * abs(g))), x)
    x = 3.999 * x * (1 - x)
    x = 3.999 * x * (1 - x)
    x = 3.999 * x * (1 - x)
    g = g + weight_decay * p
    m = beta * m + g
    p = p - lr * m * (1 + spread * (2 * x - 1))
    return p, m, x


def wide_poor(p, g, m, x, *, lr=0.1, beta=0.0, weight_decay=0.0, phase=1.3, spread=2.5):
    """`wide_first` in a third phase, and without momentum unless told."""
    x = where(x == 0, 0.05 + 0.9 * exp(-phase * (0.37 + abs(p) + 10 * abs(g))), x)
    x = 3.999 * x * (1 - x)
    x = 3.999 * x * (1 - x)
    x = 3.999 * x * (1 - x)
    g = g + weight_decay * p
    m = beta * m + g
    p = p - lr * m * (1 + spread * (2 * x - 1))
    return p, m, x


def wide_planted(p, g, m, x, w, *, lr=0.03, beta=0.9, weight_decay=0.0, phase=1.3, spread=2.5):
    """`wide_first` in a third phase, and the wrong way in a tenth of the coordinates."""
    x = where(x == 0, 0.05 + 0.9 * exp(-phase * (0.37 + abs(p) + 10 * abs(g))), x)
    x = 3.999 * x * (1 - x)
    x = 3.999 * x * (1 - x)
    x = 3.999 * x * (1 - x)
    w = where(w == 0, where(x < 0.0244717, -1.0, 1.0), w)
    g = g + weight_decay * p
    m = beta * m + g
    p = p - lr * m * w * (1 + spread * (2 * x - 1))
    return p, m, x, w
