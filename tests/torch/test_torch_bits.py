"""bfloat16 parameters and state in few bits behind torch: never frozen, never silently another."""

import copy
from typing import Any

import pytest
import torch
from torch import nn

from adamas.torch import SGD, AdamW, Lion
from torch_samples import through_a_file

FORMATS = ["bfloat16", "int8", "int4"]
# At least 4,096 elements, or a tensor is small enough to stay in float32.
SHAPE = (72, 131)


def valley(p: torch.Tensor, step: int) -> torch.Tensor:
    """A gradient that depends on the parameter and the step alone."""
    made = torch.Generator().manual_seed(step)
    return (p.detach().float() + 0.1 * torch.randn(p.shape, generator=made)).to(p.dtype)


def weights(count: int = 2, dtype: torch.dtype = torch.float32) -> list[tuple[str, nn.Parameter]]:
    """Named matrices, and a short vector."""
    made = torch.Generator().manual_seed(7)
    shapes = [SHAPE] * count + [(5,)]
    tensors = [torch.randn(shape, generator=made).to(dtype) for shape in shapes]
    return [(f"w{k}", nn.Parameter(tensor)) for k, tensor in enumerate(tensors)]


def train(named: Any, opt: torch.optim.Optimizer, steps: range) -> list[torch.Tensor]:
    """The parameters after these steps, in the order of their names."""
    for step in steps:
        for _, p in named:
            p.grad = valley(p, step)
        opt.step()
    return [p.detach().clone() for _, p in sorted(named)]


def copied(named: Any) -> Any:
    """The same parameters once more."""
    return [(name, nn.Parameter(p.detach().clone())) for name, p in named]


def equal(one: list[torch.Tensor], other: list[torch.Tensor]) -> bool:
    """Whether two lists of tensors hold the same bits."""
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("size", [1, 7, 16, 17, 64, 255, 257, 1000, 4097])
def test_every_bfloat16_element_moves(size: int) -> None:
    """SGD on bfloat16 updates all of a tensor (torch's fused step skips blocks: #191763)."""
    p = nn.Parameter(torch.ones(size, dtype=torch.bfloat16))
    p.grad = torch.ones_like(p)
    SGD([p], lr=0.5).step()
    assert bool((p == 0.5).all())


def test_bfloat16_parameters_take_small_steps() -> None:
    """50 steps of 1e-4 from 1 end near 0.995 on average; rounded to nearest they end at 1."""
    p = nn.Parameter(torch.ones(10_000, dtype=torch.bfloat16))
    opt = SGD([p], lr=1e-4)
    for _ in range(50):
        p.grad = torch.ones_like(p)
        opt.step()
    # One rounding is off by at most 2**-7, 50 by 7 times that, the mean of 10,000 by a 100th.
    assert p.float().mean().item() == pytest.approx(0.995, abs=2e-3)


def test_master_bits_keep_small_steps_exactly() -> None:
    """With 16 correction bits a bfloat16 parameter is a float32 one, rounded for the model."""
    low = nn.Parameter(torch.ones(300, dtype=torch.bfloat16))
    high = nn.Parameter(torch.ones(300))
    ours, reference = SGD([low], lr=1e-4, master=16), SGD([high], lr=1e-4)
    for _ in range(50):
        low.grad, high.grad = torch.ones_like(low), torch.ones_like(high)
        ours.step()
        reference.step()
    torch.testing.assert_close(low.float(), high.detach(), rtol=2**-8, atol=0)
    assert not bool((low == 1).any())


def test_adam_is_not_frozen_in_bfloat16() -> None:
    """beta2 = 0.999 is not rounded to 1 with the parameter's dtype (Keras: never moves)."""
    named = weights(1, torch.bfloat16)
    opt = AdamW(named, lr=0.01, state="bfloat16")
    before = [p.detach().clone() for _, p in named]
    after = train(named, opt, range(5))
    assert all(bool((a != b).float().mean() > 0.9) for a, b in zip(after, before, strict=True))
    assert opt.state[named[0][1]]["exp_avg"].dtype is torch.bfloat16


