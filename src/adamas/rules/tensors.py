# mypy: allow-untyped-defs, allow-untyped-calls
"""Rules that measure whole tensors, rows and columns: their step has a size of its own."""

from adamas.words import abs, maximum, mean, minimum, norm, rms, sqrt, total, where

__all__ = [
    "lars",
    "lamb",
    "adamh",
    "stable_adamw",
    "adafactor",
    "came",
    "prodigy",
]


def lars(p, g, m, *, lr=1.0, beta=0.9, trust_coefficient=1e-3, weight_decay=0.0):
    """LARS gives every tensor a step in proportion to the norm of its parameters.

    You, Gitman & Ginsburg 2017 (1708.03888), Algorithm 1: the momentum sums steps, lr among them;
    the ratio is 1 where a norm is 0, as in timm and optax. timm keeps lr outside, and measures
    nothing without decay; optax takes one norm of the sum; pytorch_optimizer leaves out vectors.
    """
    p_norm = norm(p)
    g_norm = norm(g)
    ratio = trust_coefficient * p_norm / (g_norm + weight_decay * p_norm)
    ratio = where(p_norm > 0, where(g_norm > 0, ratio, 1.0), 1.0)
    m = beta * m + lr * ratio * (g + weight_decay * p)
    p = p - m
    return p, m


def lamb(p, g, m, v, *, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-6, weight_decay=0.0):
    """LAMB gives Adam's step the norm of the parameters that it changes, tensor by tensor.

    You et al. 2019 (1904.00962), Algorithm 2 with phi(x) = x, as in optax: the ratio is 1 where a
    norm is 0. timm also clips all gradients together, and measures nothing without decay; Keras
    decays apart from the ratio; pytorch_optimizer limits the norm of the parameters to 10.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    u = m_hat / (sqrt(v_hat) + eps) + weight_decay * p
    p_norm = norm(p)
    u_norm = norm(u)
    ratio = where(p_norm > 0, where(u_norm > 0, p_norm / u_norm, 1.0), 1.0)
    p = p - lr * ratio * u
    return p, m, v


def adamh(p, g, m, v, radius, *, t, lr=1e-2, beta1=0.9, beta2=0.999, eps=1e-8):
    """AdamH keeps the norm of every tensor as it began, and turns it by lr times Adam's step.

    Kingma & Ba 2015, Algorithm 1, in the wrapper of Wen et al. 2026 (2606.16899), Hyperball: with
    R the norm before the first step, p - lr * R * u / ||u|| is put back to the norm R. No decay. A
    tensor of zeros stays. Levanter steps linear layers alone so, Emerging-Optimizers measures R
    anew at every step.
    """
    radius = norm(p) if t == 1 else radius
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    u = m_hat / (sqrt(v_hat) + eps)
    u_norm = norm(u)
    p = p - lr * where(u_norm > 0, radius / u_norm, 0.0) * u
    p_norm = norm(p)
    p = p * where(p_norm > 0, radius / p_norm, 1.0)
    return p, m, v, radius


def stable_adamw(p, g, m, v, *, t, lr=1e-3, beta1=0.9, beta2=0.99, eps=1e-8, weight_decay=1e-2):
    """StableAdamW takes a shorter step with every tensor whose gradients outgrew their mean square.

    Wortsman et al. 2023 (2304.13013), Algorithm 2: Adafactor's clipping in AdamW. Averages are
    corrected as they are taken, and the decay gets shorter too, as in pytorch_optimizer; timm
    (clipping_threshold=1) leaves the decay whole, and adds eps to the root before it measures.
    """
    beta1_t = beta1 * (1 - beta1 ** (t - 1)) / (1 - beta1**t)
    beta2_t = beta2 * (1 - beta2 ** (t - 1)) / (1 - beta2**t)
    m = beta1_t * m + (1 - beta1_t) * g
    v = beta2_t * v + (1 - beta2_t) * g * g
    size = sqrt(mean(g * g / maximum(v, eps * eps)))
    lr_t = lr / maximum(size, 1.0)
    p = (1 - lr_t * weight_decay) * p
    p = p - lr_t * m / (sqrt(v) + eps)
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
    """Adafactor keeps one number a row and one a column in place of a whole second moment.

    Shazeer & Stern 2018 (1804.04235), Algorithm 4 and 5 with relative steps, as in torch:
    eps1 below mean and root, where the paper adds 1e-30 to squares (dialect), lr for its 1e-2. The
    eps1 of torch is of the dtype, 2.2e-16 in float64, and its rows those of the last two
    dimensions of more; a vector keeps its whole second moment.
    """
    k = t**beta2_decay
    alpha = maximum(eps2, rms(p)) * minimum(lr, 1 / sqrt(t))
    p = (1 - lr * weight_decay) * p
    r = (1 - k) * r + k * mean(g * g, over="row")
    c = (1 - k) * c + k * mean(g * g, over="column")
    v_hat = r * c / maximum(mean(r), eps1)
    u = g / sqrt(maximum(v_hat, eps1 * eps1))
    p = p - alpha * u / maximum(1.0, rms(u) / d)
    return p, r, c


def came(
    p,
    g,
    m,
    r,
    c,
    r_res,
    c_res,
    *,
    columns,
    lr=2e-4,
    beta1=0.9,
    beta2=0.999,
    beta3=0.9999,
    eps1=1e-30,
    eps2=1e-16,
    d=1.0,
    weight_decay=0.0,
):
    """CAME is Adafactor with momentum that trusts less what strays from its own mean.

    Luo et al. 2023 (2307.02047), Algorithm 2, with the eps and the decoupled decay of the authors'
    package. As there a vector, and here what has one column, goes by its momentum alone. Rows of
    more than two dimensions are those of the last two there.
    """
    p = (1 - lr * weight_decay) * p
    r = beta2 * r + (1 - beta2) * mean(g * g + eps1, over="row")
    c = beta2 * c + (1 - beta2) * mean(g * g + eps1, over="column")
    u = g / (sqrt(r / mean(r)) * sqrt(c))
    u = u / maximum(1.0, rms(u) / d)
    m = beta1 * m + (1 - beta1) * u
    s = (u - m) * (u - m) + eps2
    r_res = beta3 * r_res + (1 - beta3) * mean(s, over="row")
    c_res = beta3 * c_res + (1 - beta3) * mean(s, over="column")
    p = p - lr * (m / (sqrt(r_res / mean(r_res)) * sqrt(c_res)) if columns > 1 else m)
    return p, m, r, c, r_res, c_res


def prodigy(
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
    """Prodigy is Adam that finds its own lr from how far all parameters have come.

    Mishchenko & Defazio 2023 (2306.06101), Algorithm 4 as in the authors' package: decoupled decay,
    beta3 = sqrt(beta2), eps times the new d (paper: the old). optax corrects the bias as well
    (dialect). `d` and its numerator are of all tensors together.
    """
    p0 = p if t == 1 else p0
    d = maximum(d, d0)
    beta3 = sqrt(beta2)
    lr_t = d * lr
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
