"""Groups that name their rules: every parameter moves by its own, and the optimizer is one."""

import copy
import math
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import adamas
from adamas import rules
from adamas.schedule import cosine
from adamas.words import orthogonalize, rms
from family import ELEMENTWISE
from foreign import torch
from stepping import Array, ByHand, snapshot

SHAPES = {"matrix": (4, 3), "vector": (7,), "number": ()}
# Rules that run on plain arrays: those of single elements.


@adamas.rule
def normed(p: Any, g: Any, *, lr: float = 0.1) -> Any:
    """Steps of one length for each tensor."""
    return p - lr * g / rms(g)


@adamas.rule
def hessian(p: Any, g: Any, *, h: Any, lr: float = 0.1) -> Any:
    """Newton's method for a diagonal."""
    return p - lr * g / h


def gradients(t: int) -> dict[str, Array]:
    """One gradient for each shape."""
    rng = np.random.default_rng(t)
    return {name: np.asarray(rng.normal(size=shape)) for name, shape in SHAPES.items()}


def start(dtype: Any = np.float64) -> dict[str, Array]:
    """Parameters, one of each shape."""
    return {name: np.array(p, dtype) for name, p in gradients(99).items()}


def grouped(given: dict[str, Any], **rules_of: Any) -> list[dict[str, Any]]:
    """A group for each parameter, with a rule where one is named."""
    return [
        {"params": {name: p}, **({"rule": rules_of[name]} if name in rules_of else {})}
        for name, p in given.items()
    ]


def apart(grads: dict[str, Any]) -> list[dict[str, Any]]:
    """Gradients in the form of `grouped`."""
    return [{name: g} for name, g in grads.items()]


def pair(params: dict[str, Array] | None = None, **options: Any) -> adamas.Optimizer:
    """Lion on the matrix, AdamW on the rest."""
    params = start() if params is None else params
    rest = {"vector": "adamw", "number": "adamw"}
    return adamas.Optimizer(rules.lion, grouped(params, **rest), **options)


@settings(max_examples=25)
@given(st.lists(st.sampled_from(ELEMENTWISE), min_size=3, max_size=3))
def test_every_parameter_moves_by_its_own_rule(names: list[str]) -> None:
    """Whatever rules three groups name, each parameter goes where that rule's text takes it."""
    params, chosen = start(), dict(zip(SHAPES, names, strict=True))
    optimizer = adamas.Optimizer(rules.sgd, grouped(params, **chosen))
    hands = {name: ByHand(rule, params[name]) for name, rule in chosen.items()}
    for t in range(4):
        optimizer.step(apart(grads := gradients(t)))
        for name, hand in hands.items():
            hand.step(grads[name])
    for name, hand in hands.items():
        np.testing.assert_allclose(params[name], hand.p, rtol=1e-11, atol=1e-13)
    assert [group["rule"] for group in optimizer.param_groups] == names


def test_one_norm_over_all_rules() -> None:
    """A limit is of the norm of all gradients together, as torch clips before two optimizers."""
    nn, optim = torch.nn, torch.optim
    params = start()
    optimizer = adamas.Optimizer(
        rules.sgd, grouped(params, vector="adamw", number="adamw"), clip_norm=0.5, lr=0.1
    )
    theirs = {name: nn.Parameter(torch.tensor(p)) for name, p in start().items()}
    two = (
        optim.SGD([theirs["matrix"]], lr=0.1),
        optim.AdamW([theirs["vector"], theirs["number"]], lr=1e-3, weight_decay=0.01),
    )
    for t in range(5):
        for name, g in gradients(t).items():
            theirs[name].grad = torch.tensor(g)
        norm = nn.utils.clip_grad_norm_(theirs.values(), 0.5)
        optimizer.step(apart(gradients(t)))
        assert math.isclose(optimizer.grad_norm, float(norm), rel_tol=1e-12)
        for one in two:
            one.step()
    for name, p in params.items():
        # Torch divides by norm + 1e-6.
        np.testing.assert_allclose(p, theirs[name].detach().numpy(), rtol=1e-5)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_bits_of_optimizers_of_one_rule(threads: int) -> None:
    """With any number of threads, each rule has the bits that it has alone."""
    made = {"matrix": (1300, 300), "vector": (200_001,), "number": ()}
    rng = np.random.default_rng(0)
    params = {name: np.asarray(rng.normal(size=s), np.float32) for name, s in made.items()}
    alone = {name: p.copy() for name, p in params.items()}
    optimizer = adamas.Optimizer(
        normed, grouped(params, vector="adamw", number="lion"), threads=threads
    )
    singles = {
        "matrix": normed({"matrix": alone["matrix"]}, threads=1),
        "vector": adamas.AdamW({"vector": alone["vector"]}, threads=1),
        "number": adamas.Lion({"number": alone["number"]}, threads=1),
    }
    for _ in range(3):
        grads = {name: np.asarray(rng.normal(size=s), np.float32) for name, s in made.items()}
        optimizer.step(apart(grads))
        for name, single in singles.items():
            single.step({name: grads[name]})
    for name, p in params.items():
        assert p.tobytes() == alone[name].tobytes(), name