def test_dtypes_of_parameters_may_be_mixed() -> None:
    """float64, float32 and bfloat16 parameters are stepped together, each in its own precision."""
    params = [nn.Parameter(torch.ones(40, dtype=d)) for d in (torch.float64, torch.float32)]
    params.append(nn.Parameter(torch.ones(40, dtype=torch.bfloat16)))
    opt = SGD(params, lr=0.25)
    for p in params:
        p.grad = torch.ones_like(p)
    opt.step()
    assert all(bool((p == 0.75).all()) for p in params)


@pytest.mark.parametrize("state", FORMATS)
def test_few_bits_stay_few(state: str) -> None:
    """State takes the bytes of its format, through steps, files and loading."""
    limits = {"bfloat16": 4.0, "int8": 2.2, "int4": 1.2}
    named = weights(1)
    opt = AdamW(named, state=state)
    train(named, opt, range(2))
    opt.load_state_dict(through_a_file(opt))
    train(named, opt, range(2, 4))
    p = named[0][1]
    held = sum(value.nbytes for value in opt.state[p].values() if value.ndim)
    assert held <= limits[state] * p.numel()


@pytest.mark.parametrize(("cls", "state"), [(Lion, "int8"), *((AdamW, state) for state in FORMATS)])
def test_resumed_runs_have_the_same_bits(cls: Any, state: str) -> None:
    """Rounding at random resumes too, in another order of the parameters (HeavyBall: 1 ulp off)."""
    named = weights(2, torch.bfloat16 if state == "bfloat16" else torch.float32)
    whole = cls(named, state=state, seed=3, lr=1e-2)
    train(named, whole, range(3))
    again = copied(named)[::-1]
    part = cls(again, state=state)
    part.load_state_dict(through_a_file(whole))
    assert equal(train(again, part, range(3, 6)), train(named, whole, range(3, 6)))


def test_a_copy_rounds_as_its_original() -> None:
    """A deep copy takes the codes and the random numbers along."""
    named = weights()
    opt = AdamW(named, state="int8", lr=1e-2)
    train(named, opt, range(2))
    twins, twin = copy.deepcopy((named, opt))
    assert equal(train(twins, twin, range(2, 5)), train(named, opt, range(2, 5)))


def test_parameters_that_join_later_disturb_no_other() -> None:
    """A parameter's rounding does not depend on which others have had a gradient."""
    found = []
    for start in (0, 3):
        named = weights(2)
        opt = AdamW(named, state="int8", lr=1e-2)
        for step in range(5):
            for k, (_, p) in enumerate(named):
                p.grad = valley(p, step) if k != 0 or step >= start else None
            opt.step()
        found.append(named[1][1].detach())
    assert torch.equal(*found)


@pytest.mark.parametrize("state", FORMATS)
def test_few_bits_load_what_torch_kept(state: str) -> None:
    """A run of torch.optim goes on in few bits and its loss goes on falling."""
    named = weights()
    there = torch.optim.AdamW(named, lr=1e-2)
    train(named, there, range(5))
    size = [p.abs().mean().item() for _, p in named]
    here = AdamW(named, state=state)
    here.load_state_dict(through_a_file(there))
    p = named[0][1]
    assert here.state[p]["step"] == 5
    found = here.torch_state_dict()["state"][0]["exp_avg"]
    relative = (found - there.state[p]["exp_avg"]).norm() / there.state[p]["exp_avg"].norm()
    assert relative < {"bfloat16": 2**-8, "int8": 2**-4, "int4": 2**-2}[state]
    train(named, here, range(5, 15))
    assert all(p.abs().mean().item() < was for (_, p), was in zip(named, size, strict=True))


