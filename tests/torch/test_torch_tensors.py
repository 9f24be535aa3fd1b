"""Tensors of every kind, strided, shared, complex, empty, sparse: stepped right or refused."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import adamas
from adamas.torch import SGD, AdamW, Momentum
from torch_samples import pair


def run(
    here: torch.nn.Parameter, there: torch.nn.Parameter, grads: list[torch.Tensor], **kwargs: Any
) -> None:
    """Step both, ours and torch's own single-tensor AdamW, and compare them."""
    ours, torchs = AdamW([here], **kwargs), torch.optim.AdamW([there], foreach=False, **kwargs)
    for g in grads:
        here.grad, there.grad = g, g.clone()
        ours.step()
        torchs.step()
    torch.testing.assert_close(here, there, rtol=1e-6, atol=1e-7)


SIZES = [0, 1, 7, 8, 15, 16, 17, 255, 256, 257, 4097]


@pytest.mark.parametrize("size", SIZES)
def test_every_size_is_updated_to_its_last_element(size: int) -> None:
    """Sizes around vectors and blocks: every element moves (pytorch #191763 skips blocks)."""
    here, there = pair(torch.linspace(-1, 1, size))
    grads = [torch.full((size,), 0.5), torch.full((size,), -0.1)]
    run(here, there, grads)
    assert size == 0 or bool((here != torch.linspace(-1, 1, size)).all())


@given(st.permutations(range(3)), st.permutations(range(3)), st.integers(0, 2**32 - 1))
def test_strides_of_parameter_and_gradient_are_independent(
    of_parameter: list[int], of_gradient: list[int], seed: int
) -> None:
    """Any memory order of either gives torch's numbers; torch's fused step takes them as equal."""
    made = torch.Generator().manual_seed(seed)
    there = torch.randn(4, 4, 4, generator=made)
    grads = [torch.randn(4, 4, 4, generator=made).permute(of_gradient) for _ in range(3)]
    back = np.argsort(of_parameter).tolist()
    value = there.permute(of_parameter).contiguous().permute(back)
    run(torch.nn.Parameter(value), torch.nn.Parameter(there.clone()), grads)


def test_channels_last_keeps_its_layout() -> None:
    """A channels_last parameter and its state stay channels_last, with gradients of either form."""
    value = torch.randn(2, 3, 4, 5).contiguous(memory_format=torch.channels_last)
    here, there = pair(value)
    layouts = [torch.channels_last, torch.contiguous_format, torch.channels_last]
    optimizer = AdamW([here])
    reference = torch.optim.AdamW([there], foreach=False)
    for layout in layouts:
        g = torch.randn(2, 3, 4, 5).contiguous(memory_format=layout)
        here.grad, there.grad = g, g.clone()
        optimizer.step()
        reference.step()
    torch.testing.assert_close(here, there, rtol=1e-6, atol=1e-7)
    assert optimizer.state[here]["exp_avg"].is_contiguous(memory_format=torch.channels_last)


def test_slices_of_a_tensor_are_updated_alone() -> None:
    """A parameter that is every other column of a tensor is updated; the others keep their bits."""
    whole = torch.ones(6, 8)
    parameter = torch.nn.Parameter(whole[:, ::2])
    optimizer = SGD([parameter], lr=1.0)
    parameter.grad = torch.full((6, 4), 0.25)
    optimizer.step()
    assert bool((whole[:, ::2] == 0.75).all())
    assert bool((whole[:, 1::2] == 1).all())


def test_expanded_gradients_are_read_right() -> None:
    """A gradient that is one number for all elements counts for each of them."""
    here, there = pair(torch.randn(5, 6))
    run(here, there, [torch.tensor(0.5).expand(5, 6), torch.randn(6).expand(5, 6)])


def test_expanded_parameters_are_refused() -> None:
    """A parameter whose elements share memory cannot be stepped, and the error says so."""
    parameter = torch.nn.Parameter(torch.zeros(1, 3).expand(4, 3))
    optimizer = SGD([parameter])
    parameter.grad = torch.ones(4, 3)
    with pytest.raises(ValueError, match="hold an element twice"):
        optimizer.step()


def test_parameters_that_share_memory_are_refused() -> None:
    """Two parameters on one memory are refused, and nothing has changed."""
    memory = torch.ones(8)
    params = [torch.nn.Parameter(memory[:5]), torch.nn.Parameter(memory[4:])]
    optimizer = SGD(params)
    for p in params:
        p.grad = torch.ones_like(p)
    with pytest.raises(ValueError, match="share memory"):
        optimizer.step()
    assert bool((memory == 1).all())


def test_neighbours_in_one_flat_buffer_are_stepped() -> None:
    """Parameters that divide one buffer among them are stepped, each by its own gradient."""
    memory = torch.zeros(8)
    params = [torch.nn.Parameter(memory[:5]), torch.nn.Parameter(memory[5:])]
    optimizer = SGD(params, lr=1.0)
    params[0].grad, params[1].grad = torch.ones(5), torch.full((3,), 2.0)
    optimizer.step()
    assert memory.tolist() == [-1] * 5 + [-2] * 3


def test_a_gradient_that_is_the_parameter_itself() -> None:
    """A gradient on the parameter's own memory is read before it is written."""
    parameter = torch.nn.Parameter(torch.linspace(1, 2, 300))
    parameter.grad = parameter.detach()
    before = parameter.detach().clone()
    SGD([parameter], lr=0.5).step()
    torch.testing.assert_close(parameter.detach(), before / 2)


