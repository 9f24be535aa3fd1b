"""Schedule-free AdamW trains at y and is evaluated at x, as the authors' class does it."""

import copy
import io
import pickle
from typing import Any

import pytest
import torch

from adamas import rules
from adamas.torch import ScheduleFreeAdamW, ScheduleFreeRAdam, ScheduleFreeSGD, optimizer
from torch_training import close, loss_of, model, train

schedulefree = pytest.importorskip("schedulefree")


def weights(net: torch.nn.Module) -> list[torch.Tensor]:
    """Copies of the parameters."""
    return [p.detach().clone() for p in net.parameters()]


@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.5, 0.9)])
@pytest.mark.parametrize("make", [ScheduleFreeAdamW, optimizer(rules.schedule_free_adamw)])
def test_modes_are_those_of_the_authors(make: Any, betas: tuple[float, float]) -> None:
    """Parameters in train and in eval mode, and after going to and fro, are the authors'."""
    nets = model(), model()
    hypers = {"lr": 1e-2, "betas": betas, "weight_decay": 0.1}
    ours = make(nets[0].parameters(), **hypers)
    theirs = schedulefree.AdamWScheduleFree(nets[1].parameters(), **hypers)
    for step in range(9):
        for net, opt in zip(nets, (ours, theirs), strict=True):
            opt.train()
            opt.train()
            train(net, opt, range(step, step + 1))
        close(weights(nets[0]), weights(nets[1]))
        if step % 3 == 0:
            ours.eval()
            theirs.eval()
            ours.eval()
            close(weights(nets[0]), weights(nets[1]))


def test_a_step_in_eval_mode_is_refused() -> None:
    """Before the first train(), and after eval(), a step raises and changes nothing."""
    net = model()
    opt = ScheduleFreeAdamW(net.parameters())
    before = weights(net)
    loss_of(net, 0).backward()
    with pytest.raises(RuntimeError, match=r"call optimizer\.train\(\) before training"):
        opt.step()
    opt.train()
    train(net, opt, range(2))
    opt.eval()
    still = weights(net)
    with pytest.raises(RuntimeError, match="in eval mode"):
        opt.step()
    assert all(torch.equal(a, b) for a, b in zip(still, net.parameters(), strict=True))
    assert not torch.equal(before[0], still[0])
    opt.add_param_group({"params": [torch.nn.Parameter(torch.ones(1))]})
    assert [group["train_mode"] for group in opt.param_groups] == [False, False]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("more", [{}, {"master": 16}, {"state": {"z": "bfloat16"}}], ids=str)
def test_evaluating_does_not_change_training(dtype: torch.dtype, more: dict[str, Any]) -> None:
    """A run that is evaluated in between has the bits of one that is not."""
    results = []
    for evaluated in (False, True):
        net = model().to(dtype)
        opt = ScheduleFreeAdamW(net.parameters(), lr=1e-2, **more)
        opt.train()
        for step in range(6):
            opt.zero_grad()
            x = torch.randn(4, 6, generator=torch.Generator().manual_seed(step)).to(dtype)
            net(x).pow(2).mean().backward()
            opt.step()
            if evaluated:
                opt.eval()
                opt.train()
        results.append(weights(net))
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_files_written_in_either_mode_go_on(mode: str) -> None:
    """Weights and state saved in either mode resume the run, as the authors' files do."""
    found = []
    for make in (ScheduleFreeAdamW, schedulefree.AdamWScheduleFree):
        net = model()
        opt = make(net.parameters(), lr=1e-2)
        opt.train()
        train(net, opt, range(4))
        getattr(opt, mode)()
        file = io.BytesIO()
        torch.save((net.state_dict(), opt.state_dict()), file)
        file.seek(0)
        saved, state = torch.load(file, weights_only=True)
        other = model(1)
        other.load_state_dict(saved)
        new = make(other.parameters())
        new.load_state_dict(state)
        twin, twin_opt = copy.deepcopy((net, opt))
        runs = []
        for n, o in ((other, new), (net, opt), (twin, twin_opt)):
            o.train()
            runs.append(train(n, o, range(4, 7)))
        close(runs[0], runs[1])
        close(runs[2], runs[1])
        found.append(runs[0])
    close(*found)


