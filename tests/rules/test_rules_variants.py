"""Where a well-known implementation differs from a rule, it differs as the rule's text says.

Most variants are shown from both sides: under hyper-parameters that make the named difference
vanish the two agree to rounding, and under others they part.
"""

import importlib
import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pytest

from adamas import rules
from foreign import (
    STEPS,
    Array,
    Hypers,
    Trace,
    distance,
    noise,
    of_torch,
    ours,
    quadratic,
    start,
    step,
)
from foreign_rules import (
    BETAS,
    MOMENTS,
    from_optax,
    one_tensor,
    schedule_free,
    schedule_free_state,
)
from reduction_foreign import timm

torch: Any = importlib.import_module("torch")
optax: Any = importlib.import_module("optax")
peers: Any = importlib.import_module("pytorch_optimizer")
sklearn: Any = importlib.import_module("sklearn.neural_network._stochastic_optimizers")


class Variant(NamedTuple):
    """Another form of a rule in optax, and when it is the same as ours and when not."""

    rule: str
    make: Callable[..., Any]
    same: Hypers
    other: Hypers


def without(make: Callable[..., Any], *missing: str, **fixed: Any) -> Callable[..., Any]:
    """Call an optax function without the hyper-parameters it does not have."""
    return lambda **kw: make(**{k: v for k, v in kw.items() if k not in missing}, **fixed)


def rms(*, b2: float, **hypers: Any) -> Any:
    """Make optax's RMSProp, whose decay has another name."""
    return optax.rmsprop(decay=b2, **hypers)


