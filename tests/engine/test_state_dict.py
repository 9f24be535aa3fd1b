"""A saved run goes on bit for bit, by name; what does not fit changes nothing."""

import copy
import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import adamas
from adamas.schedule import cosine, warmup
from family import ELEMENTWISE
from long_form import few_of
from stepping import Array, make, named, snapshot

NAMES = ("w", "b", "table")
STEPS = 8


def params(seed: int = 0) -> dict[str, Array]:
    """Parameters of two dtypes, one of them Fortran-ordered."""
    rng = np.random.default_rng(seed)
    return {
        "w": np.asfortranarray(rng.normal(size=(3, 4)).astype(np.float32)),
        "b": rng.normal(size=5),
        "table": rng.normal(size=(6, 2)).astype(np.float32),
    }


def gradients(t: int, rows: bool) -> dict[str, Any]:
    """The gradients of step t: now and then none, and rows for the table if asked for."""
    rng = np.random.default_rng([7, t])
    grads: dict[str, Any] = {name: rng.normal(size=p.shape) for name, p in params().items()}
    grads["w"] = grads["w"].astype(np.float32)
    grads["table"] = grads["table"].astype(np.float32)
    if t == 3:
        grads["b"] = None
    if rows and t not in (4, 7):
        grads["table"] = adamas.Rows(rng.integers(-6, 6, size=2), grads["table"][:2])
    return grads


def train(optimizer: adamas.Optimizer, start: int, stop: int, rows: bool = False) -> None:
    """Steps start to stop - 1."""
    for t in range(start, stop):
        optimizer.step(gradients(t, rows))


def resumed(rule: str, at: int, options: dict[str, Any], rows: bool) -> adamas.Optimizer:
    """A run that is saved before step `at` and goes on in a new optimizer."""
    first = make(rule, params(), **options)
    train(first, 0, at, rows)
    saved = copy.deepcopy(first.state_dict())
    values = {k: v.copy("K") for k, v in named(first).items()}
    del first
    second = make(rule, values, **options)
    second.load_state_dict(saved)
    train(second, at, STEPS, rows)
    return second


VARIANTS: dict[str, tuple[dict[str, Any], bool]] = {
    "plain": ({}, False),
    "scheduled": ({"lr": warmup(0.1, steps=2).then(cosine(0.1, steps=4), at=2)}, False),
    "rows": ({"clip_norm": 1.0}, True),
    "exact rows": ({"rows": "exact", "lr": cosine(0.1, steps=9)}, True),
}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("rule", ELEMENTWISE)
def test_resumed_equals_uninterrupted(rule: str, variant: str) -> None:
    """Wherever a run is saved and loaded, for every rule, it ends with the bits it would have."""
    options, rows = VARIANTS[variant]
    whole = make(rule, params(), **options)
    train(whole, 0, STEPS, rows)
    whole.sync()
    for at in (0, 1, 4, STEPS):
        again = resumed(rule, at, options, rows)
        again.sync()
        assert snapshot(again) == snapshot(whole)


@pytest.mark.parametrize("seed", range(3))
def test_a_resumed_run_needs_no_gradients_of_the_past(seed: int) -> None:
    """What a gradient was like that is left out now decides nothing, not even a norm's last bit."""

    def made() -> adamas.Optimizer:
        """An optimizer of tensors of which some get gradients of another dtype."""
        p = {"a": np.zeros(300_000), "z": np.zeros(1), "b": np.ones(70_000), "c": np.ones(70_000)}
        return adamas.AdamW(p, lr=0.1, clip_norm=0.5)

    rng = np.random.default_rng(seed)
    normal = [{n: rng.normal(size=70_000) for n in "bc"} for _ in range(2)]
    steps = [{**one, "c": one["c"].astype(np.float32), "z": None, "a": None} for one in normal]
    run = made()
    run.step({**steps[0], "a": np.ones(300_000, np.float32)})
    again = made()
    again.load_state_dict(copy.deepcopy(run.state_dict()))
    for name, values in named(again).items():
        values[...] = named(run)[name]
    run.step(steps[1])
    again.step(steps[1])
    assert run.grad_norm == again.grad_norm
    assert all(np.array_equal(p, named(again)[name]) for name, p in named(run).items())


@pytest.mark.parametrize("rule", few_of(["adamw", "nadam", "schedule_free_adamw"], 2))
def test_resumed_with_everything_on(rule: str) -> None:
    """Averages, float64 state and clipping are part of what is resumed."""
    options = {"ema": 0.9, "state": "float64", "clip_norm": 0.5, "maximize": True, "threads": 2}
    whole = make(rule, params(), **options)
    train(whole, 0, STEPS)
    assert snapshot(resumed(rule, 3, options, False)) == snapshot(whole)


