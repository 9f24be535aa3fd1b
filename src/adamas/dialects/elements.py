# mypy: allow-untyped-defs, allow-untyped-calls
"""Dialects of rules in which no element reads another."""

from adamas.words import abs, maximum, sqrt

__all__ = [
    "momentum_damped",
    "momentum_lr_inside",
    "nesterov_lr_inside",
    "adagrad_decayed",
    "adagrad_eps_inside",
    "rmsprop_eps_inside",
    "rmsprop_centered_eps_inside",
    "rmsprop_momentum",
    "rmsprop_momentum_lr_inside",
    "rmsprop_momentum_eps_lr_inside",
    "rmsprop_centered_momentum",
    "rmsprop_centered_momentum_lr_inside",
    "rmsprop_centered_momentum_eps_lr_inside",
    "adam_eps_hat",
    "amsgrad_eps_hat",
    "amsgrad_corrected_max",
    "adamax_eps_outside",
    "nadam_constant",
    "radam_eps_outside",
]


def momentum_damped(p, g, m, *, t, lr=1e-3, beta=0.9, dampening=0.0, weight_decay=0.0):
    """`momentum` in which only the first gradient counts in full.

    torch: `SGD(momentum=..., dampening=...)`.
    """
    g = g + weight_decay * p
    m = g if t == 1 else beta * m + (1 - dampening) * g
    p = p - lr * m
    return p, m


def momentum_lr_inside(p, g, m, *, lr=1e-2, beta=0.9, weight_decay=0.0):
    """`momentum` that sums steps: what was done at an old lr keeps the size it had.

    Sutskever et al. 2013, eq. 1-2. Keras: `SGD(momentum=...)`.
    """
    g = g + weight_decay * p
    m = beta * m - lr * g
    p = p + m
    return p, m


def nesterov_lr_inside(p, g, m, *, lr=1e-2, beta=0.9, weight_decay=0.0):
    """`nesterov` that sums steps: what was done at an old lr keeps the size it had.

    Keras: `SGD(momentum=..., nesterov=True)`.
    """
    g = g + weight_decay * p
    m = beta * m - lr * g
    p = p + beta * m - lr * g
    return p, m


def adagrad_decayed(p, g, v, *, t, lr=1e-2, lr_decay=0.0, eps=1e-10, weight_decay=0.0):
    """`adagrad` with an lr that falls as 1 / (1 + lr_decay * steps done).

    torch: `Adagrad(lr_decay=...)`.
    """
    g = g + weight_decay * p
    v = v + g * g
    p = p - lr / (1 + (t - 1) * lr_decay) * g / (sqrt(v) + eps)
    return p, v


def adagrad_eps_inside(p, g, v=0.1, *, lr=1e-3, eps=1e-7, weight_decay=0.0):
    """`adagrad` with eps under the root, and a sum that starts at 0.1.

    optax: `adagrad`; Keras: `Adagrad`.
    """
    g = g + weight_decay * p
    v = v + g * g
    p = p - lr * g / sqrt(v + eps)
    return p, v


def rmsprop_eps_inside(p, g, v, *, lr=1e-3, beta2=0.9, eps=1e-7, weight_decay=0.0):
    """`rmsprop` with eps under the root.

    optax: `rmsprop(eps_in_sqrt=True)`, its default; Keras: `RMSprop`.
    """
    g = g + weight_decay * p
    v = beta2 * v + (1 - beta2) * g * g
    p = p - lr * g / sqrt(v + eps)
    return p, v


def rmsprop_centered_eps_inside(p, g, m, v, *, lr=1e-3, beta2=0.9, eps=1e-7, weight_decay=0.0):
    """`rmsprop_centered` with eps under the root, as in Graves 2013, p. 23.

    optax: `rmsprop(centered=True)`; Keras: `RMSprop(centered=True)`.
    """
    g = g + weight_decay * p
    m = beta2 * m + (1 - beta2) * g
    v = beta2 * v + (1 - beta2) * g * g
    variance = maximum(v - m * m, 0.0)
    p = p - lr * g / sqrt(variance + eps)
    return p, m, v


def rmsprop_momentum(p, g, v, m, *, lr=1e-2, beta2=0.99, beta=0.0, eps=1e-8, weight_decay=0.0):
    """`rmsprop` whose steps have momentum.

    torch: `RMSprop(momentum=...)`.
    """
    g = g + weight_decay * p
    v = beta2 * v + (1 - beta2) * g * g
    m = beta * m + g / (sqrt(v) + eps)
    p = p - lr * m
    return p, v, m


def rmsprop_momentum_lr_inside(
    p, g, v, m, *, lr=1e-3, beta2=0.9, beta=0.0, eps=1e-8, weight_decay=0.0
):
    """`rmsprop_momentum` that sums steps.

    optax: `rmsprop(momentum=..., eps_in_sqrt=False)`.
    """
    g = g + weight_decay * p
    v = beta2 * v + (1 - beta2) * g * g
    m = beta * m + lr * g / (sqrt(v) + eps)
    p = p - m
    return p, v, m


def rmsprop_momentum_eps_lr_inside(
    p, g, v, m, *, lr=1e-3, beta2=0.9, beta=0.0, eps=1e-7, weight_decay=0.0
):
    """`rmsprop_momentum` that sums steps, with eps under the root.

    optax: `rmsprop(momentum=...)`; Keras: `RMSprop(momentum=...)`.
    """
    g = g + weight_decay * p
    v = beta2 * v + (1 - beta2) * g * g
    m = beta * m + lr * g / sqrt(v + eps)
    p = p - m
    return p, v, m


