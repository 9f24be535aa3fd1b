# mypy: allow-untyped-defs, allow-untyped-calls
"""Adam, and the rules that change its second moment, its correction or its decay."""

from adamas.words import abs, atan2, maximum, sqrt, where

__all__ = [
    "adam",
    "adamw",
    "amsgrad",
    "adamax",
    "nadam",
    "radam",
    "adabelief",
    "adam_atan2",
    "adamc",
    "cautious_decay_adamw",
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


def adam_atan2(p, g, m, v, *, t, lr=1e-3, beta1=0.9, beta2=0.999, a=1.27, b=1.0, weight_decay=0.0):
    """Adam-atan2 takes an angle instead of a quotient, which needs no eps and has a limit.

    Everett et al. 2024, arXiv 2407.05872. With a = 1.27, about 4 / pi, and b = 1, as in
    adam-atan2-pytorch, a step is as long as that of `adam` where gradients are alike, and never
    beyond 2 lr. Decay is decoupled. The package has lr=1e-4 and beta2=0.99.
    """
    p = (1 - lr * weight_decay) * p
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    p = p - lr * a * atan2(m_hat, b * sqrt(v_hat))
    return p, m, v


def adamc(
    p,
    g,
    m,
    v,
    lr_max,
    *,
    t,
    lr=1e-3,
    beta1=0.9,
    beta2=0.999,
    eps=1e-8,
    max_lr=0.0,
    weight_decay=1e-2,
):
    """AdamC is AdamW whose decay falls with the square of lr, so that norms keep their level.

    Defazio 2025, arXiv 2506.02285: decay times lr / (largest lr of the schedule). That is `max_lr`,
    or the largest lr so far where `max_lr` is smaller: then a warm-up decays as `adamw`. For layers
    before a normalisation. timm and pytorch_optimizer take the lr they are made with for it.
    """
    lr_max = maximum(lr_max, maximum(lr, max_lr))
    # With lr = 0 so far nothing decays.
    share = lr / (lr_max if lr_max > 0 else 1.0)
    p = (1 - lr * share * weight_decay) * p
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    p = p - lr * m_hat / (sqrt(v_hat) + eps)
    return p, m, v, lr_max


def cautious_decay_adamw(
    p, g, m, v, *, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=1e-2
):
    """AdamW with cautious weight decay shrinks a coordinate only where its step does so, too.

    Chen et al. 2025, arXiv 2510.12402, on `adamw`: decay where update and parameter have one sign,
    or one is 0. adam-atan2-pytorch leaves out zeros. Not `cautious_adamw`, which masks the step.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    u = m_hat / (sqrt(v_hat) + eps)
    p = p - lr * (u + weight_decay * where(u * p >= 0, p, 0.0))
    return p, m, v
