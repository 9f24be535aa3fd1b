"""Every rule does what somebody else's implementation does, step by step, states included."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adamas import rules
from foreign import PROBLEMS, SIZE, STEPS, distance, noise, ours, start, step
from foreign_rules import BETAS, CASES, MOMENTS, Case, case_of_torch
from matrix_cases import CASES as MATRICES
from reduction_cases import CASES as SUMS


def compare(rule: str, case: Case, problem: str, hypers: dict[str, float], seed: int) -> None:
    """Run both sides on the same gradients and demand that they agree on p and on every state."""
    grads, mine = ours(getattr(rules, rule), start(seed), PROBLEMS[problem](seed), hypers)
    theirs = case.foreign(start(seed), grads, hypers)
    assert max(distance(mine, theirs).values()) <= case.rtol, distance(mine, theirs)


EVERY_CASE = [
    pytest.param(rule, case, problem, hypers, id=f"{rule}-{case.name}-{problem}-{i}")
    for rule, cases in CASES.items()
    for case in cases
    for problem in PROBLEMS
    for i, hypers in enumerate(case.sets)
]


@pytest.mark.parametrize(("rule", "case", "problem", "hypers"), EVERY_CASE)
def test_agrees_with(rule: str, case: Case, problem: str, hypers: dict[str, float]) -> None:
    """A rule and its foreign implementation agree for 60 steps, on p and on every state."""
    compare(rule, case, problem, hypers, seed=len(rule))


def test_no_rule_without_a_foreign_case() -> None:
    """A rule enters only together with a foreign implementation to be checked against."""
    sums = {case.rule.__name__ for case in (*SUMS.values(), *MATRICES.values())}
    assert {*CASES, *sums} >= set(rules.__all__)
    assert all(cases and all(case.sets for case in cases) for cases in CASES.values())


rates = st.floats(1e-6, 1.0)
betas = st.floats(0.0, 0.9999)
sets = st.fixed_dictionaries(
    {
        "lr": rates,
        "beta1": betas,
        "beta2": betas,
        "eps": st.floats(1e-12, 1e-1),
        "weight_decay": st.floats(0.0, 1.0),
    }
)


@pytest.mark.parametrize(("rule", "optimizer"), [("adam", "Adam"), ("adamw", "AdamW")])
@given(hypers=sets, seed=st.integers(0, 2**32 - 1))
def test_each_step_of_adam_is_torch_s(
    rule: str, optimizer: str, hypers: dict[str, float], seed: int
) -> None:
    """From wherever torch is, Adam and AdamW step where it steps, whatever the hyper-parameters.

    Step by step, because with lr = weight_decay = 1 the sequence itself is chaotic.
    """
    formula = getattr(rules, rule)
    case = case_of_torch(optimizer, BETAS, MOMENTS, (hypers,))
    gradient, p = noise(seed), start(seed)
    grads = [gradient(t, p) for t in range(STEPS)]
    theirs = case.foreign(p, grads, hypers)
    before = [{"p": p, "m": np.zeros(SIZE), "v": np.zeros(SIZE)}, *theirs]
    mine = [
        step(formula, t, g, state, hypers)
        for t, (g, state) in enumerate(zip(grads, before, strict=False), start=1)
    ]
    assert max(distance(mine, theirs).values()) <= 1e-9, distance(mine, theirs)
