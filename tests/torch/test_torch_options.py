"""Options are heard or refused when they are given: constructor, groups, schedulers."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import adamas
import adamas.torch
from adamas.torch import SGD, Adam, AdamW, RMSprop
from long_form import sampled
from torch_training import SCHEDULERS, close, model, train
from written import function

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"state": "int9"}, "int9"),
    ({"state": 8}, "state=8"),
    ({"state": {"w": "int8"}}, "no state 'w'"),
    ({"state": lambda key, array: "int9"}, "int9"),
    ({"state_by_name": {"[": "int8"}}, "regular expression"),
    ({"state_by_name": {"weight": "int9"}}, "int9"),
    ({"state_by_name": {"wieght": "int8"}}, "no parameter's name"),
    ({"state_by_name": "weight"}, "must be a dict"),
    ({"master": 3}, "master=3"),
    ({"seed": -1}, "seed=-1"),
    ({"seed": "x"}, "seed='x'"),
    ({"clip_norm": -1}, "clip_norm=-1"),
    ({"clip_norm": "1"}, "clip_norm='1'"),
    ({"on_nonfinite": "x"}, "on_nonfinite='x'"),
    ({"ema": 2}, "ema=2"),
    ({"ema": True}, "ema=True"),
    ({"zero_grad_in_step": "yes"}, "zero_grad_in_step='yes'"),
    ({"rows": "no"}, "rows='no'"),
    ({"threads": 0}, "threads=0"),
    ({"threads": 1.5}, "threads=1.5"),
    ({"maximize": "yes"}, "maximize='yes'"),
    ({"amsgrad": "no"}, "amsgrad='no'"),
    ({"fused": "cpu"}, "fused='cpu'"),
    ({"betas": (0.9, 0.99, 0.9)}, "takes 2"),
    ({"betas": 0.9}, "takes 2"),
    ({"betas": np.array([0.9])}, "takes 2"),
]


@pytest.mark.parametrize(
    ("options", "reason"), WRONG, ids=lambda value: str(value).partition(" at 0x")[0][:40]
)
def test_a_wrong_option_is_refused_when_the_optimizer_is_made(
    options: dict[str, Any], reason: str
) -> None:
    """Before any pass is spent, by its value, and in the words of PyTorch."""
    with pytest.raises((TypeError, ValueError), match=reason) as caught:
        AdamW(model().named_parameters(), **options)
    assert "astype" not in str(caught.value)


def test_what_a_parameter_cannot_have_is_refused_when_it_is_given() -> None:
    """float16 parameters and codes on other devices are refused by constructor and new groups."""
    half = nn.Parameter(torch.ones(3, dtype=torch.float16))
    meta = nn.Parameter(torch.ones(100, 100, device="meta"))
    fine = nn.Parameter(torch.ones(3))
    for bad, options, reason in (
        (half, {}, r"torch\.float16.*autocast"),
        (meta, {"state": "int8"}, "on meta, where state='int8'"),
        (meta, {"state": lambda *_: "int4"}, "on meta, where state='int4'"),
    ):
        with pytest.raises((TypeError, ValueError), match=reason):
            AdamW([fine, bad], **options)
        opt = AdamW([fine], **options)
        with pytest.raises((TypeError, ValueError), match=reason):
            opt.add_param_group({"params": [bad]})
        assert len(opt.param_groups) == 1
    # Frozen parameters of any kind come with `model.parameters()`.
    frozen = nn.Parameter(torch.ones(3, dtype=torch.uint8), requires_grad=False)
    AdamW([fine, half.requires_grad_(False), frozen])


def test_numbers_beyond_a_parameter_s_dtype_are_refused_when_they_are_given() -> None:
    """What comes to more than float32 holds is refused at once, and stepped in float64."""
    single, double = (nn.Parameter(torch.ones(2, dtype=d)) for d in (torch.float32, torch.float64))
    for make, reason in (
        (lambda: SGD([single], lr=1e39), r"lr=1e\+39"),
        (lambda: SGD([single], lr=torch.tensor(1e39, dtype=torch.float64)), r"lr=1e\+39"),
        (lambda: AdamW([single], lr=1e20, weight_decay=1e20), "lr . weight_decay"),
        (lambda: SGD([double, single], lr=1e39), r"lr=1e\+39"),
        (lambda: SGD([{"params": [double]}, {"params": [single], "lr": 1e39}]), r"lr=1e\+39"),
    ):
        with pytest.raises(ValueError, match=f"{reason}.* float32, whose largest number is 3.4e"):
            make()
    opt = SGD([double], lr=1e39)
    with pytest.raises(ValueError, match="float32"):
        opt.add_param_group({"params": [single]})
    assert len(opt.param_groups) == 1
    double.grad = torch.ones_like(double)
    opt.step()
    assert double.tolist() == [1 - 1e39] * 2
    # State in float64 has its parameter stepped in float64.
    Adam([single], lr=1e39, state="float64")


KEPT = [
    "initial_lr", "max_lr", "min_lr", "swa_lr", "base_momentum", "max_momentum", "lr_scale", "name",
    "group_name", "param_name", "layer_id", "wd_mult", "weight_decay_mult", "no_weight_decay",
    "lr_mult", "use_muon", "stage", "stats", "stale", "epoch", "step", "counter", "id", "d",
]  # fmt: skip


# Hyper-parameters of all classes: one list of groups may be given to several.
EVERY = sorted(
    {key for h in adamas.torch.classes.SIGNATURES.values() for key in (*h.defaults, *h.sources)}
)


@pytest.mark.parametrize("kind", adamas.torch.classes.SIGNATURES)
def test_what_others_keep_in_groups_stays(kind: str) -> None:
    """Keys of schedulers, trainers and models go through groups unharmed."""
    home = adamas.torch.classes.SIGNATURES[kind]
    mine = home.defaults.keys() | home.sources.keys()
    extra = {key: 1.0 for key in [*KEPT, *EVERY] if key not in mine}
    opt = getattr(adamas.torch, kind)([{"params": [nn.Parameter(torch.ones(2, 2))], **extra}])
    assert extra.items() <= opt.param_groups[0].items()


@given(st.data())
def test_a_name_that_is_nearly_ours_is_refused_in_a_group(data: st.DataObject) -> None:
    """One letter too many, too few, another, or two exchanged: refused with the right name."""
    names = [n for n in Adam([nn.Parameter(torch.ones(1))]).defaults if len(n) > 4]
    name = data.draw(st.sampled_from([*names, "clip_norm", "on_nonfinite", "threads"]))
    at = data.draw(st.integers(0, len(name) - 1))
    letter = data.draw(st.sampled_from("qxz"))
    wrong = data.draw(
        st.sampled_from(
            [
                name[:at] + letter + name[at:],
                name[:at] + name[at + 1 :],
                name[:at] + letter + name[at + 1 :],
                name[:at] + name[at : at + 2][::-1] + name[at + 2 :],
                name.upper(),
            ]
        )
    )
    if wrong == name or wrong in EVERY:
        return
    with pytest.raises(TypeError, match=f"'{wrong}'. Did you mean '{name}'"):
        Adam([{"params": [nn.Parameter(torch.ones(1))], wrong: 1.0}])


@pytest.mark.parametrize("name", ["clip_norm", "master", "seed", "rows", "threads", "ema"])
def test_an_option_of_the_whole_optimizer_is_refused_in_a_group(name: str) -> None:
    """An option that cannot differ between groups is not taken there and forgotten."""
    opt = AdamW(model().parameters())
    with pytest.raises(TypeError, match=f"'{name}', which is of the whole optimizer"):
        opt.add_param_group({"params": [nn.Parameter(torch.ones(1))], name: 1})
    opt.param_groups[0][name] = 1
    first = opt.param_groups[0]["params"][0]
    first.grad = torch.ones_like(first)
    with pytest.raises(TypeError, match=name):
        opt.step()
    assert not opt.state[first].get("step", 0)


def test_a_group_has_its_own_storage() -> None:
    """{"params": ..., "state": "int8"} keeps that group in eight bits, and only that."""
    one, two, three = (nn.Parameter(torch.randn(100, 100)) for _ in range(3))
    opt = AdamW(
        [
            {"params": [one], "state": "int8"},
            {"params": [two]},
            {"params": [three], "state": "int4"},
        ],
        state="bfloat16",
    )
    for p in (one, two, three):
        p.grad = torch.randn_like(p)
    opt.step()
    assert opt.state[one]["m"].dtype == torch.int8
    assert opt.state[two]["exp_avg"].dtype == torch.bfloat16
    assert opt.state[three]["m"].numel() == two.numel() // 2
    with pytest.raises(ValueError, match="int9"):
        opt.add_param_group({"params": [nn.Parameter(torch.ones(1))], "state": "int9"})
    # It stays this optimizer's own business, as everywhere in files.
    opt.load_state_dict(opt.state_dict())
    assert [group.get("state") for group in opt.param_groups] == ["int8", None, "int4"]
    opt.step()
    assert opt.state[one]["m"].dtype == torch.int8


def test_storage_changed_between_steps_is_heard() -> None:
    """A group whose `state` is set later has its state converted at the next step."""
    p = nn.Parameter(torch.randn(100, 100))
    opt = AdamW([p])
    p.grad = torch.randn_like(p)
    opt.step()
    before = opt.state[p]["exp_avg"].clone()
    opt.param_groups[0]["state"] = "bfloat16"
    p.grad.zero_()
    opt.step()
    found = opt.state[p]["exp_avg"]
    assert found.dtype == torch.bfloat16
    # Rounded twice, by the conversion and by the step, each by less than 2**-7 of the number.
    torch.testing.assert_close(found.float(), 0.9 * before, rtol=2**-6, atol=0)


@pytest.mark.parametrize("as_array", [list, np.array, torch.tensor])
def test_betas_that_change_in_place_are_heard(as_array: Any) -> None:
    """Betas in a list, an array or a tensor may be changed where they are."""
    nets = model(), model()
    betas = as_array([0.9, 0.99])
    one, two = (
        Adam(nets[0].parameters(), betas=betas),
        Adam(nets[1].parameters(), betas=(0.9, 0.99)),
    )
    for step in range(4):
        if step == 2:
            betas[0] = 0.5
            two.param_groups[0]["betas"] = (0.5, 0.99)
        close(*(train(n, o, range(step, step + 1)) for n, o in zip(nets, (one, two), strict=True)))


def changed(cls: Any, changes: list[dict[str, Any]], made: dict[str, Any]) -> list[torch.Tensor]:
    """The parameters after steps before each of which options of the group are set."""
    net = model()
    opt = cls(net.parameters(), lr=1e-2, **made)
    for step, change in enumerate(changes):
        opt.param_groups[0].update(change)
        train(net, opt, range(step, step + 1))
    return [p.detach() for p in net.parameters()]


@pytest.mark.parametrize(
    ("kind", "made", "changes"),
    [
        ("SGD", {}, [{}, {}, {"momentum": 0.9}, {}, {}]),
        ("SGD", {"dampening": 0.5}, [{}, {"momentum": 0.9}, {}, {"dampening": 0.0}, {}]),
        ("SGD", {"momentum": 0.9}, [{}, {}, {"momentum": 0.0}, {}, {"momentum": 0.5}, {}]),
        ("SGD", {"momentum": 0.9}, [{}, {"nesterov": True}, {}, {"nesterov": False}, {}]),
        (
            "SGD",
            {"momentum": 0.9, "nesterov": True},
            [{}, {"momentum": 0.0}, {"momentum": 0.5}, {}],
        ),
        ("SGD", {}, [{}, {"maximize": True}, {}, {"maximize": False}, {}]),
        ("RMSprop", {}, [{"momentum": 0.9}, {}, {"momentum": 0.8}, {}]),
        ("RMSprop", {}, [{"centered": True}, {}, {}]),
        ("RMSprop", {"centered": True}, [{}, {}, {"centered": False}, {}, {"centered": True}]),
        ("Adam", {}, [{"amsgrad": True}, {}, {}]),
        ("Adam", {"amsgrad": True}, [{}, {}, {"amsgrad": False}, {}, {"amsgrad": True}, {}]),
        ("Adam", {"weight_decay": 0.1}, [{}, {}, {"decoupled_weight_decay": True}, {}]),
        ("Adagrad", {}, [{}, {"lr_decay": 0.1}, {}]),
        ("NAdam", {"weight_decay": 0.1}, [{}, {}, {"decoupled_weight_decay": True}, {}]),
        ("RAdam", {"weight_decay": 0.1}, [{}, {}, {"decoupled_weight_decay": True}, {}]),
    ],
    ids=str,
)
def test_an_option_changed_between_steps_chooses_the_rule_as_in_torch(
    kind: str, made: dict[str, Any], changes: list[dict[str, Any]]
) -> None:
    """Momentum, nesterov, centered, amsgrad and the rest may be set and taken back at any step."""
    found = changed(getattr(adamas.torch, kind), changes, made)
    close(found, changed(getattr(torch.optim, kind), changes, made))


def test_a_rule_whose_state_was_never_kept_is_refused() -> None:
    """Setting amsgrad after a step, a KeyError in torch, is refused and changes nothing."""
    net = model()
    opt = Adam(net.parameters())
    before = train(net, opt, range(2))
    opt.param_groups[0]["amsgrad"] = True
    for _ in range(2):
        with pytest.raises(ValueError, match=r"amsgrad.*max_exp_avg_sq.*before the first"):
            opt.step()
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))
    opt.param_groups[0]["amsgrad"] = False
    train(net, opt, range(1))
    assert opt.state[next(net.parameters())]["step"] == 3


SHARED = ["Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "RMSprop", "SGD"]


@pytest.mark.parametrize(("kind", "name"), sampled(itertools.product(SHARED, SCHEDULERS), 40))
def test_every_scheduler_drives_every_class(kind: str, name: str) -> None:
    """Each scheduler of torch on each class that torch has too, made with its defaults."""
    results = []
    for module in (adamas.torch, torch.optim):
        net = model()
        opt = getattr(module, kind)(net.parameters(), lr=1e-2)
        if name in ("CyclicLR", "OneCycleLR") and not {"momentum", "betas"} & opt.defaults.keys():
            pytest.skip("torch cannot cycle a momentum that the class does not have")
        scheduler = SCHEDULERS[name](opt)
        for step in range(5):
            train(net, opt, range(step, step + 1))
            scheduler.step(*([1.0] if name == "ReduceLROnPlateau" else []))
        results.append([p.detach() for p in net.parameters()])
    close(*results)


def test_a_file_brings_the_rule_that_its_groups_ask_for() -> None:
    """SGD made without momentum resumes a run to which a scheduler gave momentum, as in torch."""
    results = []
    for cls in (SGD, torch.optim.SGD):
        net = model()
        opt = cls(net.parameters(), lr=1e-2)
        torch.optim.lr_scheduler.OneCycleLR(opt, 1e-2, total_steps=9)
        train(net, opt, range(3))
        new = cls(net.parameters())
        new.load_state_dict(opt.state_dict())
        results.append(train(net, new, range(3, 6)))
    close(*results)


def test_groups_still_share_one_rule() -> None:
    """Groups that ask for two formulas at once are refused when the second one is given."""
    with pytest.raises(ValueError, match="make two optimizers"):
        RMSprop([{"params": [nn.Parameter(torch.ones(1))], "momentum": m} for m in (0.0, 0.9)])
    opt = SGD([{"params": [nn.Parameter(torch.ones(1))], "momentum": 0.9}])
    assert opt.formula.name == "momentum"


@pytest.mark.parametrize(
    "name", ["fused", "foreach", "differentiable", "capturable", "betas", "zero_grad_in_step",
             "state_by_name", "param_names"],
)  # fmt: skip
def test_a_hyper_parameter_that_torch_has_other_use_for_is_refused(name: str) -> None:
    """A rule cannot name a number as torch or this face names something else; the error says so."""
    text = f"def rule(p, g, *, lr=0.1, {name}=0.5):\n    return p - lr * {name} * g\n"
    namespace: dict[str, Any] = {}
    exec(text, namespace)
    with pytest.raises(ValueError, match=f"hyper-parameter '{name}'"):
        adamas.torch.optimizer(namespace["rule"])


def half_step(p, g, *, step_size=0.5):  # type: ignore[no-untyped-def]
    """A rule without `lr`."""
    return p - step_size * g


def test_a_rule_without_lr_steps() -> None:
    """Nothing here asks for a hyper-parameter of that name."""
    p = nn.Parameter(torch.ones(3))
    opt = adamas.torch.optimizer(half_step)([p], step_size=0.25)
    p.grad = torch.ones(3)
    opt.step()
    assert torch.equal(p, torch.full((3,), 0.75))


def test_storage_and_values_are_told() -> None:
    """`storage` says how each state is kept, from the start; `values` gives them as numbers."""
    net = nn.Sequential(nn.Linear(80, 80), nn.Linear(80, 1))
    opt = AdamW(net.named_parameters(), state="int8", weight_decay=0.0)
    plain = torch.optim.AdamW(net.parameters(), weight_decay=0.0)
    assert opt.storage["0.weight"] == {"exp_avg": "int8", "exp_avg_sq": "int8"}
    assert opt.storage["1.bias"] == {"exp_avg": "float32", "exp_avg_sq": "float32"}
    assert opt.values("0.weight") == {}
    for p in net.parameters():
        p.grad = torch.randn_like(p)
    opt.step()
    plain.step()
    for name, p in net.named_parameters():
        found, expected = opt.values(p), plain.state[p]
        assert all(torch.equal(v, opt.values(name)[k]) for k, v in found.items())
        assert found.keys() == {"exp_avg", "exp_avg_sq"}
        top = expected["exp_avg"].abs().max().item()
        torch.testing.assert_close(found["exp_avg"], expected["exp_avg"], rtol=0.1, atol=top / 50)
    with pytest.raises(ValueError, match="no parameter 'nowhere'"):
        opt.values("nowhere")


def idle(kind: Any, dtype: torch.dtype, changes: dict[str, float], made: Any) -> list[torch.Tensor]:
    """Two parameters stepped together, then one of them, with the options changed, then both."""
    pair = [nn.Parameter(torch.ones(3, dtype=dtype)) for _ in range(2)]
    opt = kind(pair, lr=0.125, **made)
    for step, used in enumerate([(0, 1), (0,), (0,), (0, 1), (1,), (0, 1)]):
        for k, p in enumerate(pair):
            p.grad = torch.full_like(p, 0.5) if k in used else None
        if step == 1:
            opt.param_groups[0].update(changes)
        opt.step()
    return pair


@pytest.mark.parametrize("changes", [{"momentum": 0.5}, {"momentum": 0.5, "dampening": 0.5}])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_momentum_begins_while_a_parameter_is_idle(
    dtype: torch.dtype, changes: dict[str, float]
) -> None:
    """A parameter without a gradient at the step that begins a momentum begins its own later."""
    made = {"master": 16} if dtype == torch.bfloat16 else {}
    for p, q in zip(
        idle(SGD, dtype, changes, made), idle(torch.optim.SGD, torch.float32, changes, {}),
        strict=True,
    ):  # fmt: skip
        torch.testing.assert_close(p.float(), q, rtol=2**-7 if made else 1e-6, atol=0)


@pytest.mark.parametrize("reader", [SGD, torch.optim.SGD])
@pytest.mark.parametrize("idle_one", [False, True])
def test_a_file_written_after_momentum_was_set_goes_on(reader: Any, idle_one: bool) -> None:
    """Saved between the scheduler that sets a momentum and the next step, it begins there."""
    results = []
    for writer, kind in ((SGD, reader), (torch.optim.SGD, torch.optim.SGD)):
        pair = [nn.Parameter(torch.ones(3)) for _ in range(2)]
        opt = writer(pair, lr=0.1)
        for step in range(4):
            for p in pair:
                p.grad = torch.full_like(p, 0.5 + step)
            if step == 2:
                pair[1].grad = None if idle_one else pair[1].grad
                opt.param_groups[0].update(momentum=0.9, dampening=0.5)
                saved = opt.state_dict()
                opt = kind(pair, lr=0.1, momentum=0.9)
                opt.load_state_dict(saved)
            opt.step()
        results.append(pair)
    close(*results)


@pytest.mark.parametrize("odd", [np.array([1, 2]), torch.tensor([True, False]), "yes"], ids=str)
@pytest.mark.parametrize(
    ("kind", "name"), [(AdamW, "maximize"), (Adam, "amsgrad"), (SGD, "nesterov"), (SGD, "momentum")]
)
def test_what_cannot_choose_a_formula_is_refused_by_name(kind: Any, name: str, odd: Any) -> None:
    """An array or a text for an option that chooses the formula is refused wherever it is given."""
    p = nn.Parameter(torch.ones(3))
    with pytest.raises((TypeError, ValueError), match=name):
        kind([p], **{name: odd})
    opt = kind([p])
    with pytest.raises((TypeError, ValueError), match=name):
        opt.add_param_group({"params": [nn.Parameter(torch.ones(1))], name: odd})
    opt.param_groups[0][name] = odd
    p.grad = torch.ones(3)
    for act in (opt.step, opt.state_dict):
        with pytest.raises((TypeError, ValueError), match=name):
            act()
    assert torch.equal(p, torch.ones(3))


@pytest.mark.parametrize("name", ["seed", "threads", "clip_norm"])
def test_a_rule_may_not_take_an_option_for_itself(tmp_path: Path, name: str) -> None:
    """A class of such a rule is refused as `adamas.rule` refuses it, with a caret."""
    text = f"def f(p, g, *, lr=0.1, {name}=0.0):\n    return p - lr * g + {name}"
    with pytest.raises(adamas.FormulaError, match=rf"(?s)optimizer itself has a '{name}'.*\^\^"):
        adamas.torch.optimizer(function(tmp_path, text))
