"""Situations around schedulers: torch's suite, pytorch_optimizer's schedulers, averaged models."""

import types
import warnings
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler as lrs
from torch.optim.swa_utils import SWALR, AveragedModel, get_ema_multi_avg_fn, update_bn

import adamas.torch
from torch_training import SCHEDULERS, close, loss_of, model, train

BOTH = [adamas.torch, torch.optim]


def warned(act: Callable[[], Any]) -> list[str]:
    """The first words of every warning."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        act()
    return [str(one.message)[:40] for one in seen]


def parameter() -> nn.Parameter:
    """Two numbers with a gradient."""
    p = nn.Parameter(torch.ones(2))
    p.grad = torch.ones(2)
    return p


def scheduler_first(opt: Any) -> None:
    """The scheduler steps before the optimizer ever has."""
    scheduler = lrs.ExponentialLR(opt, 0.9)
    scheduler.step()
    opt.step()
    scheduler.step()


def resumed(opt: Any) -> None:
    """The same in a scheduler that goes on after ten epochs."""
    for group in opt.param_groups:
        group["initial_lr"] = 0.5
    scheduler = lrs.StepLR(opt, 3, gamma=0.1, last_epoch=10)
    scheduler.step()


def in_order(opt: Any) -> None:
    """The optimizer steps first, every time."""
    scheduler = lrs.ExponentialLR(opt, 0.9)
    for _ in range(3):
        opt.step()
        scheduler.step()


def overridden(opt: Any) -> None:
    """Somebody replaces `step` after the scheduler has been made."""
    scheduler = lrs.ExponentialLR(opt, 0.9)
    before = opt.step
    opt.step = types.MethodType(lambda self, *args: before(*args), opt)
    opt.step()
    scheduler.step()


@pytest.mark.parametrize("order", [scheduler_first, resumed, in_order, overridden])
@pytest.mark.parametrize("name", ["AdamW", "SGD"])
def test_warnings_of_the_order(name: str, order: Callable[[Any], None]) -> None:
    """Torch's warnings of schedulers stepped first, or of a replaced step, come as with torch."""
    found, expected = (
        warned(lambda home=home: order(getattr(home, name)([parameter()], lr=0.5))) for home in BOTH
    )
    assert found == expected


@pytest.mark.parametrize("name", ["AdamW", "SGD"])
def test_a_copy_under_a_scheduler_steps_itself(name: str) -> None:
    """A deep copy of an optimizer that a scheduler watches moves its own parameters alone."""
    p = parameter()
    opt = getattr(adamas.torch, name)([p], lr=0.1)
    scheduler = lrs.ExponentialLR(opt, 0.9)
    opt.step()
    scheduler.step()
    other, twin = deepcopy((p, opt))
    other.grad = torch.ones(2)
    before = p.detach().clone()
    twin.step()
    assert torch.equal(p, before) and not torch.equal(other, before)


@pytest.mark.parametrize("shape", [(), (1,)], ids=str)
def test_a_plateau_halves_the_tensor_it_finds(shape: tuple[int, ...]) -> None:
    """ReduceLROnPlateau leaves lr the tensor or float it was, and the step takes its value."""
    first, second = parameter(), parameter()
    lr = torch.full(shape, 0.5)
    groups: list[dict[str, Any]] = [{"params": [first], "lr": lr}, {"params": [second], "lr": 0.25}]
    opt = adamas.torch.SGD(groups)
    scheduler = lrs.ReduceLROnPlateau(opt, factor=0.5, patience=0, min_lr=0.001)
    for _ in range(2):
        scheduler.step(1.0)
    one, two = (group["lr"] for group in opt.param_groups)
    assert isinstance(one, torch.Tensor) and one.shape == shape and float(one) == 0.25
    assert two == 0.125
    opt.step()
    assert first.tolist() == [0.75] * 2 and second.tolist() == [0.875] * 2


def test_a_tensor_moved_in_place_is_the_new_lr() -> None:
    """An lr tensor that is changed in place between two steps counts at the next."""
    p, lr = parameter(), torch.tensor(0.5)
    opt = adamas.torch.SGD([p], lr=lr)
    opt.step()
    lr.mul_(0.5)
    opt.step()
    assert p.tolist() == [0.25] * 2


