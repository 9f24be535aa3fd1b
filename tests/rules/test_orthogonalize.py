"""The word `orthogonalize`, against singular value decompositions and other packages' steps."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import adamas
from adamas import words
from adamas.kernel.formula import FormulaError, parse
from adamas.kernel.reference import Reference
from adamas.newton_schulz import COEFFICIENTS, of_one
from adamas.words import maximum, mean, norm, orthogonalize, sqrt
from long_form import LONG, few_of

Array = NDArray[Any]
# Where singular values from 0.01 to 1 end, as their authors say: Jordan's from 0.7 to 1.2, and the
# two others were made to come closer to 1.
BANDS = {"jordan": (0.65, 1.2), "quintic": (0.95, 1.05), "polar_express": (0.999, 1.001)}
SHAPES = [(6, 4), (4, 6), (5, 5), (130, 200), (300, 7), (1, 9), (9, 1)]


def steepest(p: Any, g: Any, *, lr: float = 0.1) -> Any:
    """A step along the orthogonal matrix alone."""
    return p - lr * orthogonalize(g)


def levelled(
    p: Any, g: Any, m: Any, v: Any, *, rows: float, columns: float, lr: float = 0.1
) -> Any:
    """Sums before and behind the matrix, and a state of rows, in one rule."""
    m = 0.9 * m + 0.1 * g / maximum(norm(g), 1e-3)
    o = orthogonalize(m + 0.01 * g, coefficients="polar_express")
    v = 0.5 * v + 0.5 * mean(o * o, over="row")
    u = o / sqrt(v)
    p = p - lr * sqrt(rows * columns) / norm(u) * u
    return p, m, v


def twice(p: Any, g: Any, *, lr: float = 0.1) -> Any:
    """A matrix made of a matrix."""
    return p - lr * orthogonalize(orthogonalize(g) + g)


def kept(p: Any, g: Any, o: Any, *, lr: float = 0.1) -> Any:
    """Matrices that are the new parameter and the new state themselves."""
    o = orthogonalize(g)
    return orthogonalize(p - lr * g, coefficients="polar_express"), o


def decomposed(shape: tuple[int, int], least: float = 0.01) -> Array:
    """A matrix of norm 1 whose singular values lie between `least` and 1."""
    rng = np.random.default_rng(sum(shape))
    u, _, v = np.linalg.svd(rng.normal(size=shape), full_matrices=False)
    s = np.geomspace(least, 0.3, len(v))
    found: Array = u * (s / max(1.0, np.linalg.norm(s))) @ v
    return found


@pytest.mark.parametrize("coefficients", COEFFICIENTS)
@pytest.mark.parametrize("shape", [(20, 9), (9, 20), (12, 12)])
def test_singular_values_end_in_the_band_of_their_set(
    shape: tuple[int, int], coefficients: str
) -> None:
    """The singular vectors stay what they are, and every singular value comes near 1."""
    x = decomposed(shape)
    u, s, v = np.linalg.svd(x, full_matrices=False)
    found = u.T @ np.asarray(orthogonalize(x, coefficients)) @ v.T
    low, high = BANDS[coefficients]
    assert s.min() < 0.05
    assert np.abs(found - np.diag(np.diag(found))).max() < 1e-12
    assert low < np.diag(found).min() <= np.diag(found).max() < high


def test_the_steps_are_those_of_other_packages() -> None:
    """Jordan's numbers are torch's and optax's; the quintic ones are pytorch_optimizer's."""
    import optax.contrib._muon as optax
    import torch.optim._muon as torch
    from pytorch_optimizer.optimizer.utils import matrix

    first = COEFFICIENTS["jordan"][0]
    assert first == (torch.DEFAULT_A, torch.DEFAULT_B, torch.DEFAULT_C)
    assert first == optax._DEFAULT_NS_COEFFS
    assert COEFFICIENTS["quintic"] == tuple(matrix.get_newton_schulz_weights("quintic"))


def test_polar_express_converges_as_its_paper_says() -> None:
    """Every step makes the largest error on [0.001, 1] smaller, the last ones squaring it at least.

    Amsel et al. 2025, Theorem 4.3; the last step is the limit of all, (15 s - 10 s^3 + 3 s^5) / 8.
    """
    x = np.linspace(1e-3, 1, 100_001)
    worst = []
    for a, b, c in COEFFICIENTS["polar_express"]:
        x = a * x + b * x**3 + c * x**5
        worst.append(np.abs(1 - x).max())
    assert worst == sorted(worst, reverse=True)
    assert worst[6] < worst[5] ** 2
    assert worst[7] < worst[6] ** 2
    assert COEFFICIENTS["polar_express"][-1] == (15 / 8, -10 / 8, 3 / 8)


def test_a_vector_is_divided_by_its_norm() -> None:
    """Its one singular value is its norm: what the steps make of 1 is its new length."""
    x = np.array([3.0, 4.0])
    for name in COEFFICIENTS:
        found = np.asarray(orthogonalize(x, name))
        assert np.allclose(found, of_one(name) * x / 5, rtol=1e-14)


# Every rule in float64, where the least is seen; in float32 the one that sums as well, which is
# compiled for the threads below too. Vectors have kernels of their own.
RULES = (steepest, levelled, twice, kept)
NEAR = {"float64": 1e-12, "float32": 3e-5}
MATRICES = [*SHAPES, (6, 3, 2, 2), (0, 4)]
KERNELS = [
    *((rule, "float64", MATRICES) for rule in RULES),
    *((rule, "float64", [(7,), ()]) for rule in few_of(RULES, 2)),
    *((rule, "float32", MATRICES) for rule in (RULES if LONG else (levelled,))),
    *((rule, "float32", [(7,), ()]) for rule in LONG * RULES),
]


@pytest.mark.parametrize(
    ("rule", "dtype", "shape"),
    [(rule, dtype, shape) for rule, dtype, shapes in KERNELS for shape in shapes],
)
def test_kernels_do_what_the_text_says(rule: Any, dtype: str, shape: tuple[int, ...]) -> None:
    """Of every shape the compiled rule is within rounding of its float64 run."""
    rng = np.random.default_rng(5)
    p = np.array(rng.normal(size=shape), dtype)
    expected, optimizer = Reference(parse(rule), p), adamas.Optimizer(rule, p)
    for _ in range(3):
        g = np.array(rng.normal(size=shape), dtype)
        expected.step(g)
        optimizer.step(g)
    assert np.allclose(p, expected.p, rtol=0, atol=NEAR[dtype])


# What sums in float32, what keeps a matrix in few bits; in the long form both in both.
FEW_BITS = ("int8", "int4", "bfloat16")
TOGETHER = [(levelled, "float32"), *((kept, state) for state in FEW_BITS)]
TOGETHER += [(levelled, state) for state in FEW_BITS] if LONG else []


@settings(max_examples=20)
@given(
    st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), min_size=1, max_size=4),
    st.sampled_from(TOGETHER),
)
def test_threads_and_company_change_no_bit(
    shapes: list[tuple[int, int]], chosen: tuple[Any, str]
) -> None:
    """A matrix is stepped alike on one thread, on two, and without the others beside it."""
    rng, (rule, state) = np.random.default_rng(1), chosen
    start = [rng.normal(size=shape).astype(np.float32) for shape in shapes]
    steps = [[rng.normal(size=shape).astype(np.float32) for shape in shapes] for _ in range(2)]
    found = []
    for threads in (1, 2):
        p = [x.copy() for x in start]
        optimizer = adamas.Optimizer(rule, p, state=state, threads=threads)
        for gradients in steps:
            optimizer.step(gradients)
        found.append(p)
    alone = start[0].copy()
    optimizer = adamas.Optimizer(rule, alone, state=state)
    for gradients in steps:
        optimizer.step(gradients[0])
    assert all(map(np.array_equal, *found))
    assert np.array_equal(alone, found[0][0])


def test_two_threads_share_what_is_large() -> None:
    """A matrix beyond one slice has the same bits for one thread and for two."""
    rng, found = np.random.default_rng(2), []
    g = rng.normal(size=(700, 300)).astype(np.float32)
    for threads in (1, 2):
        p = np.ones((700, 300), np.float32)
        adamas.Optimizer(levelled, p, threads=threads).step(g)
        found.append(p)
    assert np.array_equal(*found)


def test_the_threads_of_torch_do_it_too(capfd: pytest.CaptureFixture[str]) -> None:
    """Lent threads are not called where nothing is left for them: matrices alone leave nothing."""
    import torch

    import adamas.torch  # lends them

    weight = torch.nn.Parameter(torch.ones(700, 300, dtype=torch.float64))
    optimizer = adamas.torch.optimizer(steepest)([{"params": [weight]}], threads=2)
    weight.grad = torch.randn(weight.shape, dtype=weight.dtype)
    optimizer.step()
    assert "Exception ignored" not in capfd.readouterr().err
    assert not bool((weight == 1).any())


@pytest.mark.parametrize("order", ["C", "F"])
def test_the_order_in_memory_does_not_matter(order: Any) -> None:
    """Rows are those of the array, however it lies in memory."""
    rng = np.random.default_rng(3)
    start, g = rng.normal(size=(2, 9, 5))
    p = np.array(start, order=order)
    adamas.Optimizer(steepest, p).step(g)
    assert np.allclose(p, start - 0.1 * np.asarray(orthogonalize(g)), atol=1e-14)


def test_a_gradient_that_is_not_finite_leaves_its_matrix_whole() -> None:
    """Under guard that tensor keeps every bit and its step count; the others are stepped."""
    rng = np.random.default_rng(4)
    p = [rng.normal(size=(8, 6)) for _ in range(2)]
    before = [x.copy() for x in p]
    optimizer = adamas.Optimizer(levelled, p)
    g = [rng.normal(size=(8, 6)) for _ in range(2)]
    g[0][2, 3] = np.inf
    with pytest.raises(adamas.NonFiniteError, match="48 elements of 1 tensor"):
        optimizer.step(g)
    assert np.array_equal(p[0], before[0])
    assert not np.array_equal(p[1], before[1])
    assert [entry["step"] for entry in optimizer.state.values()] == [0, 1]
    assert np.isfinite(p[1]).all()


@pytest.mark.parametrize("named", [None, "adamw"])
def test_a_matrix_without_a_gradient_is_not_waited_for(named: Any) -> None:
    """Each step counts, and schedules go on, whichever matrices have a gradient."""
    seen: list[int] = []

    def lr(t: int) -> float:
        seen.append(t)
        return 0.5**t

    g = np.eye(3)
    p = [np.zeros((3, 3)) for _ in range(3)]
    groups: list[Any] = [{"params": p, "lr": lr}]
    groups += [{"params": [np.ones(2)], "rule": named}] if named else []
    optimizer = adamas.Optimizer(steepest, groups)
    for each in ([g, None, None], [None, g, None], [None] * 3, [g, None, g], [g, g, None]):
        optimizer.step([each, *([[None]] if named else [])])
    assert optimizer.steps == 5 and sorted({*seen}) == [1, 2, 3, 4, 5]
    assert [entry["step"] for entry in optimizer.state.values()][:3] == [3, 2, 1]
    by = [0.5 + 0.5**4 + 0.5**5, 0.5**2 + 0.5**5, 0.5**4]
    assert np.allclose(p, [-k * np.asarray(orthogonalize(g)) for k in by], atol=1e-14)


def test_a_matrix_of_zeros_does_not_move() -> None:
    """Its norm is 0, and it is divided by 1e-7 instead."""
    p = np.ones((4, 3))
    adamas.Optimizer(steepest, p).step(np.zeros((4, 3)))
    assert (p == 1).all()


@pytest.mark.parametrize("state", ["bfloat16", "int8", "int4"])
def test_a_matrix_may_be_a_state_in_few_bits(state: str) -> None:
    """It is stored as any other new value: within its format's step of the matrix itself."""
    g = np.random.default_rng(3).normal(size=(20, 30)).astype(np.float32)
    optimizer = adamas.Optimizer(kept, np.ones_like(g), state={"o": state})
    optimizer.step(g)
    expected = np.asarray(orthogonalize(g.astype(np.float64)))
    step = {"bfloat16": 2**-7, "int8": 0.1, "int4": 0.6}[state]
    found = optimizer.values(0)["o"]
    assert np.abs(found - expected).max() <= step * np.abs(expected).max()
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.9


