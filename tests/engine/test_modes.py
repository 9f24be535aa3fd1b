"""Schedule-free rules train at y and are evaluated at x, in NumPy as in the authors' package."""

import copy
import pickle
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import adamas
from adamas import rules
from foreign import torch
from foreign_rules import schedule_free

BETAS: dict[str, dict[str, Any]] = {
    "schedule_free_sgd": {"momentum": 0.8},
    "schedule_free_adamw": {"betas": (0.8, 0.9)},
    "schedule_free_radam": {"betas": (0.8, 0.9)},
}
KINDS = dict(zip(BETAS, ("SGD", "AdamW", "RAdam"), strict=True))
every_rule = pytest.mark.parametrize("rule", BETAS)


def started(seed: int = 0, dtype: str = "float64") -> dict[str, Any]:
    """A matrix and a vector."""
    rng = np.random.default_rng(seed)
    return {"w": rng.normal(size=(5, 3)).astype(dtype), "b": rng.normal(size=3).astype(dtype)}


def gradients(step: int, params: dict[str, Any]) -> dict[str, Any]:
    """Of a bowl, with noise."""
    rng = np.random.default_rng([1, step])
    return {k: (v + rng.normal(size=v.shape)).astype(v.dtype) for k, v in params.items()}


def made(rule: str, params: dict[str, Any], **more: Any) -> Any:
    """One of ours with the betas of `BETAS`."""
    given = {"beta1": 0.8, "lr": 0.05, "weight_decay": 0.1}
    if rule != "schedule_free_sgd":
        given["beta2"] = 0.9
    return adamas.Optimizer(getattr(rules, rule), params, **given, **more)


@every_rule
def test_both_modes_are_those_of_the_authors(rule: str) -> None:
    """Parameters in train and in eval mode, to and fro, are those of `schedulefree`."""
    params = started()
    tensors = {k: torch.tensor(v) for k, v in params.items()}
    more = {"lr": 0.05, "weight_decay": 0.1, **BETAS[rule]}
    theirs = schedule_free(list(tensors.values()), kind=KINDS[rule], **more)
    ours = made(rule, params)

    def compare() -> None:
        for name, array in params.items():
            np.testing.assert_allclose(array, tensors[name].numpy(), rtol=1e-12)

    for step in range(12):
        both = gradients(step, params)
        for name, g in both.items():
            tensors[name].grad = torch.tensor(g)
        theirs.step()
        ours.step(both)
        compare()
        if step % 3 == 2:
            for optimizer in (ours, theirs):
                optimizer.eval()
            ours.eval()
            compare()
            for optimizer in (ours, theirs):
                optimizer.train()
            ours.train()
            compare()


@every_rule
def test_a_step_in_eval_mode_is_refused(rule: str) -> None:
    """After eval() a step raises, says what to do, and changes nothing."""
    params = started()
    optimizer = made(rule, params)
    for step in range(8):
        optimizer.step(gradients(step, params))
    before = copy.deepcopy(params)
    optimizer.eval()
    averages = copy.deepcopy(params)
    assert not np.array_equal(before["w"], averages["w"])
    with pytest.raises(RuntimeError, match=r"call optimizer\.train\(\) before training"):
        optimizer.step(gradients(8, params))
    assert all(np.array_equal(averages[k], params[k]) for k in params)
    optimizer.train()
    assert all(np.array_equal(before[k], params[k]) for k in params)


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
@pytest.mark.parametrize("more", [{}, {"state": "int8"}, {"ema": 0.9}], ids=str)
def test_evaluating_does_not_change_training(dtype: str, more: dict[str, Any]) -> None:
    """A run that is evaluated in between has the bits of one that is not."""
    import ml_dtypes

    found = []
    for evaluated in (False, True):
        kind = ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype
        params = {k: v.astype(kind) for k, v in started().items()}
        optimizer = made("schedule_free_adamw", params, **more)
        for step in range(8):
            optimizer.step(gradients(step, params))
            if evaluated:
                optimizer.eval()
                optimizer.train()
        found.append(params)
    assert all(found[0][k].tobytes() == found[1][k].tobytes() for k in found[0])


def test_an_average_in_bfloat16_is_the_nearest() -> None:
    """The average of bfloat16 parameters is that of their numbers, rounded to nearest."""
    import ml_dtypes

    params = {k: v.astype(ml_dtypes.bfloat16) for k, v in started().items()}
    optimizer = made("schedule_free_sgd", params)
    for step in range(3):
        optimizer.step(gradients(step, params))
    y = {k: v.astype(np.float32) for k, v in params.items()}
    z = {k: optimizer.values(k)["z"] for k in params}
    optimizer.eval()
    average: Any = rules.schedule_free_average
    for k, array in params.items():
        expected = average(y[k], z[k], beta1=0.8).astype(ml_dtypes.bfloat16)
        np.testing.assert_array_equal(array.view(np.uint16), expected.view(np.uint16))


