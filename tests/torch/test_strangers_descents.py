"""Situations of timm's suite: known functions, closures, odd groups, layer-wise decay of the lr."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

import adamas.torch
from adamas.classes import CLASSES
from family import ELEMENTWISE
from long_form import sampled
from torch_descents import LRS, bowl


def test_the_table_has_every_class() -> None:
    """No class is left out of what follows."""
    public = {name for name in adamas.torch.__all__ if name[0].isupper()} - {"Optimizer"}
    # Those that take a module are in `test_muon_mistakes`.
    assert {name for name in public if "Muon" not in name} == set(LRS)


def valley(point: torch.Tensor) -> torch.Tensor:
    """The gradient of Rosenbrock's function."""
    x, y = point
    return torch.stack([-400 * x * (y - x**2) - 2 * (1 - x), 200 * (y - x**2)])


def made(name: str, params: Any, lr: float) -> Any:
    """An optimizer of that class, in train mode where it has modes."""
    opt = getattr(adamas.torch, name)(params, lr=lr)
    getattr(opt, "train", lambda: None)()
    return opt


def evened(opt: torch.optim.Optimizer) -> None:
    """Where training and evaluation have their own parameters, take those of evaluation."""
    getattr(opt, "eval", lambda: None)()


# Rules that sum take no gradient of single rows; `test_torch_sums` has the refusal.
SUMS = {name for name, rule in CLASSES.items() if rule.__name__ not in ELEMENTWISE}
WAYS = [(name, False) for name in LRS] + [(name, True) for name in LRS if name not in SUMS]


@pytest.mark.parametrize(("name", "sparse"), sampled(WAYS))
def test_one_coordinate_at_a_time(name: str, sparse: bool) -> None:
    """Gradients of x and y in turn, as rows named twice or zeros, lead down the valley."""
    p = nn.Parameter(torch.tensor([1.5, 1.5]))
    opt = made(name, [p], LRS[name])
    start = float(bowl(p.detach()))
    for step in range(400):

        def closure(k: int = step % 2) -> torch.Tensor:
            opt.zero_grad()
            g = valley(p.detach())[k]
            if sparse:
                # Not coalesced: the same row twice, with a quarter and three of it.
                rows = torch.tensor([[k, k]])
                p.grad = torch.sparse_coo_tensor(
                    rows, torch.stack([g / 4, g - g / 4]), (2,), check_invariants=True
                )
            else:
                p.grad = torch.zeros(2).index_fill(0, torch.tensor(k), float(g))
            return bowl(p.detach())

        opt.step(closure)
    evened(opt)
    assert float(bowl(p.detach())) < start / 2


def beale(point: torch.Tensor) -> torch.Tensor:
    """Beale's function, 1958: least, 0, at (3, 0.5)."""
    x, y = point
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


@pytest.mark.parametrize("name", LRS)
def test_beale_s_function(name: str) -> None:
    """Beale's function falls, and the closure is called once a step."""
    p = nn.Parameter(torch.tensor([1.0, 1.0]))
    opt = made(name, [p], min(LRS[name], 1e-2))
    before, calls = float(beale(p.detach())), []

    def closure() -> torch.Tensor:
        opt.zero_grad()
        loss = beale(p)
        loss.backward()
        calls.append(loss.item())
        return loss

    for _ in range(100):
        assert opt.step(closure).item() == calls[-1]
    evened(opt)
    assert len(calls) == 100 and calls[0] == pytest.approx(before)
    assert float(beale(p.detach())) < before


# The authors' RAdam waits for the variance of its first steps, as `radam` does not.
SILENT = {"ScheduleFreeRAdam": 5}