def test_rows_alone_are_refused() -> None:
    """A step of some rows does not know the matrix."""
    optimizer = adamas.Optimizer(steepest, np.ones((4, 3)))
    with pytest.raises(ValueError, match="makes matrices"):
        optimizer.step(adamas.Rows(np.array([1]), np.ones((1, 3))))


def unknown_steps(p: Any, g: Any, *, lr: float = 0.1) -> Any:
    """A set of steps that is not there."""
    return p - lr * orthogonalize(g, coefficients="euler")


def of_a_number(p: Any, g: Any, *, lr: float = 0.1) -> Any:
    """One number is no matrix."""
    return p - lr * orthogonalize(norm(g))


def of_the_step(p: Any, g: Any, *, t: float, lr: float = 0.1) -> Any:
    """Neither is the number of the step."""
    return p - lr * g * orthogonalize(t)


def over_all(p: Any, g: Any, *, lr: float = 0.1) -> Any:
    """All tensors at once, one after another."""
    return p - lr * orthogonalize(g / norm(g, over="all"))


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (unknown_steps, 'coefficients is one of "jordan", "quintic", "polar_express"'),
        (of_a_number, "this has one for many"),
        (of_the_step, "this has one for many"),
        (over_all, "Sum over each tensor"),
    ],
)
def test_what_makes_no_sense_is_refused(rule: Any, said: str) -> None:
    """When the rule is defined, and with what to write instead."""
    with pytest.raises(FormulaError) as error:
        parse(rule)
    assert said in str(error.value)


def test_it_is_among_the_words() -> None:
    """A rule may import it, and plain Python runs it."""
    assert "orthogonalize" in words.__all__
    assert np.allclose(orthogonalize(np.eye(3) * 2, "polar_express"), np.eye(3))