COPIES: dict[str, Callable[[Any], Any]] = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda both: pickle.loads(pickle.dumps(both)),
}


@pytest.mark.parametrize("through", COPIES)
def test_a_copy_made_while_evaluating_trains_on_from_the_same_bits(through: str) -> None:
    """Copies and pickle take along where training was, so that train() brings back its bits."""
    params = started()
    optimizer = made("schedule_free_adamw", params)
    for step in range(4):
        optimizer.step(gradients(step, params))
    before = copy.deepcopy(params)
    optimizer.eval()
    other, twin = COPIES[through]((params, optimizer))
    with pytest.raises(RuntimeError, match="in eval mode"):
        twin.step(gradients(4, other))
    twin.train()
    assert all(np.array_equal(before[k], other[k]) for k in before)


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_a_state_saved_in_either_mode_goes_on(mode: str) -> None:
    """Parameters and state saved in either mode resume the run to within rounding."""
    params = started()
    optimizer = made("schedule_free_adamw", params)
    for step in range(4):
        optimizer.step(gradients(step, params))
    getattr(optimizer, mode)()
    again, saved = copy.deepcopy(params), optimizer.state_dict()
    resumed = made("schedule_free_adamw", again)
    resumed.load_state_dict(saved)
    for arrays, one in ((params, optimizer), (again, resumed)):
        one.train()
        for step in range(4, 8):
            one.step(gradients(step, arrays))
    for k, array in params.items():
        np.testing.assert_allclose(again[k], array, rtol=1e-12)


def test_a_state_of_averages_is_not_converted() -> None:
    """Another home would take averages for the points where gradients are taken: it says so."""
    optimizer = made("schedule_free_adamw", started())
    optimizer.step(gradients(0, started()))
    optimizer.eval()
    with pytest.raises(ValueError, match=r"in eval mode.*Call optimizer\.train\(\) first"):
        adamas.convert(optimizer.state_dict(), "adamas", "adamas.torch.ScheduleFreeAdamW")


def test_rows_that_no_step_has_named_stay_where_they_are() -> None:
    """Of a table, the rows without a gradient so far are evaluated where they began."""
    table = np.random.default_rng(3).normal(size=(6, 4))
    optimizer = adamas.ScheduleFreeAdamW({"t": table}, lr=0.1)
    before = table.copy()
    for _ in range(3):
        optimizer.step({"t": adamas.Rows([1, 4], np.ones((2, 4)))})
    optimizer.eval()
    still = [0, 2, 3, 5]
    np.testing.assert_array_equal(table[still], before[still])
    assert not np.array_equal(table[1], before[1])


def test_beta1_of_0_has_no_average() -> None:
    """Without an interpolation there is no way from what is trained to the average: refused."""
    params = started()
    optimizer = adamas.ScheduleFreeSGD(params, lr=0.1, beta1=0.0)
    optimizer.step(gradients(0, params))
    before = copy.deepcopy(params)
    with pytest.raises(ValueError, match=r"beta1=0: schedule_free_sgd .* above 0"):
        optimizer.eval()
    assert all(np.array_equal(before[k], params[k]) for k in params)
    optimizer.step(gradients(1, params))


@pytest.mark.parametrize("make", [adamas.AdamW, partial(adamas.SGD, ema=0.9)])
def test_other_rules_have_one_mode(make: Any) -> None:
    """A rule that is evaluated where it is trained moves nothing, and steps in either mode."""
    params = started()
    optimizer = make(params)
    optimizer.step(gradients(0, params))
    before = copy.deepcopy(params)
    optimizer.eval()
    assert all(np.array_equal(before[k], params[k]) for k in params)
    optimizer.step(gradients(1, params))
    optimizer.train()


def test_only_the_groups_that_average_move() -> None:
    """Where groups name their rules, eval() moves those of schedule-free ones, and train() back."""
    params = started()
    groups = [
        {"params": {"w": params["w"]}, "rule": "schedule_free_adamw"},
        {"params": {"b": params["b"]}, "rule": "adamw"},
    ]
    optimizer = adamas.Optimizer(rules.adamw, groups)
    for step in range(3):
        given = gradients(step, params)
        optimizer.step([{"w": given["w"]}, {"b": given["b"]}])
    before = copy.deepcopy(params)
    optimizer.eval()
    assert np.array_equal(before["b"], params["b"])
    assert not np.array_equal(before["w"], params["w"])
    with pytest.raises(RuntimeError, match="in eval mode"):
        optimizer.step([{"w": params["w"]}, {"b": params["b"]}])
    optimizer.train()
    assert all(np.array_equal(before[k], params[k]) for k in params)
