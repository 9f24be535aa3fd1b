# mypy: allow-untyped-defs, allow-untyped-calls
"""Rules that step along the gradient, or along a sum of gradients."""

__all__ = [
    "sgd",
    "momentum",
    "nesterov",
]


def sgd(p, g, *, lr=1e-3, weight_decay=0.0):
    """Stochastic gradient descent steps against the gradient.

    Robbins & Monro 1951; Bottou, Curtis & Nocedal 2018, Algorithm 4.1. Weight decay is the L2
    penalty, added to the gradient, here and in every rule below that does not say "decoupled".
    """
    g = g + weight_decay * p
    p = p - lr * g
    return p


def momentum(p, g, m, *, lr=1e-3, beta=0.9, weight_decay=0.0):
    """Heavy-ball momentum steps along a decaying sum of all gradients.

    Polyak 1964; Sutskever et al. 2013, eq. 1-2, in torch's form: `m` is a sum (no factor 1 - beta)
    without lr. Sutskever and Keras keep lr inside `m`, which differs once lr changes.
    """
    g = g + weight_decay * p
    m = beta * m + g
    p = p - lr * m
    return p, m


def nesterov(p, g, m, *, lr=1e-3, beta=0.9, weight_decay=0.0):
    """Nesterov momentum steps on to the point that the momentum alone would reach next.

    Nesterov 1983, rewritten for that point by Bengio et al. 2013, section 3.5. Differs from
    `momentum` in the step only: the gradient counts once more, as in torch and optax.
    """
    g = g + weight_decay * p
    m = beta * m + g
    p = p - lr * (g + beta * m)
    return p, m