def rmsprop_centered_momentum(
    p, g, g_mean, v, m, *, lr=1e-2, beta2=0.99, beta=0.0, eps=1e-8, weight_decay=0.0
):
    """`rmsprop_centered` whose steps have momentum.

    torch: `RMSprop(centered=True, momentum=...)`.
    """
    g = g + weight_decay * p
    g_mean = beta2 * g_mean + (1 - beta2) * g
    v = beta2 * v + (1 - beta2) * g * g
    variance = maximum(v - g_mean * g_mean, 0.0)
    m = beta * m + g / (sqrt(variance) + eps)
    p = p - lr * m
    return p, g_mean, v, m


def rmsprop_centered_momentum_lr_inside(
    p, g, g_mean, v, m, *, lr=1e-3, beta2=0.9, beta=0.0, eps=1e-8, weight_decay=0.0
):
    """`rmsprop_centered_momentum` that sums steps.

    optax: `rmsprop(centered=True, momentum=..., eps_in_sqrt=False)`.
    """
    g = g + weight_decay * p
    g_mean = beta2 * g_mean + (1 - beta2) * g
    v = beta2 * v + (1 - beta2) * g * g
    variance = maximum(v - g_mean * g_mean, 0.0)
    m = beta * m + lr * g / (sqrt(variance) + eps)
    p = p - m
    return p, g_mean, v, m


def rmsprop_centered_momentum_eps_lr_inside(
    p, g, g_mean, v, m, *, lr=1e-3, beta2=0.9, beta=0.0, eps=1e-7, weight_decay=0.0
):
    """`rmsprop_centered_momentum` that sums steps, with eps under the root: Graves 2013, p. 23.

    optax: `rmsprop(centered=True, momentum=...)`; Keras: `RMSprop(centered=True, momentum=...)`.
    """
    g = g + weight_decay * p
    g_mean = beta2 * g_mean + (1 - beta2) * g
    v = beta2 * v + (1 - beta2) * g * g
    variance = maximum(v - g_mean * g_mean, 0.0)
    m = beta * m + lr * g / sqrt(variance + eps)
    p = p - m
    return p, g_mean, v, m


def adam_eps_hat(p, g, m, v, *, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-7, weight_decay=0.0):
    """`adam` whose eps is added before the bias correction, so that it counts more at first.

    Kingma & Ba 2015, end of section 2, their epsilon-hat. Keras: `Adam`.
    """
    g = g + weight_decay * p
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    lr_t = lr * sqrt(1 - beta2**t) / (1 - beta1**t)
    p = p - lr_t * m / (sqrt(v) + eps)
    return p, m, v


def amsgrad_eps_hat(
    p, g, m, v, v_max, *, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-7, weight_decay=0.0
):
    """`amsgrad` whose eps is added before the bias correction.

    Keras: `Adam(amsgrad=True)`.
    """
    g = g + weight_decay * p
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    v_max = maximum(v_max, v)
    lr_t = lr * sqrt(1 - beta2**t) / (1 - beta1**t)
    p = p - lr_t * m / (sqrt(v_max) + eps)
    return p, m, v, v_max


def amsgrad_corrected_max(
    p, g, m, v, v_max, *, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0
):
    """`amsgrad` that keeps the largest second moment after its bias correction.

    optax: `amsgrad`.
    """
    g = g + weight_decay * p
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    m_hat = m / (1 - beta1**t)
    v_max = maximum(v_max, v / (1 - beta2**t))
    p = p - lr * m_hat / (sqrt(v_max) + eps)
    return p, m, v, v_max


def adamax_eps_outside(
    p, g, m, u, *, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-7, weight_decay=0.0
):
    """`adamax` whose eps is added when dividing.

    Keras: `Adamax`.
    """
    g = g + weight_decay * p
    m = beta1 * m + (1 - beta1) * g
    u = maximum(beta2 * u, abs(g))
    m_hat = m / (1 - beta1**t)
    p = p - lr * m_hat / (u + eps)
    return p, m, u


def nadam_constant(p, g, m, v, *, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0):
    """`nadam` whose momentum does not grow with the steps.

    Dozat 2016, Algorithm 2 with a constant mu. optax: `nadam`.
    """
    g = g + weight_decay * p
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    m_hat = beta1 * m / (1 - beta1 ** (t + 1)) + (1 - beta1) * g / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    p = p - lr * m_hat / (sqrt(v_hat) + eps)
    return p, m, v


def radam_eps_outside(
    p, g, m, v, *, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, threshold=5.0, weight_decay=0.0
):
    """`radam` whose eps is added after the bias correction, and which rectifies from rho = 5 on.

    optax: `radam`.
    """
    g = g + weight_decay * p
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    rho_inf = 2 / (1 - beta2) - 1
    rho = rho_inf - 2 * t * beta2**t / (1 - beta2**t)
    grown = maximum((rho - 4) * (rho - 2) * rho_inf, 0.0)
    full = maximum((rho_inf - 4) * (rho_inf - 2) * rho, 1.0)
    scale = sqrt(grown / full) / (sqrt(v_hat) + eps) if rho >= threshold else 1.0
    p = p - lr * m_hat * scale
    return p, m, v
