"""Rules with reductions through the compiled optimizer, traced as the reference is."""

from typing import Any

import numpy as np
import pytest

import adamas
import reduction_rules as own
from adamas import rules
from adamas.kernel.formula import parse
from foreign import Hypers, Trace
from long_form import few_of
from plainly import kept_as
from reduction_foreign import Array

# Those of the family that sum, and one of users' that sums over all tensors.
_FAMILY = {name: getattr(rules, name) for name in rules.__all__}
SUMMING = {name: rule for name, rule in _FAMILY.items() if parse(rule).over}
# Some of them, which take seconds to compile, others in every run.
SOME = few_of(SUMMING, len(SUMMING) // 2)
# One of each structure: norms of tensors; rows and columns; a share of elements; both; a matrix
# with rows behind it; all tensors. What the others compute is held to their packages.
STRUCTURES = ("lamb", "adafactor", "cautious_adamw", "came", "normuon", "prodigy")
_CHOSEN = {name: SUMMING[name] for name in STRUCTURES}
RULES = {name: rule for name, rule in _CHOSEN.items() if "all" not in parse(rule).over}
# With those that sum over all tensors.
EVERY = {**_CHOSEN, "clipped_momentum": own.clipped_momentum}
every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
# In float64, which no other test needs of all of them, every run takes others.
WIDE = few_of(RULES, 3)
wide_rule = pytest.mark.parametrize("rule", [RULES[name] for name in WIDE], ids=WIDE)


def values(optimizer: adamas.Optimizer, key: Any, shape: tuple[int, ...]) -> dict[str, Any]:
    """The states of a parameter, each with the dimensions that let it meet the parameter."""
    kept = kept_as(optimizer.formula, shape)
    found = {**optimizer.state[key], **optimizer.values(key)}
    return {name: np.reshape(found[name], kept[name]) for name in kept}


def by_kernel(rule: Any, p: Array, grads: list[Array], **settings: Any) -> Trace:
    """The rule compiled, on a copy of `p`."""
    p, trace = p.copy(), []
    optimizer = adamas.Optimizer(rule, p, **settings)
    for g in grads:
        optimizer.step(g)
        trace.append({"p": p.copy(), **values(optimizer, 0, p.shape)})
    return trace


def compiled(rule: Any, p: Array, grads: list[Array], hypers: Hypers) -> Trace:
    """The rule compiled, as the reference is called."""
    return by_kernel(rule, p, grads, **hypers)
