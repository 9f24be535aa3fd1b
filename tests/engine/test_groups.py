"""Groups, schedules and hyper-parameters that change: what torch's param groups do, in float64."""

import copy
import math
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import adamas
from adamas import rules
from adamas.classes import hypers as hypers_of
from adamas.schedule import cosine, exponential, step, warmup
from family import ELEMENTWISE
from foreign import torch
from stepping import Array, ByHand, make, tensors

# Another legal value for each hyper-parameter of the family.
OTHER = {
    "lr": 0.02,
    "eps": 1e-3,
    "weight_decay": 0.3,
    "momentum_decay": 0.1,
    "alpha": 2.0,
    "alpha_warmup": 5.0,
    "beta3_warmup": 7.0,
    "r": 1.0,
    "weight_lr_power": 1.0,
}
STEPS = 6
HYPERS = [(rule, hyper) for rule in ELEMENTWISE for hyper in hypers_of(getattr(rules, rule))]


def gradients(seed: int, *shape: int) -> Array:
    """Random gradients for STEPS steps."""
    return np.random.default_rng(seed).normal(size=(STEPS, *shape))


@pytest.mark.parametrize(("rule", "hyper"), HYPERS)
def test_every_hyper_changes_between_steps(rule: str, hyper: str) -> None:
    """Any hyper-parameter set in `param_groups` holds from the next step on."""
    p = np.linspace(-1, 1, 5)
    optimizer, by_hand = make(rule, p), ByHand(rule, p)
    for t, g in enumerate(gradients(1, 5)):
        if t == 2:
            value = OTHER.get(hyper, 0.4)
            optimizer.param_groups[0][hyper] = by_hand.hypers[hyper] = value
        optimizer.step(g)
        by_hand.step(g)
    assert optimizer.settings()[hyper] == value
    np.testing.assert_allclose(p, by_hand.p, rtol=1e-11, atol=1e-13)
    for name, state in by_hand.state.items():
        np.testing.assert_allclose(optimizer.state[0][name], state, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize(("rule", "hyper"), HYPERS)
def test_every_hyper_takes_a_schedule(rule: str, hyper: str) -> None:
    """Any hyper-parameter may be a function of the step, which is 1 at the first."""
    p = np.linspace(-1, 1, 5)
    schedule = exponential(OTHER.get(hyper, 0.4), factor=0.8)
    optimizer, by_hand = make(rule, p, **{hyper: schedule}), ByHand(rule, p)
    for t, g in enumerate(gradients(2, 5), start=1):
        by_hand.hypers[hyper] = schedule(t)
        optimizer.step(g)
        by_hand.step(g)
        assert optimizer.settings()[hyper] == schedule(t)
    np.testing.assert_allclose(p, by_hand.p, rtol=1e-11, atol=1e-13)


def test_schedules_count_steps_that_were_done() -> None:
    """A skipped step does not advance a schedule, and a step without a gradient does."""
    seen: list[int] = []

    def lr(t: int) -> float:
        seen.append(t)
        return 0.5**t

    w = np.zeros(2)
    optimizer = adamas.SGD(w, lr=lr, on_nonfinite="skip")
    optimizer.step(np.ones(2))
    assert not optimizer.step(np.full(2, np.nan))
    optimizer.step(np.ones(2))
    optimizer.step(None)
    optimizer.step(np.ones(2))
    assert seen[-5:] == [1, 2, 2, 3, 4]
    assert w.tolist() == [-(0.5 + 0.25 + 0.0625)] * 2


@st.composite
def group_layouts(draw: st.DrawFn) -> list[tuple[list[tuple[int, ...]], dict[str, float]]]:
    """Groups: the shapes of their parameters, and some hyper-parameters of their own."""
    shapes = st.lists(st.lists(st.integers(0, 3), max_size=2).map(tuple), min_size=1, max_size=3)
    own = st.fixed_dictionaries(
        {},
        optional={
            "lr": st.floats(1e-4, 1.0),
            "beta1": st.floats(0.0, 0.99),
            "beta2": st.floats(0.0, 0.999),
            "eps": st.floats(1e-8, 1e-2),
            "weight_decay": st.floats(0.0, 0.5),
        },
    )
    return draw(st.lists(st.tuples(shapes, own), min_size=1, max_size=4))


def torch_groups(params: list[list[Array]], own: list[dict[str, float]]) -> list[dict[str, Any]]:
    """The same groups as torch writes them."""
    groups = []
    for arrays, hypers in zip(params, own, strict=True):
        betas = (hypers.get("beta1", 0.9), hypers.get("beta2", 0.999))
        plain = {k: v for k, v in hypers.items() if not k.startswith("beta")}
        groups.append({"params": [torch.tensor(p) for p in arrays], "betas": betas, **plain})
    return groups


@given(layout=group_layouts(), seed=st.integers(0, 99), data=st.data())
def test_groups_are_torch_s(
    layout: list[tuple[list[tuple[int, ...]], dict[str, float]]], seed: int, data: st.DataObject
) -> None:
    """Groups with settings of their own, changed on the way, step as torch.optim.AdamW's do."""
    rng = np.random.default_rng(seed)
    params = [[np.asarray(rng.normal(size=s)) for s in shapes] for shapes, _ in layout]
    own = [hypers for _, hypers in layout]
    theirs = torch_groups(params, own)
    reference = torch.optim.AdamW(theirs, lr=0.01, foreach=False, fused=False)
    groups = [{"params": p, **hypers} for p, hypers in zip(params, own, strict=True)]
    optimizer = adamas.AdamW(groups, lr=0.01)
    for t in range(4):
        if t == 2:
            k = data.draw(st.integers(0, len(groups) - 1))
            for each in (optimizer, reference):
                each.param_groups[k].update(lr=0.05, weight_decay=0.1)
        grads: list[list[Array | None]] = [
            [data.draw(st.sampled_from([np.asarray(rng.normal(size=p.shape)), None])) for p in part]
            for part in params
        ]
        optimizer.step(grads)
        for group, part in zip(reference.param_groups, grads, strict=True):
            for tensor, g in zip(group["params"], part, strict=True):
                tensor.grad = None if g is None else torch.tensor(g)
        reference.step()
    expected = [tensor for group in reference.param_groups for tensor in group["params"]]
    for mine, tensor in zip(tensors(optimizer), expected, strict=True):
        np.testing.assert_allclose(mine, tensor.numpy(), rtol=1e-9, atol=1e-12)


def test_schedules_are_torch_s() -> None:
    """A schedule in one group and a number in another do what torch's LambdaLR does."""
    a, b = np.ones(3), np.ones((2, 2))
    schedule = warmup(0.1, steps=2, fraction=0.5).then(cosine(0.1, steps=4), at=2)
    optimizer = adamas.AdamW([{"params": [a], "lr": schedule}, {"params": {"b": b}}], lr=0.02)
    theirs = [torch.tensor(a), torch.tensor(b)]
    reference = torch.optim.AdamW(
        [{"params": [theirs[0]], "lr": 1.0}, {"params": [theirs[1]]}], 0.02
    )
    turning = torch.optim.lr_scheduler.LambdaLR(
        reference, [lambda k: schedule(k + 1), lambda k: 1.0]
    )
    for g, h in zip(gradients(5, 3), gradients(6, 2, 2), strict=True):
        theirs[0].grad, theirs[1].grad = torch.tensor(g), torch.tensor(h)
        reference.step()
        turning.step()
        optimizer.step([[g], {"b": h}])
        assert optimizer.settings(1)["lr"] == 0.02
    np.testing.assert_allclose(a, theirs[0].numpy(), rtol=1e-12)
    np.testing.assert_allclose(b, theirs[1].numpy(), rtol=1e-12)


def test_param_groups_hold_everything() -> None:
    """Each group shows its parameters, their names and every hyper-parameter, as set."""
    w, b = np.ones(2), np.ones(3)
    lr = step(0.1, every=2, factor=0.5)
    optimizer = adamas.Adam([{"params": {"w": w}, "eps": 1e-4}, {"params": [b]}], lr=lr)
    first, second = optimizer.param_groups
    assert first["params"][0] is w
    assert second["params"][0] is b
    assert (first["names"], second["names"]) == (["w"], [1])
    assert first["lr"] is second["lr"] is lr
    assert (first["eps"], second["eps"]) == (1e-4, 1e-8)
    assert optimizer.settings(0) == {
        "lr": 0.1, "beta1": 0.9, "beta2": 0.999, "eps": 1e-4, "weight_decay": 0.0
    }  # fmt: skip


@pytest.mark.parametrize("lr", [1, np.float32(0.5), np.int64(2), np.float64(0.25)])
def test_any_real_number(lr: Any) -> None:
    """Python's and NumPy's real numbers are hyper-parameters, taken at their exact value."""
    w = np.zeros(1)
    adamas.SGD(w, lr=lr).step(np.ones(1))
    assert w[0] == -float(lr)


def test_hypers_are_never_rounded() -> None:
    """A decay of 1 - 1e-12 stays below 1 for float32 parameters (Keras' bf16 Adam froze there)."""
    w = np.zeros(3, np.float32)
    optimizer = adamas.Adam(w, lr=0.5, beta2=1 - 1e-12)
    optimizer.step(np.ones(3, np.float32))
    # Adam's first step is lr * g / |g| for any beta2.
    np.testing.assert_allclose(w, -0.5, rtol=1e-3)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_ema_is_torch_s(kind: Any) -> None:
    """`ema` keeps what torch's AveragedModel with its EMA function keeps."""
    w = np.linspace(-1, 1, 7).astype(kind)
    model = torch.nn.ParameterList([torch.nn.Parameter(torch.tensor(w))])
    averaging = torch.optim.swa_utils.get_ema_multi_avg_fn(0.8)
    average = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=averaging)
    reference = torch.optim.AdamW(model.parameters(), lr=0.1, foreach=False, fused=False)
    optimizer = adamas.AdamW(w, lr=0.1, ema=0.8)
    for g in gradients(7, 7).astype(kind):
        model[0].grad = torch.tensor(g)
        reference.step()
        average.update_parameters(model)
        optimizer.step(g)
        kept = average.module[0].detach().numpy()
        rtol = 1e-12 if kind is np.float64 else 2e-6
        np.testing.assert_allclose(optimizer.state[0]["average"], kept, rtol=rtol, atol=rtol / 10)
    np.testing.assert_allclose(w, model[0].detach().numpy(), rtol=rtol, atol=rtol / 10)


