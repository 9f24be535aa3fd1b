# mypy: allow-untyped-defs
"""Rules over whole tensors, rows and columns, as a user types them from a package or a paper.

None of them is in the family. `test_reductions_foreign` holds each beside somebody else's, and
other tests take them as rules of several passes.
"""

from adamas.words import maximum, mean, norm, rms, sign, sqrt, total, where


def lamb(p, g, m, v, *, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-6, weight_decay=0.0):
    """LAMB. You et al. 2019, Algorithm 2 with phi(x) = x, as in optax: the ratio is 1 at a zero."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    u = m / (1 - beta1**t) / (sqrt(v / (1 - beta2**t)) + eps) + weight_decay * p
    p_norm = norm(p)
    u_norm = norm(u)
    ratio = where(p_norm > 0, where(u_norm > 0, p_norm / u_norm, 1.0), 1.0)
    p = p - lr * ratio * u
    return p, m, v


def adafactor(
    p,
    g,
    r,
    c,
    *,
    t,
    lr=1e-2,
    beta2_decay=-0.8,
    eps1=1.1920929e-07,
    eps2=1e-3,
    d=1.0,
    weight_decay=0.0,
):
    """Adafactor. Shazeer & Stern 2018, Algorithms 4 and 5, with the eps of `torch.optim`."""
    k = t**beta2_decay
    alpha = maximum(eps2, rms(p)) * (lr if lr < 1 / sqrt(t) else 1 / sqrt(t))
    p = p * (1 - lr * weight_decay)
    r = (1 - k) * r + k * mean(g * g, over="row")
    c = (1 - k) * c + k * mean(g * g, over="column")
    v = r * c / maximum(mean(r), eps1)
    u = g / sqrt(maximum(v, eps1 * eps1))
    p = p - alpha * u / maximum(1.0, rms(u) / d)
    return p, r, c


def adafactor_of_optax(
    p, g, r, c, *, t, lr=1e-2, decay_rate=0.8, eps=1e-30, limit=1.0, weight_decay=0.0
):
    """Adafactor with the paper's eps, inside the mean of squares, as in optax."""
    decay = 1 - t**-decay_rate
    r = decay * r + (1 - decay) * mean(g * g + eps, over="row")
    c = decay * c + (1 - decay) * mean(g * g + eps, over="column")
    u = g / (sqrt(r / mean(r)) * sqrt(c))
    u = u / maximum(1.0, rms(u) / limit)
    return p - (lr * maximum(rms(p), 1e-3) * u + weight_decay * p), r, c


def cautious(p, g, m, v, *, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=1e-2):
    """Cautious AdamW. Liang et al. 2024, Algorithm 1 with its rescaling, as in timm."""
    p = (1 - lr * weight_decay) * p
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    u = m / (1 - beta1**t) / (sqrt(v / (1 - beta2**t)) + eps)
    mask = where(u * g > 0, 1.0, 0.0)
    p = p - lr * u * mask / maximum(mean(mask), 1e-3)
    return p, m, v


def cautious_lion(p, g, m, *, rows, columns, lr=1e-4, beta1=0.9, beta2=0.99):
    """Cautious Lion with the rescaling of pytorch_optimizer, which counts one coordinate more."""
    u = sign(beta1 * m + (1 - beta1) * g)
    m = beta2 * m + (1 - beta2) * g
    mask = where(u * g > 0, 1.0, 0.0)
    p = p - lr * u * mask * (rows * columns / (total(mask) + 1))
    return p, m


def clipped_momentum(p, g, m, *, lr=0.1, beta=0.9, limit=1.0):
    """Momentum on gradients whose norm over all tensors has a limit. Pascanu et al. 2013."""
    length = norm(g, over="all")
    g = g * where(length > limit, limit / length, 1.0)
    m = beta * m + g
    return p - lr * m, m
