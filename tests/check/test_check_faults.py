"""Faults that were planted into an optimizer are found, and none in one without a fault."""

import io
import random
from contextlib import redirect_stdout
from typing import Any

import numpy as np
import pytest
import torch

import checked
from adamas.check import CheckError, Report, check


@pytest.fixture(scope="module")
def sound() -> Report:
    """What is found of an Adam without a fault."""
    return check(checked.Stand)


def test_a_sound_optimizer_has_no_fault(sound: Report) -> None:
    """Adam written anew is `adam`, uses all its arguments, and goes on bit for bit."""
    assert sound.rule == "adam"
    assert sound.effects.without == {} and sound.effects.refused == {}
    assert set(sound.effects.changes) == {"lr", "betas[0]", "betas[1]", "eps", "weight_decay"}
    assert set(sound.layouts.strides.values()) == {"same"}
    assert sound.layouts.odd == {"scalar": "taken", "empty": "taken"}
    assert sound.resume.exact
    assert all(kind.parameters == [name] for name, kind in sound.numerics.dtypes.items())


def test_a_decay_that_does_nothing() -> None:
    """An argument that no parameter feels is named, with the values that were tried."""
    found = check(checked.IgnoresDecay)
    assert found.rule == "adam" and found.dialect.decay == "ignored"
    assert list(found.effects.without) == ["weight_decay"]
    assert len(found.effects.without["weight_decay"]) >= 2


def test_an_eps_under_the_root() -> None:
    """The place of eps is told."""
    found = check(checked.EpsInside).dialect
    assert found.rule == "family" and found.traits["eps"] == "inside"
    assert found.traits["correction"] == "both"


def test_a_resume_that_loses_the_step() -> None:
    """A state that goes on otherwise is told, with the step at which it shows and what is lost."""
    found = check(checked.LosesStep)
    assert found.rule == "adam"
    assert found.resume.exact is False and found.resume.at == 10 and found.resume.apart > 1e-4
    assert "taken" in found.resume.lost


def test_a_correction_of_another_step() -> None:
    """A bias correction that is one step ahead is none of the rules, and is told as what it is."""
    found = check(checked.OneAhead).dialect
    assert (found.rule, found.traits["correction"]) == ("family", "both_early")


def test_a_promoted_dtype() -> None:
    """Parameters that change their dtype are told."""
    dtypes = check(checked.Promotes).numerics.dtypes
    assert dtypes["float32"].parameters == ["float64"]
    assert dtypes["float64"].parameters == ["float64"]


def test_a_parameter_whose_strides_are_forgotten() -> None:
    """Parameters that are not contiguous and go elsewhere are told."""
    found = check(checked.Flattens)
    assert found.rule == "adam"
    assert found.layouts.strides == {"transposed": "differs", "strided": "differs"}


def test_what_torch_does_with_narrow_numbers() -> None:
    """At 1.0 and lr 1e-3 a bfloat16 parameter cannot move, and eps 1e-8 is 0 in float16."""
    found = check(torch.optim.AdamW).numerics
    assert found.bfloat16 == 0 and found.zero_float16 == "nonfinite"
    assert found.nonfinite == {"nan": "element", "inf": "element"}
    # Half an ulp below 1 in bfloat16, by its definition: a step of 1e-3 rounds back.
    assert float(torch.tensor(1.0 - 1e-3).bfloat16()) == 1.0


@pytest.mark.parametrize(
    ("optimizer", "given", "words"),
    [
        ("nothing_here.Adam", {}, "not installed"),
        ("torch.optim.Nothing", {}, "has no 'Nothing'"),
        ("Adam", {}, "names nothing in a module"),
        ("torch.optim.LBFGS", {}, "closure"),
        (checked.Closure, {}, "closure"),
        (torch.optim.Adam, {"betaa": 1}, "no argument 'betaa'. It takes: lr, betas"),
        (torch.nn.Linear, {}, "could not be made"),
        (3, {}, "is int, not an optimizer"),
        ("math.sqrt", {}, "could not be made"),
        (torch.optim.SparseAdam, {}, "dense gradients"),
    ],
)  # fmt: skip
def test_refusals(optimizer: Any, given: dict[str, Any], words: str) -> None:
    """What cannot be checked is refused in a sentence that says why."""
    with pytest.raises(CheckError) as caught:
        check(optimizer, **given)
    assert words in str(caught.value)


def test_a_factory_is_checked_as_what_it_makes() -> None:
    """A function that makes an optimizer is one, and the arguments it passes on are its own."""
    found = check(checked.factory, momentum=0.5, name="mine")
    assert (found.name, found.home, found.rule) == ("mine", "torch", "momentum")


def test_nothing_is_left_behind() -> None:
    """Generators go on as if nothing had been checked, and nothing is printed."""
    states = []
    for ask in (False, True):
        random.seed(1)
        np.random.seed(1)
        torch.manual_seed(1)
        shown = io.StringIO()
        with redirect_stdout(shown):
            if ask:
                check(torch.optim.SGD)
        assert shown.getvalue() == ""
        states.append((random.random(), np.random.rand(), float(torch.rand(()))))
    assert states[0] == states[1]
