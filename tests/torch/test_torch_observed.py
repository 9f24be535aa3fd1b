"""`observe=True` in torch: what a step did to each parameter, on every device, over ranks."""

import copy
import math
from typing import Any

import pytest
import torch
from torch import nn

import adamas.torch
from adamas import rules
from adamas.kernel.formula import parse
from adamas.torch import release_gradients

FORMULAS = {name: parse(getattr(rules, name)) for name in rules.__all__}
# What draws, and what sums over all tensors, needs a kernel.
NAMES = [n for n, one in FORMULAS.items() if not (one.draws or "all" in one.over)]
OPTIONS: list[dict[str, Any]] = [{}, {"observe": True}]
FOUND = [getattr(rules, n) for n in NAMES]


def anywhere(rule: Any) -> Any:
    """A class by a rule, as it works on a device that has no kernels."""
    return type("Anywhere", (adamas.torch.optimizer(rule),), {"_anywhere": True})


def trained(cls: Any, dtype: torch.dtype, **options: Any) -> list[Any]:
    """Parameters and state after three steps of a small net.

    The optimizer is gone then: two that are there together round by different random numbers.
    """
    made = torch.Generator().manual_seed(0)
    net = [nn.Parameter(torch.randn(s, generator=made).to(dtype)) for s in ((9, 14), (5,), ())]
    opt = cls(net, **options)
    getattr(opt, "train", int)()
    for _ in range(3):
        for p in net:
            p.grad = torch.randn(p.shape, generator=made).to(dtype)
        opt.step()
    states = opt.state_dict()["state"].values()
    return [*net, *(value for entry in states for value in entry.values()), *map(list, states)]


@pytest.mark.parametrize("rule", FOUND, ids=NAMES)
def test_no_bit_is_another_anywhere(rule: Any) -> None:
    """Of every rule, tensors and state of any device get the bits of steps without `observe`."""
    for dtype in (torch.float32, torch.bfloat16):
        form = str(dtype).removeprefix("torch.")
        one, two = (trained(anywhere(rule), dtype, state=form, **more) for more in OPTIONS)
        for known, found in zip(one, two, strict=True):
            assert torch.equal(known, found) if torch.is_tensor(known) else known == found


def pair(**options: Any) -> tuple[Any, dict[str, nn.Parameter]]:
    """AdamW of a matrix, a vector and a frozen number, each with a gradient."""
    made = torch.Generator().manual_seed(1)
    named = {k: nn.Parameter(torch.randn(s, generator=made)) for k, s in (("w", (9, 14)), ("b", 5))}
    for p in named.values():
        p.grad = torch.randn(p.shape, generator=made)
    named["frozen"] = nn.Parameter(torch.ones(()), requires_grad=False)
    return adamas.torch.AdamW(named.items(), lr=0.5, **options), named


@pytest.mark.parametrize("anywhere", [False, True])
def test_numbers_are_those_of_the_tensors(anywhere: bool) -> None:
    """Norms are torch's of the tensors; a scheduler that moves on afterwards changes no record."""
    opt, named = pair(observe=True)
    opt._driver.anywhere = anywhere
    plan = torch.optim.lr_scheduler.StepLR(opt, 1, 0.1)
    unknown = [(one["name"], one["step"], one["lr"]) for one in opt.observed]
    assert unknown == [("w", 0, 0.5), ("b", 0, 0.5)]
    assert all(math.isnan(one["update_norm"]) for one in opt.observed)
    before = {k: p.detach().clone() for k, p in named.items()}
    opt.step()
    plan.step()
    for one in opt.observed:
        p, old = named[one["name"]], before[one["name"]]
        arrays = {"update": p.detach() - old, "weight": old, "gradient": p.grad}
        assert (one["shape"], one["rule"], one["step"]) == (tuple(p.shape), "adamw", 1)
        for what, array in arrays.items():
            norm = float(array.double().norm())
            assert one[f"{what}_norm"] == pytest.approx(norm, rel=1e-6)
            assert one[f"{what}_rms"] == pytest.approx(norm / math.sqrt(p.numel()), rel=1e-6)
        assert one["update_to_lr"] == pytest.approx(one["update_rms"] / 0.5)
    assert str(opt.observed).splitlines()[1].split()[:4] == ["w", "9", "×", "14"]


