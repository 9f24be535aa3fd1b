# mypy: allow-untyped-defs, allow-untyped-calls
"""Rules that only torch.optim has: its options that change a formula, one small function each.

Written in the language of `adamas.rules` and compiled like them. Each names the option it stands
for and the rule it differs from.
"""

from adamas.words import maximum, sqrt

__all__ = [
    "adagrad_decayed",
    "amsgradw",
    "momentum_damped",
    "nadamw",
    "radamw",
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


def amsgradw(p, g, m, v, v_max, *, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=1e-2):
    """`amsgrad` with AdamW's decoupled decay: AdamW(amsgrad=True)."""
    p = (1 - lr * weight_decay) * p
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    v_max = maximum(v_max, v)
    m_hat = m / (1 - beta1**t)
    v_hat = v_max / (1 - beta2**t)
    p = p - lr * m_hat / (sqrt(v_hat) + eps)
    return p, m, v, v_max


def nadamw(
    p,
    g,
    m,
    v,
    mu_product=1.0,
    *,
    t,
    lr=2e-3,
    beta1=0.9,
    beta2=0.999,
    eps=1e-8,
    momentum_decay=4e-3,
    weight_decay=0.0,
):
    """`nadam` with AdamW's decoupled decay: NAdam(decoupled_weight_decay=True)."""
    p = (1 - lr * weight_decay) * p
    mu = beta1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))
    mu_next = beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * momentum_decay))
    mu_product = mu_product * mu
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    m_hat = mu_next / (1 - mu_product * mu_next) * m + (1 - mu) / (1 - mu_product) * g
    v_hat = v / (1 - beta2**t)
    p = p - lr * m_hat / (sqrt(v_hat) + eps)
    return p, m, v, mu_product


def radamw(p, g, m, v, *, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0):
    """`radam` with AdamW's decoupled decay: RAdam(decoupled_weight_decay=True)."""
    p = (1 - lr * weight_decay) * p
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    m_hat = m / (1 - beta1**t)
    rho_inf = 2 / (1 - beta2) - 1
    rho = rho_inf - 2 * t * beta2**t / (1 - beta2**t)
    # For rho > 5 both cut-offs are idle; below, they keep the unused root finite.
    grown = maximum((rho - 4) * (rho - 2) * rho_inf, 0.0)
    full = maximum((rho_inf - 4) * (rho_inf - 2) * rho, 1.0)
    r = sqrt(grown / full)
    scale = r * sqrt(1 - beta2**t) / (sqrt(v) + eps) if rho > 5 else 1.0
    p = p - lr * m_hat * scale
    return p, m, v
