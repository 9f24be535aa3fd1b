"""Loading by name, through wrappers, and without anything shared with who saved."""

import copy
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from adamas.torch import AdamW
from torch_training import loss_of, model, train


def two_parts() -> tuple[nn.Module, nn.Module]:
    """Modules whose parameters have the same names."""
    return model(), model()


def grouped(parts: tuple[nn.Module, nn.Module]) -> list[dict[str, Any]]:
    """One group a module, of different settings."""
    rates = (1e-2, 1e-3)
    return [
        {"params": part.named_parameters(), "lr": lr} for part, lr in zip(parts, rates, strict=True)
    ]


def go(parts: tuple[nn.Module, nn.Module], optimizer: torch.optim.Optimizer, steps: range) -> None:
    """Steps on the loss of both modules."""
    for step in steps:
        optimizer.zero_grad()
        (loss_of(parts[0], step) + 2 * loss_of(parts[1], step + 50)).backward()
        optimizer.step()


def values(parts: tuple[nn.Module, nn.Module]) -> list[torch.Tensor]:
    """All parameters."""
    return [p.detach() for part in parts for p in part.parameters()]


def test_groups_may_hold_equal_names() -> None:
    """Encoder and decoder in a group each train as under torch, and resume each in its place."""
    ours, theirs = two_parts(), two_parts()
    here, there = AdamW(grouped(ours)), torch.optim.AdamW(grouped(theirs))
    go(ours, here, range(3))
    go(theirs, there, range(3))
    torch.testing.assert_close(values(ours), values(theirs))
    again = copy.deepcopy(ours)
    loaded = AdamW(grouped(again))
    loaded.load_state_dict(here.state_dict())
    assert [group["lr"] for group in loaded.param_groups] == [1e-2, 1e-3]
    go(again, loaded, range(3, 5))
    go(ours, here, range(3, 5))
    assert all(torch.equal(a, b) for a, b in zip(values(again), values(ours), strict=True))


def test_messages_tell_equal_names_apart() -> None:
    """Of two parameters with one name, an error says in which group the bad one is."""
    parts = two_parts()
    optimizer = AdamW(grouped(parts))
    for k, p in enumerate(parts[1].parameters()):
        p.grad = torch.full_like(p, torch.nan if k == 0 else 1.0)
    with pytest.raises(FloatingPointError, match=r"0\.weight \(1\.0\)"):
        optimizer.step()


def test_state_by_name_sees_the_name_alone() -> None:
    """A function that chooses the storage is asked with the name, in whichever group."""
    parts = two_parts()
    asked: list[str] = []

    def choose(name: str, array: Any) -> str:
        asked.append(name)
        return "float32"

    optimizer = AdamW(grouped(parts), state=choose)
    go(parts, optimizer, range(1))
    assert set(asked) == {name for name, _ in parts[0].named_parameters()}


class Compiled(nn.Module):
    """What torch.compile returns, as far as names go."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self._orig_mod = inner


def wrapped(how: str) -> tuple[nn.Module, nn.Module]:
    """A model, and the same under a wrapper."""
    net = model()
    if how == "compile":
        return net, torch.compile(net)
    if how == "average":
        return net, AveragedModel(net, use_buffers=True)
    return net, {"compiled": Compiled, "data parallel": nn.DataParallel}[how](net)


# Importing the compiler warns of torch's own use of what it deprecates.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("how", ["compile", "compiled", "data parallel", "average"])
def test_names_of_wrapped_models_load_into_plain_ones(how: str) -> None:
    """State under `_orig_mod.` or `module.` goes to the parameters it belongs to, and back."""
    net, outer = wrapped(how)
    inner = dict(outer.named_parameters())
    first = AdamW(list(inner.items()))
    for k, p in enumerate(inner.values()):
        p.grad = torch.full_like(p, k + 1.0)
    first.step()
    second = AdamW(list(net.named_parameters())[::-1])
    second.load_state_dict(first.state_dict())
    third = AdamW(list(inner.items()))
    third.load_state_dict(second.state_dict())
    for (name, p), (_, q) in zip(net.named_parameters(), inner.items(), strict=True):
        for key, value in first.state[q].items():
            assert torch.equal(second.state[p][key], value), name
            assert torch.equal(third.state[q][key], value), name


@pytest.mark.parametrize("way", ["load", "save"])
def test_settings_are_not_shared(way: str) -> None:
    """Settings that can change in place are copied when state is saved and when it is loaded."""
    made = {}
    for name, cls in (("here", AdamW), ("there", torch.optim.AdamW)):
        p, q = nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(3))
        teacher = cls([p], lr=torch.tensor(1e-3), betas=(torch.tensor(0.9), torch.tensor(0.99)))
        student = cls([q], lr=torch.tensor(1.0), betas=(torch.tensor(0.5), torch.tensor(0.5)))
        teacher.param_groups[0]["note"] = [1, {"deep": [2]}]
        saved = teacher.state_dict()
        if way == "save" and name == "here":
            teacher.param_groups[0]["lr"].fill_(5.0)
            teacher.param_groups[0]["note"][1]["deep"].append(3)
        student.load_state_dict(saved)
        for group in (saved["param_groups"][0], teacher.param_groups[0]):
            group["lr"].fill_(7.0)
            group["betas"][0].fill_(0.1)
            group["note"][1]["deep"].append(4)
        group = student.param_groups[0]
        made[name] = [group["lr"].item(), group["betas"][0].item(), group["note"]]
    assert made["here"] == made["there"]


def test_state_is_not_shared_with_who_saved() -> None:
    """Two optimizers of one state dict step on apart, and leave it as it is."""
    net, other = model(), model()
    first = AdamW(net.parameters())
    train(net, first, range(2))
    saved = copy.deepcopy(first.state_dict())
    second = AdamW(other.parameters())
    second.load_state_dict(saved)
    train(other, second, range(2, 4))
    kept = first.state_dict()["state"]
    for number, entry in saved["state"].items():
        for key, value in entry.items():
            assert torch.equal(kept[number][key], value), key
