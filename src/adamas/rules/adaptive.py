# mypy: allow-untyped-defs, allow-untyped-calls
"""Rules that divide each coordinate by a root of squares, without a mean of gradients."""

from adamas.words import maximum, sqrt

__all__ = [
    "adagrad",
    "rmsprop",
    "rmsprop_centered",
    "adadelta",
]


def adagrad(p, g, v, *, lr=1e-2, eps=1e-10, weight_decay=0.0):
    """Adagrad divides each coordinate by the root of the sum of its squared gradients.

    Duchi, Hazan & Singer 2011, Figure 1 (diagonal), eps after the root. torch's lr_decay is left to
    a schedule. optax and Keras start the sum at 0.1 and put eps inside the root.
    """
    g = g + weight_decay * p
    v = v + g * g
    p = p - lr * g / (sqrt(v) + eps)
    return p, v


def rmsprop(p, g, v, *, lr=1e-2, beta2=0.99, eps=1e-8, weight_decay=0.0):
    """RMSProp divides by the root of a moving average of the squared gradients.

    Tieleman & Hinton 2012, Lecture 6.5 (which decays by 0.9), eps after the root as in torch.
    Differs from `adagrad` in forgetting. Keras and, by default, optax put eps inside the root.
    """
    g = g + weight_decay * p
    v = beta2 * v + (1 - beta2) * g * g
    p = p - lr * g / (sqrt(v) + eps)
    return p, v


def rmsprop_centered(p, g, m, v, *, lr=1e-2, beta2=0.99, eps=1e-8, weight_decay=0.0):
    """Centered RMSProp divides by the gradient's standard deviation.

    Graves 2013, p. 23, without his momentum; eps after the root as in torch (Graves: 1e-4 inside).
    Differs from `rmsprop` in the mean; the cut-off at 0 catches rounding, where torch gives NaN.
    """
    g = g + weight_decay * p
    m = beta2 * m + (1 - beta2) * g
    v = beta2 * v + (1 - beta2) * g * g
    variance = maximum(v - m * m, 0.0)
    p = p - lr * g / (sqrt(variance) + eps)
    return p, m, v


def adadelta(p, g, v, d, *, lr=1.0, rho=0.9, eps=1e-6, weight_decay=0.0):
    """Adadelta scales the step by the root mean square of its own past steps.

    Zeiler 2012, Algorithm 1, eps inside both roots. Differs from `rmsprop` in the numerator, `d`,
    the mean squared step. The paper has no lr (it is 1) and rho=0.95; Keras has lr=0.001.
    """
    g = g + weight_decay * p
    v = rho * v + (1 - rho) * g * g
    delta = sqrt(d + eps) / sqrt(v + eps) * g
    d = rho * d + (1 - rho) * delta * delta
    p = p - lr * delta
    return p, v, d