@pytest.mark.parametrize("name", LRS)
def test_every_step_lowers_a_network_s_output(name: str) -> None:
    """Twenty steps in a row each lower the output that is minimised, after the first."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 3), nn.Sigmoid(), nn.Linear(3, 1), nn.Sigmoid())
    x = torch.arange(1.0, 7.0).reshape(3, 2) / 10
    opt = made(name, net.parameters(), max(LRS[name], 1e-3))
    seen = []
    for _ in range(20):
        opt.zero_grad()
        loss = net(x).sum()
        loss.backward()
        seen.append(loss.item())
        opt.step()
    assert all(b < a for a, b in itertools.pairwise(seen[SILENT.get(name, 1) :]))


Shape = Callable[[nn.Parameter, nn.Parameter, float], Any]
SHAPES: dict[str, Shape] = {
    "list": lambda w, b, lr: [w, b],
    "two groups": lambda w, b, lr: [{"params": [w]}, {"params": [b], "lr": lr}],
    "a bare parameter": lambda w, b, lr: [{"params": b, "lr": lr}],
    "a generator": lambda w, b, lr: (p for p in (w, b)),
    "named groups": lambda w, b, lr: [{"params": [("w", w)]}, {"params": [("b", b)], "lr": lr}],
}


@pytest.mark.parametrize(("name", "shape"), sampled(itertools.product(LRS, SHAPES)))
def test_parameters_in_every_form(name: str, shape: str) -> None:
    """Lists, generators, groups with a bare parameter: what is not given does not move."""
    torch.manual_seed(2)
    weight, bias, x = (
        nn.Parameter(torch.randn(10, 5)),
        nn.Parameter(torch.randn(10)),
        torch.randn(5),
    )
    lr = LRS[name] / 5
    opt = made(name, SHAPES[shape](weight, bias, lr), lr / 2)
    before = weight.detach().clone()

    def closure() -> torch.Tensor:
        opt.zero_grad()
        loss = (weight.mv(x) + bias).pow(2).sum()
        loss.backward()
        return loss

    first = closure().item()
    for _ in range(20):
        opt.step(closure)
    assert closure().item() < first
    assert torch.equal(weight, before) == (shape == "a bare parameter")


def layered(net: nn.Sequential, decay: float, rate: float) -> list[dict[str, Any]]:
    """Groups as timm makes them: vectors are not decayed, deeper layers keep more of the lr."""
    groups = []
    last = len(net) - 1
    for depth, layer in enumerate(net):
        for p in layer.parameters():
            kept = 0.0 if p.ndim <= 1 else decay
            groups.append({"params": [p], "weight_decay": kept, "lr_scale": rate ** (last - depth)})
    return groups


def test_layer_wise_lr_of_timm() -> None:
    """Groups with `lr_scale`, which only the scheduler knows, train as in torch and are saved."""
    runs = []
    for home in (adamas.torch, torch.optim):
        torch.manual_seed(1)
        net = nn.Sequential(nn.Linear(6, 5), nn.LayerNorm(5), nn.Linear(5, 3))
        opt = home.AdamW(layered(net, 0.05, 0.75), lr=1e-2)
        x = torch.randn(9, 6)
        for step in range(6):
            for group in opt.param_groups:
                # As timm's schedulers set it.
                group["lr"] = 1e-2 / (1 + step) * group["lr_scale"]
            opt.zero_grad()
            net(x).pow(2).sum().backward()
            opt.step()
        runs.append((net, opt))
    for p, q in zip(runs[0][0].parameters(), runs[1][0].parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=1e-5, atol=1e-6)
    saved = runs[0][1].state_dict()
    assert [group["lr_scale"] for group in saved["param_groups"]] == [0.5625] * 2 + [0.75] * 2 + [
        1.0
    ] * 2
    fresh = adamas.torch.AdamW([{"params": [p]} for p in runs[0][0].parameters()])
    fresh.load_state_dict(saved)
    assert fresh.param_groups[0]["lr_scale"] == 0.5625


def test_groups_keep_what_others_write_into_them() -> None:
    """Keys that only the user or a trainer knows stay in groups, files and copies."""
    p, q = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    more = {"name": "backbone", "initial_lr": 0.1, "use_muon": False, "max_lr": 1.0, "tags": [1, 2]}
    opt = adamas.torch.AdamW([{"params": [p], **more}, {"params": [q]}])
    opt.param_groups[1]["remark"] = "added later"
    p.grad = q.grad = torch.ones(2)
    opt.step()
    other = adamas.torch.AdamW([{"params": [p]}, {"params": [q]}])
    other.load_state_dict(opt.state_dict())
    for one in (opt, other):
        assert {key: one.param_groups[0][key] for key in more} == more
        assert one.param_groups[1]["remark"] == "added later"


def test_empty_groups() -> None:
    """Groups without parameters are kept through steps, files, and more groups."""
    p, q = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    opt = adamas.torch.SGD([{"params": []}, {"params": [p]}, {"params": []}], lr=0.5)
    p.grad = q.grad = torch.ones(2)
    opt.step()
    opt.add_param_group({"params": []})
    opt.add_param_group({"params": [q], "lr": 0.25})
    opt.step()
    assert p.tolist() == [0.0, 0.0] and q.tolist() == [0.75, 0.75]
    groups = [{"params": own} for own in ([], [p], [], [], [q])]
    other = adamas.torch.SGD(groups, lr=1.0)
    other.load_state_dict(opt.state_dict())
    assert [group["lr"] for group in other.param_groups] == [0.5, 0.5, 0.5, 0.5, 0.25]


BAD = [{"lr": -1e-2}, {"eps": -1e-6}, {"weight_decay": -1e-3}, {"lr": float("nan")}]


@pytest.mark.parametrize("name", LRS)
def test_values_beyond_their_limits(name: str) -> None:
    """Every class refuses a negative lr, eps or decay, and betas outside of [0, 1), when made."""
    cls = getattr(adamas.torch, name)
    p = nn.Parameter(torch.zeros(1, 1))
    defaults = cls([p]).defaults
    bad: list[dict[str, Any]] = [one for one in BAD if next(iter(one)) in defaults]
    for place in range(len(defaults.get("betas", ()))):
        for value in (-0.1, 1.0):
            betas = list(defaults["betas"])
            betas[place] = value
            bad.append({"betas": tuple(betas)})
    for given in bad:
        with pytest.raises(ValueError, match=next(iter(given)).removesuffix("s")):
            cls([p], **given)
        with pytest.raises(ValueError, match=next(iter(given)).removesuffix("s")):
            cls([{"params": [p], **given}])