@pytest.mark.parametrize(
    "name", [n for n in SCHEDULERS if n not in ("LambdaLR", "MultiplicativeLR")]
)
def test_optimizer_and_scheduler_are_saved_together(name: str) -> None:
    """Both state dicts loaded into a new pair give the run that was never interrupted."""
    net = model()
    opt = adamas.torch.AdamW(net.parameters(), lr=1e-2)
    scheduler = SCHEDULERS[name](opt)
    metric = [1.0] if name == "ReduceLROnPlateau" else []
    for k in range(4):
        train(net, opt, range(k, k + 1))
        scheduler.step(*metric)
    saved = deepcopy((net.state_dict(), opt.state_dict(), scheduler.state_dict()))
    other = model(1)
    twin = adamas.torch.AdamW(other.parameters(), lr=0.5)
    again = SCHEDULERS[name](twin)
    for target, state in zip((other, twin, again), saved, strict=True):
        target.load_state_dict(state)
    for k in range(4, 8):
        for pair in ((net, opt, scheduler), (other, twin, again)):
            train(pair[0], pair[1], range(k, k + 1))
            pair[2].step(*metric)
    assert opt.param_groups[0]["lr"] == twin.param_groups[0]["lr"]
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), other.parameters(), strict=True))


def test_betas_that_a_cycle_moves() -> None:
    """Schedulers that cycle momentum move betas[0] of Adam as they do torch's, and it is used."""
    made = [
        lambda o: lrs.CyclicLR(o, 1e-3, 1e-2, step_size_up=3, cycle_momentum=True),
        lambda o: lrs.OneCycleLR(o, 1e-2, total_steps=9, cycle_momentum=True),
    ]
    for make in made:
        nets = []
        for home in BOTH:
            net = model()
            opt = home.AdamW(net.parameters())
            scheduler = make(opt)
            for k in range(8):
                train(net, opt, range(k, k + 1))
                scheduler.step()
            nets.append((list(net.parameters()), opt.param_groups[0]["betas"]))
        close(*([p.detach() for p in params] for params, _ in nets))
        assert nets[0][1] == nets[1][1] != (0.9, 0.999)


def test_schedulers_of_pytorch_optimizer() -> None:
    """Its warm restarts, REX and linear warm-up drive ours as they drive torch's."""
    peers = pytest.importorskip("pytorch_optimizer")
    made = [
        lambda o: peers.CosineAnnealingWarmupRestarts(
            o, first_cycle_steps=4, max_lr=0.1, min_lr=0.01, warmup_steps=2
        ),
        lambda o: peers.REXScheduler(o, total_steps=8, max_lr=0.1, min_lr=0.0),
        lambda o: peers.LinearScheduler(
            o, t_max=6, max_lr=0.1, min_lr=0.01, init_lr=1e-3, warmup_steps=2
        ),
    ]
    for make in made:
        results = []
        for home in BOTH:
            net = model()
            opt = home.AdamW(net.parameters())
            scheduler = make(opt)
            for k in range(6):
                train(net, opt, range(k, k + 1))
                scheduler.step()
            results.append([p.detach() for p in net.parameters()])
        close(*results)


def test_weights_averaged_late_in_a_run() -> None:
    """AveragedModel, SWALR and update_bn around a run give torch's averaged network."""
    results = []
    for home in BOTH:
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Linear(5, 2))
        opt = home.SGD(net.parameters(), lr=0.1, momentum=0.9)
        swa, ema = AveragedModel(net), AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(0.9))
        scheduler, late = lrs.CosineAnnealingLR(opt, 6), SWALR(opt, swa_lr=0.05, anneal_epochs=2)
        for k in range(8):
            opt.zero_grad()
            loss_of(net, k).backward()
            opt.step()
            ema.update_parameters(net)
            if k < 4:
                scheduler.step()
            else:
                swa.update_parameters(net)
                late.step()
        batches = torch.randn(3, 8, 6, generator=torch.Generator().manual_seed(1))
        update_bn(list(batches), swa)
        results.append([p.detach().float() for m in (swa, ema) for p in m.state_dict().values()])
    close(*results)
