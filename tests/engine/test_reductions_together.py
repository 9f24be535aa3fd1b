"""Sums over all tensors, and tensors that several batches, forms and gradients have in common."""
# mypy: allow-untyped-defs, allow-untyped-calls

from typing import Any

import numpy as np
import pytest

import adamas
from adamas.words import mean, norm, sqrt, total, where

RNG = np.random.default_rng(0)
# A matrix and a vector, whose rows are its elements.
SHAPES = [(4, 5), (7,)]
GRADIENTS = [RNG.normal(size=shape) for shape in SHAPES]
ROWS = float(np.linalg.norm(GRADIENTS[0], axis=1).sum() + np.abs(GRADIENTS[1]).sum())


def twice(p, g, *, lr=0.1):
    """A sum of the norms of all rows, typed twice."""
    p = p - lr * g / total(norm(g, over="row"), over="all")
    p = p - lr * g / total(norm(g, over="row"), over="all")
    return p


def several(p, g, *, lr=0.1):
    """Sums that are ready at different times, the later first."""
    rows = mean(norm(g, over="row"), over="all")
    size = norm(g, over="all")
    shift = total(norm(p), over="all")
    return p - lr * (g / size + g / rows + shift)


def of_size_one(p, g, *, lr=0.1):
    """A step of length lr for each tensor."""
    return p - lr * g / norm(g)


def by_root(p, g, r, *, lr=0.1):
    """A root of each row's mean of squares."""
    r = 0.9 * r + 0.1 * mean(g * g, over="row")
    return p - lr * g / sqrt(r), r


def stepped(rule: Any, steps: int = 1) -> list[Any]:
    """Parameters that began at 0, after some steps with the same gradients."""
    params = [np.zeros(shape) for shape in SHAPES]
    optimizer = adamas.Optimizer(rule, params)
    for _ in range(steps):
        optimizer.step(GRADIENTS)
    return params


@pytest.mark.parametrize("steps", [1, 2])
def test_a_sum_over_all_waits_for_matrices_and_vectors(steps: int) -> None:
    """Norms of rows of a matrix and of a vector's elements are in one sum, ready or not.

    Both forms of a rule have as many sums, so that each tensor finds its own, typed twice or not.
    """
    for p, g in zip(stepped(twice, steps), GRADIENTS, strict=True):
        np.testing.assert_allclose(p, -0.2 * steps * g / ROWS, rtol=1e-13)


def test_sums_of_several_levels_are_told_apart() -> None:
    """What is ready later, but stands first in the text, keeps its place, step after step."""
    params = [np.full(shape, float(k)) for k, shape in enumerate(SHAPES, 1)]
    optimizer = adamas.Optimizer(several, params)
    for turn in (1.0, 3.0):
        grads = [g * turn + turn for g in GRADIENTS]
        rows = float(np.linalg.norm(grads[0], axis=1).sum() + np.abs(grads[1]).sum()) / (4 + 7)
        size = float(np.sqrt(sum((g * g).sum() for g in grads)))
        shift = float(sum(np.linalg.norm(p) for p in params))
        expected = [
            p - 0.1 * (g / size + g / rows + shift) for p, g in zip(params, grads, strict=True)
        ]
        optimizer.step(grads)
        for p, right in zip(params, expected, strict=True):
            np.testing.assert_allclose(p, right, rtol=1e-12)


def test_gradients_of_other_dtypes_cut_tensors_otherwise() -> None:
    """A tensor that is one slice beside some tensors and several beside others sums anew."""
    ml_dtypes = pytest.importorskip("ml_dtypes")
    small, large = np.zeros(40_000, np.float32), np.zeros(2_000_000, np.float32)
    optimizer = adamas.Optimizer(of_size_one, [small, large], threads=1)
    rng = np.random.default_rng(1)
    g, other = (rng.normal(size=x.size).astype(np.float32) for x in (small, large))
    for dtype, factor in ((ml_dtypes.bfloat16, 1), (np.float32, 1), (ml_dtypes.bfloat16, 100)):
        before = small.copy()
        optimizer.step([(g * factor).astype(dtype), other])
        assert np.linalg.norm(small - before) == pytest.approx(0.1, rel=1e-5)


