"""Rules that sum over tensors, rows and columns are optimizers of torch like all others."""

import copy
import io
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import adamas.torch
from adamas import NonFiniteError
from adamas.rules import adafactor, lamb
from adamas.torch import release_gradients
from adamas.words import mean, norm
from reduction_rules import clipped_momentum

Rule = Callable[..., Any]
SHAPES = {"tall": (300, 60), "vector": (257,), "cube": (7, 5, 3), "number": (), "none": (0, 4)}


def steadied(p, g, s, *, lr=0.1):  # type: ignore[no-untyped-def]
    """A tensor keeps one number: the average norm of its gradients."""
    s = 0.9 * s + 0.1 * norm(g)
    return p - lr * g / (s + 1), s


def network(dtype: torch.dtype = torch.float32, only: tuple[str, ...] = ()) -> nn.ParameterDict:
    """Parameters of every shape, always the same."""
    made = torch.Generator().manual_seed(0)
    shapes = {name: SHAPES[name] for name in only or SHAPES}
    drawn = {n: torch.randn(s, generator=made, dtype=torch.float64) for n, s in shapes.items()}
    return nn.ParameterDict({name: nn.Parameter(p.to(dtype)) for name, p in drawn.items()})


def optimizer(rule: Rule, net: nn.ParameterDict, anywhere: bool = False, **more: Any) -> Any:
    """The rule as an optimizer; `anywhere` as it works on a device that has no kernels."""
    opt = adamas.torch.optimizer(rule)(net.named_parameters(), **{"lr": 0.02, **more})
    opt._driver.anywhere = anywhere
    return opt


def give(net: nn.ParameterDict, step: int) -> None:
    """The gradients of a step."""
    made = torch.Generator().manual_seed(step + 1)
    for p in net.values():
        p.grad = torch.randn(p.shape, generator=made, dtype=torch.float64).to(p.dtype)


def train(net: nn.ParameterDict, opt: Any, steps: range) -> None:
    """Steps with given gradients."""
    for step in steps:
        give(net, step)
        opt.step()


