"""Settings that the kernels' dtype cannot hold are refused by name, before anything changes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import adamas
from family import ELEMENTWISE
from stepping import make, snapshot

BIG: dict[str, Any] = {
    "lr": (adamas.SGD, {"lr": 1e39}),
    "a product": (adamas.AdamW, {"lr": 1e20, "weight_decay": 1e20}),
    "beyond float64": (adamas.AdamW, {"lr": 1e200, "weight_decay": 1e200}),
}


@pytest.mark.parametrize("case", BIG)
@pytest.mark.parametrize("kind", [np.float32, np.uint16])
def test_too_large_for_float32(case: str, kind: Any) -> None:
    """A constant beyond float32 is refused in the constructor, a group, a schedule and a state."""
    make_one, big = BIG[case]
    w = np.zeros(3, kind)
    with pytest.raises(ValueError, match=r"lr=1e\+\d+.* float32, whose largest number is 3.4e\+38"):
        make_one(w, **big)
    with pytest.raises(ValueError, match="stepped in float32"):
        make_one([{"params": w, **big}])
    optimizer = make_one(w, lr=0.1)
    g = np.ones(3, np.float32)
    optimizer.step(g)
    before, group = snapshot(optimizer), dict(optimizer.param_groups[0])
    saved = optimizer.state_dict()
    saved["param_groups"][0].update(big)
    acts: list[Callable[[], object]] = [
        lambda: optimizer.param_groups[0].update(big),
        lambda: optimizer.load_state_dict(saved),
    ]
    for act in acts:
        with pytest.raises(ValueError, match="stepped in float32"):
            act()
    assert (snapshot(optimizer), dict(optimizer.param_groups[0])) == (before, group)
    optimizer.param_groups[0].update({name: lambda t, x=x: x for name, x in big.items()})
    for _ in range(2):
        with pytest.raises(ValueError, match="stepped in float32"):
            optimizer.step(g)
    assert snapshot(optimizer) == before
    optimizer.param_groups[0].update(group)
    optimizer.step(g)


def test_float64_parameters_may_have_more() -> None:
    """What float64 holds is stepped with in float64."""
    w = np.zeros(2)
    adamas.SGD(w, lr=1e39).step(np.array([1.0, -2.0]))
    assert w.tolist() == [-1e39, 2e39]
    with pytest.raises(ValueError, match="stepped in float64, whose largest number"):
        adamas.AdamW(w, lr=1e200, weight_decay=1e200)


@pytest.mark.parametrize("rule", ELEMENTWISE)
def test_no_rule_is_refused_as_it_is_used(rule: str) -> None:
    """Zeros, tiny and large usual settings pass at every step, for the whole family."""
    hypers = make(rule, np.zeros(2, np.float32)).settings()
    settings: list[dict[str, float]] = [{}, {"lr": 0.0}, {"lr": 1e6}, {"lr": 1e-30}]
    settings += [{name: 1e-15} for name in hypers if name in ("eps", "weight_decay")]
    settings += [{name: 0.0} for name in hypers if name.startswith("beta")]
    for each in settings:
        optimizer = make(rule, np.zeros(2, np.float32), **each)
        for t in (1, 2, 5, 6, 1000, 10**6):
            optimizer._settings._limits.check(0, optimizer.settings(), t)
