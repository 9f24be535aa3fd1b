"""`adamas check` tells the formulas of torch, optax and Keras without being told."""

import json
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adamas.check.dialect import Dialect, identify
from adamas.check.family import family, named
from adamas.check.formulas import path
from adamas.check.plan import varied
from adamas.check.subject import subject
from checked import LikeMLX, Stand, composed
from quick_xla import FLAGS

# What each of them computes, by docs/homes.md, where other tests hold it against the library.
TORCH: list[tuple[str, dict[str, Any], str]] = [
    ("SGD", {}, "sgd"),
    ("SGD", {"momentum": 0.9}, "momentum"),
    ("SGD", {"momentum": 0.9, "nesterov": True}, "nesterov"),
    ("SGD", {"momentum": 0.9, "dampening": 0.5}, "momentum_damped"),
    ("Adagrad", {}, "adagrad"),
    ("Adagrad", {"lr_decay": 0.1}, "adagrad_decayed"),
    ("RMSprop", {}, "rmsprop"),
    ("RMSprop", {"centered": True}, "rmsprop_centered"),
    ("RMSprop", {"momentum": 0.9}, "rmsprop_momentum"),
    ("RMSprop", {"momentum": 0.9, "centered": True}, "rmsprop_centered_momentum"),
    ("Adadelta", {}, "adadelta"),
    ("Adam", {}, "adam"),
    ("Adam", {"weight_decay": 0.5, "amsgrad": True}, "amsgrad"),
    ("AdamW", {}, "adamw"),
    ("AdamW", {"amsgrad": True}, "amsgradw"),
    ("Adamax", {}, "adamax"),
    ("NAdam", {}, "nadam"),
    ("RAdam", {}, "radam"),
]
OTHERS: list[tuple[str, dict[str, Any], str, str]] = [
    ("optax.adamw", {}, "adamw", "decoupled"),
    ("optax.rmsprop", {"momentum": 0.9}, "rmsprop_momentum_eps_lr_inside", "none"),
    ("optax.amsgrad", {}, "amsgrad_corrected_max", "none"),
    ("keras.optimizers.Adam", {}, "adam_eps_hat", "decoupled"),
    ("keras.optimizers.AdamW", {}, "adamw_eps_hat", "decoupled"),
    ("keras.optimizers.SGD", {"momentum": 0.9}, "momentum_lr_inside", "decoupled"),
    ("keras.optimizers.SGD", {"momentum": 0.9, "nesterov": True}, "nesterov_lr_inside",
     "decoupled"),
    ("keras.optimizers.RMSprop", {"centered": True}, "rmsprop_centered_eps_inside", "decoupled"),
    ("keras.optimizers.Nadam", {}, "nadam", "decoupled"),
]  # fmt: skip
CHILD = """
import json, sys
from adamas.check.dialect import identify
from adamas.check.subject import subject
for name, given in json.loads(sys.argv[1]):
    found = identify(subject(name, given))
    print(json.dumps([found.rule, found.decay, found.far.ulps]))
"""


def dialect(optimizer: Any, **given: Any) -> Dialect:
    """What is found of an optimizer."""
    return identify(subject(optimizer, given))


@pytest.mark.parametrize(("name", "given", "rule"), TORCH)
def test_torch(name: str, given: dict[str, Any], rule: str) -> None:
    """Of every class of torch the rule is found, to rounding, and its decay where that differs."""
    found = dialect(f"torch.optim.{name}", **given)
    assert found.rule == rule
    assert found.decay == ("decoupled" if name == "AdamW" else "coupled")
    # torch keeps NAdam's product of momenta in float32.
    assert found.precision == ("narrow" if name == "NAdam" else "full")


def test_optax_and_keras() -> None:
    """Their dialects are found: eps inside or before the correction, lr inside the momentum."""
    environment = {**os.environ, "XLA_FLAGS": FLAGS, "KERAS_BACKEND": "torch"}
    asked = json.dumps([[name, given] for name, given, _, _ in OTHERS])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CHILD, asked],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one[:2] for one in found] == [[rule, decay] for _, _, rule, decay in OTHERS]
    assert all(one[2] < 16 for one in found)


