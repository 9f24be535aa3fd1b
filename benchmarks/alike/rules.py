# mypy: allow-untyped-defs, allow-untyped-calls
"""Rules for questions whose answers are known: two that are equal, and one that is worse.

All are heavy-ball momentum whose step is multiplied, in each coordinate, by chaotic noise of mean 1
(a logistic map, started from the first gradient). `first` and `second` start it in another phase:
they are equal in distribution and in nothing else. In `planted` a tenth of the coordinates go the
wrong way: sin(0.05 pi)^2 = 0.0245 has a tenth of the logistic map's values below it.
"""

from adamas.words import abs, exp, where


def first(p, g, m, x, *, lr=0.03, beta=0.9, phase=1.0, spread=2.5):
    """Momentum with a noisy step."""
    x = where(x == 0, 0.05 + 0.9 * exp(-phase * (0.37 + abs(p) + 10 * abs(g))), x)
    x = 3.999 * x * (1 - x)
    x = 3.999 * x * (1 - x)
    x = 3.999 * x * (1 - x)
    m = beta * m + g
    p = p - lr * m * (1 + spread * (2 * x - 1))
    return p, m, x


def second(p, g, m, x, *, lr=0.03, beta=0.9, phase=1.7, spread=2.5):
    """`first` in another phase."""
    x = where(x == 0, 0.05 + 0.9 * exp(-phase * (0.37 + abs(p) + 10 * abs(g))), x)
    x = 3.999 * x * (1 - x)
    x = 3.999 * x * (1 - x)
    x = 3.999 * x * (1 - x)
    m = beta * m + g
    p = p - lr * m * (1 + spread * (2 * x - 1))
    return p, m, x


def planted(p, g, m, x, w, *, lr=0.03, beta=0.9, phase=1.3, spread=2.5):
    """`first` in a third phase, and the wrong way in a tenth of the coordinates."""
    x = where(x == 0, 0.05 + 0.9 * exp(-phase * (0.37 + abs(p) + 10 * abs(g))), x)
    x = 3.999 * x * (1 - x)
    x = 3.999 * x * (1 - x)
    x = 3.999 * x * (1 - x)
    w = where(w == 0, where(x < 0.0244717, -1.0, 1.0), w)
    m = beta * m + g
    p = p - lr * m * w * (1 + spread * (2 * x - 1))
    return p, m, x, w
