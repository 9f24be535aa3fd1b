# mypy: allow-untyped-defs, allow-untyped-calls
"""Muon with other scales and another look-ahead than Jordan's."""

from adamas.words import maximum, orthogonalize, sqrt

__all__ = [
    "muon_match_rms_adamw",
    "muon_moonlight",
    "muon_corrected",
]


def muon_match_rms_adamw(p, g, m, *, rows, columns, lr=1e-3, beta=0.95, weight_decay=0.1):
    """`muon` whose step has a root mean square of about 0.2 lr whatever the shape, as AdamW's has.

    Liu et al. 2025, section 2.2. torch: `Muon(adjust_lr_fn="match_rms_adamw")`, but for its
    products, which are of bfloat16 numbers.
    """
    m = beta * m + (1 - beta) * g
    o = orthogonalize(beta * m + (1 - beta) * g)
    p = (1 - lr * weight_decay) * p
    p = p - lr * 0.2 * sqrt(maximum(rows, columns)) * o
    return p, m


def muon_moonlight(p, g, m, *, rows, columns, lr=1e-3, beta=0.95, weight_decay=0.1):
    """`muon_match_rms_adamw` whose momentum counts every gradient in full.

    Liu et al. 2025, the authors' code. Keras: `Muon`, which has a smaller decay. `m` is larger by
    1 / (1 - beta) and points the same way, so that the steps differ by rounding alone.
    """
    m = beta * m + g
    o = orthogonalize(beta * m + g)
    p = (1 - lr * weight_decay) * p
    p = p - lr * 0.2 * sqrt(maximum(rows, columns)) * o
    return p, m


def muon_corrected(p, g, m, *, t, rows, columns, lr=0.02, beta=0.95, weight_decay=0.0):
    """`muon` whose momentum and gradient are both corrected for their zero start.

    optax: `contrib.muon`, where kernels have outputs in columns and lr has no default. From some
    1 / (1 - beta) steps on it is `muon`.
    """
    m = beta * m + (1 - beta) * g
    o = orthogonalize(beta * m / (1 - beta ** (t + 1)) + (1 - beta) * g / (1 - beta**t))
    p = (1 - lr * weight_decay) * p
    p = p - lr * sqrt(maximum(1, rows / columns)) * o
    return p, m
