"""Situations of several suites around parameters and gradients that are not the usual ones."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, prune

import adamas.torch
from long_form import sampled
from torch_training import close

BOTH = [adamas.torch, torch.optim]


@contextmanager
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    """A block in which new tensors have this dtype."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    """Normal numbers, the same for the same seed."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


PAIRS = list(
    itertools.product(
        (torch.float32, torch.float64, torch.bfloat16),
        (torch.bfloat16, torch.float16, torch.float32, torch.float64),
    )
)


@pytest.mark.parametrize(
    ("name", "of_parameter", "of_gradient"),
    [*(("SGD", *pair) for pair in PAIRS), *(("AdamW", *pair) for pair in sampled(PAIRS))],
)
def test_gradients_of_another_dtype(
    name: str, of_parameter: torch.dtype, of_gradient: torch.dtype
) -> None:
    """A gradient of another dtype steps as the same numbers in the parameter's own, or float32."""
    wide = of_parameter if of_parameter != torch.bfloat16 else torch.float32
    runs = []
    for dtype in (of_gradient, wide):
        p = nn.Parameter(noise(3000).to(of_parameter))
        p.grad_dtype = dtype
        opt = getattr(adamas.torch, name)([p], lr=0.01)
        for step in range(3):
            p.grad = noise(3000, seed=step + 1).to(of_gradient).to(dtype)
            opt.step()
        runs.append(p.detach())
    # Numbers of 64 bits are rounded once more on their way into a float32 kernel.
    torch.testing.assert_close(
        runs[0], runs[1], rtol=1e-6 if wide != torch.float64 else 1e-12, atol=1e-7
    )


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16], ids=str)
def test_the_default_dtype_is_not_the_state_s(dtype: torch.dtype) -> None:
    """Under any default dtype steps are counted in float32 and float32 state stays float32."""
    with default_dtype(dtype):
        p = nn.Parameter(noise(5).float())
        opt = adamas.torch.Adam([p])
        p.grad = torch.ones(5, dtype=torch.float32)
        opt.step()
        saved = opt.state_dict()["state"][0]
        other = adamas.torch.Adam([q := nn.Parameter(p.detach().clone())])
        other.load_state_dict(opt.state_dict())
        q.grad = p.grad.clone()
        for one in (opt, other):
            one.step()
    assert {value.dtype for value in saved.values()} == {torch.float32}
    assert torch.equal(p, q) and saved["step"] == 1


@pytest.mark.parametrize(
    "name", ["Adam", "AdamW", "NAdam", "RAdam", "Adamax", "RMSprop", "Adagrad"]
)
@pytest.mark.parametrize("eps", [0.0, 1e-30])
def test_no_eps(name: str, eps: float) -> None:
    """With eps = 0, or one that vanishes beside any root, tiny gradients step as in torch."""
    runs = []
    for home in BOTH:
        p = nn.Parameter(noise(40).double())
        opt = getattr(home, name)([p], eps=eps)
        for step in range(7):
            p.grad = noise(40, seed=step + 1).double() * 1e-12
            opt.step()
        runs.append(p.detach())
    torch.testing.assert_close(*runs, rtol=1e-7, atol=1e-9)


def test_an_infinity_found_by_somebody_else() -> None:
    """`found_inf` without a scale leaves the step out, and a zero there does not, as in torch."""
    p = nn.Parameter(torch.ones(3))
    opt: Any = adamas.torch.AdamW([p])
    p.grad = torch.ones(3)
    opt.grad_scale, opt.found_inf = None, torch.ones(())
    opt.step()
    assert p.tolist() == [1.0] * 3 and not opt.state.get(p, {}).get("step", 0)
    opt.found_inf = torch.zeros(())
    opt.step()
    assert bool((p < 1).all()) and opt.state[p]["step"] == 1


def test_gradients_that_have_a_graph() -> None:
    """Gradients made with create_graph are stepped on, and zeroed in either way."""
    runs = []
    for home in BOTH:
        p = nn.Parameter(torch.tensor([1.0, 2.0]))
        opt = home.AdamW([p], lr=0.1)
        for to_none in (True, False, True):
            opt.zero_grad(set_to_none=to_none)
            loss = (p**3).sum()
            (p.grad,) = torch.autograd.grad(loss, [p], create_graph=True)
            opt.step()
        opt.zero_grad(set_to_none=False)
        assert p.grad is not None and not bool(p.grad.any())
        runs.append([p.detach()])
    close(*runs)


def test_steps_without_autograd() -> None:
    """Steps under no_grad and inference_mode are those outside, and training goes on after them."""
    runs = []
    for block in (torch.enable_grad, torch.no_grad, torch.inference_mode):
        p = nn.Parameter(torch.ones(4))
        opt = adamas.torch.AdamW([p], lr=0.1)
        for _ in range(3):
            opt.zero_grad()
            (p**2).sum().backward()
            with block():
                opt.step()
        # State made in there is saved, copied and stepped on out here.
        deepcopy(opt).load_state_dict(opt.state_dict())
        opt.step()
        opt.state[p]["exp_avg"].zero_()
        opt.step()
        runs.append(p.detach().clone())
    assert torch.equal(runs[0], runs[1]) and torch.equal(runs[0], runs[2])


