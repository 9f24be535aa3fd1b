"""Situations of the low-bit suites of bitsandbytes, torchao and optimi, with our own formats."""

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import nn

import adamas.torch
from long_form import LONG

Make = Callable[..., torch.optim.Optimizer]

# The settings in which bitsandbytes compares its 8-bit classes with others.
EIGHT: dict[str, dict[str, Any]] = {
    "Adam": {},
    "AdamW": {},
    "SGD": {"lr": 0.01, "momentum": 0.9},
    "RMSprop": {"lr": 0.01, "alpha": 0.9},
    "Lion": {},
    "AdEMAMix": {},
    "AMSGrad": {},
}


def made(name: str, params: Any, **options: Any) -> Any:
    """An optimizer of ours in those settings."""
    return getattr(adamas.torch, name)(params, **{**EIGHT[name], **options})


def through_a_file(saved: Any, **how: Any) -> Any:
    """What `torch.load` reads of it, without running code."""
    file = io.BytesIO()
    torch.save(saved, file)
    file.seek(0)
    return torch.load(file, weights_only=True, **how)


@contextmanager
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    """A block in which new tensors have this dtype."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@pytest.mark.parametrize("name", EIGHT)
def test_eight_bits_track_float32_step_by_step(name: str) -> None:
    """Started from equal numbers, one step with int8 state is within bitsandbytes' own bounds."""
    noise = torch.Generator().manual_seed(0)
    coded = nn.Parameter(torch.randn(128, 521, generator=noise) * 0.1)
    plain = nn.Parameter(coded.detach().clone())
    few, full = made(name, [coded], state="int8"), made(name, [plain])
    for _ in range(6):
        coded.grad = torch.randn(128, 521, generator=noise) * 0.01
        plain.grad = coded.grad.clone()
        few.step()
        full.step()
        apart = (coded - plain).detach().abs()
        # Lion's steps are signs: a few of them turn.
        turned = apart > 1e-4
        assert int(turned.sum()) <= (0 if name != "Lion" else apart.numel() // 50)
        assert float(apart[~turned].mean()) < 6e-5
        relative = apart / (plain.detach().abs() + 1e-9)
        assert float(relative[~turned].median()) < 6e-4
        # As there: go on from equal parameters, and from what the codes say.
        plain.data.copy_(coded.data)
        full.load_state_dict(few.torch_state_dict())


STATES = ("int8", "int4", "bfloat16")


@pytest.mark.parametrize(
    ("name", "state"),
    [
        *(("AdEMAMix", state) for state in (STATES if LONG else ["int8"])),
        *(("AdamW", state) for state in STATES),
    ],
)
def test_a_loaded_run_goes_on_without_nan(name: str, state: str) -> None:
    """Every state is loaded with its shape, dtype and bytes, and ten more steps agree."""
    torch.manual_seed(42)
    net = nn.Linear(256, 64)
    opt = made(name, net.named_parameters(), state=state)
    batches = torch.randn(20, 8, 256)

    def train(model: nn.Module, optimizer: torch.optim.Optimizer, x: torch.Tensor) -> None:
        optimizer.zero_grad()
        model(x).sum().backward()
        optimizer.step()

    for x in batches[:10]:
        train(net, opt, x)
    other = deepcopy(net)
    twin = made(name, other.named_parameters(), state=state)
    twin.load_state_dict(through_a_file(opt.state_dict(), map_location="cpu"))
    for p, q in zip(net.parameters(), other.parameters(), strict=True):
        assert opt.state[p].keys() == twin.state[q].keys()
        for key, value in opt.state[p].items():
            assert value.dtype == twin.state[q][key].dtype and torch.equal(
                value, twin.state[q][key]
            )
    for x in batches[10:]:
        train(net, opt, x)
        train(other, twin, x)
    for p, q in zip(net.parameters(), other.parameters(), strict=True):
        assert torch.equal(p, q) and bool(p.isfinite().all())


DECAYS = {
    "AdamW": 1 - 0.01 * 0.1, "Lion": 1 - 0.01 * 0.1, "AdEMAMix": 1 - 0.01 * 0.1,
    "CautiousAdamW": 1 - 0.01 * 0.1, "Adan": 1 / (1 + 0.01 * 0.1),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "kept", "state"),
    [
        *((name, kept, "float32") for name, kept in DECAYS.items()),
        *((name, kept, "int8") for name, kept in DECAYS.items() if LONG or name in EIGHT),
    ],
)
def test_decay_is_decoupled(name: str, kept: float, state: str) -> None:
    """Without gradients the decay alone moves: each step keeps 1 - lr * decay, Adan its inverse."""
    start = torch.linspace(-1, 1, 8192)
    p = nn.Parameter(start.clone())
    opt = getattr(adamas.torch, name)([p], lr=0.01, weight_decay=0.1, state=state)
    for _ in range(20):
        p.grad = torch.zeros_like(p)
        opt.step()
    torch.testing.assert_close(p.detach(), start * kept**20, rtol=1e-5, atol=0)