@pytest.mark.parametrize("bad", list(SHAPES))
@pytest.mark.parametrize("options", [{"on_nonfinite": "raise"}, {"clip_norm": 1.0}])
def test_all_or_nothing_over_all_rules(bad: str, options: dict[str, Any]) -> None:
    """Where gradients are read first, one that is not finite changes nothing under any rule."""
    optimizer = pair(**options)
    optimizer.step(apart(gradients(0)))
    before, grads = snapshot(optimizer), gradients(1)
    grads[bad][...] = np.nan
    with pytest.raises(adamas.NonFiniteError, match=bad) as caught:
        optimizer.step(apart(grads))
    assert caught.value.left == 0 and snapshot(optimizer) == before


def test_a_skipped_step_is_skipped_by_all_rules() -> None:
    """`on_nonfinite="skip"` leaves every rule where it was, and counts one step left out."""
    optimizer = pair(on_nonfinite="skip", zero_grads=True)
    before, grads = snapshot(optimizer), gradients(1)
    grads["number"][...] = np.inf
    assert optimizer.step(apart(grads)) is False
    assert snapshot(optimizer) == before and optimizer.skipped == 1
    assert not any(g.any() for g in grads.values())


def test_guard_leaves_what_is_not_finite() -> None:
    """Under the default guard the tensor that holds NaN stays, and other rules step."""
    params = start()
    optimizer, before = pair(params), start()
    grads = gradients(1)
    grads["vector"][2] = np.nan
    with pytest.raises(adamas.NonFiniteError, match=r"'vector'.*7 elements of 1 tensor ") as caught:
        optimizer.step(apart(grads))
    assert caught.value.left == 7
    assert [bool((params[k] != before[k]).all()) for k in SHAPES] == [True, False, True]
    assert [optimizer.state[k]["step"] for k in SHAPES] == [1, 0, 1] and optimizer.steps == 1


def test_nothing_that_moved_makes_no_step() -> None:
    """If the only gradient there is is left out, the optimizer has made no step under any rule."""
    optimizer = pair()
    with pytest.raises(adamas.NonFiniteError, match="nothing else had a gradient"):
        optimizer.step([{"matrix": np.full((4, 3), np.nan)}, {"vector": None}, {"number": None}])
    assert optimizer.steps == 0


def test_the_first_of_all_parameters_is_named() -> None:
    """Of several gradients that are not finite the error names the first as they were given."""
    params = start()
    optimizer = adamas.Optimizer(rules.lion, grouped(params, vector="adamw"))
    grads = gradients(1)
    for name in ("vector", "number"):
        grads[name][...] = np.nan
    with pytest.raises(adamas.NonFiniteError, match=r"'vector'.*8 elements of 2 tensors"):
        optimizer.step(apart(grads))


def test_one_count_of_steps_for_schedules() -> None:
    """A rule whose parameters had no gradient for a while has the learning rate of the step."""
    optimizer = pair(lr=cosine(0.1, steps=10))
    optimizer.param_groups[1]["lr"] = cosine(0.3, steps=10)
    for t in range(4):
        grads = apart(gradients(t))
        grads[1 + t % 2] = dict.fromkeys(grads[1 + t % 2])
        grads[0]["matrix"] = None
        optimizer.step(grads)
    assert optimizer.steps == 4 and optimizer.state["vector"]["step"] == 2
    for k, peak in ((0, 0.1), (1, 0.3)):
        assert math.isclose(optimizer.settings(k)["lr"], cosine(peak, steps=10)(4))


def test_a_saved_state_goes_on_bit_for_bit() -> None:
    """A state dict, a deep copy and a pickle each go on as if nothing had been in between."""
    options: dict[str, Any] = {"clip_norm": 1.0, "ema": 0.5, "state": "bfloat16"}
    params = start(np.float32)
    optimizer = pair(params, **options)
    for t in range(3):
        optimizer.step(apart(gradients(t)))
    again = pair({name: p.copy() for name, p in params.items()}, **options)
    again.load_state_dict(optimizer.state_dict())
    others = [again, copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))]
    for t in range(3, 6):
        for one in (optimizer, *others):
            one.step(apart(gradients(t)))
    assert [snapshot(one) == snapshot(optimizer) for one in others] == [True] * 3
    assert [group["rule"] for group in others[2].param_groups] == ["lion", "adamw", "adamw"]


