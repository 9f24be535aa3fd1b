"""Groups that name their rules: one torch optimizer that is several, with all that torch does."""

import copy
import io
from typing import Any

import pytest
import torch
from torch import nn

import adamas
import adamas.torch
from adamas import rules
from adamas.schedule import cosine
from adamas.torch import SGD, AdamW, Lion, release_gradients
from adamas.words import rms
from torch_training import SCHEDULERS, close, loss_of, model, train


class Anywhere(AdamW):
    """AdamW as it works on a device that has no kernels."""

    _anywhere = True


@adamas.rule
def normed(p: Any, g: Any, *, lr: float = 0.01) -> Any:
    """Steps of one length for each tensor."""
    return p - lr * g / rms(g)


def groups(net: nn.Module, **lion: Any) -> list[dict[str, Any]]:
    """Lion for the weights, the optimizer's own rule for the biases."""
    named = list(net.named_parameters())
    return [
        {"params": [one for one in named if one[1].ndim > 1], "rule": "lion", **lion},
        {"params": [one for one in named if one[1].ndim == 1]},
    ]


def two(net: nn.Module) -> list[torch.optim.Optimizer]:
    """The same as an optimizer for each rule."""
    ones, others = groups(net)
    return [
        Lion(ones["params"], lr=0.02),
        torch.optim.AdamW(others["params"], lr=0.01),
    ]


@pytest.mark.parametrize("kind", [AdamW, Anywhere])
def test_two_rules_are_two_optimizers(kind: Any) -> None:
    """With one norm for all, parameters move as under two optimizers whose gradients were clipped.

    In kernels, and as tensors of other devices.
    """
    net, other = model(), model()
    opt, pair = kind(groups(net, lr=0.02), lr=0.01, clip_norm=0.3), two(other)
    for step in range(8):
        train(net, opt, range(step, step + 1))
        for one in pair:
            one.zero_grad()
        loss_of(other, step).backward()
        norm = nn.utils.clip_grad_norm_(other.parameters(), 0.3)
        for one in pair:
            one.step()
        assert abs(opt.grad_norm / float(norm) - 1) < 1e-5
    close([p.detach() for p in net.parameters()], [p.detach() for p in other.parameters()])
    kept = {frozenset(entry) for entry in opt.state.values()}
    assert kept == {frozenset({"step", "m"}), frozenset({"step", "exp_avg", "exp_avg_sq"})}


def test_groups_have_the_settings_of_their_rule() -> None:
    """A group has its rule by name, and the settings of that rule and of no other."""
    opt = AdamW(groups(model()), lr=0.5, maximize=True)
    ones, others = opt.param_groups
    assert (ones["rule"], ones["lr"], ones["betas"], ones["maximize"]) == (
        "lion", 1e-4, (0.9, 0.99), True,
    )  # fmt: skip
    assert not {"eps", "amsgrad"} & ones.keys()
    assert "rule" not in others and others["lr"] == 0.5
    own = AdamW([{"params": [nn.Parameter(torch.ones(2))], "rule": rules.adamw}], lr=0.5)
    assert own.param_groups[0]["lr"] == 0.5 and own.param_groups[0]["rule"] == "adamw"


@pytest.mark.parametrize("name", ["StepLR", "OneCycleLR", "SequentialLR", "LambdaLR"])
def test_torch_schedulers_scale_every_rule(name: str) -> None:
    """A scheduler of torch sets each group's rate by its own base, as of torch's own classes."""
    opt = SGD(groups(model(), lr=0.02), lr=0.3, momentum=0.9)
    theirs = torch.optim.SGD([{**g, "rule": None} for g in groups(model(), lr=0.02)], lr=0.3,
                             momentum=0.9)  # fmt: skip
    if name == "OneCycleLR":
        for one in (*opt.param_groups, *theirs.param_groups):
            one["momentum"] = one.get("momentum", 0.9)
            one["betas"] = one.get("betas", (0.9, 0.99))
    ours, reference = SCHEDULERS[name](opt), SCHEDULERS[name](theirs)
    for _ in range(5):
        opt.step()
        theirs.step()
        ours.step()
        reference.step()
        assert [g["lr"] for g in opt.param_groups] == [g["lr"] for g in theirs.param_groups]


def test_schedules_of_adamas_in_groups_of_two_rules() -> None:
    """A schedule given to one rule's group moves that one; that of the optimizer its own rule's."""
    net, peak = model(), cosine(0.2, steps=10)
    opt = AdamW(groups(net, lr=peak), lr=cosine(0.1, steps=10))
    train(net, opt, range(4))
    assert [g["lr"] for g in opt.param_groups] == [peak(4), cosine(0.1, steps=10)(4)]


