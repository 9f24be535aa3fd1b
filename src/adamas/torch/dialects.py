# mypy: allow-untyped-defs, allow-untyped-calls
"""Rules that only torch.optim has: its options that change a formula, one small function each.

Written in the language of `adamas.rules` and compiled like them. Each names the option it stands
for and the rule it differs from.
"""

from adamas.words import maximum, sqrt

__all__ = [
    "adagrad_decayed",
    "momentum_damped",
    "rmsprop_centered_momentum",
    "rmsprop_momentum",
]


def momentum_damped(p, g, m, *, t, lr=1e-3, beta=0.9, dampening=0.0, weight_decay=0.0):
    """`momentum` in which only the first gradient counts in full: SGD(dampening=...)."""
    g = g + weight_decay * p
    m = g if t == 1 else beta * m + (1 - dampening) * g
    p = p - lr * m
    return p, m


def adagrad_decayed(p, g, v, *, t, lr=1e-2, lr_decay=0.0, eps=1e-10, weight_decay=0.0):
    """`adagrad` with an lr that falls as 1 / (1 + lr_decay * steps done): Adagrad(lr_decay=...)."""
    g = g + weight_decay * p
    v = v + g * g
    p = p - lr / (1 + (t - 1) * lr_decay) * g / (sqrt(v) + eps)
    return p, v


def rmsprop_momentum(p, g, v, m, *, lr=1e-2, beta2=0.99, beta=0.0, eps=1e-8, weight_decay=0.0):
    """`rmsprop` whose steps have momentum: RMSprop(momentum=...)."""
    g = g + weight_decay * p
    v = beta2 * v + (1 - beta2) * g * g
    m = beta * m + g / (sqrt(v) + eps)
    p = p - lr * m
    return p, v, m


def rmsprop_centered_momentum(
    p, g, g_mean, v, m, *, lr=1e-2, beta2=0.99, beta=0.0, eps=1e-8, weight_decay=0.0
):
    """`rmsprop_centered` whose steps have momentum: RMSprop(centered=True, momentum=...)."""
    g = g + weight_decay * p
    g_mean = beta2 * g_mean + (1 - beta2) * g
    v = beta2 * v + (1 - beta2) * g * g
    variance = maximum(v - g_mean * g_mean, 0.0)
    m = beta * m + g / (sqrt(variance) + eps)
    p = p - lr * m
    return p, g_mean, v, m
