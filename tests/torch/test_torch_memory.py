"""State is taken over as it is only where all that identifies its memory is the same."""

import copy
import gc
import tracemalloc
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from adamas.torch import Adam, AdamW
from torch_samples import through_a_file

SHAPE = (16, 32, 3, 3)
FORMS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


def scattered(seed: int) -> torch.Tensor:
    """Gradients whose sizes differ by several orders of magnitude from element to element."""
    made = torch.Generator().manual_seed(seed)
    return torch.exp(2 * torch.randn(SHAPE, generator=torch.Generator())) * torch.randn(
        SHAPE, generator=made
    )


def trained(form: str, state: str, steps: int = 3) -> tuple[AdamW, nn.Parameter]:
    """An optimizer after some steps of a parameter in a memory format."""
    value = torch.linspace(-1, 1, 16 * 32 * 9).reshape(SHAPE)
    p = nn.Parameter(value.contiguous(memory_format=FORMS[form]))
    optimizer = AdamW([p], lr=1e-3, state=state)
    for step in range(steps):
        p.grad = scattered(step)
        optimizer.step()
    return optimizer, p


def moments(optimizer: Any) -> dict[str, torch.Tensor]:
    """The moments as numbers."""
    entry = optimizer.torch_state_dict()["state"][0]
    return {name: entry[name].clone() for name in ("exp_avg", "exp_avg_sq")}


def near(found: Any, expected: Any, state: str) -> None:
    """The same numbers, as near as encoding them once more leaves them."""
    coarse = {"float32": 0, "bfloat16": 0, "int8": 2**-3, "int4": 0.5}[state]
    for name, value in expected.items():
        assert (found[name] - value).norm() <= coarse * value.norm(), name


@pytest.mark.parametrize("state", ["float32", "bfloat16", "int8", "int4"])
@pytest.mark.parametrize("old", FORMS)
@pytest.mark.parametrize("new", FORMS)
def test_state_moves_between_memory_formats(old: str, new: str, state: str) -> None:
    """A checkpoint of a plain model means the same in a channels_last one, and the other way."""
    first, _ = trained(old, state)
    second, _ = trained(new, state, steps=1)
    second.load_state_dict(through_a_file(first))
    near(moments(second), moments(first), "float32" if old == new else state)


@pytest.mark.parametrize("state", ["float32", "int8", "int4"])
def test_a_parameter_that_changes_its_format_keeps_its_state(state: str) -> None:
    """`model.to(memory_format=...)` between two steps carries the moments over."""
    optimizer, p = trained("contiguous", state)
    before = moments(optimizer)
    p.data = p.data.contiguous(memory_format=torch.channels_last)
    near(moments(optimizer), before, state)
    assert optimizer.state[p]["step"] == 3


@pytest.mark.parametrize("state", ["int8", "int4"])
def test_copies_keep_the_bits_of_codes(state: str) -> None:
    """A deep copy of a channels_last parameter and its optimizer has the same codes."""
    pair = trained("channels_last", state)
    optimizer, p = copy.deepcopy(pair)
    for key, value in pair[0].state[pair[1]].items():
        assert torch.equal(optimizer.state[p][key], value), key


def test_an_old_file_of_flat_codes_is_refused_where_it_is_ambiguous() -> None:
    """Codes of four bits without their memory order are taken into a contiguous parameter only."""
    first, _ = trained("contiguous", "int4")
    saved = through_a_file(first)
    del saved["state"][0]["memory_order"]
    second, p = trained("channels_last", "int4", steps=1)
    before = moments(second)
    with pytest.raises(ValueError, match="memory_order"):
        second.load_state_dict(saved)
    near(moments(second), before, "float32")
    first.load_state_dict(saved)
    assert optimizer_step(second, p) == 2


def optimizer_step(optimizer: AdamW, p: nn.Parameter) -> int:
    """The step count after one more step."""
    p.grad = scattered(0)
    optimizer.step()
    return int(optimizer.state[p]["step"])


