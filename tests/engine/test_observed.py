"""`observe=True` tells what a step did to each tensor, and changes no bit of it."""

import copy
import math
import pickle
from collections.abc import Mapping
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import adamas
from adamas import rules
from adamas.codecs import MEAN4, MEAN8, SQUARE4, SQUARE8, Codec
from adamas.engine.codes import at_floor, encode
from adamas.engine.grid import Grid
from adamas.words import normal, sqrt
from long_form import LONG
from stepping import snapshot

SHAPES = [(3, 70), (257,), (5, 7, 3), (), (2, 0)]
FORMATS = ("float32", "int8", "int4", "bfloat16", "float64")


@adamas.rule
def noisy(p, g, m, *, lr=1e-2, beta=0.9):  # type: ignore[no-untyped-def]
    """Momentum with noise in its step."""
    m = beta * m + (1 - beta) * g
    return p - lr * m + lr * sqrt(lr) * normal(p), m


def drawn(seed: int, shape: tuple[int, ...], size: float = 1.0) -> Any:
    """Numbers of about that size."""
    return np.asarray(size * np.random.default_rng(seed).normal(size=shape), np.float32)


def trained(rule: Any, seed: int, state: str, kind: str, **options: Any) -> Any:
    """Three steps on tensors of many shapes, of which one has no gradient in the second."""
    params = [np.asarray(drawn(seed + k, shape), kind) for k, shape in enumerate(SHAPES)]
    opt = adamas.Optimizer(rule, params, state=lambda key, array: state, seed=seed, **options)
    for step in range(3):
        grads = [drawn(seed + 10 * (step + 1) + k, s) for k, s in enumerate(SHAPES)]
        opt.step([None if (step, k) == (1, 1) else g for k, g in enumerate(grads)])
    return opt


short = [(rules.adamw, "float32", "float32"), (rules.adamw, "int8", "float32")]
short += [(noisy, "bfloat16", "bfloat16")]
every = [(getattr(rules, name), form, "float32") for name in rules.__all__ for form in FORMATS]


@pytest.mark.parametrize(("rule", "state", "kind"), every if LONG else short)
@settings(max_examples=5)
@given(st.integers(0, 1000), st.sampled_from([{}, {"maximize": True}, {"on_nonfinite": "raise"}]))
def test_no_bit_is_another(rule: Any, state: str, kind: str, seed: int, more: Any) -> None:
    """Parameters, state and random numbers are those of the same steps without `observe`."""
    number = ml_dtypes.bfloat16 if kind == "bfloat16" else kind
    plain = trained(rule, seed, state, number, **more)
    watched = trained(rule, seed, state, number, observe=True, **more)
    assert snapshot(watched) == snapshot(plain)
    assert watched.state_dict().keys() == plain.state_dict().keys()
    assert watched.state[0].keys() == plain.state[0].keys()


@given(st.integers(0, 1000))
def test_a_clipped_step_is_the_same_but_for_the_last_digits(seed: int) -> None:
    """The norm that is clipped by is added up by rows: it may differ where rounding does."""
    plain, watched = (np.asarray(drawn(seed, (3, 70)), np.float64) for _ in range(2))
    one = adamas.SGD(plain, lr=0.5, clip_norm=0.5)
    other = adamas.SGD(watched, lr=0.5, clip_norm=0.5, observe=True)
    for opt in (one, other):
        opt.step(drawn(seed + 1, (3, 70)).astype(np.float64))
    assert other.grad_norm == pytest.approx(one.grad_norm, rel=1e-14)
    np.testing.assert_allclose(watched, plain, rtol=1e-13, atol=1e-15)


