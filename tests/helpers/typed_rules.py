# mypy: allow-untyped-defs
"""Rules of single elements as a researcher types them, each from its paper or its package.

With `if` on the step, tuple assignment, `+=`, `%`, constants and helper functions of the module.
"""

from adamas.words import clip, maximum, minimum, normal, sign, sqrt, where

KEEP = 3
TINY = 1e-15  # what pytorch_optimizer adds under roots


def debiased(mean, beta, t):
    """The mean of a state that began at zero."""
    return mean / (1 - beta**t)


def adopt(p, g, m, v, *, t, lr=1e-3, beta1=0.9, beta2=0.9999, eps=1e-6):
    """ADOPT. Taniguchi et al. 2024, Algorithm 2; its step 0 is the first one here."""
    if t == 1:
        v = g * g
    else:
        limit = (t - 1) ** 0.25
        m = beta1 * m + (1 - beta1) * clip(g / maximum(sqrt(v), eps), -limit, limit)
        p = p - lr * m
        v = beta2 * v + (1 - beta2) * g * g
    return p, m, v


def tiger(p, g, m, *, lr=1e-3, beta=0.965, weight_decay=0.01):
    """Tiger. Su 2023: Lion with one beta."""
    m = beta * m + (1 - beta) * g
    p = p - lr * (sign(m) + weight_decay * p)
    return p, m


def yogi(p, g, m=1e-6, v=1e-6, *, t, lr=1e-2, beta1=0.9, beta2=0.999, eps=1e-3):
    """Yogi. Zaheer et al. 2018, Algorithm 2, corrected for its start."""
    m = beta1 * m + (1 - beta1) * g
    v -= (1 - beta2) * sign(v - g**2) * g**2
    p -= lr * debiased(m, beta1, t) / (sqrt(debiased(v, beta2, t)) + eps)
    return p, m, v


def adashift(p, g, m, v, g1, g2, g3, *, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-10):
    """AdaShift. Zhou et al. 2019, Algorithm 1 with n = KEEP and phi(x) = x."""
    w = (1 - beta1) / (1 - beta1**KEEP)
    m = beta1 * (m - w * beta1 ** (KEEP - 1) * g1) + w * g
    v = beta2 * v + (1 - beta2) * g1 * g1
    if t > KEEP:
        p = p - lr * m / (sqrt(v / (1 - beta2 ** (t - KEEP))) + eps)
    g1, g2, g3 = g2, g3, g
    return p, m, v, g1, g2, g3


def qhadam(p, g, m, v, *, t, lr=1e-3, beta1=0.995, beta2=0.999, nu1=0.7, nu2=1.0, eps=1e-8):
    """QHAdam. Ma & Yarats 2019, equation 19."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat, v_hat = debiased(m, beta1, t), debiased(v, beta2, t)
    p -= lr * ((1 - nu1) * g + nu1 * m_hat) / (sqrt((1 - nu2) * g**2 + nu2 * v_hat) + eps)
    return p, m, v


def adabound(p, g, m, v, *, t, lr=1e-3, final_lr=0.1, gamma=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    """AdaBound. Luo et al. 2019, Algorithm 2, with the bounds and the eps of its authors' code."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    step = lr * sqrt(1 - beta2**t) / (1 - beta1**t)
    lower = final_lr * (1 - 1 / (gamma * t + 1))
    upper = final_lr * (1 + 1 / (gamma * t))
    p -= clip(step / (sqrt(v + TINY) + eps), lower, upper) * m
    return p, m, v


def rprop(p, g, before, size=0.01, *, etaminus=0.5, etaplus=1.2, step_min=1e-6, step_max=50.0):
    """Rprop. Riedmiller & Braun 1993, without going back, as in torch."""
    change = sign(g * before)
    factor = where(change > 0, etaplus, where(change < 0, etaminus, 1.0))
    size = clip(size * factor, step_min, step_max)
    g = where(change < 0, 0.0, g)
    return p - sign(g) * size, g, size


def polynomial_decay(p, g, *, t, lr=0.1, steps=12, power=2.0):
    """Gradient descent whose lr decays as a polynomial, as `PolynomialLR` of torch has it."""
    now = minimum(t - 1, steps)
    return p - lr * (1 - now / steps) ** power * g


def swa(p, g, average, n, *, t, lr=0.1, every=3):
    """Stochastic weight averaging. Izmailov et al. 2018, Algorithm 1, over gradient descent."""
    p -= lr * g
    if t % every == 0:
        average = (n * average + p) / (n + 1)
        n += 1
    return p, average, n


def lookahead(p, g, m, v, slow, *, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, k=5, alpha=0.5):
    """Lookahead over Adam. Zhang et al. 2019, Algorithm 1."""
    if t == 1:
        slow = p
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    p = p - lr * debiased(m, beta1, t) / (sqrt(debiased(v, beta2, t)) + eps)
    if t % k == 0:
        slow += alpha * (p - slow)
        p = slow
    return p, m, v, slow


def sgld(p, g, *, lr=1e-3, temperature=1.0):
    """Langevin dynamics. Welling & Teh 2011, equation 4: half a step, and noise of variance lr."""
    return p - lr / 2 * g + sqrt(lr * temperature) * normal(p)
