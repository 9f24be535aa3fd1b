"""What only a CUDA device shows: run where torch finds one, left out elsewhere."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import adamas
import adamas.torch

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device")
CUDA = "cuda"
# Classes of torch.optim with arguments that leave no branch of theirs alone.
PEERS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 1e-2}),
    ("Adagrad", {"lr": 0.05, "lr_decay": 1e-3}),
    ("RMSprop", {"lr": 1e-3, "centered": True, "momentum": 0.5, "eps": 1e-3}),
    ("Adadelta", {"lr": 0.5}),
    ("Adam", {"lr": 1e-2, "weight_decay": 1e-2}),
    ("Adam", {"lr": 1e-2, "amsgrad": True}),
    ("AdamW", {"lr": 1e-2, "weight_decay": 0.1}),
    ("AdamW", {"lr": 1e-2, "maximize": True}),
    ("Adamax", {"lr": 1e-2}),
    ("NAdam", {"lr": 1e-2, "weight_decay": 1e-2, "decoupled_weight_decay": True}),
    ("RAdam", {"lr": 1e-2}),
]


def model(dtype: torch.dtype = torch.float32) -> nn.Sequential:
    """A small network with equal weights at every call."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(7, 300), nn.Tanh(), nn.Linear(300, 3))
    return net.to(CUDA, dtype)


def loss_of(net: nn.Module, step: int) -> torch.Tensor:
    """The loss of a batch that only depends on the step."""
    numbers = torch.Generator().manual_seed(step)
    first = next(net.parameters())
    x = torch.randn(32, 7, generator=numbers).to(CUDA, first.dtype)
    y = torch.randn(32, 3, generator=numbers).to(CUDA, first.dtype)
    return nn.functional.mse_loss(net(x), y)


def train(net: nn.Module, opt: torch.optim.Optimizer, steps: range) -> list[torch.Tensor]:
    """Train on the batches `steps`; the parameters, copied."""
    for step in steps:
        opt.zero_grad()
        loss_of(net, step).backward()
        opt.step()
    return [p.detach().clone() for p in net.parameters()]


def close(found: Any, expected: Any, **tolerance: float) -> None:
    """Equal but for the order in which sums are rounded."""
    torch.testing.assert_close(found, expected, **{"rtol": 2e-4, "atol": 2e-6, **tolerance})


@pytest.mark.parametrize(("name", "given"), PEERS)
def test_every_class_follows_torch(name: str, given: dict[str, Any]) -> None:
    """20 steps on the device are those of the class of that name in torch.optim."""
    ours, theirs = model(), model()
    one = getattr(adamas.torch, name)(ours.parameters(), **given)
    two = getattr(torch.optim, name)(theirs.parameters(), **given)
    close(train(ours, one, range(20)), train(theirs, two, range(20)))
    assert all(v.device.type == CUDA for v in one.state[next(ours.parameters())].values() if v.ndim)


def test_state_goes_both_ways() -> None:
    """torch.optim goes on from adamas' state on the device, and adamas from torch's."""
    ours, theirs = model(), model()
    one, two = adamas.torch.AdamW(ours.parameters()), torch.optim.AdamW(theirs.parameters())
    train(ours, one, range(3))
    train(theirs, two, range(3))
    saved = copy.deepcopy(two.state_dict())
    two.load_state_dict(one.torch_state_dict())
    one.load_state_dict(saved)
    close(train(ours, one, range(3, 8)), train(theirs, two, range(3, 8)))


@pytest.mark.parametrize("state", ["float32", "bfloat16"])
def test_a_run_moves_between_cpu_and_device(state: Any) -> None:
    """A run begun in the CPU's kernels goes on here, and back, as if it had stayed."""
    net = model().cpu()
    torch.manual_seed(0)
    stays = copy.deepcopy(net)
    # Names, because random numbers follow them.
    opt, kept = adamas.torch.AdamW(net.named_parameters(), state=state), None
    gradients = [[torch.randn_like(p) for p in net.parameters()] for _ in range(9)]
    for k, grads in enumerate(gradients):
        if k % 3 == 0 and k:
            kept = copy.deepcopy(opt.state_dict())
            net = net.to("cpu" if k == 6 else CUDA)
            opt = adamas.torch.AdamW(net.named_parameters(), state=state)
            opt.load_state_dict(kept)
        for p, g in zip(net.parameters(), grads, strict=True):
            # Moving a module moves the tensors of its gradients, too.
            p.grad = g.clone().to(p.device)
        opt.step()
    twin = adamas.torch.AdamW(stays.named_parameters(), state=state)
    for grads in gradients:
        for p, g in zip(stays.parameters(), grads, strict=True):
            p.grad = g
        twin.step()
    ends = [[p.detach() for p in one.parameters()] for one in (net, stays)]
    # A last digit that differs rounds a moment the other way now and then: 2**-8 of a step.
    close(*ends, atol=2e-6 if state == "float32" else 2e-5)


def test_bfloat16_has_the_kernels_random_bits() -> None:
    """Equal gradients leave nearly all bits of bfloat16 parameters those of the CPU's kernels.

    The arithmetic before the rounding may differ in its last digit.
    """
    results = []
    for device in ("cpu", CUDA):
        torch.manual_seed(0)
        p = nn.Parameter(torch.randn(64, 300).to(device, torch.bfloat16))
        opt = adamas.torch.AdamW([("p", p)], lr=1e-3, state="bfloat16", seed=3)
        numbers = torch.Generator().manual_seed(1)
        for _ in range(5):
            p.grad = torch.randn(64, 300, generator=numbers).to(device, torch.bfloat16)
            opt.step()
        results.append(p.detach().cpu())
    assert (results[0] == results[1]).float().mean() > 0.99


