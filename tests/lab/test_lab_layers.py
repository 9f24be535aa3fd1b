"""Rules for matrices take part in comparisons on matrices of hidden layers, and nothing else."""

import numpy as np
import pytest

import adamas
from adamas.lab.entrants import entrant
from adamas.lab.needs import LabError
from adamas.lab.page.looks import display_name
from adamas.lab.protocol.first_step import try_out
from adamas.lab.zoo import built_in
from adamas.words import orthogonalize

LR = 0.02


@pytest.mark.parametrize("problem", ["digits", "char-lm-en", "nuclei"])
def test_hidden_matrices_move_by_muon_and_the_rest_by_adamw(problem: str) -> None:
    """A first step is that of Muon's formula with outputs as rows, and of AdamW for the others."""
    task = built_in(problem).task(0)
    params, grads = task.start(), task.start()
    before = {name: value.copy() for name, value in params.items()}
    who = entrant("muon")
    task.gradient(params, next(iter(task.batches())), grads)
    steps = who.begin(params, grads, LR)
    steps.step(grads, 0.0, lambda: 0.0)
    weights = [name for name, value in params.items() if value.ndim > 1]
    by_muon = {"digits": ["W0"], "char-lm-en": ["2.weight"]}.get(problem, weights[:-1])
    for name, value in params.items():
        moved = (value - before[name]).astype(float)
        if name not in by_muon:
            other = before[name].copy()
            adamas.AdamW(other, lr=LR * 1e-3 / 0.02).step(grads[name])
            assert np.allclose(moved, other - before[name], atol=1e-7), name
            continue
        g = grads[name].astype(float)
        g = g.T if name.startswith("W") else g.reshape(len(g), -1)
        scale = np.sqrt(max(1.0, g.shape[0] / g.shape[1]))
        expected = -LR * scale * np.asarray(orthogonalize(0.0975 * g))
        found = moved.T if name.startswith("W") else moved.reshape(len(moved), -1)
        assert np.allclose(found, expected, atol=1e-5), name


def test_rates_move_together() -> None:
    """A schedule or a search that sets Muon's rate sets AdamW's in proportion."""
    params = built_in("digits").task(0).start()
    moved = []
    for lr in (LR, 2 * LR):
        mine = {name: value.copy() for name, value in params.items()}
        steps = entrant("muon:weight_decay=0").begin(mine, mine, LR)
        steps.at(lr)
        steps.step({name: np.ones_like(value) for name, value in mine.items()}, 0.0, lambda: 0.0)
        moved.append((mine["b1"] - params["b1"]).mean())
    assert np.isclose(moved[1], 2 * moved[0], rtol=1e-3)


@pytest.mark.parametrize("problem", ["line", "digits-softmax", "ratings", "sentiment"])
def test_problems_without_hidden_matrices_are_refused(problem: str) -> None:
    """Before the first run, with the parameters that are there."""
    with pytest.raises(LabError, match="muon steps matrices of hidden layers, and here are none"):
        try_out(built_in(problem), [entrant("muon")])


def test_the_page_calls_it_by_both_names() -> None:
    """Whoever reads a verdict sees that AdamW is in it."""
    assert display_name("muon:beta=0.9") == "Muon + AdamW beta=0.9"
    assert display_name("adamw") == "AdamW"