def test_bits_of_single_parameters() -> None:
    """Names choose few bits for some in a float32 optimizer, and float32 for some in few bits."""
    torch.manual_seed(0)
    net = nn.ModuleDict({name: nn.Linear(128, 64, bias=False) for name in ("one", "two", "three")})
    for asked, but, few in (
        ("float32", {"two": "int8"}, {"two"}),
        ("int8", {"two": "float32"}, {"one", "three"}),
    ):
        opt = adamas.torch.Adam(net.named_parameters(), state=asked, state_by_name=but)
        for p in net.parameters():
            p.grad = torch.randn_like(p)
        opt.step()
        for name, layer in net.items():
            coded = any(key.endswith(".scale") for key in opt.state[layer.weight])
            assert coded == (name in few)


@pytest.mark.parametrize("state", ["int8", "int4", "float32"])
def test_a_default_dtype_of_bfloat16(state: str) -> None:
    """A model made under another default dtype trains, and nothing of the state takes it over."""
    with default_dtype(torch.bfloat16):
        net = nn.Sequential(nn.Linear(32, 256), nn.ReLU(), nn.Linear(256, 32))
        opt = adamas.torch.AdamW(net.parameters(), state=state)
        before = deepcopy(net.state_dict())
        for _ in range(2):
            net(torch.randn(4, 32)).sum().backward()
            opt.step()
            opt.zero_grad()
        saved = opt.state_dict()
    assert all(not torch.equal(before[k], v) for k, v in net.state_dict().items())
    dtypes = {v.dtype for entry in saved["state"].values() for v in entry.values()}
    assert torch.bfloat16 not in dtypes
    assert {entry["step"].item() for entry in saved["state"].values()} == {2.0}


@pytest.mark.parametrize("state", ["int8", "int4"])
def test_groups_with_their_own_lr(state: str) -> None:
    """Two layers with lr of their own in one optimizer move as two optimizers would move them."""
    nets = []
    for _ in range(2):
        torch.manual_seed(3)
        nets.append(nn.Sequential(nn.Linear(96, 128), nn.ReLU(), nn.Linear(128, 96)))
    one, two = nets

    def group(net: nn.Sequential, k: int, lr: float) -> dict[str, Any]:
        # Random numbers follow the names.
        return {"params": list(net[k].named_parameters(prefix=str(k))), "lr": lr}

    rates = ((0, 1e-4), (2, 1e-5))
    whole = [adamas.torch.AdamW([group(one, k, lr) for k, lr in rates], state=state)]
    split = [adamas.torch.AdamW([group(two, k, lr)], state=state) for k, lr in rates]
    x = torch.randn(4, 96)
    for _ in range(4):
        for net, opts in ((one, whole), (two, split)):
            net(x).pow(2).sum().backward()
            for opt in opts:
                opt.step()
            net.zero_grad()
    assert all(torch.equal(p, q) for p, q in zip(one.parameters(), two.parameters(), strict=True))