@given(order=st.permutations(NAMES), grouped=st.booleans())
def test_by_name(order: list[str], grouped: bool) -> None:
    """State and settings follow the names, in whatever order parameters and groups come.

    torch goes by position and swaps the states silently (features 1F-5).
    """

    def build(names: list[str] | tuple[str, ...]) -> adamas.Optimizer:
        values = params()
        if not grouped:
            return adamas.Adam({name: values[name] for name in names})
        return adamas.Adam([{"params": {n: values[n]}} for n in names])

    def step(optimizer: adamas.Optimizer, names: list[str] | tuple[str, ...], t: int) -> None:
        grads = gradients(t, False)
        optimizer.step([{n: grads[n]} for n in names] if grouped else grads)

    one = build(NAMES)
    if grouped:
        for k, group in enumerate(one.param_groups):
            group["lr"] = 0.1 * (k + 1)
    step(one, NAMES, 0)
    other = build(order)
    other.load_state_dict(one.state_dict())
    assert other.state.keys() == one.state.keys()
    for name, array in named(other).items():
        array[...] = named(one)[name]
    step(one, NAMES, 1)
    step(other, order, 1)
    assert snapshot(one) == snapshot(other)


def test_state_dict_is_a_copy() -> None:
    """A state dict is plain, owns its arrays with their dtypes, and a load takes copies too."""
    optimizer = adamas.NAdam(params())
    train(optimizer, 0, 2)
    saved = optimizer.state_dict()
    assert {"format", "rule", "steps", "seed", "state", "param_groups"} == saved.keys()
    assert (saved["rule"], saved["steps"]) == ("nadam", 2)
    kept = copy.deepcopy(saved)
    train(optimizer, 2, 3)
    for name in NAMES:
        live = optimizer.state[name]
        assert not np.shares_memory(saved["state"][name]["m"], live["m"])
        assert saved["state"][name]["m"].tobytes() == kept["state"][name]["m"].tobytes()
        assert saved["state"][name]["m"].dtype == live["m"].dtype
        assert isinstance(saved["state"][name]["mu_product"], float)
    optimizer.load_state_dict(saved)
    saved["state"]["w"]["m"][...] = 99
    assert optimizer.state["w"]["m"].tobytes() == kept["state"]["w"]["m"].tobytes()
    shared = optimizer.state_dict(copy=False)
    assert np.shares_memory(shared["state"]["w"]["m"], optimizer.state["w"]["m"])


def test_through_npz_and_json() -> None:
    """Arrays survive `np.savez` and everything else JSON, so no pickle is needed."""
    optimizer = adamas.ScheduleFreeAdamW(params(), lr=warmup(0.1, steps=3), ema=0.5)
    train(optimizer, 0, 3)
    saved = optimizer.state_dict()
    file = io.BytesIO()
    flat = {f"{name}/{k}": v for name, entry in saved["state"].items() for k, v in entry.items()}
    np.savez(file, **flat)
    plain = json.dumps({k: v for k, v in saved.items() if k != "state"})
    file.seek(0)
    state: dict[str, dict[str, Any]] = {name: {} for name in NAMES}
    with np.load(file) as read:
        for key in read.files:
            name, _, part = key.rpartition("/")
            state[name][part] = read[key]
    again = adamas.ScheduleFreeAdamW(named(optimizer), lr=warmup(0.1, steps=3), ema=0.5)
    again.load_state_dict({**json.loads(plain), "state": state})
    assert snapshot(again) == snapshot(optimizer)
    assert again.param_groups[0]["eps"] == 1e-8


def test_not_strict_takes_what_both_have() -> None:
    """`strict=False` loads the common parameters, by name, and leaves the others alone."""
    one = adamas.Adam({"w": np.ones(2), "old": np.ones(3)}, lr=0.5)
    one.step({"w": np.ones(2), "old": np.ones(3)})
    two = adamas.Adam({"new": np.ones(4), "w": np.ones(2)})
    with pytest.raises(ValueError, match=r"differ in \['new', 'old'\]; or use strict=False"):
        two.load_state_dict(one.state_dict() | {"param_groups": two.state_dict()["param_groups"]})
    with pytest.raises(ValueError, match=r"no saved param group holds \['new', 'w'\]"):
        two.load_state_dict(one.state_dict())
    two.load_state_dict(one.state_dict(), strict=False)
    assert two.state["w"]["m"].tolist() == one.state["w"]["m"].tolist()
    assert (two.state["w"]["step"], two.state["new"]["step"]) == (1, 0)
    assert not two.state["new"]["m"].any()
    assert two.param_groups[0]["lr"] == 0.5


def test_going_back_forgets_what_rows_had_to_catch_up() -> None:
    """Loading an older state into exact rows drops what they missed in the run that is given up."""
    w = np.ones((4, 2))
    optimizer = adamas.Momentum(w, rows="exact", lr=0.5)
    rows = [adamas.Rows([k % 3], np.ones((1, 2))) for k in range(8)]
    for step in rows[:4]:
        optimizer.step(step)
    saved, kept = optimizer.state_dict(), w.copy()
    for step in rows[4:]:
        optimizer.step(step)
    optimizer.sync()
    expected = w.copy()
    optimizer.step(rows[0])
    w[...] = kept
    optimizer.load_state_dict(saved)
    assert np.array_equal(w, kept)
    for step in rows[4:]:
        optimizer.step(step)
    optimizer.sync()
    assert np.array_equal(w, expected)


