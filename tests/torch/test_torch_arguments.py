"""Arguments and groups: either spelling, changed at any time, refused where they cannot be had."""

from typing import Any

import pytest
import torch
from torch import nn

import adamas.torch
from adamas.torch import SGD, AdamW, RMSprop
from torch_training import close, model, train


def test_groups_can_be_added() -> None:
    """Parameters added later get their own settings and start with fresh state, as in torch."""
    results = []
    for cls in (AdamW, torch.optim.AdamW):
        net = model()
        opt = cls(net[0].parameters(), lr=1e-2)
        train(net, opt, range(3))
        opt.add_param_group({"params": net[2].parameters(), "lr": 1e-3, "betas": (0.8, 0.9)})
        results.append(train(net, opt, range(3, 6)))
    close(*results)


def test_settings_may_be_changed_under_either_name() -> None:
    """A group takes betas or beta1 and beta2, at the start and between steps."""
    one, two = model(), model()
    first = AdamW([{"params": one.parameters(), "beta1": 0.8}], beta2=0.99)
    second = AdamW(two.parameters(), betas=(0.8, 0.99))
    close(train(one, first, range(3)), train(two, second, range(3)))
    first.param_groups[0]["beta1"] = 0.5
    second.param_groups[0]["betas"] = (0.5, 0.99)
    close(train(one, first, range(3, 6)), train(two, second, range(3, 6)))
    assert first.param_groups[0]["betas"] == (0.5, 0.99)


def test_a_bad_setting_between_steps_changes_nothing() -> None:
    """A setting that is no longer legal is refused by name before anything moves."""
    net = model()
    opt = AdamW(net.parameters())
    before = train(net, opt, range(2))
    opt.param_groups[0]["betas"] = (1.5, 0.9)
    with pytest.raises(ValueError, match="beta1"):
        opt.step()
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))


@pytest.mark.parametrize(
    ("cls", "arguments", "reason"),
    [
        (AdamW, {"capturable": True}, "CUDA graphs"),
        (AdamW, {"differentiable": True}, "in place"),
        (AdamW, {"beta3": 0.5}, "no argument 'beta3'"),
        (AdamW, {"wieght_decay": 0.5}, "Did you mean 'weight_decay'"),
        (AdamW, {"lr": lambda t: 0.1}, "LambdaLR"),
        (SGD, {"nesterov": True}, "Nesterov momentum requires"),
        (adamas.torch.Momentum, {"nesterov": True}, "another class"),
        (RMSprop, {"state": "float7"}, "float7"),
    ],
)
def test_what_cannot_be_had_is_refused(cls: Any, arguments: dict[str, Any], reason: str) -> None:
    """Arguments without meaning here are refused with the reason, not ignored."""
    parameter = nn.Parameter(torch.ones(3))
    parameter.grad = torch.ones(3)
    with pytest.raises((TypeError, ValueError), match=reason):
        cls([parameter], **arguments).step()