def test_complex_state_is_complex() -> None:
    """A complex parameter has complex state, and its real and imaginary parts are both stepped."""
    here, there = pair(torch.randn(5, dtype=torch.complex64))
    grads = [torch.randn(5, dtype=torch.complex64) for _ in range(3)]
    run(here, there, [*grads, grads[0].conj(), grads[0].imag.to(torch.complex64)])
    optimizer = AdamW([here])
    optimizer.step()
    assert optimizer.state[here]["exp_avg"].dtype is torch.complex64


def test_lazily_negated_gradients_are_resolved() -> None:
    """The imaginary part of a conjugate carries a pending minus sign, which counts."""
    parameter = torch.nn.Parameter(torch.zeros(1))
    parameter.grad = torch.tensor([1 + 2j]).conj().imag
    optimizer = SGD([parameter], lr=1.0)
    for expected in (2.0, 4.0, 6.0):
        optimizer.step()
        assert parameter.item() == expected


def test_a_wrapped_tensor_is_refused() -> None:
    """A tensor subclass that keeps its numbers elsewhere is refused by name."""
    from torch.testing._internal.two_tensor import TwoTensor

    parameter = torch.nn.Parameter(TwoTensor(torch.zeros(3), torch.zeros(3)))
    optimizer = SGD([("weight", parameter)])
    parameter.grad = TwoTensor(torch.zeros(3), torch.zeros(3))
    with pytest.raises(TypeError, match="TwoTensor"):
        optimizer.step()


def test_replaced_memory_is_noticed() -> None:
    """`p.data = new` between steps moves the update to the new memory and keeps the state."""
    here, there = pair(torch.randn(40, 40))
    ours, torchs = AdamW([here]), torch.optim.AdamW([there], foreach=False)
    forms = [lambda x: x, lambda x: x.clone(), lambda x: x.t(), lambda x: x.t().contiguous()]
    for form in forms:
        for p in (here, there):
            p.data = form(p.data)
            p.grad = torch.cos(p.detach())
        for optimizer in (ours, torchs):
            # torch's own state does not follow a transposition; give both the same.
            for entry in optimizer.state.values():
                if form is forms[2]:
                    entry["exp_avg"] = entry["exp_avg"].t()
                    entry["exp_avg_sq"] = entry["exp_avg_sq"].t()
            optimizer.step()
        torch.testing.assert_close(here, there, rtol=1e-6, atol=1e-7)


def test_replaced_parameters_and_state_are_noticed() -> None:
    """Parameters pruned together with their state, as Gaussian splatting does, step on."""
    here, there = pair(torch.randn(10, 3))
    ours, torchs = AdamW([here]), torch.optim.AdamW([there], foreach=False)
    for optimizer in (ours, torchs):
        group = optimizer.param_groups[0]
        old = group["params"][0]
        old.grad = torch.cos(old.detach())
        optimizer.step()
        stored = optimizer.state.pop(old)
        stored["exp_avg"] = stored["exp_avg"][::3].clone()
        stored["exp_avg_sq"] = stored["exp_avg_sq"][::3].clone()
        new = torch.nn.Parameter(old.detach()[::3].clone())
        group["params"][0], optimizer.state[new] = new, stored
        new.grad = torch.cos(new.detach())
        optimizer.step()
    found, expected = (o.param_groups[0]["params"][0] for o in (ours, torchs))
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-7)


def test_state_changed_in_place_counts() -> None:
    """The tensors in `state` are the kernel's own memory: what is written there is used."""
    parameter = torch.nn.Parameter(torch.zeros(3))
    optimizer = Momentum([parameter], lr=1.0, momentum=0.5)
    parameter.grad = torch.ones(3)
    optimizer.step()
    optimizer.state[parameter]["momentum_buffer"].fill_(4.0)
    parameter.grad = torch.zeros(3)
    optimizer.step()
    assert parameter.tolist() == [-3.0] * 3


def test_autograd_sees_that_a_parameter_changed() -> None:
    """Going back through a graph that saved a parameter's old numbers raises, as with torch."""
    weight = torch.nn.Parameter(torch.ones(3))
    loss = (weight**2).sum()
    optimizer = SGD([weight])
    weight.grad = torch.ones(3)
    optimizer.step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_bad_gradients_leave_everything_as_it_was() -> None:
    """With "raise" a NaN is named, parameter and place, and no parameter has moved."""
    params = {name: torch.nn.Parameter(torch.ones(4)) for name in ("good", "bad")}
    optimizer = AdamW(list(params.items()), on_nonfinite="raise")
    for p in params.values():
        p.grad = torch.ones(4)
    params["bad"].grad[2] = torch.nan
    with pytest.raises(adamas.NonFiniteError, match=r"'bad' holds nan at \[2\]"):
        optimizer.step()
    assert all(bool((p == 1).all()) for p in params.values())


def test_clipping_is_torch_s() -> None:
    """clip_norm in the step equals clip_grad_norm_ before it, over sparse and dense together."""
    here, there = pair(torch.ones(50))
    ours, torchs = SGD([here], lr=1.0, clip_norm=0.5), torch.optim.SGD([there], lr=1.0)
    g = torch.randn(50) * 9
    here.grad, there.grad = g, g.clone()
    ours.step()
    norm = torch.nn.utils.clip_grad_norm_([there], 0.5)
    torchs.step()
    assert ours.grad_norm == pytest.approx(norm.item(), rel=1e-6)
    torch.testing.assert_close(here, there)