FORMS: dict[str, Any] = {
    "usual": lambda g: g,
    "strided": lambda g: np.repeat(g, 2)[::2],
    "float64": lambda g: g.astype(np.float64),
    "torch": torch.tensor,
    "backwards": lambda g: g[::-1].copy()[::-1],
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("count", [5, 140_000])
def test_zero_grads(form: str, count: int) -> None:
    """`zero_grads` clears the caller's own array, whatever its form, after it was used."""
    w = [np.zeros(count, np.float32), np.zeros(2, np.float32)]
    optimizer = adamas.Momentum(w, lr=1.0, zero_grads=True, clip_norm=1e9)
    for _ in range(2):
        g, h = FORMS[form](np.arange(count, dtype=np.float32)), np.ones(2, np.float32)
        optimizer.step([g, h])
        assert not np.asarray(g).any()
        assert not h.any()
    np.testing.assert_allclose(w[0], -2.9 * np.arange(count), rtol=1e-6)


@pytest.mark.parametrize("kind", ["float64", {"v": "float64"}, {"m": "float32"}])
def test_state_dtypes(kind: Any) -> None:
    """Each state keeps the dtype asked for, and float64 parameters keep float64 state."""
    params: dict[str, Array] = {"w": np.ones(3, np.float32), "b": np.ones(3)}
    optimizer = adamas.AdamW(params, lr=0.1, weight_decay=0.0, state=kind)
    g = np.array([0.1, -0.2, 0.3])
    for _ in range(3):
        optimizer.step({"w": g.astype(np.float32), "b": g})
    for name, entry in optimizer.state.items():
        for state in ("m", "v"):
            asked = kind if isinstance(kind, str) else kind.get(state, "float32")
            own = isinstance(kind, dict) and state in kind
            expected = asked if own or name == "w" else "float64"
            assert entry[state].dtype == expected
            mean = 0.9**3 if state == "m" else 0.999**3
            value = (1 - mean) * (g if state == "m" else g * g)
            np.testing.assert_allclose(entry[state], value, rtol=3e-6)
    assert math.isclose(params["w"][0], params["b"][0], rel_tol=1e-5)


@pytest.mark.parametrize("way", [lambda x: x, copy.deepcopy])
def test_what_nobody_would_read_is_not_set(way: Any) -> None:
    """A misspelt setting, as an attribute of a group or of a list, is an error."""
    optimizer = way(adamas.Adam({"w": np.zeros(2)}))
    group = optimizer.param_groups[0]
    for shown in (group, optimizer.param_groups, group["params"], optimizer.state):
        with pytest.raises(AttributeError, match="lr"):
            shown.lr = 5.0
    assert pickle.loads(pickle.dumps(group))["lr"] == group["lr"]