@pytest.mark.parametrize("kind", [AdamW, Anywhere])
def test_files_go_on_bit_for_bit(kind: Any) -> None:
    """State dicts through a file, deep copies and pickles go on where the run stood."""
    net = model()
    options: dict[str, Any] = {"clip_norm": 0.5, "ema": 0.5, "state": "bfloat16"}
    opt = kind(groups(net, lr=0.02), lr=0.01, **options)
    train(net, opt, range(3))
    file = io.BytesIO()
    torch.save([net, opt, opt.state_dict(), net.state_dict()], file)
    file.seek(0)
    loaded, pickled, saved, weights = torch.load(file, weights_only=False)
    other = model()
    other.load_state_dict(weights)
    again = kind(groups(other), **options)
    again.load_state_dict(saved)
    twin, copied = copy.deepcopy((net, opt))
    expected = train(net, opt, range(3, 6))
    for one, its in ((other, again), (twin, copied), (loaded, pickled)):
        assert all(map(torch.equal, train(one, its, range(3, 6)), expected))
    assert [group.get("rule") for group in pickled.param_groups] == ["lion", None]
    assert [group["rule"] for group in saved["param_groups"]] == ["lion", "adamw"]


def test_a_file_of_another_rule_is_refused() -> None:
    """A group that was saved under another rule is named with its parameters; nothing changes."""
    net = model()
    opt = AdamW(groups(net))
    train(net, opt, range(2))
    saved = opt.state_dict()
    other = AdamW([{**g, "rule": "adamw"} for g in groups(model())])
    with pytest.raises(ValueError, match=r"rule 'lion', and param groups \(of '0.weight', '2.we"):
        other.load_state_dict(saved)
    assert not other.state


def test_a_rule_of_ones_own() -> None:
    """A group may name a rule that sums, beside the family's; it is copied and found again."""
    net = model()
    opt = AdamW([{**groups(net)[0], "rule": normed}, groups(net)[1]])
    before = [p.detach().clone() for p in net.parameters()]
    train(net, opt, range(1))
    moved = (net[0].weight.detach() - before[0]).square().mean().sqrt()
    assert abs(float(moved) - 0.01) < 1e-6
    twin, copied = copy.deepcopy((net, opt))
    assert all(map(torch.equal, train(net, opt, range(1, 3)), train(twin, copied, range(1, 3))))


@pytest.mark.parametrize("mode", ["raise", "skip", "guard"])
@pytest.mark.parametrize("kind", [AdamW, Anywhere])
def test_what_is_not_finite_is_dealt_with_once(kind: Any, mode: str) -> None:
    """A NaN under one rule holds up all rules where gradients are read first, else its own part."""
    net = model()
    opt = kind(groups(net, lr=0.02), on_nonfinite=mode)
    train(net, opt, range(1))
    before = [p.detach().clone() for p in net.parameters()]
    loss_of(net, 1).backward()
    net[2].bias.grad[:] = torch.nan
    if mode == "skip":
        opt.step()
        assert opt.skipped == 1
    else:
        with pytest.raises(adamas.NonFiniteError, match=r"'2.bias'") as caught:
            opt.step()
        assert caught.value.left == (2 if mode == "guard" else 0)
    same = [torch.equal(p, was) for p, was in zip(net.parameters(), before, strict=True)]
    assert same == ([False, False, False, True] if mode == "guard" else [True] * 4)
    assert [int(opt.state[p]["step"]) for p in net.parameters()] == (
        [2, 2, 2, 1] if mode == "guard" else [1] * 4
    )


def test_a_group_of_another_rule_joins_a_run() -> None:
    """`add_param_group` takes a rule in the middle of a run; what was there goes on as it was."""
    net, other = model(), model()
    opt = AdamW([net[0].weight, net[0].bias], lr=0.01)
    alone = AdamW([other[0].weight, other[0].bias], lr=0.01)
    train(net, opt, range(2))
    opt.add_param_group({"params": [net[2].weight], "rule": rules.lion, "lr": 0.0})
    for step in range(2):
        train(other, alone, range(step, step + 1))
    train(net, opt, range(2, 4))
    train(other, alone, range(2, 4))
    assert torch.equal(net[0].weight, other[0].weight)
    assert list(opt.state[net[2].weight]) == ["step", "m"]
    assert [route.rule for route in opt.routes] == ["adamw", "adamw", "lion"]


