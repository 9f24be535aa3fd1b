"""Rules that do something in some steps only."""
# mypy: allow-untyped-defs, allow-untyped-calls

from adamas.words import sqrt, where


def lookahead(p, g, m, v, slow, *, t, lr=1e-2, beta1=0.9, beta2=0.999, eps=1e-8, k=5, alpha=0.5):
    """Every k steps slow weights follow, and the fast ones start again from there."""
    if t == 1:
        slow = p
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    p = p - lr * m / (1 - beta1**t) / (sqrt(v / (1 - beta2**t)) + eps)
    if t % k == 0:
        slow = slow + alpha * (p - slow)
        p = slow
    return p, m, v, slow


def warmed(p, g, m, *, t, lr=1e-2, beta=0.9, quiet=3):
    """Momentum that begins after some quiet steps: what holds mostly is the other way round."""
    m = m if t <= quiet else beta * m + g
    return p - lr * where(t <= quiet, g, m), m


def always(p, g, m, *, t, lr=1e-2, beta=0.9, k=5):
    """A choice that moves every state in every step."""
    m = beta * m + (2 * g if t % k == 0 else g)
    return p - lr * m, m