def equal(one: nn.ParameterDict, opt: Any, two: nn.ParameterDict, other: Any) -> None:
    """The same bits of parameters and states."""
    for name, p in one.items():
        assert torch.equal(p, two[name]), name
        here, there = opt.state[p], other.state[two[name]]
        assert here.keys() == there.keys()
        for key, value in here.items():
            # What a tensor without rows has a mean of is nothing.
            torch.testing.assert_close(value, there[key], rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("anywhere", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_adafactor_follows_torch(dtype: torch.dtype, anywhere: bool) -> None:
    """Ten steps under a scheduler are those of torch.optim.Adafactor, matrices and vectors."""
    only = ("tall", "vector")
    net, twin = network(dtype, only), network(dtype, only)
    opt = optimizer(adafactor, net, anywhere, eps1=1e-7, d=1.25)
    other = torch.optim.Adafactor(twin.parameters(), lr=0.02, eps=(1e-7, 1e-3), d=1.25)
    plans = [torch.optim.lr_scheduler.StepLR(one, 3, 0.5) for one in (opt, other)]
    for step in range(10):
        for one, steps, plan in ((net, opt, plans[0]), (twin, other, plans[1])):
            give(one, step)
            steps.step()
            plan.step()
    near = 1e-5 if dtype == torch.float32 else 1e-12
    for name, p in net.items():
        torch.testing.assert_close(p, twin[name], rtol=near, atol=near / 10)


def test_lamb_follows_optax() -> None:
    """Ten steps are those of optax.lamb, in float32."""
    import optax

    net = network(only=("tall", "vector"))
    opt = optimizer(lamb, net, lr=0.02, weight_decay=0.1)
    solver = optax.lamb(0.02, weight_decay=0.1)
    values = {name: p.detach().numpy().copy() for name, p in net.items()}
    kept = solver.init(values)
    for step in range(10):
        give(net, step)
        given = {name: p.grad.numpy().copy() for name, p in net.items()}
        moved, kept = solver.update(given, kept, values)
        values = optax.apply_updates(values, moved)
        opt.step()
    for name, p in net.items():
        np.testing.assert_allclose(p.detach().numpy(), values[name], rtol=2e-5, atol=1e-6)


def test_rows_and_columns_lie_in_the_state() -> None:
    """State has one number a row and a column, in the kernel's memory; a vector's has its own."""
    net = network()
    opt = optimizer(adafactor, net)
    train(net, opt, range(2))
    shapes = {
        name: {k: tuple(v.shape) for k, v in opt.state[p].items() if k != "step"}
        for name, p in net.items()
    }
    assert shapes == {
        "tall": {"r": (300,), "c": (60,)}, "vector": {"r": (257,), "c": ()},
        "cube": {"r": (7,), "c": (5, 3)}, "number": {"r": (), "c": ()},
        "none": {"r": (0,), "c": (4,)},
    }  # fmt: skip
    assert opt.storage["tall"] == {"r": "float32", "c": "float32"}
    assert opt.values("cube").keys() == {"r", "c"}
    twin = copy.deepcopy(net)
    other = optimizer(adafactor, twin)
    other.load_state_dict(opt.state_dict())
    for one, steps in ((net, opt), (twin, other)):
        steps.state[one["tall"]]["r"].mul_(4.0)
        steps.state[one["cube"]]["c"].zero_()
    before = net["tall"].detach().clone()
    train(net, opt, range(2, 3))
    train(twin, other, range(2, 3))
    equal(net, opt, twin, other)
    assert not torch.equal(before, net["tall"])


@pytest.mark.parametrize("rule", [lamb, adafactor, steadied])
@pytest.mark.parametrize("anywhere", [False, True])
def test_runs_go_on_from_what_was_saved(rule: Rule, anywhere: bool) -> None:
    """A file, a copy, a pickle, a new group and new memory change no bit of what follows."""
    net = network()
    opt = optimizer(rule, net, anywhere)
    train(net, opt, range(2))
    file = io.BytesIO()
    torch.save(opt.state_dict(), file)
    loaded, copied, pickled, grown = (copy.deepcopy(net) for _ in range(4))
    resumed = optimizer(rule, loaded, anywhere)
    file.seek(0)
    resumed.load_state_dict(torch.load(file, weights_only=True))
    runs = [(loaded, resumed)]
    for twin, made in ((copied, copy.deepcopy(opt)), (pickled, pickle.loads(pickle.dumps(opt)))):
        made._driver.anywhere = anywhere
        places = [p for group in made.param_groups for p in group["params"]]
        for p, mine in zip(twin.values(), places, strict=True):
            assert torch.equal(p, mine)
        runs.append((nn.ParameterDict(dict(zip(twin, places, strict=True))), made))
    other = optimizer(rule, grown, anywhere)
    other.load_state_dict(opt.state_dict())
    other.add_param_group({"params": [("late", nn.Parameter(torch.ones(3)))]})
    grown["cube"].data = grown["cube"].data.clone()
    runs.append((grown, other))
    train(net, opt, range(2, 4))
    for twin, made in runs:
        train(twin, made, range(2, 4))
        equal(net, opt, twin, made)


@pytest.mark.parametrize("anywhere", [False, True])
def test_engines_read_each_other(anywhere: bool) -> None:
    """Kernels and torch's own operations agree to 1e-6, and go on from each other's state."""
    for rule in (lamb, adafactor, steadied):
        net = network()
        twin = copy.deepcopy(net)
        opt, other = optimizer(rule, net, anywhere), optimizer(rule, twin, not anywhere)
        train(net, opt, range(5))
        train(twin, other, range(5))
        for name, p in net.items():
            torch.testing.assert_close(p, twin[name], rtol=1e-6, atol=1e-7)
            assert opt.state[p].keys() == other.state[twin[name]].keys()
        moved = optimizer(rule, twin, anywhere)
        moved.load_state_dict(other.state_dict())
        train(net, opt, range(5, 7))
        train(twin, moved, range(5, 7))
        for name, p in net.items():
            torch.testing.assert_close(p, twin[name], rtol=2e-6, atol=2e-7)


@pytest.mark.parametrize("anywhere", [False, True])
@pytest.mark.parametrize(
    ("name", "key", "value", "told"),
    [
        ("tall", "r", None, r"lacks 'r'"),
        ("tall", "c", None, r"lacks 'c'"),
        ("vector", "c", None, r"lacks 'c'"),
        ("tall", "r", torch.zeros(299), r"'r' has shape \(299,\) .* of shape \(300,\)"),
        ("cube", "c", torch.zeros(3, 5), r"'c' has shape \(3, 5\) .* of shape \(5, 3\)"),
        ("tall", "c", torch.zeros(60, dtype=torch.int64), "'c' has shape .* torch.int64; of this"),
        ("tall", "c", 1.0, "'c' is float, not a tensor"),
        ("tall", "other", torch.zeros(3), r"has \['other'\]"),
        ("vector", "c", torch.zeros(2), "saved 'c' is a torch.float32 tensor of shape"),
    ],
)
def test_state_that_does_not_fit_is_refused(
    anywhere: bool, name: str, key: str, value: Any, told: str
) -> None:
    """What is missing, too much, or of another shape is named, and nothing is changed."""
    net = network()
    opt = optimizer(adafactor, net, anywhere)
    train(net, opt, range(1))
    twin = copy.deepcopy(net)
    other = optimizer(adafactor, twin, anywhere)
    saved = opt.state_dict()
    entry = saved["state"][list(net).index(name)]
    entry[key] = value
    if value is None:
        del entry[key]
    with pytest.raises((ValueError, TypeError), match=told):
        other.load_state_dict(saved)
    assert not other.state


@pytest.mark.parametrize("anywhere", [False, True])
def test_a_bad_gradient_leaves_its_tensor(anywhere: bool) -> None:
    """One NaN leaves the whole tensor and its state; all others are those of the step without."""
    for rule in (adafactor, steadied):
        net = network(only=("tall", "vector", "cube"))
        twin = copy.deepcopy(net)
        opt, other = optimizer(rule, net, anywhere), optimizer(rule, twin, anywhere)
        train(net, opt, range(1))
        train(twin, other, range(1))
        kept = {k: v.clone() for k, v in opt.state[net["cube"]].items()}
        before = net["cube"].detach().clone()
        give(net, 1)
        give(twin, 1)
        net["cube"].grad[3, 2, 1] = torch.nan
        twin["cube"].grad = None
        with pytest.raises(NonFiniteError, match=r"105 elements of 1 tensor \(whole"):
            opt.step()
        other.step()
        equal(net, opt, twin, other)
        assert torch.equal(net["cube"], before)
        assert all(torch.equal(v, kept[k]) for k, v in opt.state[net["cube"]].items())


LAYOUTS = [((6, 5, 4, 3), torch.channels_last), ((40, 30), None)]


@pytest.mark.parametrize(("shape", "form"), LAYOUTS)
@pytest.mark.parametrize("rule", [lamb, adafactor])
def test_memory_orders_mean_nothing(rule: Rule, shape: tuple[int, ...], form: Any) -> None:
    """Parameters that lie otherwise in memory end where the usual order ends."""
    start = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    turned = start.clone(memory_format=form) if form else start.t().contiguous().t()
    runs = []
    for value in (start, turned):
        net = nn.ParameterDict({"p": nn.Parameter(value)})
        opt = optimizer(rule, net)
        train(net, opt, range(3))
        twin = copy.deepcopy(net)
        other = optimizer(rule, twin)
        other.load_state_dict(opt.state_dict())
        train(net, opt, range(3, 4))
        train(twin, other, range(3, 4))
        equal(net, opt, twin, other)
        runs.append((net["p"], opt.state[net["p"]]))
    (one, here), (two, there) = runs
    assert two.stride() == turned.stride()
    torch.testing.assert_close(one, two, rtol=1e-6, atol=1e-7)
    for key, kept in here.items():
        torch.testing.assert_close(kept, there[key], rtol=1e-6, atol=1e-9)


def test_complex_numbers_have_a_norm() -> None:
    """A norm over a complex tensor is that of its real and imaginary parts; rows are refused."""
    start = torch.randn(20, 9, dtype=torch.complex64, generator=torch.Generator().manual_seed(2))
    net = nn.ParameterDict({"p": nn.Parameter(start)})
    pairs = nn.ParameterDict({"p": nn.Parameter(torch.view_as_real(start).clone())})
    opt, other = optimizer(lamb, net), optimizer(lamb, pairs)
    for step in range(3):
        give(pairs, step)
        net["p"].grad = torch.view_as_complex(pairs["p"].grad.clone())
        opt.step()
        other.step()
    assert torch.equal(torch.view_as_real(net["p"]), pairs["p"])
    assert opt.state[net["p"]]["m"].is_complex()
    with pytest.raises(ValueError, match=r"'p' is torch.complex64.*torch\.view_as_real"):
        optimizer(adafactor, net)


def test_gradients_are_released_but_for_sums_over_all() -> None:
    """Steps in the backward pass have the bits of ordinary ones; a rule over all is refused."""
    for rule in (lamb, adafactor):
        net = network(only=("tall", "cube"))
        twin = copy.deepcopy(net)
        opt, other = optimizer(rule, net), optimizer(rule, twin)
        with release_gradients(opt):
            for step in range(3):
                give(twin, step)
                for name, p in net.items():
                    (p * twin[name].grad).sum().backward()
                opt.step()
                other.step()
        equal(net, opt, twin, other)
    with pytest.raises(ValueError, match="clipped_momentum sums over all tensors"):
        release_gradients(optimizer(clipped_momentum, net))


def test_rows_alone_are_refused() -> None:
    """A sparse gradient says too little of its tensor, and the error says what to do."""
    table = nn.Embedding(10, 4, sparse=True)
    opt = adamas.torch.optimizer(lamb)(table.named_parameters())
    table(torch.tensor([1, 2])).sum().backward()
    before = table.weight.detach().clone()
    with pytest.raises(ValueError, match=r"'weight' is sparse, and lamb .*sparse=False"):
        opt.step()
    assert torch.equal(before, table.weight)


def centred(p, g, m, *, rows, columns, lr=0.1):  # type: ignore[no-untyped-def]
    """Numbers of the tensor, and what a row has one number of."""
    m = 0.9 * m + g - mean(g, over="row")
    return p - lr * m / (rows + columns), m


@pytest.mark.parametrize("anywhere", [False, True])
def test_a_rule_knows_its_rows_and_columns(anywhere: bool) -> None:
    """`rows` and `columns` are the sizes of the tensor; of a vector each element is a row."""
    net = network(only=("tall", "cube", "vector"))
    twin = copy.deepcopy(net)
    opt = optimizer(centred, net, anywhere)
    kept = {name: torch.zeros_like(p) for name, p in net.items()}
    sizes = {"tall": 360, "cube": 22, "vector": 258}
    for step in range(3):
        give(net, step)
        opt.step()
        for name, p in twin.items():
            g = net[name].grad
            centre = g if g.ndim == 1 else g.flatten(1).mean(1).view(-1, *(1,) * (g.ndim - 1))
            kept[name] = 0.9 * kept[name] + g - centre
            p.data -= 0.02 * kept[name] / sizes[name]
    for name, p in net.items():
        torch.testing.assert_close(p, twin[name], rtol=1e-6, atol=1e-7)


def test_sums_over_all_stay_on_the_cpu() -> None:
    """A rule over all tensors is refused elsewhere, by name, when the optimizer is made."""
    net = nn.Linear(3, 2, device="meta")
    with pytest.raises(ValueError, match="'weight' is on meta, and clipped_momentum sums over all"):
        adamas.torch.optimizer(clipped_momentum)(net.named_parameters())
    here = network(only=("cube",))
    opt = optimizer(clipped_momentum, here, anywhere=True)
    give(here, 0)
    with pytest.raises(ValueError, match="'cube' is on cpu, and clipped_momentum sums over all"):
        opt.step()


CHOICES: dict[str, dict[str, Any]] = {
    "int8": {"state": lambda name, array: "int8"},
    "by name": {"state_by_name": {"tall": "bfloat16"}},
    "many": {"ema": 0.9, "clip_norm": 0.5, "zero_grad_in_step": True},
    "skipping": {"on_nonfinite": "skip"},
}


@pytest.mark.parametrize("choice", CHOICES)
def test_options_hold_for_rules_that_sum(choice: str) -> None:
    """Each option gives what it gives elementwise rules; a file goes on with the same bits."""
    rule, only = (steadied if choice == "many" else adafactor), ("tall", "cube", "vector")
    net, plain = network(only=only), network(only=only)
    opt, other = optimizer(rule, net, seed=3, **CHOICES[choice]), optimizer(rule, plain)
    for step in range(3):
        give(net, step)
        give(plain, step)
        if choice == "many":
            torch.nn.utils.clip_grad_norm_(plain.parameters(), 0.5)
        opt.step()
        other.step()
        zeroed = not any(bool(p.grad.any()) for p in net.values())
        assert zeroed == (choice == "many")
    for name, p in net.items():
        far = 0.03 if choice == "int8" else 2e-5
        torch.testing.assert_close(p, plain[name], rtol=far, atol=far)
    assert (opt.grad_norm > 0) == (choice in ("many", "skipping"))
    twin = copy.deepcopy(net)
    again = optimizer(rule, twin, seed=3, **CHOICES[choice])
    again.load_state_dict(opt.state_dict())
    train(net, opt, range(3, 5))
    train(twin, again, range(3, 5))
    equal(net, opt, twin, again)


@pytest.mark.parametrize("master", [None, 16])
def test_half_parameters_keep_their_rows_in_full(master: int | None) -> None:
    """bfloat16 parameters are rounded as others are; rows and columns stay float32."""
    only = ("tall", "cube")
    net, wide = network(torch.bfloat16, only), network(torch.bfloat16, only).float()
    opt, other = optimizer(adafactor, net, master=master, seed=1), optimizer(adafactor, wide)
    train(net, opt, range(4))
    for step in range(4):
        give(wide, step)
        for p in wide.values():
            p.grad = p.grad.bfloat16().float()
        other.step()
    assert opt.state[net["tall"]]["r"].dtype == torch.float32
    off = (net["tall"].float() - wide["tall"]).norm() / wide["tall"].norm()
    assert off < 0.01


def test_a_scaler_hands_over_its_scale() -> None:
    """A GradScaler's scale is divided out in the step, where infinities leave it out."""
    net, plain = network(only=("tall",)), network(only=("tall",))
    opt, other = optimizer(adafactor, net, fused=True), optimizer(adafactor, plain)
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0, growth_interval=100)
    for step in range(3):
        for one, times in ((net, float(scaler.get_scale())), (plain, 1.0)):
            give(one, step)
            one["tall"].grad.mul_(times)
        scaler.scale(torch.ones(1))
        scaler.step(opt)
        scaler.update()
        other.step()
    assert torch.equal(net["tall"], plain["tall"])


def test_a_closure_is_called_once() -> None:
    """The loss of a closure comes back, and the step uses its gradients."""
    net = network(only=("tall",))
    opt = optimizer(lamb, net)

    def closure() -> torch.Tensor:
        opt.zero_grad()
        loss = net["tall"].square().sum()
        loss.backward()
        return loss

    losses = [opt.step(closure).item() for _ in range(3)]
    assert losses == sorted(losses, reverse=True)
