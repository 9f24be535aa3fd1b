# mypy: allow-untyped-defs, allow-untyped-calls
"""Every update rule once, as its paper writes it, simplest first.

A rule is a formula, not a program: `p` is the parameter and `g` its gradient; the other positional
names are the state, 0 before the first step unless a default says otherwise; keyword-only names
are hyper-parameters; `t` is the step, 1 at the first, and `t == 1` asks whether an element has had
none before: rows of a table begin when they are first named. A rule returns the new parameter and
the new state. Nothing about dtypes, blocks, threads or storage may appear here, and the bodies
carry no types, because the same text runs on floats, on arrays and inside compiled kernels.

Hyper-parameters and their defaults follow `torch.optim` where torch has the rule, otherwise the
authors' code; each docstring says where its paper or a well-known library differs.
"""

from adamas.words import abs, exp, log, maximum, minimum, sign, sqrt, where

__all__ = [
    "sgd",
    "momentum",
    "nesterov",
    "adagrad",
    "rmsprop",
    "rmsprop_centered",
    "adadelta",
    "adam",
    "adamw",
    "amsgrad",
    "adamax",
    "nadam",
    "radam",
    "adabelief",
    "lion",
    "ademamix",
    "adan",
    "schedule_free_adamw",
    "cautious_adamw",
]


def sgd(p, g, *, lr=1e-3, weight_decay=0.0):
    """Stochastic gradient descent steps against the gradient.

    Robbins & Monro 1951; Bottou, Curtis & Nocedal 2018, Algorithm 4.1. Weight decay is the L2
    penalty, added to the gradient, here and in every rule below that does not say "decoupled".
    """
    g = g + weight_decay * p
    p = p - lr * g
    return p


def momentum(p, g, m, *, lr=1e-3, beta=0.9, weight_decay=0.0):
    """Heavy-ball momentum steps along a decaying sum of all gradients.

    Polyak 1964; Sutskever et al. 2013, eq. 1-2, in torch's form: `m` is a sum (no factor 1 - beta)
    without lr. Sutskever and Keras keep lr inside `m`, which differs once lr changes.
    """
    g = g + weight_decay * p
    m = beta * m + g
    p = p - lr * m
    return p, m


def nesterov(p, g, m, *, lr=1e-3, beta=0.9, weight_decay=0.0):
    """Nesterov momentum steps on to the point that the momentum alone would reach next.

    Nesterov 1983, rewritten for that point by Bengio et al. 2013, section 3.5. Differs from
    `momentum` in the step only: the gradient counts once more, as in torch and optax.
    """
    g = g + weight_decay * p
    m = beta * m + g
    p = p - lr * (g + beta * m)
    return p, m


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


def schedule_free_adamw(
    p,
    g,
    z,
    v,
    lr_max,
    weight_sum,
    *,
    t,
    lr=2.5e-3,
    beta1=0.9,
    beta2=0.999,
    eps=1e-8,
    r=0.0,
    weight_lr_power=2.0,
    weight_decay=0.0,
):
    """Schedule-Free AdamW replaces the lr schedule by a running average of the iterates.

    Defazio et al. 2024, Algorithm 1, as in the authors' `schedulefree`: `p` is y, where gradients
    are taken; evaluate at x, from `schedule_free_average`. eps as in `adam`, decay at y. Warm-up is
    left to lr, and `lr_max` then gives early iterates the small weights of the authors' warm-up.
    """
    z = p if t == 1 else z
    lr_max = maximum(lr_max, lr)
    weight = t**r * lr_max**weight_lr_power
    weight_sum = weight_sum + weight
    # With lr = 0 so far there is no weight to share, and the share is 0.
    c = weight / (weight_sum if weight_sum > 0 else 1.0)
    v = beta2 * v + (1 - beta2) * g * g
    v_hat = v / (1 - beta2**t)
    u = g / (sqrt(v_hat) + eps) + weight_decay * p
    p = (1 - c) * p + c * z - lr * (1 - beta1 * (1 - c)) * u
    z = z - lr * u
    return p, z, v, lr_max, weight_sum


def schedule_free_average(p, z, *, beta1=0.9):
    """The point x at which a parameter trained by `schedule_free_adamw` is evaluated.

    Defazio et al. 2024, Algorithm 1, the line for y solved for x. Not a rule; needs beta1 > 0.
    """
    return (p - (1 - beta1) * z) / beta1


AVERAGES = {schedule_free_adamw: schedule_free_average}
"""Rules that train at another point than they are evaluated at, and the formula of that point."""


def cautious_adamw(p, g, m, v, *, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=1e-2):
    """Cautious AdamW skips every coordinate whose step would not go against its gradient.

    Liang et al. 2024, Algorithm 1 on `adamw`, but the mask alone, without the rescaling: the
    authors, timm and pytorch_optimizer also divide by the share of the tensor's coordinates that
    move, which takes a sum over the tensor. Steps here are shorter by that share.
    """
    p = (1 - lr * weight_decay) * p
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    u = m_hat / (sqrt(v_hat) + eps)
    p = p - lr * where(u * g > 0, u, 0.0)
    return p, m, v
