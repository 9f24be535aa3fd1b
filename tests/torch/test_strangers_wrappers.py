"""Situations of pytorch_optimizer's and torch.distributed's suites: optimizers inside others."""

import random
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import adamas.torch
from torch_training import close

peers = pytest.importorskip("pytorch_optimizer")
# What torch's own modules warn of when they are imported or traced is their business.
OTHERS = pytest.mark.filterwarnings("ignore")
Made = Callable[[Any, nn.Module], Any]
X = torch.stack([torch.arange(20.0), torch.arange(20.0) * 2], 1) / 20
Y = (torch.arange(20.0) >= 10).float()[:, None]


def network() -> nn.Module:
    """A small classifier, always the same."""
    torch.manual_seed(42)
    return nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))


def backward(net: nn.Module) -> torch.Tensor:
    """The loss on all rows, after its backward pass."""
    loss = nn.functional.binary_cross_entropy_with_logits(net(X), Y)
    loss.backward()
    return loss


def plainly(opt: Any, net: nn.Module) -> None:
    """A step as everybody writes it."""
    opt.zero_grad()
    backward(net)
    opt.step()


def twice(opt: Any, net: nn.Module) -> None:
    """A step of sharpness-aware minimisation in its two halves."""
    opt.zero_grad()
    backward(net)
    opt.first_step(zero_grad=True)
    backward(net)
    opt.second_step(zero_grad=True)


def by_closure(opt: Any, net: nn.Module) -> None:
    """A step whose second half is a closure."""
    backward(net)
    opt.step(lambda: backward(net))
    opt.zero_grad()


def trained(make: Made, step: Callable[[Any, nn.Module], None], home: Any) -> list[torch.Tensor]:
    """The parameters after steps, a state dict loaded back, and more steps."""
    net = network()
    opt = make(home, net)
    for _ in range(5):
        step(opt, net)
    opt.load_state_dict(deepcopy(opt.state_dict()))
    for _ in range(2):
        step(opt, net)
    return [p.detach() for p in net.parameters()]


def free(home: Any, net: nn.Module) -> Any:
    """Schedule-free around AdamW, in training."""
    opt = peers.ScheduleFreeWrapper(home.AdamW(net.parameters(), lr=0.1, weight_decay=1e-3))
    opt.train()
    return opt


PLAIN: dict[str, Made] = {
    "Lookahead none": lambda home, net: peers.Lookahead(
        home.AdamW(net.parameters(), lr=0.1), k=2, pullback_momentum="none"
    ),
    "Lookahead reset": lambda home, net: peers.Lookahead(
        home.SGD(net.parameters(), lr=0.1, momentum=0.9), k=2, pullback_momentum="reset"
    ),
    "Lookahead pullback": lambda home, net: peers.Lookahead(
        home.SGD(net.parameters(), lr=0.1, momentum=0.9), k=2, pullback_momentum="pullback"
    ),
    "Lookahead of a class": lambda home, net: peers.Lookahead(
        home.AdamW, params=net.parameters(), lr=0.1
    ),
    "OrthoGrad": lambda home, net: peers.OrthoGrad(home.AdamW(net.parameters(), lr=0.1)),
    "TRAC": lambda home, net: peers.TRAC(home.AdamW(net.parameters(), lr=0.1)),
    "ScheduleFreeWrapper": free,
}


@pytest.mark.parametrize("name", PLAIN)
def test_wrappers_train_as_around_torch(name: str) -> None:
    """A wrapper of pytorch_optimizer, resumed from its own state dict, gives torch's numbers."""
    found, expected = (trained(PLAIN[name], plainly, o) for o in (adamas.torch, torch.optim))
    close(found, expected)


@pytest.mark.parametrize("adaptive", [True, False], ids=["adaptive", "plain"])
@pytest.mark.parametrize("step", [twice, by_closure])
@pytest.mark.parametrize("name", ["SAM", "FriendlySAM", "LookSAM"])
def test_two_backward_passes_a_step(
    name: str, step: Callable[[Any, nn.Module], None], adaptive: bool
) -> None:
    """Sharpness-aware wrappers move parameters there and back around our step as torch's."""

    def make(home: Any, net: nn.Module) -> Any:
        wrapper = getattr(peers, name)
        return wrapper(net.parameters(), home.AdamW, lr=0.05, adaptive=adaptive)

    close(*(trained(make, step, home) for home in (adamas.torch, torch.optim)))


def test_a_layer_frozen_under_a_wrapper() -> None:
    """Two passes a step with a layer that has no gradient leave that layer alone."""
    net = network()
    net[0].weight.requires_grad_(False)
    before = net[0].weight.detach().clone()
    opt = peers.SAM(net.parameters(), adamas.torch.AdamW, lr=0.05)
    for _ in range(3):
        twice(opt, net)
    assert torch.equal(net[0].weight, before)


