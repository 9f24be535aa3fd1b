# mypy: allow-untyped-defs, allow-untyped-calls
"""Dialects of rules that sum over tensors, rows and columns."""

from adamas.words import abs, maximum, mean, minimum, norm, rms, sqrt, total, where

__all__ = [
    "lars_joint_norm",
    "adafactor_eps_inside",
    "adafactor_eps_inside_constant_lr",
    "prodigy_corrected",
]


def lars_joint_norm(p, g, m, *, lr=1.0, beta=0.9, trust_coefficient=1e-3, weight_decay=0.0):
    """`lars` that takes one norm of the gradient with its decay, not the sum of two.

    optax: `lars`.
    """
    g = g + weight_decay * p
    p_norm = norm(p)
    g_norm = norm(g)
    ratio = where(p_norm > 0, where(g_norm > 0, trust_coefficient * p_norm / g_norm, 1.0), 1.0)
    m = beta * m + lr * ratio * g
    p = p - m
    return p, m


def adafactor_eps_inside(
    p, g, r, c, *, t, lr=1e-2, beta2_decay=-0.8, eps1=1e-30, eps2=1e-3, d=1.0, weight_decay=0.0
):
    """`adafactor` whose eps1 is added to the squared gradients.

    Shazeer & Stern 2018, Algorithm 4. Keras: `Adafactor`.
    """
    k = t**beta2_decay
    alpha = maximum(eps2, rms(p)) * minimum(lr, 1 / sqrt(t))
    p = (1 - lr * weight_decay) * p
    r = (1 - k) * r + k * mean(g * g + eps1, over="row")
    c = (1 - k) * c + k * mean(g * g + eps1, over="column")
    u = g / sqrt(r / mean(r)) / sqrt(c)
    p = p - alpha / maximum(1.0, rms(u) / d) * u
    return p, r, c


def adafactor_eps_inside_constant_lr(
    p, g, r, c, *, t, lr=1e-2, beta2_decay=-0.8, eps1=1e-30, eps2=1e-3, d=1.0, weight_decay=0.0
):
    """`adafactor_eps_inside` whose lr does not fall with the steps, and whose decay has no lr.

    optax: `adafactor`, which factors no side below 128 by itself.
    """
    k = t**beta2_decay
    r = (1 - k) * r + k * mean(g * g + eps1, over="row")
    c = (1 - k) * c + k * mean(g * g + eps1, over="column")
    u = g / sqrt(r / mean(r)) / sqrt(c)
    alpha = lr * maximum(eps2, rms(p))
    p = (1 - weight_decay) * p - alpha / maximum(1.0, rms(u) / d) * u
    return p, r, c


def prodigy_corrected(
    p,
    g,
    m,
    v,
    s,
    p0,
    d_numerator,
    d,
    *,
    t,
    lr=1.0,
    beta1=0.9,
    beta2=0.999,
    eps=1e-8,
    d0=1e-6,
    d_coef=1.0,
    weight_decay=0.0,
):
    """`prodigy` whose steps are longer at first, by Adam's bias correction.

    optax: `contrib.prodigy`.
    """
    p0 = p if t == 1 else p0
    d = maximum(d, d0)
    beta3 = sqrt(beta2)
    lr_t = d * lr * sqrt(1 - beta2**t) / (1 - beta1**t)
    weight = d / d0 * lr_t
    d_numerator = beta3 * d_numerator + total(weight * g * (p0 - p), over="all")
    s = beta3 * s + weight * g
    m = beta1 * m + (1 - beta1) * d * g
    v = beta2 * v + (1 - beta2) * d * d * g * g
    # Before the first gradient that is not 0 both are 0.
    d_denominator = maximum(total(abs(s), over="all"), 1e-37)
    d = maximum(d, d_coef * d_numerator / d_denominator)
    p = (1 - lr_t * weight_decay) * p
    p = p - lr_t * m / (sqrt(v) + d * eps)
    return p, m, v, s, p0, d_numerator, d
