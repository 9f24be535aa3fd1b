"""Parameters stepped in their backward hooks train as ordinary ones, without all gradients."""

import copy
import io
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
import torch
from torch import nn

from adamas import NonFiniteError
from adamas.torch import SGD, AdamW, NAdam, Optimizer, ScheduleFreeAdamW, release_gradients

WIDE = 72  # rows of whole blocks, so that few-bit state is kept


def model(dtype: torch.dtype = torch.float32) -> nn.Module:
    """A network with a tied weight, always the same."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(WIDE, WIDE), nn.Tanh(), nn.Linear(WIDE, WIDE), nn.Linear(WIDE, 3))
    net[2].weight = net[0].weight
    return net.to(dtype)


def loss_of(net: nn.Module, step: int) -> torch.Tensor:
    """A loss on numbers that depend on the step alone."""
    x = torch.randn(8, WIDE, generator=torch.Generator().manual_seed(step))
    dtype = next(net.parameters()).dtype
    return (net(x.to(dtype)).float() - x[:, :3]).pow(2).mean()


def train(net: nn.Module, opt: Optimizer, steps: range, scheduler: Any = None) -> None:
    """The loop that everybody writes."""
    for step in steps:
        opt.zero_grad()
        loss_of(net, step).backward()
        opt.step()
        if scheduler is not None:
            scheduler.step()


def same(here: nn.Module, there: nn.Module) -> None:
    """Compare the bits of all parameters."""
    for (name, a), b in zip(here.named_parameters(), there.parameters(), strict=True):
        assert torch.equal(a, b), name


def same_state(here: Optimizer, there: Optimizer) -> None:
    """Compare the bits of what both would save."""
    a, b = here.state_dict(), there.state_dict()
    assert a["param_groups"] == b["param_groups"]
    assert a["state"].keys() == b["state"].keys()
    for k, entry in a["state"].items():
        assert entry.keys() == b["state"][k].keys()
        for name, value in entry.items():
            assert torch.equal(value, b["state"][k][name]), (k, name)


def adamw(**more: Any) -> Callable[[nn.Module], Optimizer]:
    """AdamW with large steps, decay in one group only."""

    def make(net: nn.Module) -> Optimizer:
        named = list(net.named_parameters())
        groups = [
            {"params": [(n, p) for n, p in named if p.ndim > 1]},
            {"params": [(n, p) for n, p in named if p.ndim < 2], "weight_decay": 0.0, "lr": 0.02},
        ]
        return AdamW(groups, lr=0.01, weight_decay=0.1, seed=3, **more)

    return make


KINDS: dict[str, tuple[torch.dtype, Callable[[nn.Module], Optimizer]]] = {
    "float32": (torch.float32, adamw()),
    "bfloat16": (torch.float32, adamw(state="bfloat16")),
    "int8": (torch.float32, adamw(state="int8")),
    "int4": (torch.float32, adamw(state="int4", on_nonfinite="allow")),
    "bfloat16 parameters": (torch.bfloat16, adamw(state="int8")),
    "master": (torch.bfloat16, adamw(master=16)),
    "average": (torch.float32, adamw(ema=0.9)),
    "double": (torch.float64, adamw()),
    "unnamed": (torch.float32, lambda net: SGD(net.parameters(), lr=0.1, momentum=0.9)),
    "scalar state": (torch.float32, lambda net: NAdam(net.named_parameters(), state="int8")),
}


def schedule_free(net: nn.Module) -> Optimizer:
    """Schedule-free AdamW where it is trained."""
    made = ScheduleFreeAdamW(net.parameters())
    made.train()
    return made


KINDS["schedule-free"] = (torch.float32, schedule_free)


def elsewhere(net: nn.Module) -> Optimizer:
    """AdamW that steps tensors as on another device."""
    made = AdamW(net.named_parameters(), state="bfloat16")
    made._driver.anywhere = True
    return made


KINDS["elsewhere"] = (torch.float32, elsewhere)


@pytest.mark.parametrize("kind", KINDS)
def test_the_bits_are_those_of_ordinary_steps(kind: str) -> None:
    """Released gradients change no bit of parameters or state, under a schedule of the lr."""
    dtype, make = KINDS[kind]
    nets = model(dtype), model(dtype)
    ours, ordinary = map(make, nets)
    plans = [torch.optim.lr_scheduler.ExponentialLR(opt, 0.8) for opt in (ours, ordinary)]
    train(nets[1], ordinary, range(6), plans[1])
    with release_gradients(ours):
        train(nets[0], ours, range(6), plans[0])
    same(*nets)
    same_state(ours, ordinary)


def most_at_once(net: nn.Module, opt: Optimizer) -> int:
    """The most gradients that any parameter's hook finds when its own work is done."""
    counts: list[int] = []
    params = list(net.parameters())
    hooks = [
        p.register_post_accumulate_grad_hook(
            lambda _: counts.append(sum(q.grad is not None for q in params))
        )
        for p in params
    ]
    train(net, opt, range(2))
    for hook in hooks:
        hook.remove()
    assert len(counts) == 2 * len(params)
    return max(counts)


