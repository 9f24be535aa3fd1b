"""Muon and its family go where torch, optax, timm and pytorch_optimizer go, in every dialect."""

import importlib
import itertools
from typing import Any

import numpy as np
import pytest

from adamas import dialects, rules
from foreign import distance, of_torch
from long_form import LONG, few_of, sampled
from matrix_cases import BUFFER, CASES, MOMENTUM, SHAPES, SLOW
from reduction_foreign import by_reference, gradients, start
from reduction_steps import by_kernel, compiled

torch: Any = importlib.import_module("torch")


FITTING = [
    (name, shape)
    for name, shape in itertools.product(CASES, SHAPES)
    if len(shape) > 1 or CASES[name].vectors
]


@pytest.mark.parametrize(
    ("name", "shape", "numbers"),
    [(*case, k) for case, k in sampled(itertools.product(FITTING, (0, 1)), len(FITTING))],
    ids=str,
)
def test_a_rule_goes_where_they_go(name: str, shape: tuple[int, ...], numbers: int) -> None:
    """Line by line in float64, fifty steps differ from theirs by roundings alone."""
    case, p, grads = CASES[name], start(shape, "float64"), gradients(shape, "float64")
    theirs = case.foreign(p, grads, case.sets[numbers])
    run = by_reference(case.rule, p, grads, case.sets[numbers])
    assert max(distance(run, theirs).values()) < case.near["float64"]


# Each rule and each shape in float32; kernels in float64, which take seconds to compile for this
# test alone, of other rules in every run.
COMPILED = [
    *((name, shape, "float32") for name, shape in sampled(FITTING, 20)),
    *((*case, "float64") for case in few_of(FITTING, 2)),
]


@pytest.mark.parametrize(("name", "shape", "dtype"), COMPILED, ids=str)
def test_a_compiled_rule_goes_where_they_go(name: str, shape: tuple[int, ...], dtype: str) -> None:
    """Compiled, fifty steps differ from theirs by roundings alone."""
    case, p, grads = CASES[name], start(shape, dtype), gradients(shape, dtype)
    theirs = case.foreign(p, grads, case.sets[1])
    mine = by_kernel(case.rule, p, grads, **case.sets[1])
    assert mine[0]["p"].dtype == theirs[0]["p"].dtype == dtype
    assert max(distance(mine, theirs).values()) < case.near[dtype]


def test_torch_as_it_is_goes_there_within_bfloat16() -> None:
    """Its Newton-Schulz steps in bfloat16 turn a step by less than a tenth of its length."""
    p, grads = start((64, 64), "float32"), gradients((64, 64), "float32")[:10]
    theirs = of_torch(torch.optim.Muon, MOMENTUM, BUFFER)(p, grads, SLOW)
    mine = by_kernel(rules.muon, p, grads, **SLOW)
    moved = mine[-1]["p"] - p
    assert 1e-4 < np.linalg.norm(theirs[-1]["p"] - mine[-1]["p"]) / np.linalg.norm(moved) < 0.1


# What a formula says by itself; of the kernels in the long form only.
every_run = pytest.mark.parametrize("run", [by_reference, *LONG * [compiled]])


@every_run
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_moonlight_steps_alike_with_a_longer_momentum(shape: tuple[int, ...], run: Any) -> None:
    """Its momentum is larger by 1 / (1 - beta) and has the same direction."""
    p, grads = start(shape, "float64"), gradients(shape, "float64")
    damped = run(dialects.muon_match_rms_adamw, p, grads, {})
    full = run(dialects.muon_moonlight, p, grads, {})
    scaled = [{"p": one["p"], "m": one["m"] * (1 - 0.95)} for one in full]
    assert max(distance(scaled, damped).values()) < 1e-12


@every_run
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_step_is_as_long_as_the_dialect_says(shape: tuple[int, ...], run: Any) -> None:
    """NorMuon and AdaMuon step 0.2 lr in root mean square; `muon_match_rms_adamw` about that."""
    p, g = start(shape, "float64"), gradients(shape, "float64")[0]
    for rule, low, high in (
        (rules.normuon, 1 - 1e-6, 1 + 1e-6),
        (rules.adamuon, 1 - 1e-6, 1 + 1e-6),
        # Jordan's steps leave singular values from 0.68 to 1.14, and one, here of three, is 0.
        (dialects.muon_match_rms_adamw, 0.68 * (2 / 3) ** 0.5, 1.14),
    ):
        moved = run(rule, p, [g], {"lr": 0.1, "weight_decay": 0.0})[0]["p"] - p
        assert low < np.sqrt(np.mean(moved**2)) / (0.2 * 0.1) < high


@every_run
def test_normuon_levels_rows(run: Any) -> None:
    """A row of small gradients is stepped as far as the others, over the average that it keeps."""
    rng = np.random.default_rng(0)
    scale = np.geomspace(1e-3, 1, 16)[:, None]
    p = np.zeros((16, 40))
    grads = [scale * rng.normal(size=p.shape) for _ in range(60)]
    rows = {}
    for rule in (rules.muon, rules.normuon):
        path = [step["p"] for step in run(rule, p, grads, {"weight_decay": 0.0})]
        moved = np.linalg.norm(np.diff(path, axis=0)[20:], axis=2).mean(axis=0)
        rows[rule.__name__] = moved.max() / moved.min()
    assert rows["normuon"] < 1.1 < 2 < rows["muon"]
