# mypy: allow-untyped-defs, allow-untyped-calls
"""Rules with another use of means: of what was divided, their sign, two of them, a difference."""

from adamas.words import abs, clip, exp, log, maximum, minimum, norm, sign, sqrt

__all__ = [
    "laprop",
    "adopt",
    "grams",
    "signum",
    "lion",
    "ademamix",
    "adan",
    "mars",
]


def laprop(p, g, m, v, *, t, lr=4e-4, beta1=0.9, beta2=0.999, eps=1e-15, weight_decay=0.0):
    """LaProp divides each gradient by the root first and averages what comes of it.

    Ziyin, Wang & Ueda 2020, Algorithm 1, eps as in `adam`. Decay is decoupled and follows the step,
    as in timm and pytorch_optimizer; they keep lr inside `m`, which differs once lr changes, and
    pytorch_optimizer adds eps before the correction and 1e-15 under the root.
    """
    v = beta2 * v + (1 - beta2) * g * g
    v_hat = v / (1 - beta2**t)
    m = beta1 * m + (1 - beta1) * g / (sqrt(v_hat) + eps)
    m_hat = m / (1 - beta1**t)
    p = p - lr * m_hat
    p = (1 - lr * weight_decay) * p
    return p, m, v


def adopt(p, g, m, v, *, t, lr=1e-3, beta1=0.9, beta2=0.9999, eps=1e-6, weight_decay=0.0):
    """ADOPT divides by the second moment of the steps before, and averages afterwards.

    Taniguchi et al. 2024, Algorithm 2: the first gradient only fills `v`, then quotients are cut
    off at (t - 1)**0.25, as in the authors' code and optax. pytorch_optimizer has t**0.25, timm
    (t - 1)**0.333.
    """
    g = g + weight_decay * p
    bound = 0.0 if t == 1 else (t - 1) ** 0.25
    u = clip(g / maximum(sqrt(v), eps), -bound, bound)
    m = beta1 * m + (1 - beta1) * u
    v = g * g if t == 1 else beta2 * v + (1 - beta2) * g * g
    p = p - lr * m
    return p, m, v


def grams(p, g, m, v, *, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-6, weight_decay=0.0):
    """Grams steps as far as Adam, but in the direction of the gradient of the step.

    Cao et al. 2024, arXiv 2412.17107; decay decoupled, eps as in `adam`. Where momentum and
    gradient agree it is `adamw`; where not, `cautious_adamw` stands still and this turns round.
    """
    p = (1 - lr * weight_decay) * p
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    p = p - lr * sign(g) * abs(m_hat / (sqrt(v_hat) + eps))
    return p, m, v


def signum(p, g, m, *, lr=1e-4, beta=0.9, weight_decay=0.0):
    """Signum steps by the sign of the mean gradient, so every coordinate moves by lr.

    Bernstein et al. 2018, Algorithm 2; with beta=0 it is their signSGD, Algorithm 1. Decay is
    decoupled, as in pytorch_optimizer, which has lr=1e-3; optax has no decay. lr as for `lion`.
    """
    p = (1 - lr * weight_decay) * p
    m = beta * m + (1 - beta) * g
    p = p - lr * sign(m)
    return p, m


def lion(p, g, m, *, lr=1e-4, beta1=0.9, beta2=0.99, weight_decay=0.0):
    """Lion steps by the sign of a mean gradient, so every coordinate moves by lr.

    Chen et al. 2023, Algorithm 2, decoupled weight decay, no eps. The step's mean leans more on the
    fresh gradient (beta1) than the one remembered (beta2). optax decays by 1e-3 by default.
    """
    p = (1 - lr * weight_decay) * p
    c = beta1 * m + (1 - beta1) * g
    p = p - lr * sign(c)
    m = beta2 * m + (1 - beta2) * g
    return p, m


def ademamix(
    p,
    g,
    m1,
    m2,
    v,
    *,
    t,
    lr=1e-3,
    beta1=0.9,
    beta2=0.999,
    beta3=0.9999,
    alpha=5.0,
    alpha_warmup=0,
    beta3_warmup=0,
    eps=1e-8,
    weight_decay=0.0,
):
    """AdEMAMix adds to AdamW's mean gradient a second, much slower one.

    Pagliardini, Ablin & Grangier 2024, Algorithm 1; eps as in `adam`, decay decoupled. Warm-ups are
    in steps, 0 for none: alpha grows linearly from 0, beta3 from beta1 linearly in 1/log(beta).
    `m2` keeps its bias. alpha=5 as in optax; the authors' code has 2, their example 8.
    """
    a = minimum(t / maximum(alpha_warmup, 1), 1)
    b = minimum(t / maximum(beta3_warmup, 1), 1)
    alpha_t = a * alpha
    # 1e-8 stands for a beta of 0, whose logarithm is infinite, as in the authors' code.
    between = (1 - b) / log(maximum(beta1, 1e-8)) + b / log(maximum(beta3, 1e-8))
    beta3_t = exp(1 / between) if b < 1 else beta3
    p = (1 - lr * weight_decay) * p
    m1 = beta1 * m1 + (1 - beta1) * g
    m2 = beta3_t * m2 + (1 - beta3_t) * g
    v = beta2 * v + (1 - beta2) * g * g
    m1_hat = m1 / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    p = p - lr * (m1_hat + alpha_t * m2) / (sqrt(v_hat) + eps)
    return p, m1, m2, v


def adan(
    p,
    g,
    m,
    v,
    n,
    g_prev,
    *,
    t,
    lr=1e-3,
    beta1=0.98,
    beta2=0.92,
    beta3=0.99,
    eps=1e-8,
    weight_decay=0.0,
):
    """Adan adds the mean gradient difference, an estimate of Nesterov's look-ahead.

    Xie et al. 2022, Algorithm 1, as in the authors' code: betas are 1 minus the paper's, biases are
    corrected, eps stands after the root (paper: inside), and decay is decoupled and proximal, a
    division after the step. `v` is signed. optax weights differences by 1 - beta2, not beta2.
    """
    g_prev = g if t == 1 else g_prev
    d = g - g_prev
    h = g + beta2 * d
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * d
    n = beta3 * n + (1 - beta3) * h * h
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    n_hat = n / (1 - beta3**t)
    p = p - lr * (m_hat + beta2 * v_hat) / (sqrt(n_hat) + eps)
    p = p / (1 + lr * weight_decay)
    g_prev = g
    return p, m, v, n, g_prev


def mars(
    p,
    g,
    m,
    v,
    g_prev,
    *,
    t,
    lr=3e-3,
    beta1=0.95,
    beta2=0.99,
    gamma=0.025,
    eps=1e-8,
    weight_decay=0.0,
):
    """MARS gives AdamW gradients that their own change corrects, each tensor's cut to norm 1.

    Yuan et al. 2024 (2411.10438), Algorithm 2 (MARS-AdamW), approximate: `g_prev` is of another
    batch. The first gradient stands alone, as in timm; the authors and pytorch_optimizer take the
    one before as 0. All of them leave vectors to AdamW by default.
    """
    g_prev = g if t == 1 else g_prev
    c = g + gamma * beta1 / (1 - beta1) * (g - g_prev)
    c = c / maximum(1.0, norm(c))
    p = (1 - lr * weight_decay) * p
    m = beta1 * m + (1 - beta1) * c
    v = beta2 * v + (1 - beta2) * c * c
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    p = p - lr * m_hat / (sqrt(v_hat) + eps)
    g_prev = g
    return p, m, v, g_prev
