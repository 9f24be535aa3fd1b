# mypy: allow-untyped-defs, allow-untyped-calls
"""Rules that move some coordinates only."""

from adamas.words import sqrt, where

__all__ = [
    "cautious_adamw",
]


def cautious_adamw(p, g, m, v, *, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=1e-2):
    """Cautious AdamW skips every coordinate whose step would not go against its gradient.

    Liang et al. 2024, Algorithm 1 on `adamw`, but the mask alone, without the rescaling: the
    authors, timm and pytorch_optimizer also divide by the share of the tensor's coordinates that
    move, which takes a sum over the tensor. Steps here are shorter by that share.
    """
    p = (1 - lr * weight_decay) * p
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    u = m_hat / (sqrt(v_hat) + eps)
    p = p - lr * where(u * g > 0, u, 0.0)
    return p, m, v
