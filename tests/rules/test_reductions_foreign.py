"""Rules with sums go where optax, torch, timm, pytorch_optimizer and their authors' packages go.

More than two dimensions are the first against the rest here. torch's Adafactor and CAME
factor the last two and optax's Adafactor the longest two, so four dimensions are compared with
theirs on the matrix of (8, 36).
"""

import importlib
import itertools
from typing import Any

import numpy as np
import pytest
import torch

import adamas
from adamas import rules
from foreign import distance
from long_form import LONG, few_of, sampled
from reduction_cases import CASES, Case
from reduction_foreign import SHAPES, by_reference, gradients, start
from reduction_steps import compiled

# Each rule in float32, which its class steps in too, and each shape; kernels in float64, which take
# seconds to compile for this test alone, of other rules in every run.
COMPILED = [
    *((name, shape, "float32") for name, shape in sampled(itertools.product(CASES, SHAPES), 28)),
    *((name, shape, "float64") for name in few_of(CASES, 3) for shape in SHAPES),
]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize(("shape", "numbers"), sampled(itertools.product(SHAPES, (0, 1)), 7))
def test_a_rule_goes_where_they_go(case: Case, shape: tuple[int, ...], numbers: int) -> None:
    """Line by line in float64, fifty steps differ from theirs by roundings alone."""
    p, grads, hypers = start(shape, "float64"), gradients(shape, "float64"), case.sets[numbers]
    theirs = case.foreign(p, grads, hypers)
    run = by_reference(case.rule, p, grads, hypers)
    assert max(distance(run, theirs).values()) < case.near["float64"]


@pytest.mark.parametrize(("name", "shape", "dtype"), COMPILED, ids=str)
def test_a_compiled_rule_goes_where_they_go(name: str, shape: tuple[int, ...], dtype: str) -> None:
    """Compiled, fifty steps differ from theirs by roundings alone."""
    case, p, grads = CASES[name], start(shape, dtype), gradients(shape, dtype)
    theirs = case.foreign(p, grads, case.sets[1])
    mine = compiled(case.rule, p, grads, case.sets[1])
    assert mine[0]["p"].dtype == theirs[0]["p"].dtype == dtype
    assert max(distance(mine, theirs).values()) < case.near[dtype]


@pytest.mark.parametrize("name", ["lamb-optax", "lamb-timm"])
@pytest.mark.parametrize(("size", "slope"), [(0.0, 1.0), (1.0, 0.0), (0.0, 0.0)])
def test_the_ratio_of_lamb_is_one_at_a_zero(name: str, size: float, slope: float) -> None:
    """Where parameters or updates are all zero LAMB steps without its ratio, as theirs do."""
    case = CASES[name]
    p, grads = np.full((5, 4), size), [np.full((5, 4), slope)] * 3
    theirs = case.foreign(p, grads, case.sets[0])
    mine = by_reference(case.rule, p, grads, case.sets[0])
    assert max(distance(mine, theirs).values()) < 1e-14


@pytest.mark.parametrize(
    ("run", "dtype", "near"),
    [
        (by_reference, "float64", 1e-12),
        (compiled, "float32", CASES["came"].near["float32"]),
        *LONG * [(compiled, "float64", 1e-12)],
    ],
)
def test_a_vector_of_came_needs_no_confidence(run: Any, dtype: str, near: float) -> None:
    """Of one column CAME keeps its momentum alone in the step, as the authors' package does."""
    p, grads = start((257, 1), dtype), gradients((257, 1), dtype)[:5]
    hypers = CASES["came"].sets[1]
    column = run(rules.came, p, grads, hypers)
    vector = run(rules.came, p.ravel(), [g.ravel() for g in grads], hypers)
    both = ([{"p": step["p"].ravel()} for step in trace] for trace in (column, vector))
    assert distance(*both)["p"] < near


@pytest.mark.parametrize("run", [by_reference, *LONG * [compiled]])
def test_adamh_stays_on_its_sphere(run: Any) -> None:
    """Each tensor's norm remains what it was at the start, and a step is as long as lr says."""
    lr = 0.05
    for shape in ((64, 64), (257,), (8, 4, 3, 3)):
        p, grads = start(shape, "float64"), gradients(shape, "float64")
        radius = np.linalg.norm(p)
        trace = run(rules.adamh, p, grads, {"lr": lr})
        points = [p, *(now["p"] for now in trace)]
        for one, two in itertools.pairwise(points):
            assert np.linalg.norm(two) == pytest.approx(radius, rel=1e-13)
            # The tangent of the angle is lr over 1, or over what is left of 1 behind a step that
            # leads outwards or inwards.
            cosine = np.vdot(one, two) / radius**2
            assert np.sqrt(1 - cosine**2) <= lr / (1 - lr)
        assert np.linalg.norm(points[1] - p) > 0.9 * lr * radius


def test_prodigy_takes_all_tensors_together() -> None:
    """Its d, which all tensors share, grows as in the package, and so do their parameters."""
    prodigyopt: Any = importlib.import_module("prodigyopt")
    params = [start(shape, "float64") for shape in ((3, 4), (5,), ())]
    tensors = [torch.tensor(p) for p in params]
    optimizer = adamas.Optimizer(rules.prodigy, params, beta2=0.99)
    theirs = prodigyopt.Prodigy(tensors, betas=(0.9, 0.99))
    for _ in range(100):
        optimizer.step([np.array((1 + k) * (p - 3.0)) for k, p in enumerate(params)])
        for k, x in enumerate(tensors):
            x.grad = (1 + k) * (x - 3.0)
        theirs.step()
        for p, x in zip(params, tensors, strict=True):
            np.testing.assert_allclose(p, x.numpy(), rtol=1e-9)
        d = theirs.param_groups[0]["d"]
        assert optimizer.state[0]["d"] == pytest.approx(d, rel=1e-9)
    assert d > 1e-2


def test_prodigy_keeps_one_distance_for_late_tensors_and_groups() -> None:
    """A first gradient at step 11 and a group of another lr leave d what it is in the package."""
    prodigyopt: Any = importlib.import_module("prodigyopt")
    params = [start(shape, "float64") for shape in ((3, 4), (5,), (2, 2))]
    tensors = [torch.tensor(p) for p in params]
    groups = [{"params": params[:2]}, {"params": params[2:], "lr": 0.0}]
    optimizer = adamas.Optimizer(rules.prodigy, groups)
    theirs = prodigyopt.Prodigy([{"params": tensors[:2]}, {"params": tensors[2:], "lr": 0.0}])
    for t in range(60):
        late = None if t < 10 else np.array(params[1] - 3.0)
        optimizer.step([[np.array(params[0] - 3.0), late], [np.array(params[2] + 1.0)]])
        tensors[0].grad = tensors[0] - 3.0
        tensors[1].grad = None if t < 10 else tensors[1] - 3.0
        tensors[2].grad = tensors[2] + 1.0
        theirs.step()
        d = theirs.param_groups[0]["d"]
        assert [one["d"] for one in optimizer.state.values()] == pytest.approx([d] * 3, rel=1e-9)
        for p, x in zip(params, tensors, strict=True):
            np.testing.assert_allclose(p, x.numpy(), rtol=1e-9)
    assert d > 1e-3
    # The package refuses rates that differ otherwise; here every tensor keeps the same d.
    optimizer.param_groups[1]["lr"] = 0.5
    optimizer.step([[np.array(p - 3.0) for p in params[:2]], [np.array(params[2] - 3.0)]])
    assert len({float(one["d"]) for one in optimizer.state.values()}) == 1