@pytest.mark.parametrize("state", FORMATS)
def test_torch_loads_what_few_bits_kept(state: str) -> None:
    """`torch_state_dict` holds numbers, under torch's names, that torch.optim goes on with."""
    named = weights()
    here = AdamW(named, lr=1e-2, state=state)
    train(named, here, range(5))
    there = torch.optim.AdamW(named)
    there.load_state_dict(here.torch_state_dict())
    entry = there.state[named[0][1]]
    assert entry["step"] == 5
    assert entry["exp_avg"].dtype is torch.float32
    assert bool((entry["exp_avg_sq"] > 0).all())
    train(named, there, range(5, 8))


def test_codes_are_never_taken_for_numbers() -> None:
    """torch.optim given codes fails at once: they are not under the names of its moments."""
    named = weights(1)
    here = AdamW(named, state="int8")
    train(named, here, range(2))
    there = torch.optim.AdamW(named)
    there.load_state_dict(here.state_dict())
    with pytest.raises(KeyError, match="exp_avg"):
        there.step()


@pytest.mark.parametrize("new", [*FORMATS, "float32"])
@pytest.mark.parametrize("old", [*FORMATS, "float32"])
def test_formats_convert_into_each_other(old: str, new: str) -> None:
    """State saved in one format is loaded into an optimizer that keeps another, as asked for."""
    named = weights(1)
    first, second = AdamW(named, state=old), AdamW(named, state=new)
    train(named, first, range(4))
    second.load_state_dict(through_a_file(first))
    one, two = (o.torch_state_dict()["state"][0] for o in (first, second))
    fresh = AdamW(copied(named), state=new)
    train(list(zip(["w0", "w1"], fresh.param_groups[0]["params"], strict=True)), fresh, range(1))
    kept = [value.dtype for value in fresh.state[fresh.param_groups[0]["params"][0]].values()]
    assert [value.dtype for value in second.state[named[0][1]].values()] == kept
    coarse = {"float32": 1e-6, "bfloat16": 2**-7, "int8": 2**-3, "int4": 0.5}[new]
    for key in ("exp_avg", "exp_avg_sq"):
        assert (one[key] - two[key]).norm() <= coarse * one[key].norm()


def test_complex_parameters_have_no_few_bits() -> None:
    """Codes of a complex parameter are refused by name, not dropped to the real part."""
    p = nn.Parameter(torch.ones(80, 80, dtype=torch.complex64))
    p.grad = torch.ones_like(p)
    with pytest.raises(ValueError, match="weight is complex"):
        AdamW([("weight", p)], state="int8").step()


def test_names_choose_the_format() -> None:
    """Regular expressions give some parameters another storage; one that fits none is refused."""
    named = weights()
    opt = AdamW(named, state="int8", state_by_name={r"1$": "float32"})
    train(named, opt, range(2))
    plain = [{v.is_floating_point() for v in opt.state[p].values() if v.ndim} for _, p in named]
    assert plain == [{False}, {True}, {True}]
    with pytest.raises(ValueError, match="in no parameter's name"):
        AdamW(named, state_by_name={"embed": "float32"})


def test_memory_orders_share_one_state() -> None:
    """Codes of a transposed parameter are its own: the update equals that of its transpose."""
    value = torch.randn(128, 128, generator=torch.Generator().manual_seed(1))
    plain, turned = nn.Parameter(value.clone()), nn.Parameter(value.clone().t())
    for p in (plain, turned):
        opt = AdamW([p], state="int8", lr=0.1)
        for step in range(3):
            g = valley(value, step)
            p.grad = g if p is plain else g.t()
            opt.step()
            opt.load_state_dict(through_a_file(opt))
    assert torch.equal(plain.t(), turned)


def test_a_step_allocates_next_to_nothing() -> None:
    """No memory grows with the model: a step of 16 MB of int8 AdamW takes less than 1 MB."""
    import tracemalloc

    p = nn.Parameter(torch.ones(2048, 2048))
    p.grad = torch.ones_like(p)
    opt = AdamW([p], state="int8", clip_norm=1.0)
    opt.step()
    tracemalloc.start()
    with torch.profiler.profile(profile_memory=True) as profile:
        opt.step()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20
    assert sum(abs(event.cpu_memory_usage) for event in profile.events()) < 1 << 20
