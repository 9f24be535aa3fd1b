"""Schedules of adamas as hyper-parameters of torch optimizers: numbers, files, other schedulers."""

import copy
import io
import pickle
import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.distributed.checkpoint.state_dict import (
    get_optimizer_state_dict,
    set_optimizer_state_dict,
)

import adamas.torch
from adamas.schedule import Schedule, constant, cosine, linear, step, warmup
from adamas.torch import release_gradients
from torch_training import SCHEDULERS, close, loss_of, model, train

RATE = warmup(1e-2, steps=3, fraction=0.5).then(cosine(1e-2, steps=12), at=3)
MOMENT = linear(0.85, 0.95, steps=6)


def beside(net: nn.Module, opt: Any, steps: range, sets: Callable[[Any, int], None]) -> None:
    """Train with torch's optimizer, its numbers set by hand before each step."""
    for k in steps:
        sets(opt, k + 1)
        train(net, opt, range(k, k + 1))


def detached(net: nn.Module) -> list[torch.Tensor]:
    """The parameters as plain tensors."""
    return [p.detach() for p in net.parameters()]


CASES: dict[str, tuple[str, dict[str, Any], dict[str, Callable[[int], Any]]]] = {
    "lr": ("AdamW", {"lr": RATE}, {"lr": RATE}),
    "betas": ("Adam", {"betas": (MOMENT, 0.99)}, {"betas": lambda t: (MOMENT(t), 0.99)}),
    "beta1": ("Adam", {"beta1": MOMENT}, {"betas": lambda t: (MOMENT(t), 0.999)}),
    "weight_decay": ("AdamW", {"weight_decay": RATE * 9}, {"weight_decay": RATE * 9}),
    "momentum": ("SGD", {"lr": 0.1, "momentum": MOMENT}, {"lr": constant(0.1), "momentum": MOMENT}),
    "alpha": ("RMSprop", {"alpha": MOMENT}, {"alpha": MOMENT}),
}


