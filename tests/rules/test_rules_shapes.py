"""Rules without sums, as compiled kernels in float32 and float64, beside somebody else's optimizer.

`test_rules_foreign` compares formulas; here are the steps that a user gets, on arrays of every kind
of shape, for 50 steps.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import adamas
from adamas import rules
from foreign import Hypers, float64_by_default, hypers_of, spell, torch
from foreign_rules import (
    BETAS,
    atan2,
    one_tensor,
    peaking,
    peers,
    schedule_free,
    timm_adopt,
    timm_laprop,
)
from reduction_foreign import SHAPES, STEPS, Array, gradients, start

Names = dict[str, str | tuple[str, int]]
# The foreign optimizer, what it calls hyper-parameters, and those that both get.
FOREIGN: dict[str, tuple[Callable[..., Any], Names, Hypers]] = {
    "adam_atan2": (atan2, BETAS, {"weight_decay": 0.1}),
    "adamc": (peaking, BETAS, {"weight_decay": 0.1, "max_lr": 4e-3}),
    # Without decay it is AdamW; with it, see `test_rules_foreign`.
    "cautious_decay_adamw": (
        one_tensor(torch.optim.AdamW), BETAS, {"weight_decay": 0.0, "beta1": 0.5},
    ),
    "laprop": (timm_laprop, BETAS, {"weight_decay": 0.1}),
    "adopt": (timm_adopt, BETAS, {"weight_decay": 0.1}),
    "grams": (one_tensor(peers.Grams), BETAS, {"weight_decay": 0.1}),
    "signum": (one_tensor(peers.SignSGD), {"beta": "momentum"}, {"weight_decay": 0.1}),
    "schedule_free_sgd": (
        partial(schedule_free, kind="SGD"), {"beta1": "momentum"}, {"lr": 0.01, "weight_decay": 0.1}
    ),
    "schedule_free_adamw": (schedule_free, BETAS, {"weight_decay": 0.1}),
    "schedule_free_radam": (partial(schedule_free, kind="RAdam"), BETAS, {"weight_decay": 0.1}),
}  # fmt: skip
# Of the way that both went. In float32 it is what 50 roundings of a parameter near 1 make of steps
# of 1e-3: 1.3e-4 for laprop, 1.2e-4 and 5e-5 for schedule-free RAdam and AdamW, at most 5e-6 else.
CLOSE = {"float32": 2e-4, "float64": 5e-12}


def theirs(rule: str, dtype: str) -> list[Array]:
    """Where the foreign optimizer ends, with every array a tensor."""
    make, names, hypers = FOREIGN[rule]
    tensors = [torch.tensor(start(shape, dtype)) for shape in SHAPES]
    every = {**hypers_of(getattr(rules, rule)), **hypers}
    for missing in {"r", "weight_lr_power"} & every.keys():
        del every[missing]
    if rule == "adam_atan2":
        every |= {"a": 1.27, "b": 1.0}
    # Their numbers of a step are then float64, as ours are.
    with float64_by_default():
        optimizer = make(tensors, **spell(every, names))
        for grads in zip(*(gradients(shape, dtype) for shape in SHAPES), strict=True):
            for p, g in zip(tensors, grads, strict=True):
                p.grad = torch.tensor(g)
            optimizer.step()
    return [p.detach().numpy() for p in tensors]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rule", FOREIGN)
def test_fifty_steps_on_every_shape(rule: str, dtype: str) -> None:
    """Tall, wide, square, one and four dimensions and a single number end where theirs end."""
    arrays = [start(shape, dtype) for shape in SHAPES]
    optimizer = adamas.Optimizer(getattr(rules, rule), arrays, **FOREIGN[rule][2])
    for grads in zip(*(gradients(shape, dtype) for shape in SHAPES), strict=True):
        optimizer.step([g.copy() for g in grads])
    assert optimizer.steps == STEPS
    for mine, other, shape in zip(arrays, theirs(rule, dtype), SHAPES, strict=True):
        way = np.linalg.norm(other.astype(np.float64) - start(shape, dtype))
        far = np.linalg.norm(mine.astype(np.float64) - other) / way
        assert far <= CLOSE[dtype], (shape, far)