def test_gradients_are_released_under_several_rules() -> None:
    """Parameters stepped in the backward pass have the bits of ordinary steps, by any rule."""
    net, other = model(), model()
    opt, twin = AdamW(groups(net, lr=0.02)), AdamW(groups(other, lr=0.02))
    with release_gradients(opt):
        found = train(net, opt, range(3))
    assert all(map(torch.equal, found, train(other, twin, range(3))))


def test_a_scaler_and_hooks_see_one_optimizer() -> None:
    """GradScaler divides once for all rules and skips all of them; hooks are called once a step."""
    net, other = model(), model()
    opt, twin = AdamW(groups(net, lr=0.02), fused=True), AdamW(groups(other, lr=0.02))
    seen: list[int] = []
    opt.register_step_pre_hook(lambda *_: seen.append(1))
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    for step in range(3):
        opt.zero_grad()
        scaler.scale(loss_of(net, step)).backward()
        if step == 2:
            net[0].bias.grad[0] = torch.inf
        scaler.step(opt)
        scaler.update()
    assert seen == [1, 1, 1] and scaler.get_scale() == 512.0
    close([p.detach() for p in net.parameters()], train(other, twin, range(2)))


def test_sparse_rows_beside_another_rule() -> None:
    """An embedding with sparse gradients has the rows of its own optimizer."""
    found = []
    for joined in (True, False):
        torch.manual_seed(0)
        table, layer = nn.Embedding(8, 4, sparse=True), nn.Linear(4, 3)
        first = {"params": list(table.parameters())}
        second = {"params": list(layer.parameters()), "rule": "lion"}
        opts: list[Any] = [SGD([first, second], lr=0.1, momentum=0.9)] if joined else [
            SGD([first], lr=0.1, momentum=0.9), Lion(second["params"]),
        ]  # fmt: skip
        for k in range(4):
            for opt in opts:
                opt.zero_grad()
            layer(table(torch.tensor([k, k + 1]))).square().sum().backward()
            for opt in opts:
                opt.step()
        found.append([p.detach() for p in (*table.parameters(), *layer.parameters())])
    assert all(map(torch.equal, *found))


def test_routes_by_name() -> None:
    """Regular expressions give named parameters their rules; the table says which have which."""
    net = model()
    opt = AdamW(
        net.named_parameters(), lr=0.3, routes={"bias": "adamw", "": {"rule": "lion", "lr": 0.02}}
    )
    assert {one.name: (one.rule, one.lr) for one in opt.routes} == {
        "0.bias": ("adamw", 0.3), "2.bias": ("adamw", 0.3),
        "0.weight": ("lion", 0.02), "2.weight": ("lion", 0.02),
    }  # fmt: skip
    assert "2.weight   2 × 5  lion   0.02  2.0e-02" in str(opt.routes)
    with pytest.raises(ValueError, match=r"no expression is found in '0.weight', '2.weight'"):
        AdamW(net.named_parameters(), routes={"bias": "adamw"})
    with pytest.raises(TypeError, match=r"pass model.named_parameters\(\)"):
        AdamW(net.parameters(), routes={"": "adamw"})


@pytest.mark.parametrize(
    ("group", "said"),
    [
        ({"rule": "loin"}, "no rule of adamas is called 'loin'. Did you mean 'lion'"),
        (
            {"rule": "lion", "beta": (0.9, 0.99)},
            "rule 'lion' has no setting 'beta'. Did you mean 'betas'",
        ),
        ({"rule": "schedule_free_adamw"}, "needs the train() and eval() of its own class"),
        ({"rule": "lion", "maximize": True}, "maximize must be the same for all groups"),
        ({"rule": "lion", "state": {"v": "int8"}}, "lion has no state 'v'"),
    ],
)
def test_what_a_group_cannot_name(group: dict[str, Any], said: str) -> None:
    """A rule or setting that a group cannot have is refused, and the optimizer is as it was."""
    opt = AdamW([nn.Parameter(torch.ones(2))])
    with pytest.raises((TypeError, ValueError)) as caught:
        opt.add_param_group({"params": [nn.Parameter(torch.ones(2))], **group})
    assert said in str(caught.value) and len(opt.param_groups) == 1


def test_the_rule_of_a_group_stays() -> None:
    """A rule set in a group after it was made is refused at the next step, with what to do."""
    net = model()
    opt = AdamW(groups(net))
    train(net, opt, range(1))
    opt.param_groups[1]["rule"] = "adam"
    loss_of(net, 1).backward()
    with pytest.raises(ValueError, match=r"rule='adam', set after it was made"):
        opt.step()
    opt.param_groups[1]["rule"] = "lion"
    with pytest.raises((TypeError, ValueError)):
        opt.step()