def test_rounding_at_random_has_the_right_mean() -> None:
    """A bfloat16 parameter stepped to a number between two has that number as its mean."""
    count, targets = 20_000, torch.rand(16, generator=torch.Generator().manual_seed(1)) * 100
    p = nn.Parameter(torch.zeros(16, count, dtype=torch.bfloat16))
    p.grad_dtype = torch.float32
    p.grad = -targets[:, None].expand(16, count).contiguous()
    adamas.torch.SGD([p], lr=1.0).step()
    below = targets.to(torch.bfloat16).float()
    spacing = torch.exp2(torch.floor(torch.log2(targets)) - 7)
    assert bool(((p.detach().float() - below[:, None]).abs() <= spacing[:, None]).all())
    # A mean of `count` roundings has a deviation of at most spacing / (2 sqrt(count)); six of them.
    apart = (p.detach().float().mean(1) - targets).abs()
    assert bool((apart <= 3 * spacing / count**0.5 + 1e-5 * targets).all())


def fall(full: bool, make: Make, **options: Any) -> float:
    """How far a sum of outputs falls in ten steps of lr 1e-5, of float32 or bfloat16 parameters."""
    torch.manual_seed(2024)
    net = nn.Sequential(nn.Linear(32, 512), nn.ReLU(), nn.Linear(512, 128))
    x = torch.randn(4, 32)
    if not full:
        net, x = net.bfloat16(), x.bfloat16()
    opt, seen = make(net.parameters(), lr=1e-5, **options), []
    for _ in range(11):
        opt.zero_grad()
        loss = net(x).float().sum()
        seen.append(loss.item())
        loss.backward()
        opt.step()
    return seen[0] - seen[-1]


@pytest.mark.parametrize("state", ["float32", "bfloat16", "int8"])
def test_bfloat16_keeps_up_with_float32(state: str) -> None:
    """At an lr far below bfloat16's spacing the loss falls as with float32; torch's does not."""
    expected = fall(True, torch.optim.AdamW)
    assert fall(False, torch.optim.AdamW) < 0.3 * expected
    assert fall(False, adamas.torch.AdamW, state=state) == pytest.approx(expected, rel=0.1)


def eight_bit(name: str, params: list[nn.Parameter]) -> torch.optim.Optimizer:
    """The class of bitsandbytes for it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        bnb = pytest.importorskip("bitsandbytes").optim
    given = {"SGD": (0.01, 0.9), "RMSprop": (0.01, 0.9)}
    found: torch.optim.Optimizer = getattr(bnb, f"{name}8bit")(params, *given.get(name, ()))
    return found


@pytest.mark.parametrize("name", ["Adam", "AdamW", "Lion", "SGD", "RMSprop"])
def test_a_run_of_bitsandbytes_goes_on_here(name: str) -> None:
    """Its checkpoint, codes of a large and floats of a small parameter, takes its next step."""
    noise = torch.Generator().manual_seed(7)
    theirs = [nn.Parameter(torch.randn(n, generator=noise) * 0.1) for n in (8192, 64)]
    there = eight_bit(name, theirs)

    def gradients() -> None:
        for p in theirs:
            p.grad = torch.randn(p.shape, generator=noise) * 0.01

    for _ in range(5):
        gradients()
        there.step()
    mine = [nn.Parameter(p.detach().clone()) for p in theirs]
    here = made(name, mine)
    here.load_state_dict(through_a_file(there.state_dict()))
    gradients()
    for p, q in zip(mine, theirs, strict=True):
        p.grad = q.grad.clone() if q.grad is not None else None
    here.step()
    there.step()
    for p, q in zip(mine, theirs, strict=True):
        torch.testing.assert_close(p, q, rtol=1e-5, atol=1e-6)


def test_what_of_bitsandbytes_cannot_be_read_is_refused() -> None:
    """AdEMAMix stacks two moments there: the number of moments is named, and nothing changes."""
    there = eight_bit("AdEMAMix", theirs := [nn.Parameter(torch.ones(8192))])
    theirs[0].grad = torch.ones(8192)
    there.step()
    here = made("AdEMAMix", mine := [nn.Parameter(torch.ones(8192))])
    with pytest.raises(ValueError, match="2 moments, ademamix keeps 3"):
        here.load_state_dict(through_a_file(there.state_dict()))
    assert not here.state and bool((mine[0] == 1).all())
