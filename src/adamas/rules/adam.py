# mypy: allow-untyped-defs, allow-untyped-calls
"""Adam, and the rules that change its second moment, its correction or its decay."""

from adamas.words import abs, maximum, sqrt

__all__ = [
    "adam",
    "adamw",
    "amsgrad",
    "adamax",
    "nadam",
    "radam",
    "adabelief",
]


def adam(p, g, m, v, *, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0):
    """Adam divides the mean gradient by its root mean square, both corrected for their zero start.

    Kingma & Ba 2015, Algorithm 1; eps is added after the bias-corrected root, as in torch and
    optax. Keras adds epsilon-hat before the correction (end of section 2); MLX corrects on demand.
    """
    g = g + weight_decay * p
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    p = p - lr * m_hat / (sqrt(v_hat) + eps)
    return p, m, v


def adamw(p, g, m, v, *, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=1e-2):
    """AdamW decays the parameter directly instead of through the gradient.

    Loshchilov & Hutter 2019, Algorithm 2, eps as in `adam`. As in torch the decay is multiplied by
    lr; the paper multiplies it by the schedule alone. optax decays by 1e-4, Keras by 0.004.
    """
    p = (1 - lr * weight_decay) * p
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    p = p - lr * m_hat / (sqrt(v_hat) + eps)
    return p, m, v


def amsgrad(p, g, m, v, v_max, *, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0):
    """AMSGrad divides by the largest second moment seen so far.

    Reddi, Kale & Kumar 2018, Algorithm 2, with Adam's bias correction and eps, as in torch. Differs
    from `adam` in the maximum, taken before the correction; optax takes it after.
    """
    g = g + weight_decay * p
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    v_max = maximum(v_max, v)
    m_hat = m / (1 - beta1**t)
    v_hat = v_max / (1 - beta2**t)
    p = p - lr * m_hat / (sqrt(v_hat) + eps)
    return p, m, v, v_max


def adamax(p, g, m, u, *, t, lr=2e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0):
    """Adamax divides by a decaying maximum of the gradient's absolute value.

    Kingma & Ba 2015, Algorithm 2. eps is added to the gradient inside the maximum, as in torch and
    optax; the paper has none, and Keras adds it to `u` when dividing.
    """
    g = g + weight_decay * p
    m = beta1 * m + (1 - beta1) * g
    u = maximum(beta2 * u, abs(g) + eps)
    m_hat = m / (1 - beta1**t)
    p = p - lr * m_hat / u
    return p, m, u


def nadam(
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
    """NAdam is Adam whose step looks ahead with the next step's momentum.

    Dozat 2016, Algorithm 2 and the momentum schedule of its text (0.96 to the power t/250), as in
    torch; eps as in `adam`. Keras has 0.96 to the power t, which is momentum_decay=1; optax keeps
    the momentum constant.
    """
    g = g + weight_decay * p
    mu = beta1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))
    mu_next = beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * momentum_decay))
    mu_product = mu_product * mu
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    m_hat = mu_next / (1 - mu_product * mu_next) * m + (1 - mu) / (1 - mu_product) * g
    v_hat = v / (1 - beta2**t)
    p = p - lr * m_hat / (sqrt(v_hat) + eps)
    return p, m, v, mu_product


def radam(p, g, m, v, *, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0):
    """RAdam divides by the root only once enough steps make its variance finite.

    Liu et al. 2020, Algorithm 2, which has no eps and rectifies at rho > 4; here rho > 5 and eps on
    the root before the bias correction, as in torch. optax adds eps after it, as in `adam`.
    """
    g = g + weight_decay * p
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


def adabelief(p, g, m, s, *, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-16, weight_decay=0.0):
    """AdaBelief divides by how far the gradient strays from its own mean.

    Zhuang et al. 2020, Algorithm 2, with decoupled weight decay; eps enters `s` at every step and
    once more after the bias-corrected root. The authors' package also rectifies as `radam` does.
    """
    p = (1 - lr * weight_decay) * p
    m = beta1 * m + (1 - beta1) * g
    s = beta2 * s + (1 - beta2) * (g - m) * (g - m) + eps
    m_hat = m / (1 - beta1**t)
    s_hat = s / (1 - beta2**t)
    p = p - lr * m_hat / (sqrt(s_hat) + eps)
    return p, m, s
