# mypy: allow-untyped-defs
"""Rules with sums as a researcher types them, each from its paper or its package."""

from adamas.words import maximum, mean, norm, sqrt, total, where

__all__ = ["adam_mini", "adam_mini_rows", "centralized", "cosine", "lars", "mars"]


def mars(p, g, m, v, last, *, t, lr=3e-3, beta1=0.95, beta2=0.99, gamma=0.025, eps=1e-8):
    """`mars` of the family with another eps, and a gradient of 0 before the first."""
    c = g + gamma * beta1 / (1 - beta1) * (g - last)
    c /= maximum(1.0, norm(c))
    m = beta1 * m + (1 - beta1) * c
    v = beta2 * v + (1 - beta2) * c**2
    # The eps of pytorch_optimizer: 1e-15 under the root, and corrected for the start like the root.
    p -= lr * m / (1 - beta1**t) / (sqrt(v + 1e-15) + eps) * sqrt(1 - beta2**t)
    return p, m, v, g


def lars(p, g, m, *, lr=0.1, beta=0.9, eta=1e-3, weight_decay=1e-2):
    """`lars` of the family with lr outside the momentum."""
    wanted = eta * norm(p)
    length = norm(g) + weight_decay * norm(p)
    ratio = where(wanted > 0, where(length > 0, wanted / length, 1.0), 1.0)
    m = beta * m + ratio * (g + weight_decay * p)
    return p - lr * m, m


def adam_mini(p, g, m, v, *, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.1):
    """Adam-mini. Zhang et al. 2024, Algorithm 1: one second moment for the whole tensor."""
    p *= 1 - lr * weight_decay
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * mean(g * g)
    p -= lr * m / (1 - beta1**t) / (sqrt(v / (1 - beta2**t)) + eps)
    return p, m, v


def adam_mini_rows(p, g, m, v, *, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    """Adam-mini. Zhang et al. 2024, Algorithm 3: one second moment for each output neuron."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * mean(g * g, over="row")
    p -= lr * m / (1 - beta1**t) / (sqrt(v / (1 - beta2**t)) + eps)
    return p, m, v


def cosine(p, g, m, *, lr=0.1, beta=0.9, eps=1e-12):
    """Momentum whose step is longer where the gradient agrees with it, by their cosine."""
    m = beta * m + (1 - beta) * g
    agreement = total(g * m) / maximum(norm(g) * norm(m), eps)
    return p - lr * (1 + agreement) / 2 * m, m


def centralized(p, g, m, *, columns, lr=0.1, beta=0.9):
    """Gradient centralization. Yong et al. 2020, equation 1, before momentum; not for vectors."""
    if columns > 1:
        g = g - mean(g, over="row")
    m = beta * m + g
    return p - lr * m, m
