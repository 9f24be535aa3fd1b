# mypy: allow-untyped-defs, allow-untyped-calls
"""Rules of users' own that are called like one of adamas': a name is no proof of a formula."""

from typing import Any

import numpy as np
import pytest
import torch

import adamas.jax
import adamas.torch
from adamas import convert, dialects, rules
from adamas.homes import optax
from adamas.homes import torch as torch_home
from adamas.homes.known import KIN, KNOWN, identity, same, shipped, split
from adamas.homes.signature import Signature
from adamas.kernel.formula import parse
from adamas.kernel.variants import decoupled, with_average, without_average
from adamas.words import abs
from home_runs import Adamas, Torch, forty, going_on, sample, trained


@adamas.rule
def adam(p, g, m, v, *, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    """A second moment of absolute values, without a root."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * abs(g)
    return p - lr * m / (v + eps), m, v


@adamas.rule
def lionw(p, g, m, *, lr=1e-3, weight_decay=0.0):
    """A sum of gradients, called as if it were Lion with its decay decoupled."""
    m = m + g
    return p - lr * (m + weight_decay * p), m


@adamas.rule
def momentum_lr_inside(p, g, m, *, lr=1e-2, beta=0.9):
    """A sum of steps of the other sign."""
    m = beta * m + lr * g
    return p - m, m


def other(name: str) -> Any:
    """Another rule of a name."""

    def made(p, g, m, v, *, lr=1e-3):
        m = m + g
        return p - lr * m, m, v

    made.__name__ = name
    return made


def saved(rule: Any, **options: Any) -> Any:
    """An optimizer by a rule after three steps, and its state."""
    run = Adamas(rule, **options)
    trained(run, *sample("float32", 3))
    return run.source, run.saved()


def started(make: Any, **options: Any) -> Any:
    """A torch optimizer that has not stepped."""
    run = Torch(make, **options)
    run.start(sample("float32", 1)[0])
    return run.source


@pytest.mark.parametrize(
    ("rule", "make", "options"),
    [
        (adam, torch.optim.Adam, {}),
        (adam, adamas.torch.Adam, {}),
        (lionw, adamas.torch.Lion, {"weight_decay": 0.1}),
        (momentum_lr_inside, torch.optim.SGD, {"momentum": 0.9}),
    ],
)
def test_a_name_of_ours_is_no_rule_of_ours(rule: Any, make: Any, options: Any) -> None:
    """A user's own rule goes into no class of its name, not even as numbers."""
    source, state = saved(rule)
    target = started(make, **options)
    for dialect in ("exact", "ignore"):
        with pytest.raises(ValueError, match=rf"the source {rule.__name__}, a user's own"):
            convert(state, source, target, dialect=dialect)  # type: ignore[arg-type]


@pytest.mark.parametrize("rule", [adam, lionw, momentum_lr_inside], ids=lambda one: one.__name__)
def test_it_goes_where_the_same_formula_is(rule: Any) -> None:
    """Between the faces, and through the neutral form, it is found by what it computes."""
    numpy, face = Adamas(rule, lr=1e-2), Torch(adamas.torch.optimizer(rule), lr=1e-2)
    assert going_on(forty(numpy, "float32"), face, "float32") < 1e-6
    source, state = saved(rule)
    neutral = convert(state, source, "adamas")
    assert neutral["param_groups"][0]["dialect"] == identity(rule.formula)
    twin = saved(rule)[0]
    back = convert(neutral, "adamas", twin)
    np.testing.assert_array_equal(back["state"]["w"]["m"], state["state"]["w"]["m"])


def test_two_rules_of_one_name_are_two() -> None:
    """What is called alike is not taken for the same, and a state of one is not read as another."""
    source, state = saved(adam)
    neutral = convert(state, source, "adamas")
    with pytest.raises(ValueError, match="does not go on"):
        convert(neutral, "adamas", saved(rules.adam)[0])
    with pytest.raises(ValueError, match="does not go on"):
        convert(neutral, "adamas", saved(other("adam"))[0])
    with pytest.raises(ValueError, match="the state of rule 'adam', and the optimizer computes"):
        convert(state, saved(rules.lion)[0], "adamas")
    face = started(adamas.torch.Lion)
    with pytest.raises(ValueError, match=r"the state of rule 'lion', and torch\.AdamW computes"):
        convert(face.state_dict(), "torch.AdamW", "adamas")


@pytest.mark.parametrize("name", [*KNOWN])
def test_every_rule_of_ours_is_known_by_its_formula(name: str) -> None:
    """With and without an average, its decay decoupled or not; another text of its name is not."""
    formula = parse(KNOWN[name])
    every = [formula]
    if not split(name)[1] and shipped(split(name)[0]) and "weight_decay" in formula.hypers:
        every += [decoupled(formula)] if "g = g + weight_decay * p" in formula.key else []
    for one in every:
        assert identity(one) == identity(with_average(one)) == one.name
        assert without_average(with_average(one)).key == one.key
    assert identity(parse(other(name))) not in KNOWN


def test_what_is_unknown_by_name_alone_may_be_any_of_that_name() -> None:
    """A state dict without its optimizer has a name: adamas' rules are meant by theirs."""
    mine = identity(lionw.formula)
    assert same("lionw", mine) and not same("adam", identity(adam.formula))
    assert not same("adam@01234567", "adam@76543210")


def test_homes_give_their_names_to_the_same_formulas_only() -> None:
    """No state of a user's own rule is called as one that a home would take for its own."""
    assert optax.moments(parse(rules.adam)) == {"m": "mu", "v": "nu", "v_max": "nu_max"}
    assert optax.moments(adam.formula) == {}
    state = adamas.jax.transform(adam)(1e-3).init({"w": np.ones(2, np.float32)})
    assert {"m", "v"} <= set(state._fields)
    with pytest.raises(ValueError, match="no state of"):
        convert(state, "adamas.jax.adam(1e-3)", "adamas")

    def rmsprop(p, g, v, *, lr=1e-3):
        return p - lr * v, v + g

    plain = Signature("rmsprop", {}, lambda options: rmsprop, "")
    assert torch_home.moments(plain, parse(rmsprop)) == {}


def test_kin_differ_by_a_place_alone() -> None:
    """What is said of a dialect is said of one that ships, of a rule that ships."""
    assert KIN.keys() <= {*dialects.__all__} and {k.rule for k in KIN.values()} <= KNOWN.keys()


def test_radam_of_optax_is_another_formula_even_without_eps() -> None:
    """Where eps is 0 its threshold still is another: nothing says that torch would go on."""
    face = started(torch.optim.RAdam, eps=0.0)
    source = saved(dialects.radam_eps_outside, eps=0.0, threshold=4.0)
    with pytest.raises(ValueError, match="does not go on"):
        convert(source[1], source[0], face)