def test_gradients_never_exist_together() -> None:
    """Each gradient is gone before the next is complete; ordinary training holds them all."""
    net = model()
    opt = AdamW(net.parameters())
    with release_gradients(opt):
        assert most_at_once(net, opt) == 0
    assert most_at_once(net, opt) == len(list(net.parameters())) == 5


def test_removing_brings_the_ordinary_step_back() -> None:
    """After `remove`, or an error in the block, nothing is stepped before `step`."""
    net, other = model(), model()
    ours, ordinary = adamw(state="int8")(net), adamw(state="int8")(other)
    train(net, ours, range(2))
    release = release_gradients(ours)
    train(net, ours, range(2, 4))
    release.remove()
    release.remove()
    train(net, ours, range(4, 6))
    with pytest.raises(KeyError), release_gradients(ours):
        raise KeyError
    before = [p.detach().clone() for p in net.parameters()]
    loss_of(net, 0).backward()
    assert all(torch.equal(p, b) for p, b in zip(net.parameters(), before, strict=True))
    assert all(p.grad is not None for p in net.parameters())
    train(net, ours, range(6, 8))
    train(other, ordinary, range(8))
    same(net, other)
    same_state(ours, ordinary)


@pytest.mark.parametrize("state", ["float32", "int8"])
def test_state_is_saved_and_loaded_in_between(state: str) -> None:
    """A file written while gradients are released goes on released and ordinarily alike."""
    net, other = model(), model()
    ours = adamw(state=state)(net)
    with release_gradients(ours):
        train(net, ours, range(3))
        file = io.BytesIO()
        torch.save(ours.state_dict(), file)
        ours.torch_state_dict()
        middle = copy.deepcopy(net.state_dict())
        copied = copy.deepcopy(ours)
        assert not copied.gradients_released
        train(net, ours, range(3, 6))
        expected = copy.deepcopy(net)
        file.seek(0)
        saved = torch.load(file, weights_only=True)
        net.load_state_dict(middle)
        # Twice: what the first left behind must not be taken for the second's.
        ours.load_state_dict(saved)
        ours.load_state_dict(saved)
        train(net, ours, range(3, 6))
    same(net, expected)
    other.load_state_dict(middle)
    ordinary = adamw(state=state)(other)
    ordinary.load_state_dict(saved)
    train(other, ordinary, range(3, 6))
    same(other, expected)


def test_several_passes_add_up() -> None:
    """Inside `accumulate` gradients are kept; the pass after it steps with the sum."""
    nets = model(), model()
    ours, ordinary = map(adamw(state="int8"), nets)
    release = release_gradients(ours)
    for step in range(3):
        with release.accumulate():
            loss_of(nets[0], 2 * step).backward()
        loss_of(nets[0], 2 * step + 1).backward()
        ours.step()
        for part in range(2):
            loss_of(nets[1], 2 * step + part).backward()
        ordinary.step()
        ordinary.zero_grad()
    same(*nets)
    with release.accumulate():
        loss_of(nets[0], 9).backward()
    ours.step()
    ours.zero_grad()
    train(nets[1], ordinary, range(9, 10))
    same(*nets)


def test_a_second_pass_in_one_iteration_is_refused() -> None:
    """Accumulating without saying so would step twice: it raises, naming the parameter."""
    net = model()
    opt = adamw()(net)
    with release_gradients(opt):
        loss_of(net, 0).backward()
        with pytest.raises(RuntimeError, match=r"'3\.\w+' was stepped already.*accumulate"):
            loss_of(net, 1).backward()


def test_a_closure_steps_as_ever() -> None:
    """A closure's backward pass does the step, and its loss is returned."""
    nets = model(), model()
    ours, ordinary = map(adamw(), nets)
    with release_gradients(ours):
        for step in range(2):
            for net, opt in zip(nets, (ours, ordinary), strict=True):

                def closure(net: nn.Module = net, opt: Optimizer = opt, step: int = step) -> Any:
                    opt.zero_grad()
                    loss = loss_of(net, step)
                    loss.backward()
                    return loss

                assert opt.step(closure) > 0
    same(*nets)


@pytest.mark.parametrize("how", ["guard", "raise"])
def test_nan_leaves_its_own_parameter_alone(how: str) -> None:
    """A gradient of NaN is raised out of backward(); its parameter and state stay as they were."""
    net = model()
    opt = adamw(on_nonfinite=how)(net)
    with release_gradients(opt):
        train(net, opt, range(1))
        net[2].bias.register_hook(lambda g: g * torch.nan)
        before = copy.deepcopy((net[2].bias, opt.state[net[2].bias]))
        with pytest.raises(NonFiniteError, match=r"'2\.bias'"):
            loss_of(net, 1).backward()
    assert torch.equal(before[0], net[2].bias)
    assert (net[2].bias.grad is None) == (how == "guard")
    assert all(torch.equal(value, opt.state[net[2].bias][k]) for k, value in before[1].items())


