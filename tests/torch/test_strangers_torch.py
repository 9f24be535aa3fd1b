"""Situations of torch's own optimizer suite: each input of its table, beside torch itself."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import nn

from torch_descents import affine, bowl, lossy
from torch_table import INFOS, NAMES, classes, inputs

# torch's own comparisons of its implementations.
DOUBLE = {"rtol": 1e-7, "atol": 1e-7}
SINGLE = {"rtol": 1.3e-6, "atol": 1e-5}


def layers(dtype: torch.dtype = torch.float64) -> nn.Sequential:
    """Two layers with sigmoids, always the same."""
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(2, 3), nn.Sigmoid(), nn.Linear(3, 1), nn.Sigmoid()).to(dtype)


def same(found: Any, expected: Any, **tolerance: float) -> None:
    """Compare two lists of parameters, and the state that the optimizers keep of them."""
    for here, there in zip(found.param_groups, expected.param_groups, strict=True):
        for p, q in zip(here["params"], there["params"], strict=True):
            torch.testing.assert_close(p, q, **tolerance)
            assert p in found.state or not int(expected.state[q].get("step", 0))
            # Only torch's Adagrad has state before the first gradient.
            for key, value in expected.state[q].items() if p in found.state else ():
                mine = torch.as_tensor(found.state[p][key], dtype=value.dtype)
                torch.testing.assert_close(mine, value, **tolerance)


@pytest.mark.parametrize("name", NAMES)
def test_frozen_layers_and_steps_without_gradients(name: str) -> None:
    """Freezing a layer, a step without gradients and a stray scalar leave torch's numbers."""
    for k, kwargs in enumerate(inputs(name)):
        way = {"foreach": k % 2 == 1 and not isinstance(kwargs.get("lr"), torch.Tensor)}
        pair = []
        for cls in classes(name):
            net, scalar = layers(), torch.tensor(0.25, dtype=torch.float64, requires_grad=True)
            opt = cls([*net.parameters(), scalar], **kwargs, **way)
            pair.append((net, scalar, opt))
        for step in range(7):
            for net, scalar, opt in pair:
                opt.zero_grad()
                if step in (3, 5):
                    net[2].requires_grad_(step == 5)
                if step != 2:
                    x = torch.arange(1, 7, dtype=torch.float64).reshape(3, 2) / 10
                    net(x).sum().backward()
                if step == 4:
                    scalar.grad = torch.tensor(0.5, dtype=torch.float64)
                opt.step()
            same(pair[0][2], pair[1][2], **DOUBLE)


@pytest.mark.parametrize("contiguous", [True, False], ids=["whole", "strided"])
@pytest.mark.parametrize("name", NAMES)
def test_torch_s_combinations_of_schedulers(name: str, contiguous: bool) -> None:
    """Every list of schedulers that torch combines with a class gives torch's parameters."""
    for makers in INFOS[name].scheduler_inputs:
        for kwargs in inputs(name):
            pair = []
            for cls in classes(name):
                params = affine(contiguous)
                opt = cls(params, **deepcopy(kwargs))
                schedulers = [make(opt) for make in makers]
                first = lossy(opt, *params)().item()
                for _ in range(8):
                    loss = opt.step(lossy(opt, *params))
                    for scheduler in schedulers:
                        plateau = isinstance(scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau)
                        scheduler.step(*([loss.item()] if plateau else []))
                pair.append((opt, lossy(opt, *params)().item() - first))
            same(pair[0][0], pair[1][0], **SINGLE)
            assert pair[0][1] < 0 or kwargs.get("maximize") or pair[1][1] >= 0


@pytest.mark.parametrize("name", NAMES)
def test_groups_with_settings_of_their_own(name: str) -> None:
    """Options that groups alone give are torch's, and an lr of nearly nothing moves nothing."""
    for kwargs in inputs(name):
        pair = []
        for cls in classes(name):
            weight, bias = affine(True)
            still = nn.Parameter(torch.tensor([1.0, -2.0]))
            own = {"lr": 1e-2, **deepcopy(kwargs)}
            rest = {**own, "weight_decay": 0.0, "lr": float(own["lr"]) / 2}
            # One optimizer has one rule, which its groups may choose.
            more = {key: own[key] for key in ("initial_accumulator_value",) if key in own}
            groups = [
                {"params": [weight], **own},
                {"params": [bias], **rest},
                {"params": [still], **rest, "lr": 1e-28},
            ]
            pair.append(opt := cls(groups, **more))
            for _ in range(8):
                lossy(opt, weight, bias)()
                still.grad = torch.ones(2)
                opt.step()
            torch.testing.assert_close(still.detach(), torch.tensor([1.0, -2.0]))
        same(*pair, **SINGLE)


