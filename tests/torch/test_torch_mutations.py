"""State dicts with something wrong in them: refused with a promised error and nothing changed.

`ADAMAS_LONG=1` tries 10,000 of them; otherwise a few hundred.
"""

import copy
import random
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import adamas.torch
from adamas.torch.base import Optimizer
from long_form import LONG

MAKERS: dict[str, tuple[str, dict[str, Any], torch.dtype]] = {
    "float32": ("AdamW", {}, torch.float32),
    "codes": ("AdamW", {"state": lambda name, array: "int8"}, torch.float32),
    "packed": ("Adam", {"state": lambda name, array: "int4", "amsgrad": True}, torch.float32),
    "master": ("AdamW", {"master": 16, "state": "bfloat16"}, torch.bfloat16),
    "scalars": ("NAdam", {"ema": 0.9}, torch.float32),
    "none": ("SGD", {}, torch.bfloat16),
    "modes": ("ScheduleFreeAdamW", {"ema": 0.9}, torch.float32),
}
ALLOWED = (ValueError, TypeError, RuntimeError)
EACH = 1700 if LONG else 40

ODD: list[Any] = [
    None, True, 0, 1, -1, 7, 0.5, 1 << 31, 1 << 53, 1 << 63, 10**400, float("nan"), float("inf"),
    -0.0, 1j, "", "step", b"x", [], [1], (), {}, {"a": 1}, {1: {}}, object(), np.float32(3),
    np.zeros(3), torch.tensor(3), torch.tensor(-1), torch.tensor(float("nan")), torch.zeros(0),
    torch.zeros(3), torch.zeros(3, dtype=torch.uint8), torch.zeros(2, 3, dtype=torch.complex64),
    torch.zeros(3, 70, dtype=torch.int8), torch.zeros(3, 70, device="meta"),
    torch.eye(3).to_sparse(), torch.tensor([0, 0]), torch.tensor([1, 0]), torch.tensor(True),
]  # fmt: skip


def make(kind: str) -> tuple[Optimizer, list[nn.Parameter]]:
    """An optimizer of a few named parameters in two groups, after two steps."""
    name, options, dtype = MAKERS[kind]
    made = torch.Generator().manual_seed(1)
    shapes = [(3, 70), (5,), (2, 3, 4), ()]
    params = [nn.Parameter(torch.randn(shape, generator=made).to(dtype)) for shape in shapes]
    named = [(f"layer.{k}", p) for k, p in enumerate(params)]
    groups = [{"params": named[:2]}, {"params": named[2:], "lr": torch.tensor(0.02)}]
    optimizer = getattr(adamas.torch, name)(groups, lr=0.01, **options)
    if kind == "modes":
        optimizer.train()
    for step in range(2):
        go(optimizer, params, step)
    return optimizer, params


def go(optimizer: Optimizer, params: list[nn.Parameter], step: int) -> None:
    """One step."""
    made = torch.Generator().manual_seed(100 + step)
    for p in params:
        p.grad = torch.randn(p.shape, generator=made).to(p.dtype)
    optimizer.step()


def mutated(saved: Any, dice: random.Random) -> Any:
    """The same with one thing replaced, removed, added, renamed, or exchanged for its neighbour."""
    at: Any = saved
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        key = dice.choice(keys) if keys else None
        below = at[key] if keys else None
        if isinstance(below, dict | list) and below and dice.random() < 0.9:
            at = below
            continue
        break
    ways = ["replace"] * 4 + ["remove", "add", "exchange", "bend"]
    way = dice.choice(ways) if keys else "add"
    if way == "add":
        at.update({dice.choice(["step", "x", 5, "exp_avg"]): dice.choice(ODD)}) if isinstance(
            at, dict
        ) else at.append(dice.choice(ODD))
    elif way == "remove":
        del at[key]
    elif way == "exchange":
        other = dice.choice(keys)
        at[key], at[other] = at[other], at[key]
    elif way == "bend" and isinstance(below, torch.Tensor):
        bends = [
            lambda x: x.unsqueeze(0), lambda x: x.flatten(), lambda x: x[..., :1] if x.ndim else x,
            lambda x: x.double(), lambda x: x.to(torch.int16), lambda x: x.to(torch.float16),
            lambda x: -x.float(), lambda x: x.t() if x.ndim == 2 else x, lambda x: x.to("meta"),
        ]  # fmt: skip
        at[key] = dice.choice(bends)(below)
    else:
        at[key] = dice.choice(ODD)
    return saved


def bits(value: Any) -> Any:
    """A value, its type and, of a tensor, its memory and its bits, to be compared."""
    if isinstance(value, torch.Tensor) and (value.device.type == "meta" or value.is_sparse):
        return id(value)
    if isinstance(value, torch.Tensor):
        raw = value.detach().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        return str(value.dtype), tuple(value.shape), value.stride(), value.data_ptr(), raw
    if isinstance(value, dict):
        return {key: bits(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value), [bits(each) for each in value]
    return type(value), value


def everything(optimizer: Optimizer) -> Any:
    """All that a step depends on."""
    inner = [(id(p), bits(p), bits(optimizer.state.get(p))) for p in optimizer.state]
    groups = [bits({k: v for k, v in g.items() if k != "params"}) for g in optimizer.param_groups]
    members = [[id(p) for p in g["params"]] for g in optimizer.param_groups]
    return inner, groups, members, bits({k: str(v) for k, v in optimizer._driver.options.items()})


@pytest.mark.parametrize("kind", MAKERS)
def test_a_refused_state_dict_changes_nothing(kind: str) -> None:
    """The error is of a promised type, and the next step has the bits it would have had."""
    dice = random.Random(f"{kind} 1")
    optimizer, params = make(kind)
    twin, others = make(kind)
    good = copy.deepcopy(optimizer.state_dict())
    refused = accepted = 0
    for number in range(EACH):
        wrong = mutated(copy.deepcopy(good), dice)
        before = everything(optimizer)
        try:
            optimizer.load_state_dict(wrong)
        except ALLOWED:
            refused += 1
            assert everything(optimizer) == before, number
        else:
            accepted += 1
            optimizer.load_state_dict(good)
    go(optimizer, params, 9)
    twin.load_state_dict(good)
    go(twin, others, 9)
    assert all(torch.equal(p, q) for p, q in zip(params, others, strict=True))
    assert refused > EACH // 4
    assert accepted