@given(
    st.integers(0, 1000),
    st.floats(0.01, 100),
    st.sampled_from([{}, {"maximize": True}, {"clip_norm": 0.5}, {"loss_scale": 8.0}]),
)
def test_numbers_are_those_of_the_arrays(seed: int, size: float, more: Mapping[str, Any]) -> None:
    """Norms, root mean squares and ratios are NumPy's of the arrays before and after the step."""
    p = {"a": drawn(seed, (3, 70), size), "b": drawn(seed + 1, (257,)), "c": np.zeros(2, "f4")}
    g = {"a": drawn(seed + 2, (3, 70)), "b": drawn(seed + 3, (257,)), "c": np.ones(2, "f4")}
    made = {k: v for k, v in more.items() if k != "loss_scale"}
    opt = adamas.AdamW(p, lr=0.25, observe=True, **made)
    before = copy.deepcopy(p)
    opt.step(g, loss_scale=more.get("loss_scale", 1.0))
    factor = 1 / more.get("loss_scale", 1.0)
    if "clip_norm" in more:
        factor *= 0.5 / opt.grad_norm
    for one, (name, old) in zip(opt.observed, before.items(), strict=True):
        arrays = {
            "update": p[name].astype(float) - old,
            "weight": old,
            "gradient": factor * g[name],
        }
        assert (one["name"], one["shape"], one["rule"]) == (name, old.shape, "adamw")
        assert (one["step"], one["lr"], one["at_floor"]) == (1, 0.25, {})
        for what, array in arrays.items():
            norm = float(np.linalg.norm(array.astype(float).ravel()))
            assert one[f"{what}_norm"] == pytest.approx(norm, rel=1e-6)
            assert one[f"{what}_rms"] == pytest.approx(norm / math.sqrt(old.size), rel=1e-6)
        assert one["update_to_lr"] == pytest.approx(one["update_rms"] / 0.25)
        ratio = one["update_norm"] / one["weight_norm"] if name != "c" else math.inf
        assert one["update_to_weight"] == pytest.approx(ratio)


def test_what_is_not_known_is_nan() -> None:
    """Before a step, after loading and in a copy nothing is known; who had no gradient stays."""
    p = [np.ones(3), np.ones(2)]
    opt = adamas.SGD(p, lr=0.5, observe=True)
    assert all(math.isnan(one["update_norm"]) for one in opt.observed)
    assert [one["step"] for one in opt.observed] == [0, 0]
    opt.step([np.ones(3), np.ones(2)])
    opt.step([2 * np.ones(3), None])
    assert [one["update_rms"] for one in opt.observed] == [1.0, 0.5]
    assert [one["step"] for one in opt.observed] == [2, 1]
    saved = opt.state_dict()
    for other in (copy.deepcopy(opt), pickle.loads(pickle.dumps(opt))):
        assert [one["step"] for one in other.observed] == [2, 1]
        assert all(math.isnan(one["update_norm"]) for one in other.observed)
    opt.load_state_dict(saved)
    assert all(math.isnan(one["update_norm"]) for one in opt.observed)


@pytest.mark.parametrize("first", [True, False])
def test_files_know_nothing_of_it(first: bool) -> None:
    """What is written with `observe` is read without, and the other way round, and goes on."""
    start, g = drawn(0, (3, 70)), [drawn(k, (3, 70)) for k in range(1, 4)]
    whole, half = start.copy(), start.copy()
    alone = adamas.AdamW(whole)
    writing = adamas.AdamW(half, observe=first)
    for one in g[:2]:
        alone.step(one)
        writing.step(one)
    reading = adamas.AdamW(half, observe=not first)
    reading.load_state_dict(writing.state_dict())
    alone.step(g[2])
    reading.step(g[2])
    np.testing.assert_array_equal(half, whole)


def test_it_must_be_asked_for() -> None:
    """Without `observe=True` there is no such attribute, and the error says how to get it."""
    opt = adamas.SGD(np.ones(2))
    with pytest.raises(AttributeError, match="make it with observe=True"):
        _ = opt.observed
    assert not hasattr(opt, "observed")
    with pytest.raises(ValueError, match=r"observe='yes'"):
        adamas.SGD(np.ones(2), observe="yes")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="sgd has no state 'update'"):
        adamas.SGD(np.ones(2), observe=True, state={"update": "float32"})


def test_rows_are_refused_by_the_option() -> None:
    """Rows make no sums: the error names what asks for them, and nothing is changed."""
    p = np.ones((4, 2))
    opt = adamas.SGD(p, observe=True)
    with pytest.raises(ValueError, match="observe=True sums over tensors"):
        opt.step(adamas.Rows([1], np.ones((1, 2))))
    assert p.min() == 1.0


def test_a_tensor_that_is_left_keeps_its_numbers() -> None:
    """Under "guard" a gradient that is not finite leaves the whole tensor, and what is known."""
    p = [np.ones(300), np.ones(300)]
    opt = adamas.SGD(p, lr=0.5, observe=True)
    opt.step([np.ones(300), np.ones(300)])
    bad = np.full(300, 2.0)
    bad[7] = np.nan
    with pytest.raises(adamas.NonFiniteError, match="whole tensors"):
        opt.step([bad, np.full(300, 4.0)])
    assert [one["update_rms"] for one in opt.observed] == [0.5, 2.0]
    assert [one["step"] for one in opt.observed] == [1, 2]
    assert (p[0] == 0.5).all()


