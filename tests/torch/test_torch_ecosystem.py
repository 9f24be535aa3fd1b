"""Schedulers, scalers, hooks, copies: what surrounds an optimizer in PyTorch works with ours."""

import copy
import io
import os
import pickle
import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler as lrs

import adamas
from adamas.torch import SGD, Adam, AdamW, Momentum, optimizer
from adamas.words import sign
from places import HELPERS
from torch_training import SCHEDULERS, close, loss_of, model, train


@adamas.rule
def signum(p, g, m, *, lr=1e-3, beta=0.9):  # type: ignore[no-untyped-def]
    """Signum, Bernstein et al. 2018, Algorithm 1, as a user would write it."""
    m = beta * m + (1 - beta) * g
    return p - lr * sign(m), m


@pytest.mark.parametrize("tensor_lr", [False, True], ids=["float", "tensor"])
@pytest.mark.parametrize("name", SCHEDULERS)
@pytest.mark.parametrize("kind", ["AdamW", "SGD"])
def test_schedulers_move_the_lr(name: str, tensor_lr: bool, kind: str) -> None:
    """Every scheduler of torch drives ours as it drives torch's, lr a float or a tensor."""
    results = []
    more: dict[str, Any] = {"momentum": 0.9} if kind == "SGD" else {}
    for cls in (getattr(adamas.torch, kind), getattr(torch.optim, kind)):
        net = model()
        lr = torch.tensor(1e-2) if tensor_lr else 1e-2
        opt = cls(net.parameters(), lr=lr, **more)
        scheduler = SCHEDULERS[name](opt)
        for step in range(9):
            train(net, opt, range(step, step + 1))
            scheduler.step(*([1.0] if name == "ReduceLROnPlateau" else []))
        results.append([p.detach() for p in net.parameters()])
    close(*results)


def test_every_scheduler_of_torch_is_tried() -> None:
    """The table above holds all public schedulers of the installed torch."""
    public = {name for name in lrs.__all__ if name not in ("LRScheduler",)}
    assert public == set(SCHEDULERS) - {"SWALR"}


@pytest.mark.parametrize("more", [{}, {"fused": True}, {"zero_grad_in_step": True}], ids=str)
def test_grad_scaler_scales(more: dict[str, Any]) -> None:
    """Scaled gradients train as unscaled ones, and a step with an infinity is left out."""
    plain, scaled = model(), model()
    ours, reference = AdamW(scaled.parameters(), **more), AdamW(plain.parameters())
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**12, growth_interval=3)
    train(plain, reference, range(5))
    for step in range(5):
        ours.zero_grad()
        scaler.scale(loss_of(scaled, step)).backward()
        scaler.step(ours)
        scaler.update()
    close([p.detach() for p in scaled.parameters()], [p.detach() for p in plain.parameters()])
    before = copy.deepcopy(scaled.state_dict())
    next(scaled.parameters()).grad[0, 0] = torch.inf
    scaler.step(ours)
    scaler.update()
    assert all(torch.equal(before[k], v) for k, v in scaled.state_dict().items())
    assert ours.state[next(scaled.parameters())]["step"] == 5
    assert bool(next(scaled.parameters()).grad[0, 0] == 0) == ("zero_grad_in_step" in more)


