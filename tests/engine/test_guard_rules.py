"""Random steps with bad values equal a float64 run that leaves the same blocks out."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import adamas
from adamas import rules
from adamas.engine import phases
from adamas.kernel.formula import Formula, parse
from adamas.kernel.reference import Reference
from family import ELEMENTWISE
from stepping import Array

shapes = st.lists(
    st.lists(st.integers(0, 150), min_size=1, max_size=1)
    | st.lists(st.integers(1, 20), min_size=2, max_size=2),
    min_size=1,
    max_size=3,
)
# Of each step and tensor: no gradient, or the places of what is not finite.
plans = st.lists(
    st.lists(st.none() | st.lists(st.integers(0, 399), max_size=3), min_size=3, max_size=3),
    min_size=1,
    max_size=4,
)


class Kept:
    """A tensor under a rule in float64, whose step may leave blocks out."""

    def __init__(self, formula: Formula, p: Array, lr: float) -> None:
        self.run = Reference(formula, p, lr=lr)

    def step(self, g: Array) -> int:
        """One step; blocks that hold what is not finite stay. How many elements were left out."""
        run, block = self.run, np.arange(g.size) // 128
        lost = np.isin(block, block[~np.isfinite(g.ravel())]).reshape(g.shape)
        if lost.all() and lost.size:
            return int(lost.sum())
        p, state = run.p.copy(), dict(run.state)
        run.step(np.where(lost, 0.0, g))
        run.p = np.where(lost, p, run.p)
        for name in run.formula.states:
            run.state[name] = np.where(lost, state[name], run.state[name])
        return int(lost.sum())


@pytest.mark.parametrize("rule", ELEMENTWISE)
@settings(max_examples=8)
@given(sizes=shapes, plan=plans, threads=st.sampled_from([1, 2]), seed=st.integers(0, 99))
def test_every_rule_leaves_blocks_out(
    rule: str, sizes: list[list[int]], plan: Any, threads: int, seed: int
) -> None:
    """Parameters, states and counts of any rule are those of a run that left the blocks out."""
    rng = np.random.default_rng(seed)
    formula = parse(getattr(rules, rule))
    params = [rng.normal(size=size) for size in sizes]
    kept = [Kept(formula, p, 0.01 * (k + 1)) for k, p in enumerate(params)]
    groups = [{"params": [p], "lr": 0.01 * (k + 1)} for k, p in enumerate(params)]
    optimizer = adamas.Optimizer(getattr(rules, rule), groups, threads=threads)
    # What is set up at a first step is set up for all of a tensor, or not at all.
    whole, steps = optimizer._stepper.store.first.asked, 0
    for step in plan:
        grads: list[Any] = []
        for p, places in zip(params, step, strict=False):
            g = None if places is None or not p.size else rng.normal(size=p.shape)
            for at in places or ():
                if g is not None:
                    g.reshape(-1)[at % g.size] = [np.nan, np.inf, -np.inf][at % 3]
            grads.append(g)
        taking = [(k, g) for k, g in enumerate(grads) if g is not None]
        spoilt = any(not np.isfinite(g).all() for _, g in taking)
        first = whole and any(kept[k].run.t == 0 for k, _ in taking)
        before, out = [one.run.t for one in kept], 0
        if not (spoilt and first):
            out = sum(kept[k].step(g) for k, g in taking)
        moved = [one.run.t for one in kept] != before
        steps += moved or not taking
        if spoilt:
            with pytest.raises(adamas.NonFiniteError) as raised:
                optimizer.step([[g] for g in grads])
            assert raised.value.left == out
        else:
            optimizer.step([[g] for g in grads])
    assert optimizer.steps == steps
    for k, (p, one) in enumerate(zip(params, kept, strict=True)):
        np.testing.assert_allclose(p, one.run.p, rtol=1e-9, atol=1e-11)
        entry = optimizer.state[k]
        assert entry["step"] == one.run.t
        # Before its first step a state may read as what it will begin from.
        for name, value in one.run.state.items() if one.run.t else ():
            np.testing.assert_allclose(entry[name], value, rtol=1e-9, atol=1e-11, err_msg=name)


@pytest.fixture(autouse=True)
def parallel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take as many threads as asked for, however small the arrays are."""
    monkeypatch.setattr(phases, "PARALLEL", 0)