def test_an_adam_without_bias_correction() -> None:
    """What MLX computes has no name among the rules, and every trait of it is told."""
    found = dialect(LikeMLX)
    assert (found.rule, found.decay) == ("family", "coupled")
    wanted = {"momentum": "ema", "second": "ema", "correction": "none", "eps": "outside"}
    assert {k: found.traits[k] for k in wanted} == wanted


@settings(max_examples=15)
@given(
    st.sampled_from(["ema", "sum"]),
    st.sampled_from(["both", "none", "first", "second"]),
    st.sampled_from(["outside", "inside", "hat", "floor"]),
    st.sampled_from(["coupled", "decoupled", "after", "unscaled"]),
)
def test_every_choice_is_told(momentum: str, correction: str, eps: str, decay: str) -> None:
    """Whatever an Adam is made of, momentum, corrections, eps and decay are found to rounding."""
    found = dialect(composed(momentum, correction, eps, decay))
    assert found.rule is not None and found.far.ulps < 64
    if correction in ("none", "first") and eps == "hat":
        eps = "outside"
    assert {k: found.traits[k] for k in ("momentum", "correction", "eps")} == {
        "momentum": momentum, "correction": correction, "eps": eps,
    }  # fmt: skip
    assert found.decay == decay


@settings(max_examples=10)
@given(
    st.floats(1e-4, 0.5), st.floats(0.1, 0.99), st.floats(0.6, 0.9999), st.floats(1e-6, 1e-1),
    st.floats(1e-3, 0.5),
)  # fmt: skip
def test_numbers_that_were_set_are_used(
    lr: float, beta1: float, beta2: float, eps: float, decay: float
) -> None:
    """A formula is recognised under whatever numbers the user gives."""
    found = dialect("torch.optim.AdamW", lr=lr, betas=(beta1, beta2), eps=eps, weight_decay=decay)
    assert (found.rule, found.decay, found.precision) == ("adamw", "decoupled", "full")


def test_traits_of_the_rules_are_those_of_the_family() -> None:
    """A rule that ships and a member that makes its choices are the same formula, to rounding."""
    keys = ("momentum", "second", "correction", "eps", "lookahead")
    members = {tuple(one.traits[key] for key in keys): one for one in family()}
    plan, checked = varied(), []
    values = {"beta1": 0.875, "beta2": 0.96875, "eps": 2.0**-10, "weight_decay": 0.0}
    for base in named():
        made = {"lookahead": "none", **base.traits}
        member = members.get(tuple(made.get(key, "") for key in keys))
        # What else a rule has chosen, no member of the family has.
        if member is None or set(made) - set(keys):
            continue
        checked.append(base.name)
        one, other = (path(formula, plan, values, {}) for formula in (base, member))
        for a, b in zip(one[-1], other[-1], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)
    assert {"adam", "adam_eps_hat", "adabelief", "nadam_constant"} <= set(checked)


def test_what_is_none_of_ours_is_said_to_be() -> None:
    """Rprop is no rule of adamas, and is not called by the nearest one's name."""
    found = dialect("torch.optim.Rprop")
    assert found.rule is None and found.far.at == 1 and found.far.apart > 0.01


def test_where_a_formula_parts_is_told() -> None:
    """Adam with a clip that bites in constant gradients alone parts from `adam` there."""

    class Bounded(Stand):
        def scaled(self, m: Any, v: Any, t: float, one: float, two: float, eps: float) -> Any:
            u = super().scaled(m, v, t, one, two, eps)
            return u if t != 11 else 1.01 * u

    found = dialect(Bounded)
    assert (found.rule, found.base, found.far.at, found.part) == (None, "adam", 11, "constant")
    assert "constant" not in found.far.alike and "varied" in found.far.alike