@pytest.mark.parametrize("rows", ["lazy", "exact"])
def test_sparse_gradients_are_released_too(rows: str) -> None:
    """Rows of an embedding, and what they catch up on, are those of ordinary steps."""
    found = []
    for released in (True, False):
        torch.manual_seed(0)
        table = nn.Embedding(40, 16, sparse=True)
        opt = AdamW(table.parameters(), lr=0.1, rows=rows)
        release = release_gradients(opt) if released else None
        for step in range(12):
            if step == 5:
                opt.load_state_dict(copy.deepcopy(opt.state_dict()))
            if step == 10 and release:
                release.remove()
            opt.zero_grad()
            kept = release.accumulate() if release and step == 8 else nullcontext()
            with kept:
                table(torch.arange(3) + 7 * (step % 4)).pow(2).sum().backward()
            opt.step()
            if step in (8, 9):
                # Both ways out of a release do so, and gradients depend on where rows stand.
                opt.sync()
        opt.sync()
        found.append(table.weight.detach())
    assert torch.equal(*found)


def test_state_replaced_twice_is_seen() -> None:
    """A state put in where another was freed, at the same address in Python, is the one used."""
    p = nn.Parameter(torch.ones(3))
    opt = AdamW([p], lr=0.1, weight_decay=0.0, betas=(0.9, 0.999))
    p.grad = torch.zeros(3)
    opt.step()
    seen = id(opt.state[p]["exp_avg"])
    opt.state[p]["exp_avg"] = torch.zeros(3)
    others = []
    while len(others) < 1000 and (not others or id(others[-1]) != seen):
        others.append(torch.full((3,), 10.0))
    opt.state[p]["exp_avg"] = others[-1]
    opt.step()
    torch.testing.assert_close(opt.state[p]["exp_avg"], torch.full((3,), 9.0))


def test_parameters_without_a_hook_are_stepped_at_the_end() -> None:
    """Those frozen before or added later keep the ordinary way, beside released ones."""
    nets, opts = (model(), model()), []
    for released, net in zip((True, False), nets, strict=True):
        named = list(net.named_parameters())
        first, *others = net.parameters()
        first.requires_grad_(False)
        opt = AdamW(named[:3], lr=0.01, state="int8")
        release = release_gradients(opt) if released else None
        opt.add_param_group({"params": named[3:], "lr": 0.1})
        first.requires_grad_(True)
        train(net, opt, range(4))
        assert (others[0].grad is None) == released
        assert others[-1].grad is not None
        opts.append((opt, release))
    same(*nets)


@pytest.mark.parametrize(
    ("options", "reason"),
    [({"clip_norm": 1.0}, "clip_norm=1.0"), ({"on_nonfinite": "skip"}, "on_nonfinite='skip'")],
)
def test_what_needs_all_gradients_is_refused(options: dict[str, Any], reason: str) -> None:
    """Options that look at all gradients at once are refused by name, and nothing is hooked."""
    net = model()
    with pytest.raises(ValueError, match=reason):
        release_gradients(AdamW(net.parameters(), **options))
    loss_of(net, 0).backward()
    assert all(p.grad is not None for p in net.parameters())


def test_other_obstacles_are_refused() -> None:
    """Hooks before the step, a second release, and optimizers of others."""
    net = model()
    opt = AdamW(net.parameters())
    hook = opt.register_step_pre_hook(lambda *_: None)
    with pytest.raises(ValueError, match="hook before the step"):
        release_gradients(opt)
    hook.remove()
    with release_gradients(opt), pytest.raises(ValueError, match="already"):
        release_gradients(opt)
    with pytest.raises(TypeError, match=r"torch\.optim\.adamw\.AdamW"):
        release_gradients(torch.optim.AdamW(net.parameters()))  # type: ignore[arg-type]


def test_a_grad_scaler_is_refused() -> None:
    """Scaled gradients, of which no infinity could be found in time, raise with the reason."""
    net = model()
    opt = AdamW(net.parameters())
    scaler = torch.amp.GradScaler("cpu")
    with release_gradients(opt):
        scaler.scale(loss_of(net, 0)).backward()
        with pytest.raises(RuntimeError, match="GradScaler needs all gradients"):
            scaler.step(opt)
    disabled = torch.amp.GradScaler("cpu", enabled=False)
    with release_gradients(opt):
        disabled.scale(loss_of(net, 0)).backward()
        disabled.step(opt)
