# mypy: allow-untyped-defs, allow-untyped-calls
"""Three rules of a user's own, five lines or fewer, none of them in the family."""

from adamas.words import abs, sign, sqrt


def signum(p, g, m, *, lr=1e-3, beta=0.9):
    """Signum steps by the sign of the mean gradient. Bernstein et al. 2018, Algorithm 2."""
    m = beta * m + (1 - beta) * g
    p = p - lr * sign(m)
    return p, m


def yogi(p, g, m, v, *, t, lr=1e-2, beta1=0.9, beta2=0.999, eps=1e-3):
    """Yogi lets the second moment move by a bounded amount.

    Zaheer et al. 2018, Algorithm 2, with Adam's bias correction, as in optax and pytorch_optimizer.
    """
    m = beta1 * m + (1 - beta1) * g
    v = v - (1 - beta2) * sign(v - g * g) * g * g
    m_hat = m / (1 - beta1**t)
    p = p - lr * m_hat / (sqrt(v / (1 - beta2**t)) + eps)
    return p, m, v


def grams(p, g, m, v, *, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=1e-2):
    """Grams takes Adam's length and the gradient's sign. Cao, Li & Song 2024, Algorithm 1."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    u = m / (1 - beta1**t) / (sqrt(v / (1 - beta2**t)) + eps)
    p = (1 - lr * weight_decay) * p - lr * sign(g) * abs(u)
    return p, m, v