def test_parameters_that_are_switched_off_and_on() -> None:
    """Where requires_grad is toggled between steps, what has a gradient steps as in torch."""
    runs = []
    for home in BOTH:
        params = [nn.Parameter(noise(4, seed=k)) for k in range(3)]
        opt = home.AdamW(params, lr=0.1)
        for step in range(9):
            for k, p in enumerate(params):
                p.requires_grad_(step % (k + 2) != 0)
            opt.zero_grad(set_to_none=step % 2 == 0)
            live = [p for p in params if p.requires_grad]
            if live:
                torch.stack([(p**2).sum() for p in live]).sum().backward()
            opt.step()
        runs.append([p.detach() for p in params])
    close(*runs)


def test_memory_that_is_shared_between_processes() -> None:
    """A network in shared memory is stepped in place: its tensors stay where they are, shared."""
    net = nn.Linear(3, 2).share_memory()
    opt = adamas.torch.AdamW(net.parameters())
    places = [p.data_ptr() for p in net.parameters()]
    before = deepcopy(net.state_dict())
    net(torch.ones(1, 3)).sum().backward()
    opt.step()
    assert [p.data_ptr() for p in net.parameters()] == places
    assert all(p.is_shared() for p in net.parameters())
    assert not torch.equal(before["weight"], net.weight)


def test_pruned_normed_and_tied_layers() -> None:
    """Layers pruned in mid-run, under a parametrization, or tied to another train as in torch."""
    runs = []
    for home in BOTH:
        torch.manual_seed(0)
        table, tied = nn.Embedding(7, 5), nn.Linear(5, 7, bias=False)
        tied.weight = table.weight
        net = nn.Sequential(table, parametrizations.weight_norm(nn.Linear(5, 5)), tied)
        opt = home.AdamW(net.parameters(), lr=0.01)
        assert len(opt.param_groups[0]["params"]) == 4
        cut = nn.Linear(7, 2)
        opt.add_param_group({"params": cut.parameters()})
        for step in range(4):
            opt.zero_grad()
            cut(net(torch.tensor([1, 2, 5]))).pow(2).sum().backward()
            opt.step()
            if step == 1:
                prune.l1_unstructured(cut, "weight", 0.5)
        runs.append([p.detach() for p in [*net.parameters(), *cut.parameters()]])
    close(*runs)


def test_memory_order_that_changes_in_mid_run() -> None:
    """A weight turned to channels_last between two steps goes on, state and files included."""
    p, q = (nn.Parameter(noise(4, 3, 5, 5)) for _ in range(2))
    opt, there = adamas.torch.AdamW([p]), torch.optim.AdamW([q])
    for step in range(4):
        if step == 2:
            p.data = p.data.to(memory_format=torch.channels_last)
        p.grad = noise(4, 3, 5, 5, seed=step + 1)
        q.grad = p.grad.clone()
        opt.step()
        there.step()
    torch.testing.assert_close(p.detach(), q.detach())
    r = nn.Parameter(p.detach().clone(memory_format=torch.contiguous_format))
    other = adamas.torch.AdamW([r])
    other.load_state_dict(opt.state_dict())
    p.grad = r.grad = noise(4, 3, 5, 5, seed=9)
    opt.step()
    other.step()
    torch.testing.assert_close(p.detach(), r.detach())


def test_parameters_put_into_a_group_by_hand() -> None:
    """A parameter appended to a group's list, as some trainers do, is stepped from then on."""
    p, q = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    opt = adamas.torch.SGD([p], lr=0.25)
    p.grad = torch.ones(2)
    opt.step()
    opt.param_groups[0]["params"].append(q)
    q.grad = torch.ones(2)
    opt.step()
    assert p.tolist() == [0.5, 0.5] and q.tolist() == [0.75, 0.75]


def test_what_is_no_parameter_is_refused_when_made() -> None:
    """Non-leaf tensors, dicts, and a parameter in two groups raise torch's errors."""
    p = nn.Parameter(torch.ones(2))
    bad: list[Any] = [
        [p * 2],
        {"a": p},
        [{"params": [p]}, {"params": [p]}],
        [],
        p,
        [{"params": {p}}],
    ]
    for given in bad:
        kinds = []
        for home in BOTH:
            with pytest.raises((TypeError, ValueError)) as caught:
                home.AdamW(given)
            kinds.append((caught.type, str(caught.value)))
        assert kinds[0] == kinds[1]


def test_a_parameter_of_another_shape_is_refused() -> None:
    """Memory of another shape put under a parameter with state raises, and names both shapes."""
    p = nn.Parameter(torch.ones(4, 3))
    opt = adamas.torch.AdamW([p])
    p.grad = torch.ones(4, 3)
    opt.step()
    p.grad = None
    p.data = torch.ones(5, 3)
    p.grad = torch.ones(5, 3)
    with pytest.raises(ValueError, match=r"\(4, 3\) .*, the parameter \(5, 3\)"):
        opt.step()
    assert bool((p == 1).all())
