"""Rules with reductions through the compiled optimizer, traced as the reference is."""

from typing import Any

import numpy as np
import pytest

import adamas
import reduction_rules as own
from adamas import rules
from adamas.kernel.formula import parse
from foreign import Trace
from plainly import kept_as
from reduction_foreign import Array

# Those of the family that sum, and one of users' that sums over all tensors.
SUMMING = {name: getattr(rules, name) for name in rules.__all__ if parse(getattr(rules, name)).over}
RULES = {name: rule for name, rule in SUMMING.items() if "all" not in parse(rule).over}
EVERY = {**SUMMING, "clipped_momentum": own.clipped_momentum}
every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
# With those that sum over all tensors.
also_over_all = pytest.mark.parametrize("rule", EVERY.values(), ids=EVERY)


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
