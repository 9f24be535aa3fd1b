"""A rule of one's own: what `six_homes.py` runs everywhere."""

import adamas
from adamas.words import sqrt


@adamas.rule
def growing(p, g, m, v, product=1.0, *, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, grow=50.0):
    """Adam whose momentum grows from nothing to beta1; half of it is there after `grow` steps."""
    beta = beta1 * t / (t + grow)
    product = product * beta
    m = beta * m + (1 - beta) * g
    v = beta2 * v + (1 - beta2) * g * g
    m_hat = m / (1 - product)
    v_hat = v / (1 - beta2**t)
    p = p - lr * m_hat / (sqrt(v_hat) + eps)
    return p, m, v, product