def test_gradients_projected_on_each_other() -> None:
    """PCGrad sets gradients of two losses itself; the steps on them are torch's."""
    results = []
    for home in (adamas.torch, torch.optim):
        random.seed(0)
        np.random.seed(0)
        net = network()
        opt = peers.PCGrad(home.AdamW(net.parameters(), lr=0.1))
        for _ in range(4):
            opt.zero_grad()
            out = net(X)
            two = nn.functional.l1_loss(out, Y)
            opt.pc_backward([nn.functional.binary_cross_entropy_with_logits(out, Y), two])
            opt.step()
        results.append([p.detach() for p in net.parameters()])
    close(*results)


def test_slow_weights_are_lent_for_evaluation() -> None:
    """Lookahead swaps its slow weights in and out between steps, and training goes on."""
    results = []
    for home in (adamas.torch, torch.optim):
        net = network()
        opt = peers.Lookahead(home.AdamW(net.parameters(), lr=0.1), k=2)
        for _ in range(3):
            plainly(opt, net)
            opt.backup_and_load_cache()
            opt.clear_and_load_backup()
        opt.add_param_group({"params": []})
        plainly(opt, net)
        results.append([p.detach() for p in net.parameters()])
    close(*results)


def test_groups_added_to_a_schedule_free_wrapper() -> None:
    """Switched to evaluation and back, with an empty group added, the wrapper steps on."""
    results = []
    for home in (adamas.torch, torch.optim):
        net = network()
        opt = free(home, net)
        plainly(opt, net)
        opt.eval()
        seen = net(X).detach()
        for _ in range(2):
            opt.train()
        opt.add_param_group({"params": []})
        plainly(opt, net)
        results.append([seen, *(p.detach() for p in net.parameters())])
    close(*results)


@OTHERS
@pytest.mark.parametrize("hook", [True, False], ids=["hook", "no hook"])
def test_optimizers_applied_in_the_backward_pass(hook: bool) -> None:
    """`_apply_optimizer_in_backward`, once or twice a parameter, steps as its optimizers would."""
    from torch.distributed.optim import _apply_optimizer_in_backward, _get_in_backward_optimizers

    net, ref = network(), network()
    _apply_optimizer_in_backward(adamas.torch.SGD, net.parameters(), {"lr": 0.1})
    expected = [torch.optim.SGD(ref.parameters(), lr=0.1)]
    if not hook:
        _apply_optimizer_in_backward(
            adamas.torch.AdamW, net.parameters(), {"lr": 0.01}, register_hook=False
        )
        expected.append(torch.optim.AdamW(ref.parameters(), lr=0.01))
    for _ in range(3):
        backward(net)
        assert all(p.grad is None for p in net.parameters())
        ref.zero_grad()
        backward(ref)
        for opt in expected:
            opt.step()
    close([p.detach() for p in net.parameters()], [p.detach() for p in ref.parameters()])
    assert len(_get_in_backward_optimizers(net)) == 4 * len(expected)


@OTHERS
def test_state_by_qualified_names() -> None:
    """Torch's `_NamedOptimizer` keys our state by names as it keys torch's, and resumes from it."""
    from torch.distributed.optim import _NamedOptimizer

    runs = []
    for home in (adamas.torch, torch.optim):
        net = network()
        opt = _NamedOptimizer(net.named_parameters(), home.AdamW, lr=0.1)
        for _ in range(3):
            net.zero_grad()
            backward(net)
            opt.step()
        saved = deepcopy(opt.state_dict())
        other = deepcopy(net)
        twin = _NamedOptimizer(other.named_parameters(), home.AdamW, lr=0.1)
        # It takes a step with zero gradients to make the state that it loads into.
        kept = deepcopy(other.state_dict())
        twin.init_state()
        other.load_state_dict(kept)
        twin.load_state_dict(saved)
        other.zero_grad()
        backward(other)
        twin.step()
        runs.append((saved["state"], [p.detach() for p in other.parameters()]))
    (mine, found), (theirs, expected) = runs
    close(found, expected)
    assert mine.keys() == theirs.keys()
    for name, entry in theirs.items():
        for key, value in entry.items():
            torch.testing.assert_close(mine[name][key], value, rtol=1e-5, atol=1e-6)


@OTHERS
@pytest.mark.parametrize("name", ["AdamW", "SGD", "Lion"])
def test_a_compiled_step(name: str) -> None:
    """`torch.compile` of the step, or of a training step around it, leaves the bits as they are."""
    runs = []
    for way in ("plain", "step", "all"):
        net = network()
        opt = getattr(adamas.torch, name)(net.parameters(), lr=0.01)

        def once(net: nn.Module = net, opt: Any = opt) -> torch.Tensor:
            opt.zero_grad()
            loss = backward(net)
            opt.step()
            return loss

        if way == "step":
            opt.step = torch.compile(opt.step, backend="eager")
        run = torch.compile(once, backend="eager") if way == "all" else once
        for _ in range(3):
            run()
        runs.append([p.detach() for p in net.parameters()])
        assert all(int(entry.get("step", 3)) == 3 for entry in opt.state.values())
    for other in runs[1:]:
        assert all(torch.equal(a, b) for a, b in zip(runs[0], other, strict=True))
