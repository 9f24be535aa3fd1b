"""Rules by name, and the table that says which parameter has which, and how far it moves."""

import copy
import math
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import adamas
import reduction_rules
from adamas import rules
from adamas.engine.routes import Routes
from family import ELEMENTWISE
from reduction_steps import SOME
from stepping import Array, snapshot

SUMMING = ["cautious_lion"]
SHAPES: list[tuple[int, ...]] = [(300, 40), (40, 300), (64, 5, 3, 3), (2000,), (1, 900), ()]


def model() -> dict[str, Array]:
    """An embedding, a matrix of a hidden layer with its bias, and a head."""
    rng = np.random.default_rng(0)
    shapes = {"embed.weight": (60, 8), "h.0.weight": (16, 8), "h.0.bias": (16,), "head": (9, 8)}
    return {name: np.asarray(0.02 * rng.normal(size=s)) for name, s in shapes.items()}


def gradients(t: int) -> dict[str, Array]:
    """A gradient for each of them."""
    rng = np.random.default_rng(t)
    return {name: rng.normal(size=p.shape) for name, p in model().items()}


ROUTES: dict[str, Any] = {
    "embed|head|bias": {"rule": "adamw", "lr": 3e-4},
    "": {"rule": rules.lion, "weight_decay": 0.1},
}


def test_the_first_expression_that_is_found_decides() -> None:
    """Routes give every parameter of a dict the rule, and the settings, of its first match."""
    optimizer = adamas.Optimizer(rules.lion, model(), routes=ROUTES, lr=0.5, clip_norm=1.0)
    found = {group["rule"]: group for group in optimizer.param_groups}
    assert found["adamw"]["names"] == ["embed.weight", "h.0.bias", "head"]
    assert found["lion"]["names"] == ["h.0.weight"]
    assert (found["adamw"]["lr"], found["lion"]["lr"]) == (3e-4, 0.5)
    assert found["lion"]["weight_decay"] == 0.1
    names, alone = found["adamw"]["names"], "h.0.weight"
    groups = [
        {"params": {name: model()[name] for name in names}, "rule": "adamw", "lr": 3e-4},
        {"params": {alone: model()[alone]}, "lr": 0.5, "weight_decay": 0.1},
    ]
    by_hand = adamas.Optimizer(rules.lion, groups, clip_norm=1.0)
    for t in range(3):
        optimizer.step(g := gradients(t))
        by_hand.step([{name: g[name] for name in names}, {alone: g[alone]}])
    assert snapshot(optimizer) == snapshot(by_hand)


def test_copies_keep_their_routes() -> None:
    """A deep copy and a pickle take gradients by name, and go on bit for bit."""
    optimizer = adamas.Optimizer(rules.lion, model(), routes=ROUTES)
    optimizer.step(gradients(0))
    others = [copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))]
    again = adamas.Optimizer(rules.lion, model(), routes=ROUTES)
    again.load_state_dict(optimizer.state_dict())
    assert again.steps == 1
    for one in (optimizer, *others):
        one.step(gradients(1))
    assert [snapshot(one) == snapshot(optimizer) for one in others] == [True, True]


@pytest.mark.parametrize(
    ("routes", "said"),
    [
        ({"embed": "adamw"}, "no expression is found in 'h.0.weight', 'h.0.bias', 'head'"),
        ({"": "adamw", "embed": "lion"}, "'embed' decides no name"),
        ({"emb[": "adamw"}, "'emb[' is no regular expression"),
        ({b"embed": "adamw"}, "b'embed' is no regular expression: cannot use a bytes pattern"),
        ({"": adamas.AdamW}, "rule=<class 'adamas.AdamW'> must be a rule: a function"),
        ({}, "must be a dict of regular expressions"),
        ({"": {"params": 3}}, "routes: '' says 'params'"),
        ({"": {"rule": "adamw", "beta3": 0.1}}, "adamw has no setting 'beta3'"),
        ({"": "adamww"}, "no rule of adamas is called 'adamww'"),
    ],
)
def test_what_routes_refuse(routes: Any, said: str) -> None:
    """Undecided names, idle expressions and what is no route are refused, each by its name."""
    with pytest.raises((TypeError, ValueError)) as caught:
        adamas.Optimizer(rules.lion, model(), routes=routes)
    assert said in str(caught.value)


def test_many_undecided_names_are_counted() -> None:
    """Of many names that nothing decides, eight are listed and the rest counted."""
    params = {f"w{k}": np.ones(1) for k in range(1500)}
    with pytest.raises(ValueError, match=r"'w1', .*'w8' and 1,491 more") as caught:
        adamas.Optimizer(rules.lion, params, routes={"w0$": "adamw"})
    assert "'w9'" not in str(caught.value)


def test_routes_need_names() -> None:
    """Parameters without names are refused with what to pass instead."""
    with pytest.raises(TypeError, match="these parameters have none; pass a dict"):
        adamas.AdamW([np.ones(3)], routes={"": "adamw"})


def test_the_table_names_what_there_is() -> None:
    """The table has a line for each parameter, and is a sequence of the same as records."""
    optimizer = adamas.Optimizer(rules.lion, model(), routes=ROUTES)
    routes = optimizer.routes
    head, *lines = str(routes).splitlines()
    assert head.split() == ["parameter", "shape", "rule", "lr", "first", "update"]
    assert lines[0].split() == ["embed.weight", "60", "×", "8", "adamw", "0.0003", "3.0e-04"]
    assert isinstance(routes, Routes) and len(routes) == 4 == len(lines)
    assert {one.name: one.rule for one in routes}["h.0.weight"] == "lion"
    assert [one.shape for one in routes[1:3]] == [(16,), (9, 8)]
    assert adamas.AdamW([np.ones((2, 3))], lr=0.25).routes[0].lr == 0.25


@settings(max_examples=40)
@given(st.sampled_from([*ELEMENTWISE, *SOME, *SUMMING]), st.sampled_from(SHAPES))
def test_the_first_update_is_as_far_as_expected(rule: str, shape: tuple[int, ...]) -> None:
    """The RMS in the table is that of the first step, to a few parts in a hundred, for any rule."""
    made = getattr(reduction_rules if rule in SUMMING else rules, rule)
    rng = np.random.default_rng(1)
    p = np.asarray(0.02 * rng.normal(size=shape), np.float32)
    g = np.asarray(rng.normal(size=shape), np.float32)
    g /= math.sqrt(np.mean(g * g))
    optimizer = adamas.Optimizer(made, p)
    (route,) = optimizer.routes
    before = p.copy()
    optimizer.step(g)
    assert math.isclose(route.rms, math.sqrt(np.mean((p - before) ** 2)), rel_tol=0.1)


def test_names_alone_do_not_say_what_is_a_hidden_layer() -> None:
    """A dict on Muon is refused with its names until routes or groups decide."""
    params = {"embed": np.ones((9, 4)), "up": np.ones((4, 4)), "bias": np.ones(4)}
    with pytest.raises(ValueError, match=r"Muon: from its name alone .* 'embed', 'up', 'bias'"):
        adamas.Muon(params)
    routes = {"embed|bias": {"rule": "adamw", "lr": 1e-3}, "": "muon"}
    found = {one.name: one.rule for one in adamas.Muon(params, routes=routes).routes}
    assert found == {"embed": "adamw", "up": "muon", "bias": "adamw"}
    adamas.Muon([params["up"]]).step([np.ones((4, 4))])