@pytest.mark.parametrize("name", NAMES)
def test_lr_in_a_tensor_is_the_number_in_it(name: str) -> None:
    """A tensor as lr, of no or one dimension, gives the bits of the number in it."""
    cls = classes(name)[0]
    for kwargs in inputs(name):
        runs = []
        for lr in (1e-3, torch.tensor(1e-3, dtype=torch.float64), torch.tensor([1e-3]).double()):
            params = affine(True)
            opt = cls(params, **{**kwargs, "lr": lr})
            for _ in range(5):
                opt.step(lossy(opt, *params))
            runs.append(params)
        for other in runs[1:]:
            assert all(torch.equal(a, b) for a, b in zip(runs[0], other, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_steps_that_have_nothing_to_do(name: str) -> None:
    """Without gradients, or with zeros and no decay, nothing moves and the loss is returned."""
    cls, there = classes(name)
    for kwargs in inputs(name):
        frozen = [torch.randn(2, 3) for _ in range(2)]
        before = [p.clone() for p in frozen]
        loss = torch.tensor([1.0])
        opt = cls(frozen, **kwargs)
        assert opt.step(lambda loss=loss: loss) is loss
        assert all(torch.equal(a, b) for a, b in zip(frozen, before, strict=True))
        assert not opt.state
        kwargs["weight_decay"] = 0.0
        moved = nn.Parameter(torch.randn(5, 1))
        for make in (cls, there):
            p = nn.Parameter(moved.detach().clone())
            p.grad = torch.zeros(5, 1)
            make([p], **deepcopy(kwargs)).step(lambda: 1.0)
            assert torch.equal(p, moved)


@pytest.mark.parametrize("name", NAMES)
def test_a_step_leaves_some_state(name: str) -> None:
    """After a step no entry of `state` is empty, which wrappers take for a step not done."""
    cls = classes(name)[0]
    for kwargs in inputs(name):
        params = affine(True)
        opt = cls(params, **kwargs)
        opt.step(lossy(opt, *params))
        assert all(len(entry) > 0 for entry in opt.state.values())


@pytest.mark.parametrize("name", NAMES)
def test_every_input_can_be_printed(name: str) -> None:
    """`repr` names the class, every group and its settings, as torch's does."""
    ours, theirs = classes(name)
    for kwargs in inputs(name):
        groups = [{"params": [p]} for p in affine(True)]
        there = {line.partition(":")[0] for line in str(theirs(groups, **kwargs)).splitlines()}
        here = {line.partition(":")[0] for line in str(ours(groups, **kwargs)).splitlines()}
        assert there <= here


def parts(params: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """The same parameters with complex ones as pairs of real numbers."""
    return [
        (torch.view_as_real(p) if p.is_complex() else p).detach().clone().requires_grad_()
        for p in params
    ]


@pytest.mark.parametrize("name", NAMES)
def test_complex_numbers_are_pairs(name: str) -> None:
    """Complex parameters beside real ones have the bits of the same numbers as pairs."""
    cls = classes(name)[0]
    made = torch.Generator().manual_seed(5)
    shapes = [((10, 5), torch.complex64), ((10,), torch.complex64), ((10, 5), torch.float32)]
    for kwargs in inputs(name):
        mixed = [
            torch.randn(shape, dtype=dtype, generator=made).requires_grad_()
            for shape, dtype in shapes
        ]
        real = parts(mixed)
        one, two = cls(mixed, **deepcopy(kwargs)), cls(real, **deepcopy(kwargs))
        for _ in range(3):
            for p, q in zip(mixed, real, strict=True):
                q.grad = torch.randn(q.shape, generator=made)
                p.grad = torch.view_as_complex(q.grad) if p.is_complex() else q.grad.clone()
            one.step()
            two.step()
            assert all(torch.equal(a, b) for a, b in zip(parts(mixed), real, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_a_valley_of_complex_numbers(name: str) -> None:
    """Down |Rosenbrock| a complex parameter moves as its real and imaginary parts do alone."""
    cls = classes(name)[0]
    for kwargs in inputs(name):
        whole = torch.tensor([0.3 + 0.2j, -0.1 + 0.4j], requires_grad=True)
        re, im = (t.detach().clone().requires_grad_() for t in (whole.real, whole.imag))
        one, two = cls([whole], **deepcopy(kwargs)), cls([re, im], **deepcopy(kwargs))
        for _ in range(3):
            bowl(whole).abs().backward()
            re.grad, im.grad = whole.grad.real.clone(), whole.grad.imag.clone()
            for opt in (one, two):
                opt.step()
                opt.zero_grad()
            assert torch.equal(whole.real, re) and torch.equal(whole.imag, im)
