"""What a module's layers are, beyond the twelve mistakes: models as people write them."""

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

import adamas.torch


def routed(net: nn.Module, **given: Any) -> tuple[dict[Any, str], dict[Any, str]]:
    """The rule of every parameter, and why it has it."""
    routes = adamas.torch.Muon(net, **given).routes
    return {one.name: one.rule for one in routes}, {one.name: one.why for one in routes}


def by_muon(net: nn.Module, **given: Any) -> list[Any]:
    """The names of what Muon steps."""
    return [name for name, rule in routed(net, **given)[0].items() if rule == "muon"]


def named(**layers: nn.Module) -> nn.ModuleDict:
    """A model whose layers have these names, in this order."""
    return nn.ModuleDict(layers)


Built = Callable[[], nn.Module]


@pytest.mark.parametrize(
    ("built", "hidden"),
    [
        # A U-Net with a layer for the time.
        (
            lambda: named(
                conv_in=nn.Conv2d(3, 8, 3), time=nn.Linear(8, 8), conv_out=nn.Conv2d(8, 3, 3)
            ),
            ["conv_in.weight", "time.weight"],
        ),
        # A segmentation whose head is a convolution, and a Linear in front.
        (
            lambda: named(mix=nn.Linear(4, 4), up=nn.Conv2d(4, 4, 3), head=nn.Conv2d(4, 2, 1)),
            ["mix.weight", "up.weight"],
        ),
        # Several heads beside each other, and one more of another name.
        (
            lambda: named(
                body=nn.Linear(8, 8),
                heads=named(policy=nn.Linear(8, 4), target=nn.Linear(8, 4)),
                value=nn.Linear(8, 2),
            ),
            ["body.weight"],
        ),
        # A hidden layer that is called output.
        (
            lambda: named(q=nn.Linear(8, 8), output=nn.Linear(8, 8), decoder=nn.Linear(8, 40)),
            ["q.weight"],
        ),
    ],
)
def test_last_layers_are_found_whatever_they_are(built: Built, hidden: list[str]) -> None:
    """No last layer is orthogonalized because another layer is a Linear or has a head's name."""
    assert by_muon(built()) == hidden


def test_a_matrix_of_one_row_or_column_is_a_vector() -> None:
    """What has one singular value is no matrix: it goes to AdamW, in whatever module it is."""
    net = named(
        up=nn.Linear(8, 8),
        gate=nn.Linear(8, 1),
        time=nn.Linear(1, 8),
        attention=nn.MultiheadAttention(8, 2, kdim=6, vdim=4, add_bias_kv=True),
        last=nn.Linear(8, 2),
    )
    rules, why = routed(net)
    vectors = ["gate.weight", "time.weight", "attention.bias_k", "attention.bias_v"]
    assert all(why[name] == "vector: one row or column" for name in vectors)
    assert all(rules[name] == "adamw" for name in vectors)
    assert [name for name, rule in rules.items() if rule == "muon"] == [
        "up.weight",
        *(f"attention.{x}_proj_weight" for x in "qkv"),
        "attention.out_proj.weight",
    ]


def test_groups_of_a_convolution_are_not_one_matrix() -> None:
    """Filters that never meet are refused as one matrix; a depthwise one is AdamW's."""
    net = nn.Sequential(
        nn.Conv2d(8, 8, 1), nn.Conv2d(8, 16, 3, groups=8), nn.Conv2d(16, 8, 3, groups=4),
        nn.Flatten(), nn.Linear(8, 2),
    )  # fmt: skip
    with pytest.raises(ValueError, match=r"'2.weight': 4 groups, .*split=\{'2\\\\.weight': 4\}"):
        adamas.torch.Muon(net)
    assert by_muon(net, split={"2.weight": 4}) == ["0.weight", "2.weight"]
    alone = [nn.Parameter(part.detach().clone()) for part in net[2].weight.chunk(4)]
    opt = adamas.torch.Muon(net, split={"2.weight": 4})
    each = adamas.torch.Muon([{"params": alone}])
    g = torch.randn(8, 4, 3, 3, generator=torch.Generator().manual_seed(0))
    net[2].weight.grad = g
    for p, part in zip(alone, g.chunk(4), strict=True):
        p.grad = part.clone()
    opt.step()
    each.step()
    assert torch.allclose(net[2].weight, torch.cat(alone), rtol=0, atol=1e-6)


def test_a_fused_projection_of_unequal_parts_is_refused() -> None:
    """Grouped queries: rows that differ make it no less fused. Mamba's in_proj is another thing."""
    net = named(qkv_proj=nn.Linear(32, 48), o=nn.Linear(32, 32), head=nn.Linear(32, 9))
    with pytest.raises(ValueError, match=r"'qkv_proj.weight': query, key .* Their rows differ"):
        adamas.torch.Muon(net)
    assert by_muon(net, split={"qkv_proj": 6}) == ["qkv_proj.weight", "o.weight"]
    mamba = named(in_proj=nn.Linear(8, 32), o=nn.Linear(8, 8), head=nn.Linear(8, 9))
    assert by_muon(mamba) == ["in_proj.weight", "o.weight"]