@pytest.mark.parametrize("anywhere", [False, True], ids=["kernels", "tensors"])
@pytest.mark.parametrize("case", CASES)
def test_a_schedule_is_its_number_in_every_step(
    case: str, anywhere: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hyper-parameter given as a schedule trains as torch does with its number set each step."""
    name, given, numbers = CASES[case]
    monkeypatch.setattr(getattr(adamas.torch, name), "_anywhere", anywhere)
    here, there = model(), model()
    ours = getattr(adamas.torch, name)(here.parameters(), **given)
    theirs = getattr(torch.optim, name)(there.parameters())

    def sets(opt: Any, t: int) -> None:
        opt.param_groups[0].update({key: value(t) for key, value in numbers.items()})

    train(here, ours, range(8))
    beside(there, theirs, range(8), sets)
    close(detached(here), detached(there))
    for key in numbers:
        assert ours.param_groups[0][key] == theirs.param_groups[0][key]


LATE = {
    "joined": (constant(0.0).then(constant(0.9), at=3), {}),
    "rising": (linear(0.0, 0.9, steps=3), {}),
    "nesterov": (constant(0.0).then(constant(0.9), at=3), {"nesterov": True}),
    "damped": (constant(0.0).then(constant(0.9), at=3), {"dampening": 0.5}),
}


@pytest.mark.parametrize("anywhere", [False, True], ids=["kernels", "tensors"])
@pytest.mark.parametrize("case", LATE)
def test_a_momentum_that_leaves_zero_leaves_the_clock(
    case: str, anywhere: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a momentum begins late, by itself or between file and step, schedules go on."""
    moment, chosen = LATE[case]
    monkeypatch.setattr(adamas.torch.SGD, "_anywhere", anywhere)
    here, there, third = model(), model(), model()
    rate = cosine(1e-2, steps=20)
    ours = adamas.torch.SGD(here.parameters(), lr=rate)
    ours.param_groups[0].update(momentum=moment, **chosen)
    theirs = torch.optim.SGD(there.parameters(), lr=1.0)
    theirs.param_groups[0].update(chosen)
    for k in range(7):
        theirs.param_groups[0].update(lr=rate(k + 1), momentum=moment(k + 1))
        train(here, ours, range(k, k + 1))
        train(there, theirs, range(k, k + 1))
        assert ours.param_groups[0]["lr"] == rate(k + 1)
        assert ours.param_groups[0]["momentum"] == moment(k + 1)
        if k == 4:
            third.load_state_dict(here.state_dict())
            saved, here = ours.state_dict(), third
            ours = adamas.torch.SGD(third.parameters())
            ours.load_state_dict(saved)
    close(detached(here), detached(there))


@pytest.mark.parametrize("dampening", [0.0, 0.5])
def test_a_momentum_set_by_hand_leaves_the_clock(dampening: float) -> None:
    """A number in a group, also set between a file and the next step, restarts no schedule."""
    rate = cosine(1e-2, steps=20)
    for saves in (False, True):
        p = nn.Parameter(torch.ones(3))
        p.grad = torch.ones(3)
        opt = adamas.torch.SGD([p], lr=rate, ema=0.5)
        opt.step()
        opt.step()
        opt.param_groups[0].update(momentum=0.9, dampening=dampening)
        if saves:
            saved = opt.state_dict()
            opt = adamas.torch.SGD([p], ema=0.5)
            opt.load_state_dict(saved)
        opt.step()
        assert opt.param_groups[0]["lr"] == rate(3)
        state = opt.state[p]
        assert int(state["step"]) + int(state.get("steps_before", 0)) == 3
        # Two steps of the average, or, where the rule's first step is another, its first again.
        one, two = (1 - sum(map(rate, range(1, t + 1))) for t in (1, 2))
        before = 0.5 * one + 0.5 * two if not dampening else p[0].item()
        torch.testing.assert_close(state["average"][0].item(), 0.5 * before + 0.5 * p[0].item())


def test_a_state_whose_momentum_began_late_is_converted_with_all_its_steps() -> None:
    """Where `steps_before` stands beside the step, another home gets their sum."""
    p = nn.Parameter(torch.ones(3))
    p.grad = torch.ones(3)
    opt = adamas.torch.SGD([("p", p)], lr=0.1)
    opt.step()
    opt.param_groups[0].update(momentum=0.9, dampening=0.5)
    opt.step()
    opt.step()
    assert int(opt.state[p]["steps_before"]) == 1
    assert adamas.convert(opt.state_dict(), opt, "adamas")["state"]["p"]["step"] == 3


def test_a_converted_number_is_not_one_set_over_the_schedule() -> None:
    """A state of torch with another lr goes on under the schedule of the optimizer it is for."""
    p = nn.Parameter(torch.ones(3))
    p.grad = torch.ones(3)
    source = torch.optim.AdamW([("p", p)], lr=0.7)
    source.step()
    opt = adamas.torch.AdamW([("p", p)], lr=RATE)
    with pytest.warns(UserWarning, match="the target goes on with lr=warmup"):
        found = adamas.convert(source.state_dict(), "torch.AdamW", opt)
    opt.load_state_dict(found)
    opt.step()
    assert opt.param_groups[0]["lr"] == RATE(2)


def test_a_momentum_that_has_not_begun_is_not_in_the_file() -> None:
    """Torch begins a damped momentum where it finds none: an idle parameter's is left out."""
    results = []
    for cls in (adamas.torch.SGD, torch.optim.SGD):
        pair = [nn.Parameter(torch.ones(3)) for _ in range(2)]
        opt = cls(pair, lr=0.1)
        for k, used in enumerate([(0, 1), (0,), (0, 1), (0, 1)]):
            for j, p in enumerate(pair):
                p.grad = torch.full((3,), 1.0 + k) if j in used else None
            if k == 1:
                opt.param_groups[0].update(momentum=0.9, dampening=0.5)
            if k == 2:
                saved, opt = opt.state_dict(), torch.optim.SGD(pair, lr=0.1)
                opt.load_state_dict(saved)
            opt.step()
        results.append(pair)
    close(*results)


def test_the_group_shows_the_number_of_the_step() -> None:
    """Before the first step lr is that of the first, afterwards that of the last one done."""
    net = model()
    opt = adamas.torch.AdamW(net.parameters(), lr=RATE)
    shown = [opt.param_groups[0]["lr"]]
    for k in range(4):
        train(net, opt, range(k, k + 1))
        shown.append(opt.param_groups[0]["lr"])
    assert shown == [RATE(1), RATE(1), RATE(2), RATE(3), RATE(4)]
    assert opt.param_groups[0]["schedules"] == {"lr": repr(RATE)}
    assert repr(RATE) in repr(opt)


def test_each_group_has_its_own() -> None:
    """A group's own number or schedule counts there; other groups have what the optimizer has."""
    net = model()
    first, second, third, fourth = net.parameters()
    groups = [
        {"params": [first]},
        {"params": [second], "lr": 0.5},
        {"params": [third], "lr": RATE * 3, "beta2": 0.9},
    ]
    opt = adamas.torch.AdamW(groups, lr=RATE, betas=(MOMENT, 0.99))
    opt.add_param_group({"params": [fourth], "betas": (0.5, 0.6)})
    train(net, opt, range(5))
    assert [g["lr"] for g in opt.param_groups] == [RATE(5), 0.5, (RATE * 3)(5), RATE(5)]
    expected = [(MOMENT(5), 0.99), (MOMENT(5), 0.99), (MOMENT(5), 0.9), (0.5, 0.6)]
    assert [g["betas"] for g in opt.param_groups[:2]] == expected[:2]
    assert opt.param_groups[3]["betas"] == expected[3]


def test_a_rule_of_ones_own_takes_them_too() -> None:
    """A user's rule is stepped with the schedule's numbers, and may not call a number schedules."""

    def descent(p: Any, g: Any, *, lr: float = 0.1, pull: float = 0.0) -> Any:
        return p - lr * g - pull * p

    p = nn.Parameter(torch.ones(3))
    p.grad = torch.zeros(3)
    opt = adamas.torch.optimizer(descent)([p], pull=step(0.5, every=1, factor=0.5))
    for _ in range(3):
        opt.step()
    assert p.tolist() == [0.5 * 0.75 * 0.875] * 3

    def taken(p: Any, g: Any, *, schedules: float = 0.1) -> Any:
        return p - schedules * g

    with pytest.raises(ValueError, match="'schedules', which means something else"):
        adamas.torch.optimizer(taken)


def saved(opt: Any) -> dict[str, Any]:
    """A state dict as another process reads it."""
    file = io.BytesIO()
    torch.save(opt.state_dict(), file)
    file.seek(0)
    found: dict[str, Any] = torch.load(file, weights_only=True)
    return found


@pytest.mark.parametrize("lr", [RATE, 0.3], ids=["with it", "with a number"])
def test_a_resumed_run_has_the_same_bits(lr: Any) -> None:
    """A file restores the schedule where it was, also into an optimizer that had a number."""
    net = model()
    opt = adamas.torch.AdamW(net.parameters(), lr=RATE, state="int8")
    train(net, opt, range(5))
    other = copy.deepcopy(net)
    again = adamas.torch.AdamW(other.parameters(), lr=lr, state="int8")
    again.load_state_dict(saved(opt))
    assert again.param_groups[0]["lr"] == RATE(5)
    for one, two in zip(
        train(net, opt, range(5, 9)), train(other, again, range(5, 9)), strict=True
    ):
        assert torch.equal(one, two)
    assert again.param_groups[0]["lr"] == RATE(9)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))])
