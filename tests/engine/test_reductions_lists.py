"""Lists of tensors of any shapes are stepped as the float64 oracle of lists steps them."""
# mypy: allow-untyped-defs, allow-untyped-calls

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import adamas
from adamas.words import mean, norm, rms, total
from reduction_steps import values
from together import Together

BFLOAT16 = pytest.importorskip("ml_dtypes").bfloat16


def factored(p, g, r, c, *, lr=0.1):
    """Sums over all tensors of what is kept once a row and once a column, then the tensor's own."""
    r = 0.9 * r + norm(g, over="row")
    c = 0.9 * c + total(g * g, over="column")
    u = g / (1 + norm(c, over="all")) + r * c / (1 + total(r, over="all"))
    return p - lr * u / (1 + norm(u)), r, c


def shared(p, g, m, s, d=1.0, *, t, columns, lr=0.1):
    """One number for all tensors, kept from step to step, and means over elements and tensors."""
    m = 0.9 * m + g - mean(g, over="all")
    s = 0.5 * s + norm(m) / (1 + columns)
    d = 0.5 * d + total(s, over="all") / (1 + norm(g, over="all")) / t
    ratio = norm(p) / (1 + norm(m + d * p))
    return p - lr * ratio * m / d / (1 + mean(s, over="all")), m, s, d


def waiting(p, g, r, c, *, lr=0.1):
    """Sums that are ready at different times, one of them typed twice, and of older states."""
    before = total(r, over="all") + norm(c)
    late = total(norm(g * (1 + norm(p)), over="row"), over="all")
    early = norm(g, over="all")
    p = p - lr * g / (1 + total(norm(g * (1 + norm(p)), over="row"), over="all"))
    r = 0.5 * r + total(p * p, over="row") / (1 + late)
    c = 0.5 * c + norm(p, over="column") / (1 + early)
    return p - lr * g / (1 + before + rms(c, over="all")), r, c


# Each with the dtype of its parameters, and those of its gradients: few kernels, each another.
RULES: dict[Any, tuple[str, list[Any]]] = {
    factored: ("float32", ["float32"]),
    shared: ("float32", [BFLOAT16, "float64"]),
    waiting: ("float64", ["float64"]),
}
# A matrix, a row, a column, vectors, a number, four dimensions, nothing.
SMALL = [(4, 5), (1, 6), (9, 1), (7,), (1,), (), (3, 2, 2, 2), (0,), (0, 3), (3, 0), (300, 3)]
# One of them is a slice beside the large ones, and several where it has another dtype than they.
LARGE = [(), (30_000,), (40_000,), (150, 200)], [(), (300_000,), (300, 1000)]
NEAR = {"float32": 1e-5, "float64": 1e-11}


@st.composite
def lists(draw: st.DrawFn, dtypes: list[Any]) -> tuple[list[Any], list[Any]]:
    """Some shapes, and for each step the dtypes of the gradients, None for a tensor that rests."""
    shapes = draw(st.lists(st.sampled_from(SMALL), min_size=1, max_size=4))
    for large in LARGE:
        shapes.insert(draw(st.integers(0, len(shapes))), draw(st.sampled_from(large)))
    step = st.tuples(*[st.sampled_from([None, *dtypes])] * len(shapes))
    return shapes, [draw(step) for _ in range(3)]


def stepped(rule: Any, dtype: str, drawn: Any, threads: int, seed: int) -> tuple[Any, Together]:
    """The optimizer and its oracle after the steps."""
    shapes, steps = drawn
    rng = np.random.default_rng(seed)
    params = [np.array(rng.uniform(-2, 2, shape), dtype) for shape in shapes]
    oracle, optimizer = Together(rule, params), adamas.Optimizer(rule, params, threads=threads)
    for dtypes in steps:
        pairs = zip(dtypes, shapes, strict=True)
        grads = [one and np.array(rng.uniform(-2, 2, shape)).astype(one) for one, shape in pairs]
        optimizer.step(grads)
        oracle.step(grads)
    return optimizer, oracle


# Of nothing there is no mean, in NumPy with a warning.
@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:invalid value")
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@settings(max_examples=6)
@given(data=st.data(), threads=st.sampled_from([1, 2]), seed=st.integers(0, 99))
def test_any_list_of_tensors(rule: Any, data: st.DataObject, threads: int, seed: int) -> None:
    """Whatever their shapes, the dtypes of their gradients, and which of them rest in a step."""
    dtype, dtypes = RULES[rule]
    optimizer, oracle = stepped(rule, dtype, data.draw(lists(dtypes)), threads, seed)
    (params,) = (group["params"] for group in optimizer.param_groups)
    for k, (p, run) in enumerate(zip(params, oracle.runs, strict=True)):
        found = {"p": p, **values(optimizer, k, p.shape)}
        for name, value in {"p": run.p, **run.state}.items():
            if not p.size and np.isnan(value).any():
                # Of nothing: no number, or as it began.
                continue
            near = np.broadcast_to(value, np.shape(found[name]))
            np.testing.assert_allclose(
                found[name], near, rtol=NEAR[dtype], atol=NEAR[dtype], err_msg=name
            )
