"""A file of adamas.torch goes into the state that is there, where it is kept as the file has it."""

import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import torch

import adamas.torch
from adamas.torch.driver import Driver

KINDS: dict[str, Any] = {
    "float32": (adamas.torch.AdamW, {}),
    "int8": (adamas.torch.AdamW, {"state": "int8"}),
    "int4": (adamas.torch.Adam, {"state": "int4", "amsgrad": True}),
    "master": (adamas.torch.AdamW, {"state": "int8", "master": 16}),
    "average": (adamas.torch.AdamW, {"ema": 0.9}),
    "scalars": (adamas.torch.NAdam, {}),
    "rows": (adamas.torch.Adafactor, {}),
    "two rules": (adamas.torch.AdamW, {"state": "int8"}),
}


def made(kind: str, steps: int, seed: int) -> tuple[Any, list[torch.nn.Parameter]]:
    """An optimizer after some steps, with parameters of three shapes, one of them transposed."""
    make, options = KINDS[kind]
    dtype = torch.bfloat16 if kind == "master" else torch.float32
    generator = torch.Generator().manual_seed(seed)
    shapes = [torch.randn(70, 90, generator=generator), torch.randn(30, 50, generator=generator).T]
    params = [torch.nn.Parameter(one.to(dtype)) for one in (*shapes, torch.ones(3))]
    pairs: Any = [(f"p{k}", p) for k, p in enumerate(params)]
    if kind == "two rules":
        pairs = [{"params": pairs[:2]}, {"params": pairs[2:], "rule": "lion"}]
    optimizer = make(pairs, lr=0.01 * (seed + 1), **options)
    trained(optimizer, params, steps, generator)
    return optimizer, params


def trained(optimizer: Any, params: Any, steps: int, generator: torch.Generator) -> None:
    """Some steps."""
    for _ in range(steps):
        for p in params:
            p.grad = torch.randn(p.shape, generator=generator).to(p.dtype)
        optimizer.step()


def tensors(optimizer: Any, params: Any) -> list[Any]:
    """Every tensor of the state, with where it lies."""
    every = (optimizer.state[p].values() for p in params)
    return [(id(one), one.data_ptr()) for values in every for one in values]


def numbers(optimizer: Any, params: Any) -> list[Any]:
    """Copies of every tensor of parameters and state."""
    kept = (one.clone() for p in params for one in optimizer.state[p].values())
    return [*(p.detach().clone() for p in params), *kept]


@pytest.mark.parametrize("kind", KINDS)
def test_the_state_that_is_there_is_filled(kind: str, tmp_path: Path) -> None:
    """No tensor of the state is made anew, and training goes on as after any other load."""
    first, there = made(kind, 3, 0)
    first.save(tmp_path / "f", {f"p{k}": p for k, p in enumerate(there)})
    second, params = made(kind, 2, 1)
    before = tensors(second, params)
    assert second.load(tmp_path / "f").steps == 3
    assert tensors(second, params) == before
    anew, others = made(kind, 0, 2)
    saved = anew.load(tmp_path / "f").params
    for own in (params, others):
        for k, p in enumerate(own):
            p.data.copy_(saved[f"p{k}"])
    assert second.param_groups[0]["lr"] == first.param_groups[0]["lr"]
    for optimizer, own in ((first, there), (second, params), (anew, others)):
        trained(optimizer, own, 3, torch.Generator().manual_seed(9))
    for one in ((second, params), (anew, others)):
        assert all(map(torch.equal, numbers(first, there), numbers(*one)))


def test_what_is_kept_otherwise_is_made_anew(tmp_path: Path) -> None:
    """Another format, missing state or another seed: the numbers are the file's all the same."""
    first, there = made("float32", 3, 0)
    first.save(tmp_path / "f")
    wanted = [first.state[p]["exp_avg"] for p in there]
    second, params = made("float32", 0, 1)
    params[0].grad = torch.ones_like(params[0])
    second.step()
    second.load(tmp_path / "f")
    assert all(map(torch.equal, wanted, (second.state[p]["exp_avg"] for p in params)))
    few, params = made("int8", 2, 1)
    few.load(tmp_path / "f")
    found = few.values(params[0])["exp_avg"]
    assert (found - wanted[0]).norm() < wanted[0].norm() / 16


def test_an_error_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of which the last parameter does not fit is refused before the first is filled."""
    first, _ = made("int8", 3, 0)
    first.save(tmp_path / "f")
    second, params = made("int8", 2, 1)
    before, groups = numbers(second, params), repr(second.param_groups)
    saved = second.state_dict()
    data = (tmp_path / "f").read_bytes()
    (tmp_path / "f").write_bytes(data.replace(b'\\"weight_decay\\":', b'\\"weight_decaz\\":'))
    with pytest.raises((ValueError, TypeError), match="weight_decaz"):
        second.load(tmp_path / "f")
    assert all(map(torch.equal, before, numbers(second, params)))
    assert repr(second.param_groups) == groups
    # What a user kept of this optimizer is no file, and is not written into.
    (tmp_path / "f").write_bytes(data)
    monkeypatch.setattr(Driver, "refill", lambda *given: False)
    second.load(tmp_path / "f")
    second.load_state_dict(saved)
    assert all(map(torch.equal, before, numbers(second, params)))


def test_memory_of_a_piece(tmp_path: Path) -> None:
    """What Python allocates on the way is no second state."""
    p = torch.nn.Parameter(torch.ones(1 << 22))
    optimizer = adamas.torch.AdamW([("p", p)])
    p.grad = torch.ones_like(p)
    optimizer.step()
    optimizer.save(tmp_path / "f")
    tracemalloc.start()
    optimizer.load(tmp_path / "f")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 23 < p.nbytes