@pytest.mark.parametrize("name", ["AdamW", "Lion", "Adan", "ScheduleFreeAdamW"])
def test_the_body_is_compiled_on_the_device(name: str) -> None:
    """torch.compile takes the formula for the device, and trains to what the CPU's kernels do."""
    net = model()
    slow = copy.deepcopy(net).cpu()
    opt = getattr(adamas.torch, name)(net.parameters(), lr=1e-3)
    other = getattr(adamas.torch, name)(slow.parameters(), lr=1e-3)
    for one in (opt, other) if name.startswith("Schedule") else ():
        one.train()
    for _ in range(5):
        for p, q in zip(net.parameters(), slow.parameters(), strict=True):
            q.grad = torch.randn(q.shape)
            p.grad = q.grad.to(CUDA)
        opt.step()
        other.step()
    close([p.detach().cpu() for p in net.parameters()], [q.detach() for q in slow.parameters()])


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_guard_leaves_bad_elements_as_they_were(value: float) -> None:
    """One element that is not finite stays as it was, parameter and state; the others move."""
    p = nn.Parameter(torch.ones(1000, device=CUDA))
    opt = adamas.torch.AdamW([p], lr=0.1)
    p.grad = torch.ones_like(p)
    opt.step()
    before, moment = p.detach().clone(), opt.state[p]["exp_avg"].clone()
    p.grad[300] = value
    with pytest.raises(adamas.NonFiniteError) as raised:
        opt.step()
    assert raised.value.left == 1
    moved = p.detach() != before
    assert not moved[300] and moved.sum() == 999
    assert opt.state[p]["exp_avg"][300] == moment[300]
    assert bool(torch.isfinite(p).all()) and opt.state[p]["step"] == 2
    p.grad = torch.full_like(p, value)
    before = p.detach().clone()
    with pytest.raises(adamas.NonFiniteError):
        opt.step()
    assert torch.equal(p.detach(), before) and opt.state[p]["step"] == 2


@pytest.mark.parametrize("fused", [False, True])
def test_a_grad_scaler_on_the_device(fused: bool) -> None:
    """Scaled float16 training takes the steps of torch.optim, overflows left out alike."""
    results = []
    for module in (adamas.torch, torch.optim):
        net = model()
        opt = module.AdamW(net.parameters(), lr=1e-3, fused=fused)
        scaler = torch.amp.GradScaler(CUDA, init_scale=2.0**20)
        for step in range(10):
            opt.zero_grad()
            with torch.autocast(CUDA, dtype=torch.float16):
                loss = loss_of(net, step) * 100
            scaler.scale(loss).backward()
            scaler.step(opt)
            scaler.update()
        results.append(([p.detach() for p in net.parameters()], scaler.get_scale()))
    assert results[0][1] == results[1][1]
    close(results[0][0], results[1][0], rtol=1e-2, atol=1e-4)


def test_parameters_on_both() -> None:
    """One optimizer for parameters here and on the CPU steps both, or says at once that it cannot.

    Nothing is half done.
    """
    here, there = nn.Parameter(torch.ones(3, device=CUDA)), nn.Parameter(torch.ones(3))
    try:
        opt = adamas.torch.AdamW([here, there], lr=0.1)
        here.grad, there.grad = torch.ones_like(here), torch.ones_like(there)
        opt.step()
    except (TypeError, ValueError):
        assert torch.equal(here.detach().cpu(), there.detach())
        return
    close(here.detach().cpu(), there.detach())


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[None]:
    """A process group of this process alone, for tensors here and on the CPU."""
    from torch import distributed as dist

    store = dist.FileStore(str(tmp_path / "store"), 1)
    dist.init_process_group("cpu:gloo,cuda:nccl", store=store, rank=0, world_size=1)
    yield
    dist.destroy_process_group()


@pytest.mark.parametrize("state", ["float32", "int8"])
@pytest.mark.parametrize("clip", [None, 0.5])
def test_parameters_offloaded_to_the_cpu(alone: None, state: Any, clip: float | None) -> None:
    """FSDP2 with CPUOffloadPolicy: shards lie on the CPU, their mesh is of CUDA devices.

    They are stepped by the CPU's kernels and train to what torch.optim trains them to.
    """
    from torch.distributed.fsdp import CPUOffloadPolicy, fully_shard

    results = []
    for module, given in (
        (adamas.torch, {"state": state, "clip_norm": clip}),
        (torch.optim, {}),
    ):
        net = model()
        fully_shard(net, offload_policy=CPUOffloadPolicy())
        opt: Any = module.AdamW(net.parameters(), lr=1e-3, **given)
        for step in range(8):
            opt.zero_grad()
            loss_of(net, step).backward()
            if module is torch.optim and clip:
                nn.utils.clip_grad_norm_(net.parameters(), clip)
            opt.step()
        assert all(p.device.type == "cpu" for p in net.parameters())
        results.append([p.full_tensor().detach().cpu() for p in net.parameters()])
    loose = {"rtol": 0.05, "atol": 2e-3} if state == "int8" else {"rtol": 1e-3, "atol": 1e-5}
    close(results[0], results[1], **loose)
