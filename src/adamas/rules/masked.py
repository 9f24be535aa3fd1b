# mypy: allow-untyped-defs, allow-untyped-calls
"""Rules that move some coordinates only."""

from adamas.words import maximum, mean, sqrt, where

__all__ = [
    "masked_adamw",
    "cautious_adamw",
]


def masked_adamw(p, g, m, v, *, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=1e-2):
    """Masked AdamW skips every coordinate whose step would not go against its gradient.

    `cautious_adamw` without its rescaling, so that no coordinate reads another: Liang et al. 2024,
    Algorithm 1, the mask alone. Steps are shorter by the share of coordinates that rest.
    """
    p = (1 - lr * weight_decay) * p
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    u = m_hat / (sqrt(v_hat) + eps)
    p = p - lr * where(u * g > 0, u, 0.0)
    return p, m, v


def cautious_adamw(p, g, m, v, *, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=1e-2):
    """Cautious AdamW moves the coordinates that go against their gradient, for the others too.

    Liang et al. 2024 (2411.16085), Algorithm 1 on `adamw`: steps are divided by the share of the
    tensor's coordinates that move, at least 1e-3, as in timm and the authors' code.
    pytorch_optimizer divides by (kept + 1) / n. `masked_adamw` has the mask alone.
    """
    p = (1 - lr * weight_decay) * p
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    u = m_hat / (sqrt(v_hat) + eps)
    # The sign of m is that of u, and takes no root to know.
    mask = where(m * g > 0, 1.0, 0.0)
    p = p - lr * u * mask / maximum(mean(mask), 1e-3)
    return p, m, v