def without(entry: dict[str, Any], key: str) -> dict[str, Any]:
    """A dict without one key."""
    return {k: v for k, v in entry.items() if k != key}


def with_state(**changes: Any) -> Callable[[dict[str, Any]], Any]:
    """Change the saved state of "table", the last parameter to be taken over."""
    return lambda s: {
        **s, "state": {**s["state"], "table": {**s["state"]["table"], **changes}}
    }  # fmt: skip


def with_group(**changes: Any) -> Callable[[dict[str, Any]], Any]:
    """Change the saved param group."""
    return lambda s: {**s, "param_groups": [{**s["param_groups"][0], **changes}]}


MISFITS: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "nothing": (lambda s: {}, "rule None"),
    "a list": (lambda s: [s], "a state dict is a dict, not list"),
    "rule": (lambda s: {**s, "rule": "adam"}, "state of rule 'adam' .*, not of 'nadam'"),
    "format": (lambda s: {**s, "format": 2}, "format 2"),
    "no steps": (lambda s: without(s, "steps"), "lacks 'steps'"),
    "no state": (lambda s: without(s, "state"), "lacks 'state'"),
    "no groups": (lambda s: without(s, "param_groups"), "lacks 'param_groups'"),
    "steps -1": (lambda s: {**s, "steps": -1}, "steps is -1"),
    "steps 2.5": (lambda s: {**s, "steps": 2.5}, "steps must be a whole number, not 2.5"),
    "missing": (lambda s: {**s, "state": without(s["state"], "b")}, r"differ in \['b'\]"),
    "extra": (lambda s: {**s, "state": {**s["state"], "c": {}}}, r"differ in \['c'\]"),
    "shape": (with_state(m=np.zeros((2, 6), "f4")), r"m of 'table' is float32\[2, 6\], here"),
    "dtype": (with_state(v=np.zeros((6, 2))), r"float64\[6, 2\], here it is float32\[6, 2\]"),
    "lost state": (lambda s: {**s, "state": {**s["state"], "b": {"m": 0}}}, "differs from this"),
    "added state": (with_state(u=0.0), r"this rule's in \['u'\]"),
    "scalar text": (with_state(mu_product="one"), "mu_product of 'table' must be a number"),
    "step text": (with_state(step="3"), "saved step of 'table' must be a whole number"),
    "step -3": (with_state(step=-3), "saved step of 'table' is -3"),
    "other names": (with_group(params=["w", "b"]), "no saved param group holds"),
    "hyper text": (with_group(eps="tiny"), "saved eps is 'tiny', this optimizer has 1e-08"),
    "bad hyper": (with_group(beta1=1.5), "beta1=1.5 is not allowed"),
    "schedule": (with_group(lr=0.1), "lr is 0.1, this optimizer has 'cosine"),
    "group": (lambda s: {**s, "param_groups": []}, "no saved param group holds"),
    "lost hyper": (
        lambda s: {**s, "param_groups": [without(s["param_groups"][0], "beta2")]},
        "saved param group lacks 'beta2'",
    ),
}


@pytest.mark.parametrize("case", MISFITS)
def test_a_misfit_changes_nothing(case: str) -> None:
    """State that does not fit is refused by name, with every bit and setting as before."""
    optimizer = adamas.NAdam(params(), lr=cosine(0.1, steps=5))
    other = adamas.NAdam(params(1), lr=cosine(0.1, steps=5), beta1=0.5)
    train(optimizer, 0, 2)
    train(other, 2, 5)
    spoil, message = MISFITS[case]
    before, groups = snapshot(optimizer), [dict(group) for group in optimizer.param_groups]
    with pytest.raises((ValueError, TypeError), match=message):
        optimizer.load_state_dict(spoil(other.state_dict()))
    assert snapshot(optimizer) == before
    assert [dict(group) for group in optimizer.param_groups] == groups


def test_groups_without_parameters_are_loaded_in_their_order() -> None:
    """A run with several empty groups resumes, each with the settings that it had."""

    def made() -> adamas.Optimizer:
        empty: list[Array] = []
        groups = [{"params": empty}, {"params": [np.zeros(2)]}, {"params": empty}]
        return adamas.Adam(groups, lr=0.5)

    one, other = made(), made()
    for k, group in enumerate(one.param_groups):
        group["lr"] = 0.1 * (k + 1)
    other.load_state_dict(one.state_dict())
    assert [group["lr"] for group in other.param_groups] == [g["lr"] for g in one.param_groups]