def test_what_a_file_says_of_rules() -> None:
    """A saved dict names the rule of every group, and a group saved under another one is named."""
    optimizer = pair()
    optimizer.step(apart(gradients(0)))
    saved = optimizer.state_dict()
    assert saved["rule"] == "lion, adamw" and list(saved["state"]) == list(SHAPES)
    assert [group["rule"] for group in saved["param_groups"]] == ["lion", "adamw", "adamw"]
    other = adamas.Optimizer(rules.lion, grouped(start(), vector="adam", number="adamw"))
    before = snapshot(other)
    with pytest.raises(ValueError, match=r"'vector' is of rule 'adamw', and here .* by 'adam'"):
        other.load_state_dict(saved)
    assert snapshot(other) == before
    with pytest.raises(ValueError, match=r"rule 'lion, adamw' .*not of 'lion'"):
        adamas.Lion(grouped(start())).load_state_dict(saved)


def test_files_of_one_rule() -> None:
    """A file of an optimizer whose groups name nothing loads where all groups name that rule."""
    one = adamas.AdamW(grouped(start()), lr=0.3)
    one.step(apart(gradients(0)))
    many = adamas.Optimizer(rules.lion, grouped(start(), **dict.fromkeys(SHAPES, "adamw")))
    many.load_state_dict(one.state_dict())
    assert many.param_groups[2]["lr"] == 0.3 and many.steps == 1
    one.load_state_dict(many.state_dict())
    with pytest.raises(ValueError, match=r"'matrix' is of rule 'adamw', and here .* by 'lion'"):
        pair().load_state_dict(one.state_dict())


def test_state_handed_across_rules_is_copied() -> None:
    """State of one rule that a loaded dict gives to another rule's parameter is not shared."""
    both = {"a": np.zeros(3), "b": np.zeros(3)}
    optimizer = adamas.Optimizer(rules.lion, grouped(both, b="adamax"))
    optimizer.step([{"a": np.ones(3)}, {"b": np.ones(3)}])
    live = optimizer.state_dict(copy=False)
    live["state"]["b"]["m"] = live["state"]["a"]["m"]
    optimizer.load_state_dict(live)
    assert not np.shares_memory(optimizer.state["a"]["m"], optimizer.state["b"]["m"])


def test_rows_go_to_rules_that_can() -> None:
    """A sparse gradient steps rows under AdamW, exactly, beside a rule that takes none."""
    params = {"table": np.ones((6, 2)), "matrix": np.ones((4, 3))}
    optimizer = adamas.Optimizer(rules.adamw, grouped(params, matrix=normed), rows="exact")
    table = np.ones((6, 2))
    alone = adamas.AdamW({"table": table})
    for t in range(4):
        rows, values = np.array([t, t + 1]), np.ones((2, 2))
        optimizer.step([{"table": adamas.Rows(rows, values)}, {"matrix": np.ones((4, 3))}])
        dense = np.zeros((6, 2))
        dense[rows] = values
        alone.step({"table": dense})
    optimizer.sync({"table": [5]})
    optimizer.sync()
    assert table.tobytes() == params["table"].tobytes()
    with pytest.raises(ValueError, match="Rows for 'matrix': normed sums"):
        optimizer.step([{"table": None}, {"matrix": adamas.Rows([0], np.ones((1, 3)))}])


def test_a_second_array_goes_to_rules_that_read_one() -> None:
    """`h` is given for the parameters whose rule reads it, and None for all others."""
    params = {"a": np.ones(2), "b": np.ones(2)}
    optimizer = adamas.Optimizer(rules.sgd, grouped(params, b=hessian), lr=0.5)
    grads = apart({"a": np.ones(2), "b": np.ones(2)})
    optimizer.step(grads, h=apart({"a": None, "b": np.full(2, 4.0)}))
    assert params["a"].tolist() == [0.5, 0.5] and params["b"].tolist() == [0.975, 0.975]
    with pytest.raises(TypeError, match="hessian reads a second array"):
        optimizer.step(grads)
    with pytest.raises(TypeError, match="sgd reads no second array"):
        optimizer.step(grads, h=apart({"a": np.ones(2), "b": np.ones(2)}))


def test_a_gradient_in_the_memory_of_another_rule() -> None:
    """A gradient that is another rule's parameter is read as it was before the step."""
    params = {"a": np.ones(40_000), "b": np.full(40_000, 2.0)}
    optimizer = adamas.Optimizer(rules.sgd, grouped(params, b="adamw"), lr=1.0)
    optimizer.step(apart({"a": params["b"], "b": np.ones(40_000)}))
    assert (params["a"] == -1.0).all()
    both = adamas.Optimizer(rules.sgd, grouped(params, b="adamw"), zero_grads=True)
    shared = np.ones(40_000)
    with pytest.raises(ValueError, match="'a' and the gradient of 'b' share memory"):
        both.step(apart({"a": shared, "b": shared}))