def test_a_step_of_nothing_is_one() -> None:
    """Without any gradient there is nothing to sum up, and nothing moves."""
    params = [np.ones(3), np.ones((2, 2))]
    assert adamas.Optimizer(twice, params).step([None, None])
    assert all(np.array_equal(p, np.ones(p.shape)) for p in params)


def test_an_average_begins_at_the_parameter_in_vectors_too() -> None:
    """The form for vectors of a rule over rows knows what its states begin from."""
    optimizer = adamas.Optimizer(by_root, [np.full((4, 3), 2.0), np.full(3, 2.0)], ema=0.9)
    for k in (0, 1):
        assert np.all(optimizer.state[k]["average"] == 2.0)


@pytest.mark.parametrize(("shape", "said"), [((300,), "whole blocks"), ((2, 150), "whole tensors")])
def test_the_error_says_what_was_left(shape: tuple[int, ...], said: str) -> None:
    """A vector of a rule over rows sums nothing: only its block is left, and the error says so."""
    p, g = np.ones(shape), np.ones(shape)
    g.flat[0] = np.nan
    optimizer = adamas.Optimizer(by_root, p)
    with pytest.raises(adamas.NonFiniteError, match=said) as error:
        optimizer.step(g)
    assert error.value.left == int((p == 1.0).sum())


EPOCH = 111


def again(p, g, s, *, t, lr=0.1):
    """A state that is set at the first step, and at two others."""
    if t == 1 or t == 6 or t == 7 * EPOCH:
        s = p
    return p - lr * g, s


def test_what_comes_again_is_no_first_step() -> None:
    """A condition that holds at step 1 and at some other asks for the tensor's steps."""
    p = np.zeros(1)
    optimizer = adamas.Optimizer(again, p, lr=1.0)
    seen = []
    for _ in range(777):
        optimizer.step(np.ones(1))
        seen.append(float(optimizer.state[0]["s"][0]))
    assert (seen[0], seen[4], seen[5], seen[775], seen[776]) == (0.0, 0.0, -5.0, -5.0, -776.0)


def flagged(p, g, m, slow, *, t, lr=0.1, k=5.0):
    """A flag of the step that is also compared with an element."""
    flag = t % k == 0
    m = m + g
    slow = p if flag else slow
    return where(flag > m, p - lr * g, p + lr * g), m, slow


def test_a_flag_decides_only_where_it_alone_is_asked() -> None:
    """In idle steps a comparison of a flag with an element is made all the same."""
    p = np.zeros(300, np.float32)
    adamas.Optimizer(flagged, p).step(-np.ones(300, np.float32))
    # m is -1, and 0 is larger.
    np.testing.assert_allclose(p, 0.1, rtol=1e-6)


def by_mean_of_squares(p, g, *, lr=0.1):
    """A quotient whose divisor is as small as a square."""
    return p - lr * (g / mean(g * g))


@pytest.mark.parametrize("shape", [(300,), (20, 130)])
def test_a_quotient_fits_where_the_reciprocal_does_not(shape: tuple[int, ...]) -> None:
    """Tiny gradients over their mean square are finite in float32, and stay so."""
    p = np.zeros(shape, np.float32)
    g = np.full(shape, 1e-20, np.float32)
    adamas.Optimizer(by_mean_of_squares, p, lr=1e-25).step(g)
    # Squares of 1e-20 are subnormal in float32: they have 5 digits.
    np.testing.assert_allclose(p, -1e-5, rtol=1e-4)


def furthest(p, g, far, *, lr=0.1):
    """The largest norm of all gradients so far, kept once for all tensors."""
    far = where(norm(g, over="all") > far, norm(g, over="all"), far)
    return p - lr * g / far, far


def test_who_is_new_beside_a_saved_state_has_what_all_share() -> None:
    """A tensor that the saved state has not goes on with the number that is kept for all."""
    old = adamas.Optimizer(furthest, {"a": np.zeros(3)})
    old.step({"a": np.array([0.0, 30.0, 40.0])})
    params = {"a": np.zeros(3), "b": np.zeros((2, 2))}
    new = adamas.Optimizer(furthest, params)
    new.load_state_dict(old.state_dict(), strict=False)
    assert [float(one["far"]) for one in new.state.values()] == [50.0, 50.0]
    new.step({"a": np.zeros(3), "b": np.ones((2, 2))})
    np.testing.assert_allclose(params["b"], -0.1 / 50, rtol=1e-12)
