# mypy: allow-untyped-defs, allow-untyped-calls
"""Three rules of a user's own that sum over tensors, rows and columns, none in the family."""

from adamas.words import maximum, mean, minimum, norm, rms, sqrt, where


def lamb(p, g, m, v, *, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-6, weight_decay=0.0):
    """LAMB. You et al. 2019, Algorithm 2 with phi(x) = x, as in optax."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    u = m / (1 - beta1**t) / (sqrt(v / (1 - beta2**t)) + eps) + weight_decay * p
    size = norm(p)
    length = norm(u)
    p = p - lr * where(size > 0, where(length > 0, size / length, 1.0), 1.0) * u
    return p, m, v


def adafactor(p, g, r, c, *, t, lr=1e-2, decay=-0.8, eps1=1e-30, eps2=1e-3, d=1.0):
    """Adafactor. Shazeer & Stern 2018, Algorithms 4 and 5; roots of rows and columns as in optax.

    Written as one root of `r * c / mean(r)`, as in torch, each element takes a root and a division.
    """
    rate = t**decay
    s = g * g + eps1
    r = (1 - rate) * r + rate * mean(s, over="row")
    c = (1 - rate) * c + rate * mean(s, over="column")
    u = g / sqrt(r / mean(r)) / sqrt(c)
    alpha = maximum(eps2, rms(p)) * minimum(lr, 1 / sqrt(t))
    p = p - alpha / maximum(1.0, rms(u) / d) * u
    return p, r, c


def cautious(p, g, m, v, *, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=1e-2):
    """Cautious AdamW with its rescaling. Liang et al. 2024, Algorithm 1, as in timm."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    mask = where(m * g > 0, 1.0, 0.0)
    u = m / (1 - beta1**t) / (sqrt(v / (1 - beta2**t)) + eps)
    p = (1 - lr * weight_decay) * p - lr * u * mask / maximum(mean(mask), 1e-3)
    return p, m, v