WD = "weight_decay"
VARIANTS = {
    "optax's Adan weights the difference by 1 - beta2": Variant(
        "adan", partial(optax.adan, eps_root=0.0), {"beta2": 0.5}, {}
    ),
    "optax's RAdam adds eps after the bias correction": Variant(
        "radam", without(optax.radam, WD), {"eps": 0.0}, {"eps": 1e-2}
    ),
    "optax's AMSGrad takes the maximum after the bias correction": Variant(
        "amsgrad", without(optax.amsgrad, WD), {"beta2": 0.0}, {}
    ),
    "optax's NAdam keeps its momentum constant": Variant(
        "nadam", without(optax.nadam, WD, "momentum_decay"), {"momentum_decay": 1e6}, {}
    ),
    "optax's Adagrad adds eps inside the root": Variant(
        "adagrad",
        without(optax.adagrad, WD, initial_accumulator_value=0.0),
        {"eps": 0.0},
        {"eps": 1e-2},
    ),
    "optax's RMSProp adds eps inside the root": Variant(
        "rmsprop", without(rms, WD), {"eps": 0.0}, {"eps": 1e-2}
    ),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_the_difference_is_the_one_named(name: str) -> None:
    """Without the named difference the two agree to rounding; with it they part visibly."""
    rule, make, same, other = VARIANTS[name]
    formula = getattr(rules, rule)
    foreign = from_optax(formula, make)
    far = []
    for hypers in (same, other):
        grads, mine = ours(formula, start(3), quadratic(3), hypers)
        far.append(distance(mine, foreign(start(3), grads, hypers))["p"])
    assert far[0] < 1e-12
    assert far[1] > 1e-5


def sklearn_steps(optimizer: Any, p: Array, grads: list[Array]) -> Trace:
    """Run an optimizer of sklearn, which changes p in place."""
    x = p.copy()
    trace: Trace = []
    for g in grads:
        optimizer.update_params([x], [g])
        trace.append({"p": x.copy()})
    return trace


def test_epsilon_hat_is_a_growing_eps() -> None:
    """Epsilon-hat, in sklearn and Keras, is `adam` with eps / sqrt(1 - beta2**t)."""
    p, gradient, hat = start(4), noise(4), 1e-2
    grads = [gradient(t, p) for t in range(STEPS)]
    now: dict[str, Any] = {"p": p, "m": 0.0, "v": 0.0}
    mine: Trace = []
    for t, g in enumerate(grads, start=1):
        now = step(rules.adam, t, g, now, {"eps": hat / math.sqrt(1 - 0.999**t)})
        mine.append(now)
    theirs = sklearn_steps(sklearn.AdamOptimizer([p], epsilon=hat), p, grads)
    assert distance(mine, theirs)["p"] < 1e-12
    _, plain = ours(rules.adam, p, noise(4), {"eps": hat})
    assert distance(plain, theirs)["p"] > 1e-4


@pytest.mark.parametrize("rule", [rules.momentum, rules.nesterov])
def test_lr_inside_the_momentum_is_the_same_while_lr_is_constant(rule: Callable[..., Any]) -> None:
    """With lr inside the momentum, in sklearn and Keras, a constant lr gives the same points.

    Both sides are left to their momentum of 0.9.
    """
    grads, mine = ours(rule, start(5), quadratic(5), {"lr": 0.01})
    optimizer = sklearn.SGDOptimizer(
        [start(5)], learning_rate_init=0.01, nesterov=rule is rules.nesterov
    )
    assert distance(mine, sklearn_steps(optimizer, start(5), grads))["p"] < 1e-12


def test_centered_rmsprop_survives_rounding() -> None:
    """After 3226 equal gradients of 0.1 rounding makes torch's variance negative, not ours."""
    p = torch.zeros(1, dtype=torch.float64)
    optimizer = torch.optim.RMSprop([p], centered=True, foreach=False)
    now: dict[str, Any] = {"p": np.zeros(1), "m": 0.0, "v": 0.0}
    for t in range(1, 3500):
        p.grad = torch.full_like(p, 0.1)
        optimizer.step()
        now = step(rules.rmsprop_centered, t, np.full(1, 0.1), now, {})
    assert torch.isnan(p).all()
    assert np.isfinite(now["p"]).all()


@pytest.mark.parametrize("t", [1, 10, 39, 40, 41, 1000])
@pytest.mark.parametrize("beta1", [0.0, 0.5, 0.9])
def test_beta3_warms_up_linearly_in_its_half_life(t: int, beta1: float) -> None:
    """AdEMAMix's beta3 has the half-life that the authors' code interpolates.

    Of a first gradient of 1, `m2` keeps 1 - beta3. The authors add 1e-8 to a beta before its
    logarithm, which the tolerance covers.
    """
    hypers = {"beta1": beta1, "beta3": 0.99, "beta3_warmup": 40}
    start_from: dict[str, Any] = {"p": np.zeros(1), "m1": 0.0, "m2": 0.0, "v": 0.0}
    kept = 1 - step(rules.ademamix, t, np.ones(1), start_from, hypers)["m2"]

    def half_life(beta: float) -> float:
        return math.log(0.5) / math.log(beta + 1e-8) - 1

    done = min(t / 40, 1.0)
    mean = (1 - done) * half_life(beta1) + done * half_life(0.99)
    np.testing.assert_allclose(kept, 0.5 ** (1 / (mean + 1)), rtol=1e-6)


def test_masked_steps_lack_only_the_rescaling() -> None:
    """pytorch_optimizer's cautious step is ours times n / (kept + 1), over the whole tensor."""
    hypers = {"lr": 0.01, "weight_decay": 0.0}
    grads, mine = ours(rules.masked_adamw, start(6), noise(6), hypers)
    mix = {"alpha": 0.0, "cautious": True, "weight_decouple": True, "betas": (0.9, 0.999, 0.9)}
    theirs = of_torch(one_tensor(peers.AdEMAMix, **mix), BETAS, {})(start(6), grads, hypers)
    our_steps = np.diff([start(6), *(now["p"] for now in mine)], axis=0)
    their_steps = np.diff([start(6), *(now["p"] for now in theirs)], axis=0)
    kept = (our_steps != 0).sum(axis=1, keepdims=True)
    assert kept.min() < kept.max() < grads[0].size
    np.testing.assert_allclose(
        our_steps * grads[0].size / (kept + 1), their_steps, rtol=1e-9, atol=1e-14
    )


@pytest.mark.parametrize("told", [False, True])
def test_adamc_finds_the_peak_of_a_falling_schedule(told: bool) -> None:
    """While lr falls, the largest so far is the lr that timm was made with; `max_lr` says it, too.

    Where lr rises first, only who was told the peak decays as timm does.
    """
    p, gradient, peak = start(9), noise(9), 0.05
    grads = [gradient(t, p) for t in range(STEPS)]
    for rising in (False, True):
        rates = [peak * (min(t / 20, 1.0) if rising else 1 - t / 80) for t in range(1, STEPS + 1)]
        x = torch.tensor(p)
        made = partial(timm("adamw").AdamWLegacy, corrected_weight_decay=True, foreach=False)
        theirs = made([x], lr=peak if rising else rates[0], weight_decay=0.5)
        hypers = {"weight_decay": 0.5, "max_lr": theirs.param_groups[0]["lr"] * told}
        now: dict[str, Any] = {"p": p, **dict.fromkeys((*MOMENTS, "lr_max"), 0.0)}
        for t, (g, lr) in enumerate(zip(grads, rates, strict=True), start=1):
            theirs.param_groups[0]["lr"] = lr
            x.grad = torch.tensor(g)
            theirs.step()
            now = step(rules.adamc, t, g, now, {**hypers, "lr": lr})
        far = np.abs(now["p"] - x.numpy()).max()
        assert far < 1e-12 if told or not rising else far > 1e-4


def test_pytorch_optimizer_cuts_adopt_off_a_step_later() -> None:
    """Its ADOPT is ours but for a bound of t**0.25, with which some quotients are larger."""
    hypers = {"lr": 0.01}
    grads, mine = ours(rules.adopt, start(6), noise(6), hypers)
    later = one_tensor(peers.ADOPT, clip_lambda=lambda t: (t - 1) ** 0.25)
    for make, least, most in ((later, 0.0, 1e-12), (one_tensor(peers.ADOPT), 1e-4, np.inf)):
        theirs = of_torch(make, BETAS, {})(start(6), grads, hypers)
        assert least <= distance(mine, theirs)["p"] <= most


def test_the_authors_adabelief_begins_without_dividing() -> None:
    """Rectified as in its authors' package, AdaBelief's first steps are momentum's; ours divide."""
    hypers = {"lr": 0.01}
    grads, mine = ours(rules.adabelief, start(7), quadratic(7), hypers)
    rectified = of_torch(one_tensor(peers.AdaBelief, rectify=True), BETAS, {})
    theirs = rectified(start(7), grads, hypers)
    np.testing.assert_allclose(theirs[0]["p"], start(7) - 0.01 * grads[0], rtol=1e-12)
    assert distance(mine[:1], theirs[:1])["p"] > 1e-3


def test_schedule_free_warm_up_is_a_warm_up_of_lr() -> None:
    """The warm-up of the authors' package is had by warming lr up, and x is what they evaluate."""
    p, gradient = start(8), noise(8)
    grads = [gradient(t, p) for t in range(STEPS)]
    optimizers = []

    def remembered(*args: Any, **hypers: Any) -> Any:
        optimizers.append(schedule_free(*args, warmup_steps=20, **hypers))
        return optimizers[0]

    theirs = of_torch(remembered, BETAS, schedule_free_state)(p, grads, {"lr": 0.05})
    now: dict[str, Any] = {"p": p, **dict.fromkeys(("z", "v", "lr_max", "weight_sum"), 0.0)}
    mine: Trace = []
    for t, g in enumerate(grads, start=1):
        now = step(rules.schedule_free_adamw, t, g, now, {"lr": 0.05 * min(t / 20, 1.0)})
        mine.append(now)
    assert max(distance(mine, theirs).values()) < 1e-12
    optimizers[0].eval()
    average: Any = rules.schedule_free_average
    x = average(now["p"], now["z"], beta1=0.9)
    np.testing.assert_allclose(x, optimizers[0].param_groups[0]["params"][0].numpy(), rtol=1e-11)