def test_frozen_weights_are_asked_nothing() -> None:
    """Weights that are not trained may be packed, stacked or fused; AdamW's, should they be."""
    net = named(packed=nn.Linear(8, 8), qkv=nn.Linear(8, 24), up=nn.Linear(8, 8))
    net["packed"].weight = nn.Parameter(torch.zeros(16, 2, dtype=torch.uint8), requires_grad=False)
    net["experts"] = nn.ParameterList([nn.Parameter(torch.zeros(2, 4, 4), requires_grad=False)])
    net["last"] = nn.Linear(8, 2)
    net["qkv"].requires_grad_(False)
    rules, why = routed(net)
    assert (
        why["experts.0"] == "frozen: 2-4-4 of ParameterList" and why["qkv.weight"][:6] == "frozen"
    )
    assert rules["experts.0"] == rules["qkv.weight"] == "adamw" and rules["up.weight"] == "muon"
    assert "qkv.weight" in by_muon(net, split={"qkv": 3})


def test_nothing_trained_on_the_rule_is_told() -> None:
    """A fine-tuning that freezes all hidden layers is told that the rule steps nothing."""
    net = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 2))
    net[0].requires_grad_(False)
    with pytest.warns(UserWarning, match="muon steps 0 of 18 elements"):
        adamas.torch.Muon(net)


def test_messages_name_the_rule_that_is_meant() -> None:
    """Warnings name the rule of what they are about, be another one's group the first."""
    net = named(wte=nn.Embedding(9, 8), up=nn.Linear(8, 8), head=nn.Linear(8, 9))
    with pytest.warns(UserWarning, match=r"'head.weight': by name .* and on muon\."):
        opt = adamas.torch.Muon(net.named_parameters(), routes={"wte|bias": "adamw", "": {}})
    assert "CPU products: float32" in repr(opt)


def test_vectors_on_the_rule_are_told() -> None:
    """Groups with and without decay, as trainers make them, put biases on the rule: it is told."""
    net = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 2))
    pairs = list(net.named_parameters())
    decay = {"params": [pair for pair in pairs if pair[1].ndim > 1], "weight_decay": 0.1}
    others = {"params": [pair for pair in pairs if pair[1].ndim < 2], "weight_decay": 0.0}
    with pytest.warns(UserWarning, match=r"'0.bias', '1.bias': biases, .* and on muon"):
        adamas.torch.Muon([dict(decay), dict(others)])
    opt = adamas.torch.Muon([decay, {**others, "rule": "adamw"}])
    with pytest.warns(UserWarning, match=r"'late': biases, .* and on muon"):
        opt.add_param_group({"params": [("late", nn.Parameter(torch.zeros(4)))]})


def test_warnings_point_at_the_line_that_made_the_optimizer() -> None:
    """What is shown with a warning is a line of the caller, not one of torch or of adamas."""
    net = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 2))
    opt = adamas.torch.Muon(net, adamw={"lr": 1e-3})
    net(torch.ones(2, 8)).sum().backward()
    for group in opt.param_groups:
        group["lr"] = 0.01
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        opt.step()
        opt.add_param_group({"params": [("late", nn.Parameter(torch.zeros(4)))]})
        net[0].requires_grad_(False)
        adamas.torch.Muon(net)
    assert [one.filename for one in found] == [__file__] * 3


@pytest.mark.parametrize(
    ("given", "kind", "text"),
    [
        ({"routes": ["embed"]}, TypeError, r"routes=\['embed'\] must be a dict of regular"),
        ({"routes": {"(": "adamw"}}, ValueError, r"routes: '\(' is no regular expression"),
        ({"adamw": 3e-4}, TypeError, r"adamw=0.0003 must be a dict of AdamW's settings"),
        ({"adamw": {"params": []}}, TypeError, r"must be a dict of AdamW's settings"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(given: Any, kind: type, text: str) -> None:
    """Routes and settings of another kind are refused by their names and values."""
    with pytest.raises(kind, match=text):
        adamas.torch.Muon(nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 2)), **given)


def test_a_cycle_moves_the_momentum_of_muon() -> None:
    """Muon's momentum has torch's name, so that OneCycleLR finds it, as in torch.optim.Muon."""
    net = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 2))
    opt = adamas.torch.Muon(net, momentum=0.9, adamw={"lr": 1e-3})
    rates = [0.02, 1e-3]
    scheduler = torch.optim.lr_scheduler.OneCycleLR(opt, rates, total_steps=4, pct_start=0.5)
    found = []
    for _ in range(3):
        net(torch.ones(2, 8)).square().sum().backward()
        opt.step()
        found.append(opt.param_groups[0]["momentum"])
        scheduler.step()
    assert found[0] == 0.95 and min(found) == 0.85


def test_one_group_that_is_left_is_not_a_scheduler() -> None:
    """An optimizer whose other groups were taken away is not told that they have one rate."""
    net = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 2))
    opt = adamas.torch.Muon(net, adamw={"lr": 1e-3})
    opt.param_groups.pop()
    net(torch.ones(2, 8)).sum().backward()
    opt.step()
    assert opt.state[net[0].weight] and not opt.state.get(net[1].weight)