def test_foreign_codes_run_as_their_parameter_lay() -> None:
    """Scales of bitsandbytes belong to blocks of memory, whatever its order."""
    p = nn.Parameter(torch.ones(SHAPE))
    count = p.numel()
    scales = torch.arange(1.0, 1.0 + (count + 255) // 256)
    flat = torch.arange(count).remainder(256).to(torch.uint8)
    codes = torch.empty(SHAPE, dtype=torch.uint8, memory_format=torch.channels_last)
    codes.as_strided((count,), (1,)).copy_(flat)
    table = torch.linspace(-1, 1, 256)
    lying = (table[flat.long()] * scales.repeat_interleave(256)[:count]).reshape(16, 3, 3, 32)
    entry = {"step": 1, "state1": codes, "state2": codes, "qmap1": table, "qmap2": table.abs()}
    entry |= {"absmax1": scales, "absmax2": scales}
    optimizer = Adam([p])
    optimizer.load_state_dict(
        {"state": {0: entry}, "param_groups": optimizer.state_dict()["param_groups"]}
    )
    assert torch.equal(optimizer.state[p]["exp_avg"], lying.permute(0, 3, 1, 2))


def place(tensor: torch.Tensor, how: str) -> None:
    """Give a tensor other memory with the same numbers times two."""
    new = 2 * tensor
    if how == "data":
        tensor.data = new
    elif how == "set_":
        tensor.set_(new)  # type: ignore[call-overload]
    else:
        tensor.share_memory_()
        tensor.mul_(2)


@pytest.mark.parametrize("how", ["data", "set_", "share_memory_"])
def test_state_that_was_moved_in_place_counts(how: str) -> None:
    """A state tensor given other memory is read from there, and written there, as torch does."""
    ours, theirs = (nn.Parameter(torch.ones(7)) for _ in range(2))
    optimizers = AdamW([ours]), torch.optim.AdamW([theirs])
    for step in range(4):
        for optimizer, p in zip(optimizers, (ours, theirs), strict=True):
            p.grad = torch.full_like(p, step + 1.0)
            optimizer.step()
            if step < 3:
                place(optimizer.state[p]["exp_avg"], how)
    torch.testing.assert_close(ours, theirs)
    for key in ("exp_avg", "exp_avg_sq", "step"):
        found, expected = (o.state_dict()["state"][0][key] for o in optimizers)
        torch.testing.assert_close(found, expected)


def test_a_moved_step_count_counts() -> None:
    """The step, too, may be given other memory."""
    p = nn.Parameter(torch.ones(3))
    optimizer = AdamW([p])
    p.grad = torch.ones(3)
    optimizer.step()
    optimizer.state[p]["step"].data = torch.tensor(41)
    optimizer.step()
    assert optimizer.state[p]["step"] == 42


@given(st.sampled_from(["parameter", "state", "other"]))
def test_state_in_memory_of_another_is_parted(kind: str) -> None:
    """A state that shares memory with a parameter or other state gets its own, and nothing else."""
    p, q = (nn.Parameter(torch.ones(6)) for _ in range(2))
    optimizer = AdamW([p, q], lr=0.1, weight_decay=0.0)
    for _ in range(2):
        p.grad, q.grad = torch.ones(6), torch.full((6,), 2.0)
        optimizer.step()
    state = optimizer.state
    given = {"parameter": q.detach(), "state": state[p]["exp_avg_sq"], "other": state[q]["exp_avg"]}
    other = given[kind].clone()
    state[p]["exp_avg"] = given[kind]
    p.grad, q.grad = torch.ones(6), None
    optimizer.step()
    torch.testing.assert_close(state[p]["exp_avg"], 0.9 * other + 0.1)
    if kind == "parameter":
        assert torch.equal(q.detach(), other)
    if kind == "other":
        assert torch.equal(state[q]["exp_avg"], other)
    places = {value.data_ptr() for entry in state.values() for value in entry.values()}
    assert len(places | {p.data_ptr(), q.data_ptr()}) == 8


@pytest.mark.parametrize("what", ["memory", "state"])
def test_memory_stays_flat_where_something_is_replaced_each_step(what: str) -> None:
    """A program that replaces `p.data` or a state entry at every step does not grow."""
    params = [nn.Parameter(torch.ones(8)) for _ in range(20)]
    optimizer = AdamW(params, state="bfloat16")

    def steps(count: int) -> int:
        for _ in range(count):
            for p in params:
                p.grad = torch.ones(8)
                if what == "memory":
                    p.data = p.data.clone()
                elif optimizer.state[p]:
                    optimizer.state[p]["exp_avg"] = optimizer.state[p]["exp_avg"].clone()
            optimizer.step()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        before = steps(30)
        grown = steps(30) - before
    finally:
        tracemalloc.stop()
    # One wrapper of every state at every layout would be 120 kB.
    assert grown < 60_000


def test_state_keeps_its_tensors() -> None:
    """A new layout leaves the tensors of the state the objects that they are."""
    p = nn.Parameter(torch.ones(5))
    optimizer = AdamW([p])
    p.grad = torch.ones(5)
    optimizer.step()
    kept = optimizer.state[p]["exp_avg"]
    p.data = p.data.clone()
    optimizer.step()
    assert optimizer.state[p]["exp_avg"] is kept
