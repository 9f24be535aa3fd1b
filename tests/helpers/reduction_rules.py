# mypy: allow-untyped-defs
"""Rules over whole tensors that a user types, and that are not in the family."""

from adamas.words import mean, norm, sign, sqrt, total, where


def cautious_lion(p, g, m, *, rows, columns, lr=1e-4, beta1=0.9, beta2=0.99):
    """Cautious Lion with the rescaling of pytorch_optimizer, which counts one coordinate more."""
    u = sign(beta1 * m + (1 - beta1) * g)
    m = beta2 * m + (1 - beta2) * g
    mask = where(u * g > 0, 1.0, 0.0)
    p = p - lr * u * mask * (rows * columns / (total(mask) + 1))
    return p, m


def clipped_momentum(p, g, m, *, lr=0.1, beta=0.9, limit=1.0):
    """Momentum on gradients whose norm over all tensors has a limit. Pascanu et al. 2013."""
    length = norm(g, over="all")
    g = g * where(length > limit, limit / length, 1.0)
    m = beta * m + g
    return p - lr * m, m


def fourth_powers(p, g, *, lr=0.1):
    """A step of the gradient in the share that its fourth powers have of their own sum."""
    q = g * g * g * g
    return p - lr * q / total(q)


def mixed(p, g, m, r, *, lr=1e-2, beta=0.9):
    """A state of elements in few bits beside one of rows, where blocks begin with rows."""
    m = beta * m + (1 - beta) * g
    r = beta * r + (1 - beta) * mean(g * g, over="row")
    return p - lr * m / (sqrt(r) + 1e-8), m, r
