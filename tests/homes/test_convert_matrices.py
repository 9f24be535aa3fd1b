"""`adamas.convert` of what has numbers for rows and columns, or steps along whole matrices."""

import copy
from typing import Any

import numpy as np
import pytest
import torch

import adamas.torch
from adamas import convert
from adamas.rules import adafactor, muon
from home_runs import Adamas, Torch, forty, going_on

# Of float32 in another order, relative to the largest parameter.
FLOAT32 = 2e-6


def checkpoint(shape: tuple[int, ...], **options: Any) -> tuple[Any, Any]:
    """Torch's Adafactor after a step of one parameter, and what it saves."""
    p = torch.nn.Parameter(torch.ones(shape))
    optimizer = torch.optim.Adafactor([("w", p)], **options)
    p.grad = torch.arange(1.0, p.numel() + 1).reshape(shape)
    optimizer.step()
    return optimizer, copy.deepcopy(optimizer.state_dict())


@pytest.mark.parametrize("face", [Adamas(adafactor), Torch(adamas.torch.Adafactor)])
def test_adafactor_of_torch_goes_on(face: Any) -> None:
    """A matrix with its two factors and a vector with its whole moment, there and back."""
    home = Torch(torch.optim.Adafactor, lr=0.05, weight_decay=0.1)
    first = forty(home, "float32")
    assert going_on(first, face, "float32") < FLOAT32
    assert first.source.param_groups[0]["eps"][0] is None
    assert going_on(forty(face, "float32"), home, "float32") < FLOAT32
    state = home.source.state_dict()["state"]
    assert [sorted(one) for one in state.values()] == [
        ["col_var", "row_var", "step"], ["step", "variance"],
    ]  # fmt: skip
    assert state[0]["row_var"].shape == (3, 1) and state[0]["col_var"].shape == (1, 5)


@pytest.mark.parametrize(
    ("kind", "eps"), [("float32", 2.0**-23), ("float64", 2.0**-52), ("bfloat16", 2.0**-7)]
)
def test_the_eps_that_torch_takes_for_none_goes_along(kind: str, eps: float) -> None:
    """Where a group of torch says None, the neutral form has torch.finfo's number."""
    p = torch.nn.Parameter(torch.ones(3, 4, dtype=getattr(torch, kind)))
    optimizer = torch.optim.Adafactor([("w", p)])
    p.grad = torch.ones_like(p)
    optimizer.step()
    found = convert(optimizer.state_dict(), optimizer, "adamas")
    assert found["param_groups"][0]["eps1"] == eps == torch.finfo(p.dtype).eps


def test_what_is_factored_otherwise_is_refused() -> None:
    """Other axes, another layout and another shape are one line that names the parameter."""
    optimizer, state = checkpoint((2, 3, 4))
    with pytest.raises(ValueError, match="'w' has 3 axes"):
        convert(state, optimizer, "adamas")
    optimizer, state = checkpoint((4, 4))
    target = adamas.Adafactor({"w": np.ones((4, 4), np.float32)})
    with pytest.raises(ValueError, match="numbers for rows and columns"):
        convert(state, optimizer, target, {"w": ("w", np.transpose)})
    for shape in ((4, 5), (5, 4), (4,)):
        target = adamas.Adafactor({"w": np.ones(shape, np.float32)})
        with pytest.raises(ValueError, match="has shape"):
            convert(state, optimizer, target)


def test_muon_of_torch_has_options_that_adamas_has_not() -> None:
    """Its momentum goes on; what chooses other steps is refused by name."""
    torch.manual_seed(0)
    p = torch.nn.Parameter(torch.randn(3, 4))
    optimizer = torch.optim.Muon([("w", p)], lr=0.01)
    p.grad = torch.randn(3, 4)
    optimizer.step()
    target = adamas.Optimizer(muon, {"w": p.detach().numpy().copy()})
    target.load_state_dict(convert(optimizer.state_dict(), optimizer, target))
    np.testing.assert_array_equal(
        target.state_dict()["state"]["w"]["m"], optimizer.state[p]["momentum_buffer"]
    )
    assert target.param_groups[0]["lr"] == 0.01 and target.param_groups[0]["weight_decay"] == 0.1
    for name, value in (("nesterov", False), ("ns_steps", 3), ("eps", 1e-3)):
        other = torch.optim.Muon([("w", p)], **{name: value})
        with pytest.raises(ValueError, match=name):
            convert(other.state_dict(), other, target)
    other = torch.optim.Muon([("w", p)], adjust_lr_fn="match_rms_adamw")
    with pytest.raises(ValueError, match="muon_match_rms_adamw goes on exactly"):
        convert(other.state_dict(), other, target)


def test_a_schedulefree_radam_that_begins_otherwise_is_refused() -> None:
    """Its first steps without a root are another rule, which adamas has not."""
    schedulefree = pytest.importorskip("schedulefree")
    p = torch.nn.Parameter(torch.ones(3))
    optimizer = schedulefree.RAdamScheduleFree([("w", p)], silent_sgd_phase=False)
    with pytest.raises(ValueError, match="silent_sgd_phase"):
        convert(optimizer.state_dict(), optimizer, "adamas")


@pytest.mark.parametrize(
    ("name", "reason"), [("optax.adafactor(1e-3)", "below 128"), ("optax.muon(1e-3)", "an Adam")]
)
def test_optax_says_what_differs(name: str, reason: str) -> None:
    """What optax computes otherwise is refused with the difference, not with a list of others."""
    with pytest.raises(ValueError, match=reason):
        convert({}, name, "adamas")
