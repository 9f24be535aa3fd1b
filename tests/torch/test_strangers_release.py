"""Situations of optimi's suite: gradients released and accumulated, decay apart from the lr."""

import math
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import nn

import adamas.torch
from adamas.torch import release_gradients
from torch_descents import LRS


def network(dtype: torch.dtype = torch.float32) -> nn.Module:
    """The network of optimi's suite: a norm and two layers without biases, always the same."""
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.LayerNorm(24), nn.Linear(24, 48, bias=False), nn.Mish(), nn.Linear(48, 1, bias=False)
    )
    return net.to(dtype)


def backward(net: nn.Module, step: int) -> None:
    """The gradients on a batch that depends on the step alone."""
    made = torch.Generator().manual_seed(step)
    x, y = torch.randn(8, 24, generator=made), torch.randn(8, 1, generator=made)
    dtype = next(net.parameters()).dtype
    nn.functional.mse_loss(net(x.to(dtype)), y.to(dtype)).backward()


def equal(one: nn.Module, other: nn.Module) -> bool:
    """Whether two networks have the same bits."""
    return all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


# Prodigy sums over all tensors, whose gradients are not there together.
CASES = [(name, torch.float32) for name in LRS if name != "Prodigy"] + [("AdamW", torch.bfloat16)]


@pytest.mark.parametrize(("name", "dtype"), CASES, ids=str)
def test_every_class_released_and_accumulated(name: str, dtype: torch.dtype) -> None:
    """Released, with every fourth pass a step, each class has the bits of ordinary steps."""
    plain, light = network(dtype), network(dtype)
    make = getattr(adamas.torch, name)
    ordinary = make(plain.named_parameters(), lr=LRS[name])
    opt = make(light.named_parameters(), lr=LRS[name])
    for one in (ordinary, opt):
        # Schedule-free ones are made to be evaluated.
        getattr(one, "train", lambda: None)()
    with release_gradients(opt) as release:
        for step in range(12):
            last = step % 4 == 3
            backward(plain, step)
            if last:
                backward(light, step)
                ordinary.step()
                ordinary.zero_grad()
                # optimi's suite clears gradients at any time; those stepped are gone already.
                opt.zero_grad()
                opt.step()
            else:
                with release.accumulate():
                    backward(light, step)
            assert equal(plain, light)
    assert not any(p.grad is not None for p in light.parameters())


@pytest.mark.parametrize("name", ["AdamW", "Lion", "AdEMAMix", "CautiousAdamW"])
def test_decay_apart_from_the_lr(name: str) -> None:
    """Decay divided by the largest lr is optimi's fully decoupled one, under any schedule."""
    largest, decay, steps = 0.02, 1e-3, 30
    p = nn.Parameter(torch.linspace(-1, 1, 100, dtype=torch.float64))
    start = p.detach().clone()
    opt = getattr(adamas.torch, name)([p], lr=largest, weight_decay=decay / largest)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(opt, steps)
    for _ in range(steps):
        p.grad = torch.zeros_like(p)
        opt.step()
        scheduler.step()
    shares = [(1 + math.cos(math.pi * k / steps)) / 2 for k in range(steps)]
    kept = math.prod(1 - share * decay for share in shares)
    torch.testing.assert_close(p.detach(), start * kept, rtol=1e-12, atol=0)


def compensated(p: torch.Tensor, updates: list[torch.Tensor]) -> torch.Tensor:
    """Updates added to a bfloat16 tensor with Kahan's compensation, 1965, in bfloat16."""
    p, rest = p.clone(), torch.zeros_like(p)
    for update in updates:
        rest = rest + update.to(p.dtype)
        before = p
        p = p + rest
        rest = rest + (before - p)
    return p


def test_master_bits_are_no_worse_than_kahan_s_sum() -> None:
    """Sixteen correction bits follow float32 at least as closely as a compensated sum does."""
    made = torch.Generator().manual_seed(3)
    start = torch.randn(4096, generator=made).bfloat16()
    grads = [torch.randn(4096, generator=made) + 0.5 for _ in range(60)]
    p = nn.Parameter(start.clone())
    p.grad_dtype = torch.float32
    opt = adamas.torch.SGD([p], lr=1e-4, master=16)
    for grad in grads:
        p.grad = grad
        opt.step()
    exact = start.double() - 1e-4 * torch.stack(grads).double().sum(0)
    kahan = compensated(start, [-1e-4 * grad for grad in grads])
    ours = (p.detach().double() - exact).abs()
    assert float(ours.mean()) <= float((kahan.double() - exact).abs().mean())
    # The nearest bfloat16 to the sum is within half a spacing of it.
    spacing = torch.exp2(torch.floor(torch.log2(exact.abs())) - 7)
    assert bool((ours <= 0.51 * spacing + 1e-6).all())


@pytest.mark.parametrize("policy", ["two lists", "names"])
def test_groups_with_and_without_decay(policy: str) -> None:
    """Groups that override the decay of the constructor decay alone, and are saved so."""
    net, before = network(), network()
    rows = [p for p in net.parameters() if p.ndim > 1]
    rest = [p for p in net.parameters() if p.ndim <= 1]
    groups: Any = [{"params": rows, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}]
    if policy == "names":
        kept: Callable[[nn.Parameter], bool] = lambda p: p.ndim > 1  # noqa: E731
        pairs = list(net.named_parameters())
        groups = [
            {"params": [(n, p) for n, p in pairs if kept(p)], "weight_decay": 0.1},
            {"params": [(n, p) for n, p in pairs if not kept(p)], "weight_decay": 0.0},
        ]
    opt = adamas.torch.AdamW(groups, lr=0.5, weight_decay=1e-3)
    for p in net.parameters():
        p.grad = torch.zeros_like(p)
    opt.step()
    for p, q in zip(net.parameters(), before.parameters(), strict=True):
        torch.testing.assert_close(p.detach(), q.detach() * (0.95 if p.ndim > 1 else 1.0))
    other = adamas.torch.AdamW(deepcopy(groups), weight_decay=0.5)
    other.load_state_dict(opt.state_dict())
    assert [group["weight_decay"] for group in other.param_groups] == [0.1, 0.0]
