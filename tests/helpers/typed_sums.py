# mypy: allow-untyped-defs
"""Rules with sums as a researcher types them, each from its paper or its package."""

from adamas.words import abs, maximum, mean, norm, rms, sqrt, total, where
from reduction_rules import adafactor, cautious, lamb

__all__ = [
    "adafactor", "adam_mini", "adam_mini_rows", "cautious", "centralized", "cosine", "lamb", "lars",
    "mars", "prodigy", "stable_adamw",
]  # fmt: skip


def mars(p, g, m, v, last, *, t, lr=3e-3, beta1=0.95, beta2=0.99, gamma=0.025, eps=1e-8):
    """MARS-AdamW. Yuan et al. 2024, Algorithm 2; the gradient before the first is 0."""
    c = g + gamma * beta1 / (1 - beta1) * (g - last)
    c /= maximum(1.0, norm(c))
    m = beta1 * m + (1 - beta1) * c
    v = beta2 * v + (1 - beta2) * c**2
    # The eps of pytorch_optimizer: 1e-15 under the root, and corrected for the start like the root.
    p -= lr * m / (1 - beta1**t) / (sqrt(v + 1e-15) + eps) * sqrt(1 - beta2**t)
    return p, m, v, g


def lars(p, g, m, *, lr=0.1, beta=0.9, eta=1e-3, weight_decay=1e-2):
    """LARS. You et al. 2017, Algorithm 1; the ratio is 1 where it would be 0 or divide by 0."""
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


def stable_adamw(p, g, m, v, *, t, lr=1e-3, beta1=0.9, beta2=0.99, eps=1e-8, weight_decay=1e-2):
    """StableAdamW. Wortsman et al. 2023, Algorithm 2: lr is divided by Adafactor's RMS."""
    # The corrections for the start are in the betas.
    b1 = beta1 * (1 - beta1 ** (t - 1)) / (1 - beta1**t)
    b2 = beta2 * (1 - beta2 ** (t - 1)) / (1 - beta2**t)
    m = b1 * m + (1 - b1) * g
    v = b2 * v + (1 - b2) * g**2
    rate = lr / maximum(1.0, rms(g / sqrt(maximum(v, eps**2))))
    p = (1 - rate * weight_decay) * p - rate * m / (sqrt(v) + eps)
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


def prodigy(
    p,
    g,
    p0,
    m,
    v,
    s,
    d=1e-6,
    r=0.0,
    *,
    t,
    lr=1.0,
    beta1=0.9,
    beta2=0.999,
    d0=1e-6,
    eps=1e-8,
):
    """Prodigy. Mishchenko & Defazio 2023, Algorithm 4: d and r are of all tensors together."""
    if t == 1:
        p0 = p
    beta3 = sqrt(beta2)
    r = beta3 * r + d / d0 * d * lr * total(g * (p0 - p), over="all")
    s = beta3 * s + d / d0 * d * lr * g
    m = beta1 * m + (1 - beta1) * d * g
    v = beta2 * v + (1 - beta2) * d**2 * g**2
    d_hat = r / total(abs(s), over="all")
    p = p - d * lr * m / (sqrt(v) + maximum(d, d_hat) * eps)
    d = maximum(d, d_hat)
    return p, p0, m, v, s, d, r