@pytest.mark.parametrize(("form", "gone"), [(MEAN8, 2.0**-20), (MEAN4, 2.0**-6)])
def test_the_share_at_the_floor_is_counted(form: Codec, gone: float) -> None:
    """Of a block with large numbers, those far below them hold the lowest code; no other does.

    The formats of means span 16 and 4 octaves; numbers of either sign below that become zero.
    """
    values, grid = np.ones(257, np.float32), Grid(1, 257)
    values[:64], values[:32] = gone, -gone
    assert at_floor(form, encode(form, "m", values, grid)["m"], grid) == 64 / 257


@pytest.mark.parametrize(("form", "gone"), [(SQUARE8, 2.0**-40), (SQUARE4, 2.0**-12)])
def test_the_floor_of_squares_is_not_zero(form: Codec, gone: float) -> None:
    """What is below the 29 and 8 octaves of a block of squares holds its smallest number."""
    values, grid = np.ones(257, np.float32), Grid(1, 257)
    values[100:128] = gone
    assert at_floor(form, encode(form, "v", values, grid)["v"], grid) == 28 / 257


def test_several_rules_are_told_apart() -> None:
    """Each group has its own rule, learning rate and count in the records, in the order given."""
    p = {k: np.ones(3, np.float32 if k != "b" else np.float64) for k in "abc"}
    groups = [
        {"params": {"a": p["a"], "c": p["c"]}, "rule": "adamw", "lr": 0.5, "weight_decay": 0.0},
        {"params": {"b": p["b"]}},
    ]
    opt = adamas.Optimizer("sgd", groups, lr=0.25, observe=True)
    opt.step([{"a": np.full(3, 2.0, np.float32), "c": None}, {"b": np.full(3, 2.0)}])
    found = {one["name"]: one for one in opt.observed}
    assert list(found) == ["a", "c", "b"]
    assert [one["rule"] for one in opt.observed] == ["adamw", "adamw", "sgd"]
    assert [one["lr"] for one in opt.observed] == [0.5, 0.5, 0.25]
    assert found["a"]["update_rms"] == pytest.approx(0.5)
    assert found["b"]["update_rms"] == 0.5
    assert math.isnan(found["c"]["update_rms"])


def test_the_table_has_a_line_for_each() -> None:
    """Printed, it is a table with names, shapes, rules, sizes and shares."""
    p = {"table": np.ones((4, 300), np.float32), "bias": np.zeros(2, np.float32)}
    state = {"table": "int8", "bias": "float32"}
    opt = adamas.AdamW(p, lr=0.5, weight_decay=0.0, state=lambda k, _: state[k], observe=True)
    opt.step({"table": np.ones((4, 300), np.float32), "bias": np.ones(2, np.float32)})
    head, one, other = repr(opt.observed).splitlines()
    assert head.split() == [
        "parameter", "shape", "rule", "step", "lr", "update", "weight", "gradient",
        "update/weight", "update/lr", "m", "at", "floor", "v", "at", "floor",
    ]  # fmt: skip
    assert one.split() == [
        "table", "4", "×", "300", "adamw", "1", "0.5", "0.5", "1", "1", "0.5", "1", "0.0%", "0.0%",
    ]  # fmt: skip
    assert other.split() == ["bias", "2", "adamw", "1", "0.5", "0.5", "0", "1", "inf", "1"]
    assert opt.observed[-1]["name"] == "bias"
    assert [r["name"] for r in opt.observed[:1]] == ["table"]
    assert len(opt.observed) == 2


def test_modes_and_routes_are_of_the_rule_itself() -> None:
    """A schedule-free rule is evaluated at its average, and routes name the rule, as without."""
    found = []
    for observe in (False, True):
        p = drawn(0, (3, 70))
        opt = adamas.ScheduleFreeSGD({"w": p}, lr=0.5, observe=observe)
        for k in range(3):
            opt.step({"w": drawn(k + 1, (3, 70))})
        opt.eval()
        found.append((p.tobytes(), repr(opt.routes), repr(opt)))
        opt.train()
        opt.step({"w": drawn(5, (3, 70))})
        found[-1] += (p.tobytes(),)
    assert found[0] == found[1]
