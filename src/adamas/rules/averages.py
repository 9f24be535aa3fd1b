# mypy: allow-untyped-defs, allow-untyped-calls
"""Rules that train at one point and are evaluated at another, an average."""

from adamas.words import maximum, sqrt

__all__ = [
    "AVERAGES",
    "schedule_free_sgd",
    "schedule_free_adamw",
    "schedule_free_radam",
    "schedule_free_average",
]


def schedule_free_sgd(
    p,
    g,
    z,
    lr_max,
    weight_sum,
    *,
    t,
    lr=1.0,
    beta1=0.9,
    r=0.0,
    weight_lr_power=2.0,
    weight_decay=0.0,
):
    """Schedule-Free SGD replaces the lr schedule by a running average of the iterates.

    Defazio et al. 2024, arXiv 2405.15682, as in the authors' `schedulefree`, where beta1 is called
    momentum: `p` is y, where gradients are taken; evaluate at x, from `schedule_free_average`. The
    decay is an L2 penalty at y.
    """
    z = p if t == 1 else z
    lr_max = maximum(lr_max, lr)
    weight = t**r * lr_max**weight_lr_power
    weight_sum = weight_sum + weight
    # With lr = 0 so far there is no weight to share, and the share is 0.
    c = weight / (weight_sum if weight_sum > 0 else 1.0)
    u = g + weight_decay * p
    p = (1 - c) * p + c * z - lr * (1 - beta1 * (1 - c)) * u
    z = z - lr * u
    return p, z, lr_max, weight_sum


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


def schedule_free_radam(
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
    """Schedule-Free RAdam is `schedule_free_adamw` warmed up by the rectification of RAdam.

    Defazio et al. 2024, Algorithm 1, with the rate of Liu et al. 2020, Algorithm 2, in place of lr,
    as in the authors' `schedulefree` by default: rectified at rho > 4, and before that nothing
    moves. Their silent_sgd_phase=False, first steps without a root, is another rule.
    """
    z = p if t == 1 else z
    v = beta2 * v + (1 - beta2) * g * g
    v_hat = v / (1 - beta2**t)
    rho_inf = 2 / (1 - beta2) - 1
    rho = rho_inf - 2 * t * beta2**t / (1 - beta2**t)
    # For rho > 4 both cut-offs are idle; below, they keep the unused root finite.
    grown = maximum((rho - 4) * (rho - 2) * rho_inf, 0.0)
    full = maximum((rho_inf - 4) * (rho_inf - 2) * rho, 1e-12)
    rate = lr * sqrt(grown / full) if rho > 4 else 0.0
    lr_max = maximum(lr_max, rate)
    weight = t**r * lr_max**weight_lr_power
    weight_sum = weight_sum + weight
    c = weight / (weight_sum if weight_sum > 0 else 1.0)
    u = g / (sqrt(v_hat) + eps) + weight_decay * p
    p = (1 - c) * p + c * z - rate * (1 - beta1 * (1 - c)) * u
    z = z - rate * u
    return p, z, v, lr_max, weight_sum


def schedule_free_average(p, z, *, beta1=0.9):
    """The point x at which a parameter trained by a schedule-free rule is evaluated.

    Defazio et al. 2024, Algorithm 1, the line for y solved for x. Not a rule; needs beta1 > 0.
    """
    return (p - (1 - beta1) * z) / beta1


AVERAGES = {
    schedule_free_sgd: schedule_free_average,
    schedule_free_adamw: schedule_free_average,
    schedule_free_radam: schedule_free_average,
}
"""Rules that train at another point than they are evaluated at, and the formula of that point."""