def test_copies_go_on_by_the_schedule(copied: Callable[[Any], Any]) -> None:
    """A deep copy and a pickled optimizer step with the numbers that the first one steps with."""
    net = model()
    opt = adamas.torch.AdamW(net.parameters(), lr=RATE)
    train(net, opt, range(3))
    twin, turned = copied((net, opt))
    first, second = train(net, opt, range(3, 6)), train(twin, turned, range(3, 6))
    assert all(map(torch.equal, first, second))
    assert turned.param_groups[0]["lr"] == RATE(6)


def test_torch_reads_the_state_and_gives_it_back() -> None:
    """What torch.optim reads as lr is the number; the schedule goes on with its state."""
    net = model()
    opt = adamas.torch.AdamW(net.parameters(), lr=RATE)
    train(net, opt, range(4))
    there = torch.optim.AdamW(net.parameters())
    there.load_state_dict(opt.state_dict())
    assert there.param_groups[0]["lr"] == RATE(4)
    train(net, there, range(4, 6))
    opt.load_state_dict(there.state_dict())
    train(net, opt, range(6, 7))
    assert opt.param_groups[0]["lr"] == RATE(7)


def test_a_state_without_one_leaves_this_one() -> None:
    """A run of torch.optim under a scheduler goes on by the schedule given here, at its step."""
    net = model()
    there = torch.optim.AdamW(net.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(there, 0.9)
    for k in range(3):
        train(net, there, range(k, k + 1))
        scheduler.step()
    opt = adamas.torch.AdamW(net.parameters(), lr=RATE)
    opt.load_state_dict(there.state_dict())
    train(net, opt, range(3, 4))
    assert opt.param_groups[0]["lr"] == RATE(4)


def test_another_schedule_in_the_file_is_refused() -> None:
    """Two different schedules are named, with nothing changed; one of them has to go."""
    net = model()
    opt = adamas.torch.AdamW(net.parameters(), lr=RATE)
    train(net, opt, range(2))
    file = saved(opt)
    other = adamas.torch.AdamW(net.parameters(), lr=cosine(0.1, steps=9))
    with pytest.raises(ValueError, match=r"saved lr is warmup.*, and here it is cosine.*a number"):
        other.load_state_dict(file)
    assert not other.state
    del file["param_groups"][0]["schedules"]
    other.load_state_dict(file)
    train(net, other, range(2, 3))
    assert other.param_groups[0]["lr"] == cosine(0.1, steps=9)(3)


BAD: dict[str, tuple[Any, type[Exception], str]] = {
    "no dict": ("cosine(0.1, steps=9)", TypeError, "not a dict of texts by name"),
    "no name": ({"size": "constant(1)"}, ValueError, "has 'size'; schedules of AdamW may be lr"),
    "an option": ({"fused": "constant(1)"}, ValueError, "has 'fused'"),
    "no text": ({"lr": 0.1}, TypeError, "not the text of a schedule"),
    "no schedule": ({"lr": "open('x')"}, ValueError, "is no schedule"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_schedule_in_a_file_is_refused(case: str) -> None:
    """A text is read, never evaluated, and what is none is named before anything changes."""
    value, error, words = BAD[case]
    net = model()
    opt = adamas.torch.AdamW(net.parameters(), lr=RATE)
    file = saved(opt)
    file["param_groups"][0]["schedules"] = value
    with pytest.raises(error, match=re.escape(words)):
        opt.load_state_dict(file)
    assert opt.param_groups[0]["schedules"] == {"lr": repr(RATE)}


@pytest.mark.parametrize("name", [n for n in SCHEDULERS if n != "ReduceLROnPlateau"])
def test_a_scheduler_on_top_is_refused(name: str) -> None:
    """Where lr is a schedule, a scheduler of torch made for it is refused at the next step."""
    net = model()
    opt = adamas.torch.SGD(net.parameters(), lr=RATE, momentum=0.9)
    SCHEDULERS[name](opt)
    before = copy.deepcopy(detached(net))
    with pytest.raises(
        ValueError, match=r"lr of param group 0 is the schedule .* a scheduler of t"
    ):
        train(net, opt, range(1))
    assert all(map(torch.equal, detached(net), before))


def test_a_trainer_s_scheduler_may_be_the_schedule() -> None:
    """What the refusal names in place of a schedule, LambdaLR of it, has its bits."""
    net, other = model(), model()
    opt = adamas.torch.AdamW(net.parameters(), lr=RATE)
    there = adamas.torch.AdamW(other.parameters(), lr=1.0)
    scheduler = torch.optim.lr_scheduler.LambdaLR(there, lambda k: RATE(k + 1))
    for k in range(5):
        train(net, opt, range(k, k + 1))
        train(other, there, range(k, k + 1))
        scheduler.step()
    assert all(map(torch.equal, detached(net), detached(other)))


def test_a_number_set_over_it_is_refused() -> None:
    """Whoever sets lr between two steps is told so, and how to replace the schedule."""
    net = model()
    opt = adamas.torch.AdamW(net.parameters(), lr=RATE)
    train(net, opt, range(2))
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, patience=0, threshold=1e9)
    for _ in range(2):
        plateau.step(1.0)
    with pytest.raises(ValueError, match=r"it was set to 6\.66.*take the text out of"):
        train(net, opt, range(2, 3))
    group = opt.param_groups[0]
    group["lr"] = cosine(0.1, steps=9)
    train(net, opt, range(2, 3))
    assert group["lr"] == cosine(0.1, steps=9)(3)
    group["schedules"].clear()
    group["lr"] = 0.25
    train(net, opt, range(3, 4))
    assert group["lr"] == 0.25
    group["lr"] = RATE
    train(net, opt, range(4, 5))
    assert group["lr"] == RATE(5)


def test_a_number_set_in_a_copy_of_the_group_is_refused() -> None:
    """A group that somebody replaced by one with another lr is refused as if it had been set."""
    p = nn.Parameter(torch.zeros(3))
    p.grad = torch.ones(3)
    opt = adamas.torch.AdamW([p], lr=RATE)
    opt.step()
    opt.param_groups[0] = dict(opt.param_groups[0])
    opt.step()
    assert opt.param_groups[0]["lr"] == RATE(2)
    opt.param_groups[0] = dict(opt.param_groups[0], lr=0.5)
    with pytest.raises(ValueError, match=r"lr of param group 0 is the schedule .* set to 0\.5"):
        opt.step()


def test_a_number_set_in_torch_is_refused_where_it_is_loaded() -> None:
    """A file that went through torch.optim goes on with its schedule unless lr was set there."""
    p = nn.Parameter(torch.zeros(3))
    p.grad = torch.ones(3)
    opt, there = adamas.torch.AdamW([p], lr=RATE), torch.optim.AdamW([p])
    opt.step()
    there.load_state_dict(opt.state_dict())
    there.step()
    back = adamas.torch.AdamW([p])
    back.load_state_dict(there.state_dict())
    back.step()
    assert back.param_groups[0]["lr"] == RATE(3)
    there.param_groups[0]["lr"] = 0.5
    with pytest.raises(ValueError, match=r"saved lr is the schedule .* the number 0\.5.*delete"):
        back.load_state_dict(there.state_dict())
    there.param_groups[0]["schedules"].clear()
    adamas.torch.AdamW([p]).load_state_dict(there.state_dict())


@pytest.mark.parametrize("anywhere", [False, True], ids=["kernels", "tensors"])
@pytest.mark.parametrize("centered", [False, True])
def test_a_momentum_of_rmsprop_may_rise_from_zero(
    centered: bool, anywhere: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RMSprop's momentum as a schedule from 0 is the formula with its number of each step."""
    monkeypatch.setattr(adamas.torch.RMSprop, "_anywhere", anywhere)
    moment = linear(0.0, 0.9, steps=3)
    p = nn.Parameter(torch.ones(3))
    opt = adamas.torch.RMSprop([p], lr=0.01, momentum=moment, centered=centered)
    v, mean, m, x = 0.0, 0.0, 0.0, 1.0
    for t in range(1, 7):
        g = 0.5 + t % 3
        p.grad = torch.full((3,), g)
        opt.step()
        v, mean = 0.99 * v + 0.01 * g * g, 0.99 * mean + 0.01 * g
        m = moment(t) * m + g / ((v - centered * mean * mean) ** 0.5 + 1e-8)
        x -= 0.01 * m
        torch.testing.assert_close(p.detach(), torch.full((3,), x), rtol=2e-6, atol=1e-6)
        if t == 2:
            saved = opt.state_dict()
            opt = adamas.torch.RMSprop([p], centered=centered)
            opt.load_state_dict(saved)


def test_a_refused_step_leaves_every_group_as_it_was() -> None:
    """Where one group is refused the others keep their numbers, and go on once it is mended."""
    first, second = (nn.Parameter(torch.ones(2)) for _ in range(2))
    opt = adamas.torch.SGD([{"params": [first]}, {"params": [second]}], lr=RATE)
    first.grad, second.grad = torch.ones(2), torch.ones(2)
    opt.step()
    opt.param_groups[1]["lr"] = 0.5
    with pytest.raises(ValueError, match="lr of param group 1 is the schedule"):
        opt.step()
    assert opt.param_groups[0]["lr"] == RATE(1)
    opt.param_groups[1]["lr"] = RATE(1)
    opt.step()
    assert [group["lr"] for group in opt.param_groups] == [RATE(2)] * 2


def test_distributed_checkpoints_make_state_by_a_step_of_length_zero() -> None:
    """State dicts of torch.distributed set lr to 0 for a first step; the schedule goes on."""
    net, other = model(), model(1)
    opt = adamas.torch.AdamW(net.parameters(), lr=RATE)
    train(net, opt, range(3))
    states = get_optimizer_state_dict(net, opt)
    other.load_state_dict(net.state_dict())
    fresh = adamas.torch.AdamW(other.parameters(), lr=RATE)
    before = copy.deepcopy(detached(other))
    get_optimizer_state_dict(other, fresh)
    assert all(map(torch.equal, detached(other), before))
    set_optimizer_state_dict(other, fresh, states)
    one, two = train(net, opt, range(3, 6)), train(other, fresh, range(3, 6))
    assert all(map(torch.equal, one, two))


def test_gradients_released_one_by_one_have_the_same_numbers() -> None:
    """Stepped in the backward pass, parameters get the numbers and bits of ordinary steps."""
    net, other = model(), model()
    opt = adamas.torch.AdamW(net.parameters(), lr=RATE)
    light = adamas.torch.AdamW(other.parameters(), lr=RATE)
    with release_gradients(light):
        for k in range(5):
            train(net, opt, range(k, k + 1))
            loss_of(other, k).backward()
            light.step()
            assert light.param_groups[0]["lr"] == RATE(k + 1)
    assert all(map(torch.equal, detached(net), detached(other)))


def test_a_gradient_without_hook_has_the_number_of_its_iteration() -> None:
    """What is stepped after the backward pass goes by the step that the others just did."""
    net = model()
    odd = next(iter(net.parameters()))
    odd.requires_grad_(False)
    opt = adamas.torch.SGD(net.parameters(), lr=step(0.5, every=1, factor=0.5))
    with release_gradients(opt):
        odd.requires_grad_(True)
        for k, lr in enumerate((0.5, 0.25)):
            before = odd.detach().clone()
            loss_of(net, k).backward()
            moved = odd.grad.clone() if odd.grad is not None else torch.zeros(())
            opt.step()
            opt.zero_grad()
            torch.testing.assert_close(odd.detach(), before - lr * moved)


def test_a_step_left_out_is_no_step_of_the_schedule() -> None:
    """After a step that was skipped the schedule is where it was."""
    p = nn.Parameter(torch.zeros(2))
    opt = adamas.torch.SGD([p], lr=step(1.0, every=1, factor=0.5), on_nonfinite="skip")
    for g in (1.0, float("nan"), 1.0):
        p.grad = torch.full((2,), g)
        opt.step()
    assert p.tolist() == [-1.5] * 2


REFUSED: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"lr": lambda t: 0.1}, TypeError, "or a schedule of adamas.schedule; wrap another function"),
    ({"fused": constant(1)}, TypeError, "fused"),
    ({"amsgrad": constant(1)}, TypeError, "amsgrad"),
    ({"betas": (linear(0.9, 1.5, steps=3), 0.9, 0.9)}, ValueError, "betas"),
    ({"betas": (constant(1.5), 0.9)}, ValueError, "Invalid beta1 value: 1.5"),
]


@pytest.mark.parametrize(("given", "error", "words"), REFUSED, ids=lambda x: str(x)[:30])
def test_what_cannot_be_a_schedule(given: dict[str, Any], error: Any, words: str) -> None:
    """Options, functions without text and numbers beyond their limit are refused at once."""
    with pytest.raises(error, match=re.escape(words)):
        adamas.torch.AdamW([nn.Parameter(torch.zeros(2))], **given)


def test_a_number_beyond_its_limit_is_refused_when_it_comes() -> None:
    """A schedule that leaves the limits of its hyper-parameter raises, and nothing changes."""
    p = nn.Parameter(torch.zeros(2))
    p.grad = torch.ones(2)
    rising: Schedule = linear(0.5, 1.5, steps=2)
    opt = adamas.torch.Adam([p], betas=(rising, 0.9))
    opt.step()
    before = p.detach().clone()
    with pytest.raises(ValueError, match=r"Invalid beta1 value: 1\.0"):
        opt.step()
    assert torch.equal(p, before)
