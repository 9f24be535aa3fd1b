"""Parameters are rounded by random numbers of their own, whoever made how many optimizers."""

import copy
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from adamas.torch import SGD, AdamW
from adamas.torch.called import bare, found
from torch_samples import through_a_file

COUNT, SIZE, STEPS = 8, 512, 10


def halves(count: int = COUNT) -> list[nn.Parameter]:
    """Equal parameters, which only rounding at random tells apart."""
    return [nn.Parameter(torch.ones(SIZE, dtype=torch.bfloat16)) for _ in range(count)]


def step(params: list[nn.Parameter], optimizers: list[Any], steps: int = STEPS) -> None:
    """Steps by a tenth of what a bfloat16 near 1 can move."""
    for _ in range(steps):
        for p in params:
            p.grad = torch.ones_like(p)
        for optimizer in optimizers:
            optimizer.step()


def different(params: list[nn.Parameter]) -> bool:
    """Whether no two parameters have the same bits."""
    return all(not torch.equal(a, b) for k, a in enumerate(params) for b in params[:k])


@pytest.mark.parametrize("each", [1, 2, COUNT])
def test_errors_of_parameters_do_not_add_up(each: int) -> None:
    """However many optimizers share the work, the mean of n errors is smaller by the root of n."""
    params = halves()
    made = [SGD(params[k : k + each], lr=4e-4) for k in range(0, COUNT, each)]
    step(params, made)
    assert different(params)
    off = torch.stack([p.detach().float() for p in params]) - (1 - STEPS * 4e-4)
    ratio = off.mean(0).square().mean().sqrt() / off.square().mean().sqrt()
    # Independent errors: within 5 times the spread of such a ratio, over SIZE elements.
    assert ratio.item() == pytest.approx(COUNT**-0.5, rel=5 * (2 * SIZE) ** -0.5)


def test_equal_names_round_alike() -> None:
    """With names, a run has the same bits however many other optimizers there are."""
    runs = []
    for wrapper in ("", "module.", "_orig_mod."):
        params = halves(2)
        named = [(f"{wrapper}layer.{k}", p) for k, p in enumerate(params)]
        runs.append((params, SGD(named, lr=4e-4)))
        step(*([part] if isinstance(part, SGD) else part for part in runs[-1]))
    first = runs[0][0]
    assert all(torch.equal(a, b) for run, _ in runs for a, b in zip(run, first, strict=True))
    assert different(first)


def test_a_run_repeats_without_names() -> None:
    """An optimizer that is gone leaves its random numbers to the next one of the same making."""
    results = []
    for _ in range(2):
        params = halves(2)
        step(params, [SGD([p], lr=4e-4) for p in params])
        results.append([p.detach() for p in params])
        del params
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


def test_a_resumed_run_has_its_own_numbers_again() -> None:
    """Optimizers of one parameter each, saved and loaded beside the old ones, go on alike."""
    params = halves(3)
    made = [SGD([p], lr=4e-4) for p in params]
    step(params, made)
    again = [nn.Parameter(p.detach().clone()) for p in params]
    loaded = [SGD([p], lr=4e-4) for p in again]
    for old, new in zip(made, loaded, strict=True):
        new.load_state_dict(through_a_file(old))
    step(again, loaded)
    step(params, made)
    assert all(torch.equal(a, b) for a, b in zip(again, params, strict=True))
    # And a parameter that comes later is told apart from all of them.
    late = halves(1)
    other = SGD(late, lr=4e-4)
    step(late, [other], 1)
    keys = [int(o.state[p]["rounding"]) for o, p in zip(made, params, strict=True)]
    assert int(other.state[late[0]]["rounding"]) not in keys


@given(st.lists(st.sampled_from(["add", "remove", "step"]), min_size=1, max_size=12))
def test_no_two_parameters_hold_a_key(events: list[str]) -> None:
    """After parameters were removed and others added, each still has a key of its own."""
    first = halves(3)
    optimizer = SGD(first, lr=4e-4)
    held = list(first)
    for event in [*events, "step"]:
        if event == "add":
            held += halves(1)
            optimizer.add_param_group({"params": held[-1:]})
        elif event == "remove" and len(held) > 1:
            gone = held.pop(0)
            optimizer.state.pop(gone, None)
            for group in optimizer.param_groups:
                group["params"] = [p for p in group["params"] if p is not gone]
        else:
            before = {p: int(e["rounding"]) for p, e in optimizer.state.items()}
            step(held, [optimizer], 1)
            keys = [int(optimizer.state[p]["rounding"]) for p in held]
            assert len(set(keys)) == len(keys)
            assert all(int(optimizer.state[p]["rounding"]) == key for p, key in before.items())


def test_a_refused_state_changes_no_random_number() -> None:
    """A load that fails leaves the next step's bits as they would have been."""
    pairs = []
    for _ in range(2):
        params = halves(2)
        named = [(f"layer.{k}", p) for k, p in enumerate(params)]
        pairs.append((params, AdamW(named, lr=1e-3)))
        step(params, [pairs[-1][1]], 1)
    wrong = copy.deepcopy(pairs[0][1].state_dict())
    wrong["state"][0]["rounding"] = torch.tensor(77)
    wrong["state"][1]["rounding"] = torch.tensor(-1)
    with pytest.raises(ValueError, match="rounding"):
        pairs[0][1].load_state_dict(wrong)
    for params, optimizer in pairs:
        step(params, [optimizer])
    assert all(torch.equal(a, b) for a, b in zip(pairs[0][0], pairs[1][0], strict=True))


@pytest.mark.parametrize(
    ("wrapped", "name"),
    [
        ("_orig_mod.0.weight", "0.weight"),
        ("module.0.weight", "0.weight"),
        ("module._orig_mod.0.weight", "0.weight"),
        ("enc._fsdp_wrapped_module.0._checkpoint_wrapped_module.weight", "enc.0.weight"),
        ("modules.module_list.weight", "modules.module_list.weight"),
    ],
)
def test_wrappers_are_seen_through(wrapped: str, name: str) -> None:
    """A parameter is called what the model calls it, whatever was wrapped around."""
    assert bare(wrapped) == name


@given(st.permutations(["a.x", "b.x", "module.x"]))
def test_names_are_found_in_any_order(order: list[str]) -> None:
    """Names are matched as they are before wrappers are seen through, and never two as one."""
    names = ["a.x", "b.x", "module.x"]
    places = found(names, order)
    assert places is not None
    assert [order[place] for place in places] == names
    assert found(["x", "module.x"], ["_orig_mod.x", "module.x"]) is None
