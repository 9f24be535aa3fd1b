"""Wrong input is refused with an error that names it, and nothing at all has changed by then."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided, sliding_window_view

import adamas
from adamas.schedule import constant
from foreign import torch
from stepping import snapshot

NAN, INF = float("nan"), float("inf")


def ones(*shape: int, dtype: Any = np.float32) -> Any:
    """An array of ones."""
    return np.ones(shape, dtype)


def read_only(array: Any) -> Any:
    """The array, which may no longer be written."""
    array.flags.writeable = False
    return array


def overlapping(first: slice, second: slice, *more: slice) -> list[Any]:
    """Views of one base."""
    base = ones(100)
    return [base[part] for part in (first, second, *more)]


A, BASE = ones(3), ones(10)
PARAMS: dict[str, tuple[Any, type[Exception], str]] = {
    "none": (None, TypeError, "parameter 0 is NoneType, not an array"),
    "nothing": ([], ValueError, "no parameters; pass an array"),
    "no group": ([{"params": []}], ValueError, "no parameters"),
    "a number": (1.0, TypeError, "parameter 0 is float, not an array"),
    "a NumPy number": (np.float32(1), TypeError, "parameter 0 is float32, not an array"),
    "numbers": ([1.0, 2.0], TypeError, "parameter 0 is float"),
    "nested": ([ones(2), [ones(2)]], TypeError, "parameter 1 is list"),
    "named list": ({"w": [1.0]}, TypeError, "parameter 'w' is list"),
    "int": (ones(3, dtype=int), TypeError, r"dtype int64.*\.astype\(np.float32\)"),
    "bool": (ones(3, dtype=bool), TypeError, "dtype bool"),
    "float16": (ones(3, dtype=np.float16), TypeError, "dtype float16"),
    "object": (np.array([1.0, None]), TypeError, "dtype object"),
    "complex64": (ones(3, dtype="c8"), TypeError, r"complex64.*\.view\(np.float32\)"),
    "complex128": (ones(3, dtype="c16"), TypeError, r"complex128.*\.view\(np.float64\)"),
    "other endian": (ones(3, dtype=">f4"), TypeError, "dtype >f4"),
    "record": (np.zeros(3, [("a", "f4")]), TypeError, "dtype"),
    "text": (np.array(["a"]), TypeError, "dtype <U1"),
    "masked": (np.ma.masked_array([1.0, 2.0], [False, True]), TypeError, "is masked"),
    "bytes": (bytearray(8), TypeError, "dtype uint8"),
    "wants grad": (torch.ones(3, requires_grad=True), TypeError, "parameter 0 cannot be read"),
    "bfloat16": (torch.ones(3, dtype=torch.bfloat16), TypeError, "parameter 0 cannot be read"),
    "read-only": ({"w": read_only(ones(3))}, ValueError, "parameter 'w' is read-only"),
    "broadcast": (np.broadcast_to(ones(1), (3,)), ValueError, "is read-only"),
    "stride 0": (as_strided(ones(1), (3,), (0,)), ValueError, "may hold an element twice"),
    "windows": (sliding_window_view(ones(9), 3, writeable=True), ValueError, "element twice"),
    "same twice": ({"a": A, "b": A}, ValueError, "parameters 'a' and 'b' share memory"),
    "neighbours": (overlapping(np.s_[:6], np.s_[5:]), ValueError, "0 and 1 share memory"),
    "inside": (overlapping(np.s_[::2], np.s_[40:41]), ValueError, "0 and 1 share memory"),
    "far": (overlapping(np.s_[::2], np.s_[1:2], np.s_[4:5]), ValueError, "0 and 2 share memory"),
    "between": (overlapping(np.s_[::2], np.s_[1::2], np.s_[40:41]), ValueError, "0 and 2 share"),
    "two groups": ([{"params": A}, {"params": [A]}], ValueError, "0 and 1 share memory"),
    "number name": ({0: ones(3)}, TypeError, "parameter name 0 is not a text; name it '0'"),
    "same name": ([{"params": {"w": ones(2)}}] * 2, ValueError, "two parameters are called 'w'"),
    "empty group": ([{"lr": 1.0}], ValueError, "param group 0 has no 'params'"),
    "group's typo": ([{"params": A, "lrr": 1}], TypeError, "param group 0.*'lrr'.*mean 'lr'"),
}


@pytest.mark.parametrize("case", PARAMS)
def test_parameters(case: str) -> None:
    """What cannot be updated in place is refused by name when the optimizer is made."""
    params, error, message = PARAMS[case]
    with pytest.raises(error, match=message):
        adamas.AdamW(params)


def test_interleaved_views() -> None:
    """Views of one base that share no element are parameters like any others."""
    base = np.zeros((6, 4), np.float32)
    views = [base[::2, ::2], base[1::2], base[::2, 1::2]]
    adamas.SGD(views, lr=1.0).step([np.ones_like(view) for view in views])
    assert base.min() == base.max() == -1


OPTIONS: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "unknown": ({"learning_rate": 1}, TypeError, "adamw has no setting 'learning_rate'"),
    "suggestion": ({"bta1": 0.5}, TypeError, "Did you mean 'beta1'"),
    "torch's betas": ({"betas": (0.9, 0.99)}, TypeError, "Write beta1=..., beta2=...."),
    "negative": ({"lr": -0.1}, ValueError, "lr=-0.1 is not allowed; lr must not be negative"),
    "nan": ({"eps": NAN}, ValueError, "eps=nan is not allowed; eps must be finite"),
    "inf": ({"weight_decay": INF}, ValueError, "weight_decay must be finite"),
    "beta 1": ({"beta2": 1.0}, ValueError, "beta2=1.0.*must be at least 0 and below 1"),
    "beta -0.1": ({"beta1": -0.1}, ValueError, "beta1 must be at least 0"),
    "bool": ({"lr": True}, TypeError, "lr=True: a hyper-parameter is a number or a schedule"),
    "text": ({"lr": "0.1"}, TypeError, "lr='0.1'"),
    "none": ({"lr": None}, TypeError, "lr=None"),
    "complex": ({"lr": 1j}, TypeError, "lr=1j"),
    "array": ({"lr": np.array(0.1)}, TypeError, "lr=array"),
    "huge int": ({"lr": 10**400}, ValueError, "lr is beyond float64"),
    "huge fraction": ({"eps": Fraction(10) ** 400}, ValueError, "eps is beyond float64"),
    "huge clip": ({"clip_norm": 10**5000}, ValueError, "clip_norm is beyond float64"),
    "huge ema": ({"ema": 10**400}, ValueError, "ema is beyond float64"),
    "huge schedule": ({"lr": lambda t: 10**400}, ValueError, "lr is beyond float64"),
    "schedule": ({"lr": lambda t: -t}, ValueError, "lr=-1 is not allowed"),
    "clip 0": ({"clip_norm": 0}, ValueError, "clip_norm=0 must be positive"),
    "clip -1": ({"clip_norm": -1.0}, ValueError, "clip_norm=-1.0 must be positive"),
    "clip nan": ({"clip_norm": NAN}, ValueError, "clip_norm=nan must be positive"),
    "clip text": ({"clip_norm": "1"}, TypeError, "clip_norm='1'"),
    "clip True": ({"clip_norm": True}, TypeError, "clip_norm=True"),
    "nonfinite": ({"on_nonfinite": "ignore"}, ValueError, "'raise', 'skip', 'allow'"),
    "nonfinite None": ({"on_nonfinite": None}, ValueError, "on_nonfinite=None is not one of"),
    "rows": ({"rows": "sparse"}, ValueError, "rows='sparse' is not one of 'lazy', 'exact'"),
    "threads 0": ({"threads": 0}, ValueError, "threads=0 must be a whole number of at least 1"),
    "threads 1.5": ({"threads": 1.5}, ValueError, "threads=1.5"),
    "threads True": ({"threads": True}, ValueError, "threads=True"),
    "format": ({"state": "int3"}, ValueError, "state='int3': adamas stores float32"),
    "state": ({"state": {"u": "float64"}}, ValueError, "adamw has no state 'u'; it has m, v"),
    "state's format": ({"state": {"m": "half"}}, ValueError, "'half'}: adamas stores float32"),
    "state 5": ({"state": 5}, TypeError, "state=5 must be a format"),
    "ema 1": ({"ema": 1.0}, ValueError, "ema=1.0.*below 1"),
    "ema nan": ({"ema": NAN}, ValueError, "ema must be finite"),
    "ema text": ({"ema": "0.9"}, TypeError, "ema='0.9'"),
    "zero_grads": ({"zero_grads": "no"}, ValueError, "zero_grads='no' is not one of True, False"),
    "maximize": ({"maximize": 2}, ValueError, "maximize=2"),
}


@pytest.mark.parametrize("case", OPTIONS)
def test_options(case: str) -> None:
    """A wrong option names its value and the limit when the optimizer is made."""
    options, error, message = OPTIONS[case]
    with pytest.raises(error, match=message):
        adamas.AdamW(ones(3), **options)


def scene() -> tuple[adamas.Optimizer, dict[str, Any]]:
    """An optimizer of two named parameters after one step, and good gradients."""
    rng = np.random.default_rng(0)
    params = {"w": rng.normal(size=(3, 2)).astype(np.float32), "b": rng.normal(size=2)}
    optimizer = adamas.AdamW(params, lr=constant(0.1), clip_norm=1.0)
    good = {"w": rng.normal(size=(3, 2)).astype(np.float32), "b": rng.normal(size=2)}
    optimizer.step(good)
    return optimizer, good


GRADS: dict[str, tuple[Callable[[dict[str, Any]], Any], type[Exception], str]] = {
    "none": (lambda g: None, TypeError, "gradients must be a dict of the same names"),
    "list": (lambda g: list(g.values()), TypeError, "gradients must be a dict"),
    "array": (lambda g: g["w"], TypeError, "gradients must be a dict"),
    "missing": (lambda g: {"w": g["w"]}, ValueError, r"differ in \['b'\]; pass None"),
    "extra": (lambda g: {**g, "c": g["b"]}, ValueError, r"differ in \['c'\]"),
    "shape": (lambda g: {**g, "w": g["w"].T}, ValueError, r"'w' has shape \(2, 3\), not \(3, 2\)"),
    "flat": (lambda g: {**g, "w": ones(6)}, ValueError, "does not broadcast"),
    "scalar": (lambda g: {**g, "b": 1.0}, TypeError, "gradient of 'b' is float, not an array"),
    "int": (lambda g: {**g, "b": ones(2, dtype=int)}, TypeError, "'b' has dtype int64; give it as"),
    "int16": (lambda g: {**g, "b": ones(2, dtype="i2")}, TypeError, "dtype int16"),
    "complex": (lambda g: {**g, "b": ones(2, dtype="c8")}, TypeError, "dtype complex64"),
    "endian": (lambda g: {**g, "b": ones(2, dtype=">f8")}, TypeError, "dtype >f8"),
    "masked": (lambda g: {**g, "b": np.ma.ones(2)}, TypeError, "gradient of 'b' is masked"),
    "nan": (
        lambda g: {**g, "b": np.array([1, NAN])},
        FloatingPointError,
        r"'b' holds nan at \[1\]",
    ),
    "rows": (lambda g: {**g, "b": adamas.Rows([2], [1.0])}, ValueError, "2 is outside the 2 rows"),
    "low row": (lambda g: {**g, "b": adamas.Rows([-3], [1.0])}, ValueError, "index -3 is outside"),
    "rows' shape": (lambda g: {**g, "w": adamas.Rows([1], [1.0])}, ValueError, "shape"),
    "rows' index": (lambda g: {**g, "b": adamas.Rows([0.5], [1.0])}, TypeError, "integer array"),
    "2-d index": (lambda g: {**g, "b": adamas.Rows([[0]], [1.0])}, TypeError, "1-d integer array"),
    "rows' dtype": (lambda g: {**g, "b": adamas.Rows([0], [1])}, TypeError, "dtype int64"),
}


@pytest.mark.parametrize("case", GRADS)
def test_gradients(case: str) -> None:
    """A wrong gradient changes nothing, and the next good step is the one without the error."""
    optimizer, good = scene()
    undisturbed, _ = scene()
    spoil, error, message = GRADS[case]
    before = snapshot(optimizer)
    with pytest.raises(error, match=message):
        optimizer.step(spoil(good))
    assert snapshot(optimizer) == before
    optimizer.step(good)
    undisturbed.step(good)
    assert snapshot(optimizer) == snapshot(undisturbed)


SETTINGS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "lr": ({"lr": -1.0}, {}, "lr=-1.0 is not allowed"),
    "beta": ({"beta1": 1}, {}, "beta1=1 is not allowed"),
    "text": ({"eps": "small"}, {}, "eps='small'"),
    "bad schedule": ({"lr": lambda t: NAN}, {}, "lr=nan"),
    "typo": ({"learning_rate": 0.1}, {}, "adamw has no setting 'learning_rate'"),
    "clip": ({}, {"clip_norm": 0.0}, "clip_norm=0.0 must be positive"),
    "scale 0": ({}, {"loss_scale": 0.0}, "loss_scale=0.0 must be positive and finite"),
    "scale nan": ({}, {"loss_scale": NAN}, "loss_scale=nan"),
    "scale inf": ({}, {"loss_scale": INF}, "loss_scale=inf"),
    "scale -1": ({}, {"loss_scale": -1.0}, "loss_scale=-1.0"),
    "tiny scale": ({}, {"loss_scale": 1e-320}, "loss_scale=1e-320"),
    "huge scale": ({}, {"loss_scale": 10**400}, "loss_scale is beyond float64"),
    "scale text": ({}, {"loss_scale": "2"}, "loss_scale='2'"),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_settings_between_steps(case: str) -> None:
    """A setting spoilt between two steps is refused when it is set, or before the step."""
    optimizer, good = scene()
    undisturbed, _ = scene()
    changes, options, message = SETTINGS[case]
    before, group = snapshot(optimizer), optimizer.param_groups[0]
    kept = dict(group)

    def spoilt() -> None:
        # What a schedule returns is only known at the step.
        group.update({**changes})
        optimizer.step(good, **options)

    for _ in range(2):
        with pytest.raises((TypeError, ValueError), match=message):
            spoilt()
    assert snapshot(optimizer) == before
    group.update(kept)
    optimizer.step(good)
    undisturbed.step(good)
    assert snapshot(optimizer) == snapshot(undisturbed)


def test_several_settings_are_set_together_or_not_at_all() -> None:
    """When one of several settings is refused, none of them is set."""
    optimizer = adamas.SGD(ones(3), lr=0.1)
    before = dict(optimizer.param_groups[0])
    with pytest.raises(TypeError, match=r"'weight_decy'\. Did you mean 'weight_decay'"):
        optimizer.param_groups[0].update(lr=0.5, weight_decy=0.1)
    with pytest.raises(ValueError, match="lr=-1 is not allowed"):
        optimizer.param_groups[0] |= {"weight_decay": 0.5, "lr": -1}
    assert dict(optimizer.param_groups[0]) == before


ASSIGNED: dict[str, tuple[Callable[[adamas.Optimizer, Any], object], type[Exception], str]] = {
    "state's count": (
        lambda o, w: o.state["w"].__setitem__("step", 0), TypeError, r"load_state_dict\(\), or by"
    ),
    "state's array": (lambda o, w: o.state["w"].update(m=w), TypeError, "writing into an array"),
    "state": (lambda o, w: o.state.pop("w"), TypeError, "this dict is only shown"),
    "parameter added": (
        lambda o, w: o.param_groups[0]["params"].append(w), TypeError, "make a new optimizer"
    ),
    "parameter replaced": (
        lambda o, w: o.param_groups[0]["params"].__setitem__(0, w), TypeError, "new optimizer"
    ),
    "name": (lambda o, w: o.param_groups[0]["names"].clear(), TypeError, "make a new optimizer"),
    "params": (
        lambda o, w: o.param_groups[0].update(params=[w]), TypeError, "the params of a param group"
    ),
    "group added": (
        lambda o, w: o.param_groups.append({"params": [w], "lr": 0.1}), TypeError, "add or remove"
    ),
    "group lost": (lambda o, w: o.param_groups.clear(), TypeError, "add or remove param groups"),
    "setting lost": (lambda o, w: o.param_groups[0].pop("lr"), TypeError, "keeps all its entries"),
    "setting's typo": (
        lambda o, w: o.param_groups[0].update(lrr=1), TypeError, "'lrr'. Did you mean 'lr'"
    ),
    "setting": (
        lambda o, w: setattr(o, "lr", 0.1), AttributeError, r"param_groups\[0\]\['lr'\] = ..."
    ),
    "formula": (lambda o, w: setattr(o, "formula", None), AttributeError, "formula cannot be set"),
    "threads": (lambda o, w: setattr(o, "threads", 2), AttributeError, "Options are given when an"),
    "steps": (lambda o, w: setattr(o, "steps", 0), AttributeError, "steps cannot be set"),
    "groups": (lambda o, w: setattr(o, "param_groups", []), AttributeError, "cannot be set"),
    "unknown": (lambda o, w: setattr(o, "learning_rate", 1), AttributeError, "cannot be set"),
}  # fmt: skip


@pytest.mark.parametrize("case", ASSIGNED)
def test_what_is_set_is_heard_or_refused(case: str) -> None:
    """Whatever would be set and ignored is refused, says what to do, and changes nothing."""
    optimizer, _ = scene()
    act, error, message = ASSIGNED[case]
    before, groups = snapshot(optimizer), [dict(group) for group in optimizer.param_groups]
    with pytest.raises(error, match=message):
        act(optimizer, ones(3))
    assert snapshot(optimizer) == before
    assert [dict(group) for group in optimizer.param_groups] == groups


def test_a_subclass_has_attributes_of_its_own() -> None:
    """A subclass may set what it likes, but not what the optimizer would ignore."""

    class Mine(adamas.AdamW):
        pass

    optimizer = Mine(ones(2))
    optimizer.tag = "first"
    assert optimizer.tag == "first"
    with pytest.raises(AttributeError, match="cannot be set"):
        optimizer.beta1 = 0.5


FORMS: dict[str, tuple[Any, Any, type[Exception], str]] = {
    "array, list": (ones(2), [ones(2)], TypeError, "gradient of 0 is list"),
    "list, array": ([ones(2)], ones(2), TypeError, "parameters are a list"),
    "list, stacked": ([ones(2), ones(2)], ones(2, 2), TypeError, "must be a list"),
    "list, short": ([ones(2), ones(2)], [ones(2)], ValueError, "1 gradients for 2 parameters"),
    "list, dict": ([ones(2)], {"w": ones(2)}, TypeError, "must be a list"),
    "groups, flat": ([{"params": [ones(2)]}], ones(2), TypeError, "a list of 1, one entry per"),
    "groups, short": ([{"params": [ones(2)]}] * 1, [[]], ValueError, "0 gradients for 1"),
}


@pytest.mark.parametrize("form", FORMS)
def test_forms(form: str) -> None:
    """Gradients come in the form of the parameters; anything else says which form is expected."""
    params, grads, error, message = FORMS[form]
    optimizer = adamas.SGD(params)
    before = snapshot(optimizer)
    with pytest.raises(error, match=message):
        optimizer.step(grads)
    assert snapshot(optimizer) == before


ZEROED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "read-only": (lambda w: [read_only(ones(4)), ones(4)], "gradient of 0 is read-only"),
    "parameter": (lambda w: [ones(4), w[0]], "gradient of 1 and parameter 0 share memory"),
    "shared": (lambda w: [BASE[:4], BASE[3:7]], "gradient of 0 and the gradient of 1 share memory"),
}


@pytest.mark.parametrize("case", ZEROED)
def test_zero_grads_erases_gradients_only(case: str) -> None:
    """`zero_grads` refuses gradients whose zeroing would erase something else."""
    params = [ones(4), ones(4)]
    optimizer = adamas.SGD(params, zero_grads=True)
    grads, message = ZEROED[case]
    before = snapshot(optimizer)
    with pytest.raises(ValueError, match=message):
        optimizer.step(grads(params))
    assert snapshot(optimizer) == before