@pytest.mark.parametrize("anywhere", [False, True])
def test_records_survive_a_new_layout(anywhere: bool) -> None:
    """A parameter that gets its first gradient later leaves the records of the others alone."""
    opt, named = pair(observe=True)
    opt._driver.anywhere = anywhere
    named["b"].grad = None
    opt.step()
    known = opt.observed[0]
    assert math.isnan(opt.observed[1]["update_norm"])
    named["w"].grad, named["b"].grad = None, torch.ones(5)
    opt.step()
    assert opt.observed[0] == known
    assert opt.observed[1]["gradient_norm"] == pytest.approx(math.sqrt(5))


@pytest.mark.parametrize("anywhere", [False, True])
@pytest.mark.parametrize("first", [True, False])
def test_files_know_nothing_of_it(anywhere: bool, first: bool) -> None:
    """What is written with `observe` is read without, and the other way round, and goes on."""
    alone, whole = pair()
    writing, half = pair(observe=first)
    reading, other = pair(observe=not first)
    for opt in (alone, writing, reading):
        opt._driver.anywhere = anywhere
    for opt in (alone, writing):
        opt.step()
    reading.load_state_dict(copy.deepcopy(writing.state_dict()))
    for k, p in other.items():
        p.data.copy_(half[k].data)
    for opt in (alone, reading):
        opt.step()
    assert all(torch.equal(whole[k], other[k]) for k in whole)
    assert alone.state_dict()["state"].keys() == reading.state_dict()["state"].keys()


def test_several_rules_are_told_apart() -> None:
    """Kernels or not, each group's rule and learning rate stand beside its parameters."""
    for anywhere in (False, True):
        _, named = pair()
        groups = [{"params": [("b", named["b"])], "rule": "sgd", "lr": 0.25}]
        groups += [{"params": [("w", named["w"])]}]
        opt = adamas.torch.AdamW(groups, lr=0.5, observe=True)
        opt._driver.anywhere = anywhere
        opt.step()
        found = [(one["name"], one["rule"], one["lr"], one["step"]) for one in opt.observed]
        assert found == [("b", "sgd", 0.25, 1), ("w", "adamw", 0.5, 1)]
        size = opt.observed[0]["gradient_rms"]
        assert opt.observed[0]["update_to_lr"] == pytest.approx(size)


def test_what_cannot_be_observed_is_refused() -> None:
    """Sparse gradients and gradients stepped one by one are refused in words that say why."""
    with pytest.raises(AttributeError, match="make it with observe=True"):
        _ = pair()[0].observed
    with pytest.raises(ValueError, match="observe='yes'"):
        pair(observe="yes")
    opt, named = pair(observe=True)
    with pytest.raises(ValueError, match="observe=True notes what a step of all"):
        release_gradients(opt)
    named["w"].grad = torch.ones(9, 14).to_sparse(1)
    with pytest.raises(ValueError, match="'w' is sparse, and observe=True sums over whole"):
        opt.step()


def test_complex_numbers_have_a_size() -> None:
    """The norm of complex numbers is that of their magnitudes, and so is their root mean square."""
    p = nn.Parameter(torch.tensor([3 + 4j, 0j]))
    p.grad = torch.tensor([0.6 - 0.8j, 0j])
    opt = adamas.torch.SGD([p], lr=0.5, observe=True)
    opt.step()
    one = opt.observed[0]
    assert one["shape"] == (2,)
    assert [one[f"{w}_norm"] for w in ("update", "weight", "gradient")] == pytest.approx(
        [0.5, 5, 1]
    )
    assert one["weight_rms"] == pytest.approx(5 / math.sqrt(2))