def test_weights_loaded_while_evaluating_are_trained_on() -> None:
    """Parameters changed in eval mode are taken for the averages that training goes on from."""
    nets = model(), model()
    opts = [
        make(net.parameters(), lr=1e-2)
        for make, net in zip((ScheduleFreeAdamW, schedulefree.AdamWScheduleFree), nets, strict=True)
    ]
    for net, opt in zip(nets, opts, strict=True):
        opt.train()
        train(net, opt, range(3))
        opt.eval()
        with torch.no_grad():
            for p in net.parameters():
                p.mul_(0.5)
        opt.train()
        train(net, opt, range(3, 5))
    close(weights(nets[0]), weights(nets[1]))


@pytest.mark.parametrize("make", [ScheduleFreeAdamW, ScheduleFreeSGD])
def test_a_beta1_of_0_has_no_average(make: Any) -> None:
    """Without interpolation there is no way to the average: refused, with nothing changed."""
    net = model()
    beta = {"momentum": 0.0} if make is ScheduleFreeSGD else {"betas": (0.0, 0.999)}
    opt = make(net.parameters(), lr=1e-2, **beta)
    opt.train()
    train(net, opt, range(2))
    before = weights(net)
    with pytest.raises(ValueError, match="beta1 of 0: the average cannot be had"):
        opt.eval()
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))


KINDS = [
    (ScheduleFreeSGD, schedulefree.SGDScheduleFree, {"momentum": 0.8}),
    (ScheduleFreeRAdam, schedulefree.RAdamScheduleFree, {"betas": (0.8, 0.9)}),
]


@pytest.mark.parametrize(("make", "authors", "betas"), KINDS)
def test_modes_of_every_schedule_free_class(make: Any, authors: Any, betas: dict[str, Any]) -> None:
    """SGD and RAdam take the authors' argument names, and are theirs in both modes."""
    nets = model(), model()
    hypers = {"lr": 1e-2, "weight_decay": 0.1, **betas}
    opts = [
        kind(net.parameters(), **hypers) for kind, net in zip((make, authors), nets, strict=True)
    ]
    loss_of(nets[0], 0).backward()
    with pytest.raises(RuntimeError, match=r"call optimizer\.train\(\) before training"):
        opts[0].step()
    for step in range(9):
        for net, opt in zip(nets, opts, strict=True):
            opt.train()
            train(net, opt, range(step, step + 1))
        close(weights(nets[0]), weights(nets[1]))
        if step % 3 == 0:
            for opt in opts:
                opt.eval()
            close(weights(nets[0]), weights(nets[1]))


def test_a_file_that_knows_no_modes_was_written_while_training() -> None:
    """State without `train_mode`, as adamas wrote it before, goes on where it stood."""
    net, other = model(), model()
    opt, new = (ScheduleFreeAdamW(n.parameters(), lr=1e-2) for n in (net, other))
    opt.train()
    train(net, opt, range(3))
    saved = opt.state_dict()
    del saved["param_groups"][0]["train_mode"]
    other.load_state_dict(net.state_dict())
    new.load_state_dict(saved)
    new.train()
    close(train(other, new, range(3, 5)), train(net, opt, range(3, 5)))


@pytest.mark.parametrize("saved", [None, 3, {}, {"state": {}}, {"state": {}, "param_groups": [0]}])
def test_what_is_no_state_dict_is_refused(saved: Any) -> None:
    """Nonsense in place of a state dict raises what every class of ours raises for it."""
    opt = ScheduleFreeAdamW(model().parameters())
    with pytest.raises((TypeError, ValueError), match=r"a state dict is|lacks|saved param group 0"):
        opt.load_state_dict(saved)


@pytest.mark.parametrize("through", [copy.deepcopy, lambda both: pickle.loads(pickle.dumps(both))])
def test_a_copy_made_while_evaluating_trains_on_from_the_same_bits(through: Any) -> None:
    """Copies and pickle take along where training was, so that train() brings back its bits."""
    net = model()
    opt = ScheduleFreeAdamW(net.parameters(), lr=1e-2)
    opt.train()
    train(net, opt, range(4))
    before = weights(net)
    opt.eval()
    other, twin = through((net, opt))
    twin.train()
    assert all(torch.equal(a, b) for a, b in zip(weights(other), before, strict=True))