def test_unscaled_gradients_are_not_divided_again() -> None:
    """After scaler.unscale_ and clipping, the step takes the gradients as they are."""
    plain, scaled = model(), model()
    ours, reference = SGD(scaled.parameters(), lr=0.1), SGD(plain.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    scaler.scale(loss_of(scaled, 0)).backward()
    loss_of(plain, 0).backward()
    scaler.unscale_(ours)
    for net in (plain, scaled):
        nn.utils.clip_grad_norm_(net.parameters(), 0.1)
    scaler.step(ours)
    reference.step()
    close([p.detach() for p in scaled.parameters()], [p.detach() for p in plain.parameters()])


def test_hooks_see_the_step() -> None:
    """Step hooks, an optimizer's own and global ones, run before and after, in torch's order."""
    from torch.optim.optimizer import (
        register_optimizer_step_post_hook,
        register_optimizer_step_pre_hook,
    )

    net, seen = model(), []
    opt = AdamW(net.parameters())
    weight = next(net.parameters())
    loss_of(net, 0).backward()
    start = weight.detach().clone()
    handles = [
        opt.register_step_pre_hook(lambda *_: seen.append(("pre", torch.equal(weight, start)))),
        opt.register_step_post_hook(lambda *_: seen.append(("post", torch.equal(weight, start)))),
        register_optimizer_step_pre_hook(lambda *_: seen.append(("global pre", True))),
        register_optimizer_step_post_hook(lambda *_: seen.append(("global post", True))),
    ]
    opt.step()
    for handle in handles:
        handle.remove()
    opt.step()
    assert seen == [("global pre", True), ("pre", True), ("post", False), ("global post", True)]


def test_the_profiler_sees_the_step() -> None:
    """A profile names the step as it names torch's."""
    net = model()
    opt = AdamW(net.parameters())
    loss_of(net, 0).backward()
    with torch.profiler.profile() as profile:
        opt.step()
    assert "Optimizer.step#AdamW.step" in {event.key for event in profile.key_averages()}


def test_closures_are_evaluated_with_gradients() -> None:
    """step(closure) evaluates the loss once, steps on its gradients, and returns it."""
    found, expected = model(), model()
    losses = []
    for net, cls in ((found, Adam), (expected, torch.optim.Adam)):
        opt = cls(net.parameters())

        def closure(net: nn.Module = net, opt: Any = opt) -> torch.Tensor:
            opt.zero_grad()
            loss = loss_of(net, 0)
            loss.backward()
            return loss

        with torch.no_grad():
            losses.append(opt.step(closure).item())
    assert losses[0] == losses[1]
    close([p.detach() for p in found.parameters()], [p.detach() for p in expected.parameters()])


@pytest.mark.parametrize("duplicate", ["deepcopy", "pickle", "torch.save"])
@pytest.mark.parametrize("make", [AdamW, optimizer(signum)], ids=["AdamW", "own rule"])
def test_a_copy_goes_on_by_itself(duplicate: str, make: Any) -> None:
    """A copied or pickled optimizer continues with the same bits, and on its own parameters."""
    net = model()
    opt = make(net.parameters(), lr=1e-2)
    train(net, opt, range(3))
    if duplicate == "deepcopy":
        other, twin = copy.deepcopy((net, opt))
    elif duplicate == "pickle":
        other, twin = pickle.loads(pickle.dumps((net, opt)))
    else:
        file = io.BytesIO()
        torch.save((net, opt), file)
        file.seek(0)
        other, twin = torch.load(file, weights_only=False)
    found, expected = train(other, twin, range(3, 6)), train(net, opt, range(3, 6))
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


def test_accumulated_gradients() -> None:
    """Two backward passes before a step are one with the sum, as in torch."""
    results = []
    for cls in (AdamW, torch.optim.AdamW):
        net = model()
        opt = cls(net.parameters())
        for step in range(6):
            loss_of(net, step).backward()
            if step % 2:
                opt.step()
                opt.zero_grad()
        results.append([p.detach() for p in net.parameters()])
    close(*results)


def test_ema_is_averaged_model_s() -> None:
    """ema= keeps what torch's AveragedModel keeps, beside the state."""
    from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

    net = model()
    opt = AdamW(net.parameters(), ema=0.9)
    averaged = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(0.9))
    for step in range(5):
        train(net, opt, range(step, step + 1))
        averaged.update_parameters(net)
    found = [opt.state[p]["average"] for p in net.parameters()]
    close(found, [p.detach() for p in averaged.module.parameters()])


def test_zeroed_gradients_of_either_kind() -> None:
    """zero_grad with tensors kept or dropped makes no difference to the run."""
    results = []
    for to_none in (False, True):
        net = model()
        opt = Momentum(net.parameters(), lr=0.1)
        for step in range(4):
            opt.zero_grad(set_to_none=to_none)
            loss_of(net, step).backward()
            opt.step()
        results.append([p.detach() for p in net.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


def test_gradients_released_in_the_backward_pass() -> None:
    """The recipe of torch, one optimizer a parameter stepped by its hook, gives the same run."""
    net, other = model(), model()
    single = {p: AdamW([p]) for p in other.parameters()}

    def release(p: torch.Tensor) -> None:
        single[p].step()
        single[p].zero_grad()

    for p in other.parameters():
        p.register_post_accumulate_grad_hook(release)
    for step in range(4):
        loss_of(other, step).backward()
        assert all(p.grad is None for p in other.parameters())
    expected = train(net, AdamW(net.parameters()), range(4))
    assert all(torch.equal(a, b) for a, b in zip(expected, other.parameters(), strict=True))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="workers are forks")
def test_data_loaders_fork_after_steps() -> None:
    """Workers forked from a process whose threads have stepped work, and so does the parent."""
    # A process of its own: JAX, where another test has loaded it, warns of every fork.
    done = subprocess.run(
        [sys.executable, str(HELPERS / "torch_forked.py")],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