@pytest.mark.parametrize(
    ("given", "options", "said"),
    [
        ({"vector": "AdamW"}, {}, "no rule of adamas is called 'AdamW'. Did you mean 'adamw'"),
        ({"vector": 3}, {}, "rule=3 must be a rule"),
        ({"vector": "adamw"}, {"beta3": 0.1}, "lion has no setting 'beta3'"),
        (
            dict.fromkeys(SHAPES, "adamw"),
            {"lr": 0.1},
            "lr=0.1 is a setting of lion, which no group",
        ),
        ({"vector": rules.adam}, {"state": {"w": "int8"}}, "lion has no state 'w'"),
    ],
)
def test_what_is_refused(given: dict[str, Any], options: dict[str, Any], said: str) -> None:
    """A rule that is none, and a setting or a state that no rule has, are refused by name."""
    with pytest.raises((TypeError, ValueError)) as caught:
        adamas.Optimizer(rules.lion, grouped(start(), **given), **options)
    assert said in str(caught.value)


def test_settings_are_those_of_the_groups_rule() -> None:
    """A group's settings are its own rule's: others are refused, naming group and rule."""
    groups = grouped(start(), vector="adamw")
    groups[1]["beta3"] = 0.5
    with pytest.raises(TypeError, match="param group 1: adamw has no setting 'beta3'"):
        adamas.Optimizer(rules.lion, groups)
    optimizer = pair(lr=0.7, state={"m": "int8", "v": "float32"})
    assert [group["lr"] for group in optimizer.param_groups] == [0.7, 1e-3, 1e-3]
    assert optimizer.storage["matrix"] == {"m": "int8"}
    assert optimizer.storage["vector"] == {"m": "int8", "v": "float32"}
    with pytest.raises(TypeError, match="lion has no setting 'eps'"):
        optimizer.param_groups[0]["eps"] = 1.0
    with pytest.raises(TypeError, match="the rule of a param group"):
        optimizer.param_groups[0]["rule"] = "adamw"
    assert "lion, adamw: 20 elements, lion(lr=0.7" in repr(optimizer)


def test_two_rules_of_one_name() -> None:
    """Two different rules of one name could not be told apart in a file, and are refused."""

    @adamas.rule
    def adamw(p: Any, g: Any, *, lr: float = 0.1) -> Any:
        return p - lr * g

    with pytest.raises(ValueError, match="two different rules are called 'adamw'"):
        adamas.Optimizer(rules.adamw, grouped(start(), vector=adamw))


def test_parameters_of_two_rules_share_no_memory() -> None:
    """An element that two rules would update is refused as under one."""
    whole = np.ones(10)
    with pytest.raises(ValueError, match="'a' and 'b' share memory"):
        adamas.Optimizer(rules.sgd, grouped({"a": whole[:6], "b": whole[5:]}, b="adamw"))


@adamas.rule
def orthogonal(p: Any, g: Any, m: Any, *, lr: float = 0.1, beta: float = 0.9) -> Any:
    """Momentum of which the nearest orthogonal matrix is taken."""
    m = beta * m + (1 - beta) * g
    return p - lr * orthogonalize(m), m


@pytest.mark.parametrize("threads", [1, 2])
def test_matrices_beside_another_rule(threads: int) -> None:
    """A rule for matrices has the bits that it has alone, and one lost matrix holds up no other."""
    rng = np.random.default_rng(3)
    shapes = {"a": (300, 500), "b": (64, 3, 3, 3), "vector": (200_001,)}
    params = {name: rng.normal(size=s).astype(np.float32) for name, s in shapes.items()}
    alone = {name: p.copy() for name, p in params.items()}
    optimizer = adamas.Optimizer(orthogonal, grouped(params, vector="adamw"), threads=threads)
    matrices = orthogonal({"a": alone["a"], "b": alone["b"]}, threads=1)
    vector = adamas.AdamW({"vector": alone["vector"]}, threads=1)
    for t in range(3):
        grads = {name: rng.normal(size=s).astype(np.float32) for name, s in shapes.items()}
        if t == 2:
            grads["b"][0, 0, 0, 0] = np.nan
            for one, given in ((optimizer, apart(grads)), (matrices, {k: grads[k] for k in "ab"})):
                with pytest.raises(adamas.NonFiniteError, match=r"'b' .* 1,728 elements of 1 ten"):
                    one.step(given)
        else:
            optimizer.step(apart(grads))
            matrices.step({name: grads[name] for name in "ab"})
        vector.step({"vector": grads["vector"]})
    for name, p in params.items():
        assert p.tobytes() == alone[name].tobytes(), name
    assert optimizer.steps == 3 and optimizer.state["b"]["step"] == 2
