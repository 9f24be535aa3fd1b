"""Arguments: optax's names and order, the rule's own, and what is refused with the reason."""

import functools
import inspect
import re
import sys
from pathlib import Path
from typing import Any

import equinox
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamas.jax
from adamas import rules
from adamas.classes import hypers
from adamas.homes.optax import HOW, SIGNATURES
from adamas.jax.dependence import needed
from adamas.kernel.formula import parse
from jax_stepping import far, gradients, run, same, tree
from written import function

CONTRIB = {"ademamix", "adopt", "schedule_free_sgd", "schedule_free_adamw"}
# What optax has and we refuse by name.
LACKED = {"nesterov", "use_clipping", "clip_value_fn"}


@pytest.mark.parametrize("name", SIGNATURES)
def test_optax_arguments_stand_in_its_order(name: str) -> None:
    """Who calls optax's function by position calls ours so, and every argument has its name."""
    ours = inspect.signature(getattr(adamas.jax, name)).parameters
    theirs = getattr(optax.contrib if name in CONTRIB else optax, name, None)
    placed = [p.name for p in ours.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert {*ours} - {*placed} <= HOW.keys()
    # optax's Adafactor has other numbers, and ours its own names for its own.
    if theirs is None or name == "adafactor":
        return
    parameters = inspect.signature(theirs).parameters.values()
    order = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert [key for key in placed if key in order] == order
    assert {p.name for p in parameters} - ours.keys() <= LACKED


@pytest.mark.parametrize("name", rules.__all__)
def test_defaults_are_those_of_the_formula(name: str) -> None:
    """Every hyper-parameter of the rule has the rule's default, under optax's name."""
    signature = SIGNATURES[name]
    given = {**signature.defaults, "momentum": signature.defaults.get("momentum", 0.9)}
    for hyper, value in hypers(getattr(rules, name)).items():
        assert given[signature.sources.get(hyper, (hyper,))[0]] == value


def test_own_names_are_the_same() -> None:
    """`lr` and `beta1` are `learning_rate` and `b1`, of shipped rules and of others."""
    params = tree()
    gs = gradients(params, 2)
    for factory in (adamas.jax.adamw, adamas.jax.transform(rules.adamw)):
        one, _ = run(factory(0.1, b1=0.8, b2=0.9), params, gs)
        other, _ = run(factory(lr=0.1, beta1=0.8, beta2=0.9), params, gs)
        assert same(one, other)


WRONG = [
    (lambda: adamas.jax.adamw(1e-3, wieght_decay=0.1), TypeError, "Did you mean 'weight_decay'"),
    (lambda: adamas.jax.adamw(1e-3, learning_rate=0.1), TypeError, "'learning_rate' twice"),
    (lambda: adamas.jax.adamw(1e-3, lr=0.1), TypeError, "'learning_rate' twice"),
    (lambda: adamas.jax.lion(*range(9)), TypeError, "6 arguments by position"),
    (lambda: adamas.jax.adam(-1.0), ValueError, r"learning_rate=-1.0 .* not be negative"),
    (lambda: adamas.jax.adam(float("nan")), ValueError, r"learning_rate=nan .* be finite"),
    (lambda: adamas.jax.adam(b2=1.0), ValueError, r"b2=1.0 .* below 1"),
    (lambda: adamas.jax.adam("fast"), TypeError, "learning_rate='fast' must be a number"),
    (lambda: adamas.jax.adam(None), TypeError, "learning_rate=None must be a number"),
    (lambda: adamas.jax.adam(True), TypeError, "learning_rate=True must be a number"),
    (lambda: adamas.jax.adam(jnp.ones(3)), TypeError, r"learning_rate=.* an array of one"),
    (lambda: adamas.jax.adam(eps_root=1e-8), ValueError, r"eps_root=1e-08 .* after the root"),
    (lambda: adamas.jax.adabelief(eps_root=1e-8), ValueError, "eps_root=1e-08"),
    (lambda: adamas.jax.amsgrad(bias_correction_nu=False), ValueError, "corrects both"),
    (lambda: adamas.jax.momentum(nesterov="yes"), TypeError, "nesterov='yes' must be True or"),
    (lambda: adamas.jax.adamw(mask=True, weight_decay_mask=".*"), TypeError, "not both"),
    (lambda: adamas.jax.transform(plain)(weight_decay_mask="a"), TypeError, "no weight_decay"),
    (lambda: adamas.jax.transform(taken), ValueError, "hyper-parameter 'mask'"),
    (lambda: adamas.jax.transform(counting)(), ValueError, "state 'count'"),
    (lambda: adamas.jax.adamw(weight_decay_mask="("), ValueError, r"weight_decay_mask='\('"),
]  # fmt: skip


def plain(p: Any, g: Any, *, lr: Any = 0.1) -> Any:
    """A rule without decay."""
    return p - lr * g


def taken(p: Any, g: Any, *, mask: Any = 0.1) -> Any:
    """A rule with a name of adamas.jax."""
    return p - mask * g


def counting(p: Any, g: Any, count: Any, *, lr: Any = 0.1) -> Any:
    """A rule with a name of every state."""
    count = count + g
    return p - lr * count, count


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case[2])
def test_wrong_arguments_are_refused_when_they_are_given(case: Any) -> None:
    """The message names the argument, its value and what is allowed, before anything is traced."""
    call, error, text = case
    with pytest.raises(error, match=text):
        call()


def test_what_does_not_fit_is_named_by_its_path() -> None:
    """Integers, other structures and other shapes: the message says which leaf."""
    tx, params = adamas.jax.adamw(1e-3), {"layer": {"w": jnp.ones((2, 3))}}
    state = tx.init(params)
    with pytest.raises(TypeError, match=r"parameter 'layer.n' is int32.*partition"):
        tx.init({"layer": {"n": jnp.arange(3)}})
    with pytest.raises(ValueError, match=r"'layer.w' has shape \(3, 2\), its parameter \(2, 3\)"):
        tx.update({"layer": {"w": jnp.ones((3, 2))}}, state, params)
    with pytest.raises(ValueError, match=r"params is .* and the gradients are"):
        tx.update(params, state, {"w": jnp.ones((2, 3))})
    with pytest.raises(ValueError, match=r"state is .* and the gradients are"):
        tx.update({"w": jnp.ones(2)}, state, {"w": jnp.ones(2)})
    with pytest.raises(ValueError, match=r"the gradient has shape \(2,\)"):
        tx.update(jnp.ones(2), tx.init(jnp.ones(3)), jnp.ones(3))


def test_what_is_no_number_is_refused() -> None:
    """Keys, texts, derivatives of integers, and parameters that are not there."""
    sgd, adamw = adamas.jax.sgd(0.1), adamas.jax.adamw(0.1)
    for leaf, text in ((jax.random.key(0), "key<fry>"), ("x", "str"), (True, "bool")):
        with pytest.raises(TypeError, match=f"parameter 'k' is {text}"):
            sgd.init({"k": leaf})
    params = {"k": jnp.ones(2)}
    state = sgd.init(params)
    for g, text in ((jax.random.key(0), "key<fry>"), (np.zeros(2, jax.dtypes.float0), "float0|V")):
        with pytest.raises(TypeError, match=f"the gradient of 'k' is .*({text}).*no number"):
            sgd.update({"k": g}, state, params)
    with pytest.raises(ValueError, match="the gradient of 'k' has no parameter, which adamw needs"):
        adamw.update(params, adamw.init(params), {"k": None})


def test_a_rate_that_became_1_is_refused() -> None:
    """0.999 is 1 in bfloat16: the message says so, and names the option that helps."""
    p = jnp.ones(2, jnp.bfloat16)
    with pytest.raises(ValueError, match=r"b1 is bfloat16.*hyperparam_dtype=jnp.float32"):
        optax.inject_hyperparams(adamas.jax.adamw)(1e-3).init(p)
    injected = optax.inject_hyperparams(adamas.jax.adamw, hyperparam_dtype=jnp.float32)(1e-3)
    found, _ = run(injected, p, [p, p])
    assert same(found, run(adamas.jax.adamw(1e-3), p, [p, p])[0])


MASKS = [
    r"kernel$",
    lambda path, leaf: path == "layer.kernel",
    lambda path, leaf: leaf.ndim > 1,
    {"layer": {"kernel": True, "bias": False}, "rest": False},
    lambda params: jax.tree.map(lambda leaf: leaf.ndim > 1, params),
    functools.partial(jax.tree.map, lambda leaf: leaf.ndim > 1),
    jax.tree_util.Partial(jax.tree.map, lambda leaf: leaf.ndim > 1),
    lambda params, least=2: jax.tree.map(lambda leaf: leaf.ndim >= least, params),
    {"layer": {"kernel": True, "bias": False}, "rest": [False, None]},
]


@pytest.mark.parametrize("mask", MASKS, ids=range(len(MASKS)))
def test_only_what_the_mask_says_decays(mask: Any) -> None:
    """By path, function or tree: one leaf decays, and the state is what it is without a mask."""
    params = tree()
    zero = jax.tree.map(jnp.zeros_like, params)
    for name in ("weight_decay_mask", "mask"):
        tx = adamas.jax.adamw(0.1, weight_decay=0.5, **{name: mask})
        found, state = run(tx, params, [zero])
        right = dict(params, layer={**params["layer"], "kernel": params["layer"]["kernel"] * 0.95})
        assert far(found, right) < 1e-7
        assert jax.tree.structure(state) == jax.tree.structure(adamas.jax.adamw().init(params))


@pytest.mark.parametrize("called", [False, True])
def test_masks_of_trees_with_none_are_those_of_optax(called: bool) -> None:
    """None between leaves shifts nothing, and is refused in front of a parameter."""
    params = {"a": None, "b": jnp.ones((2, 2)), "c": jnp.ones(2), "d": None, "e": jnp.ones((1, 3))}

    def matrices(tree: Any) -> Any:
        return jax.tree.map(lambda leaf: leaf.ndim > 1, tree)

    mask = matrices if called else matrices(params)
    zero = jax.tree.map(jnp.zeros_like, params)
    ours, theirs = (
        run(one(0.1, weight_decay=0.5, mask=mask), params, [zero])[0]
        for one in (adamas.jax.adamw, optax.adamw)
    )
    assert far(ours, theirs) < 1e-7
    if not called:
        tx = adamas.jax.adamw(0.1, mask={**mask, "b": None})
        with pytest.raises(ValueError, match="None where there are parameters"):
            tx.update(zero, tx.init(params), params)


class Truth(equinox.Module):
    """A module that can be called, as layers can, and of which a mask was made."""

    weight: Any
    bias: Any

    def __call__(self, path: Any, leaf: Any) -> Any:
        """As a function of path and leaf."""
        raise AssertionError("a mask is not called")


def test_a_mask_that_is_a_module() -> None:
    """What equinox' users map to truth values is a tree, though it can be called."""
    params = Truth(jnp.ones((2, 2)), jnp.ones(2))
    mask = jax.tree.map(lambda leaf: leaf.ndim > 1, params)
    zero = jax.tree.map(jnp.zeros_like, params)
    found, _ = run(adamas.jax.adamw(0.1, weight_decay=0.5, mask=mask), params, [zero])
    assert np.allclose(found.weight, 0.95) and same(found.bias, params.bias)


def test_what_must_not_be_injected_says_how_it_stays_a_number() -> None:
    """The message for a default of optax that is written out, and for steps, names static_args."""
    p, inject = jnp.ones(2), optax.inject_hyperparams
    for factory, name, value in (
        (adamas.jax.adam, "eps_root", 0.0),
        (adamas.jax.schedule_free_adamw, "warmup_steps", 3),
    ):
        with pytest.raises(TypeError, match=f"{name} must be a number.*static_args='{name}'"):
            inject(factory)(0.1, **{name: value}).init(p)
        tx = inject(factory, static_args=name)(0.1, **{name: value})
        assert tx.update(p, tx.init(p), p)[0].shape == (2,)


def test_a_factory_that_is_called_again_reads_its_rule_once(monkeypatch: Any) -> None:
    """An eager inject_hyperparams makes a transformation anew in every step."""
    p, injected = jnp.ones(2), optax.inject_hyperparams(adamas.jax.adamw)(0.1)
    _, state = injected.update(p, injected.init(p), p)

    def again(*_: Any) -> Any:
        raise AssertionError("read again")

    for name in ("parse", "hoist", "Reference"):
        for module in [one for key, one in sys.modules.items() if key.startswith("adamas.")]:
            if hasattr(module, name):
                monkeypatch.setattr(module, name, again)
    assert injected.update(p, state, p)[1].inner_state.count == 2


def test_a_mask_beside_injected_numbers() -> None:
    """A regular expression is no schedule, and a traced weight_decay obeys it."""
    params = tree()
    zero = jax.tree.map(jnp.zeros_like, params)
    tx = optax.inject_hyperparams(adamas.jax.adamw)(0.1, weight_decay=0.5, weight_decay_mask="bias")
    found, _ = run(tx, params, [zero])
    assert same(found["layer"]["kernel"], params["layer"]["kernel"])
    assert np.allclose(found["layer"]["bias"], params["layer"]["bias"] * 0.95)


def test_a_number_of_the_tensor_that_depends_on_decay_is_kept_for_each_leaf() -> None:
    """Under a mask two leaves may differ in it; without one it is one number for all."""

    def heavy(p: Any, g: Any, sum_: Any, *, lr: Any = 0.1, weight_decay: Any = 0.5) -> Any:
        sum_ = sum_ + weight_decay
        return p - lr * sum_ * g, sum_

    params = {"a": jnp.ones(2), "b": jnp.ones(2)}
    one, state = run(adamas.jax.transform(heavy)(), params, [params, params])
    assert np.allclose(state.sum_, 1.0) and np.allclose(one["a"], 1 - 0.1 * 1.5)
    both, state = run(adamas.jax.transform(heavy)(weight_decay_mask="a"), params, [params, params])
    assert np.allclose(state.sum_["a"], 1.0) and state.sum_["b"] == 0.0
    assert np.allclose(both["a"], 1 - 0.1 * 1.5) and np.allclose(both["b"], 1.0)


def test_a_rule_called_like_one_of_ours_keeps_its_own_names() -> None:
    """The names that optax has are for its states: here they would name two."""

    def adam(p: Any, g: Any, m: Any, mu: Any, *, lr: Any = 0.1) -> Any:
        m = m + g
        mu = mu + m
        return p - lr * mu, m, mu

    state = adamas.jax.transform(adam)().init(jnp.ones(2))
    assert state._fields == ("count", "m", "mu")


def test_a_missing_framework_is_one_line() -> None:
    """Without optax the import says which extra brings it."""
    import subprocess
    import sys

    code = (
        "import sys, importlib.util as u\nfind = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'optax' else find(name, *a)\n"
        "import adamas.jax"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    last = done.stderr.strip().splitlines()[-1]
    assert re.fullmatch(r"ImportError: adamas.jax needs optax; .*pip install 'adamas\[jax\]'", last)


LATE = """
def late(p, g, *, t, lr=0.1, limit=4.0, decay=0.5):
    pull = where(abs(p) > limit, p, 0.0) if t > 100 else 0.0
    return p - lr * (g + decay * pull)
"""


@pytest.mark.parametrize(
    ("name", "given", "needs"),
    [
        ("sgd", {}, False), ("sgd", {"weight_decay": 0.1}, True), ("adam", {}, False),
        ("adamw", {}, True), ("adamw", {"weight_decay": 0.0}, False), ("lion", {}, False),
        ("adan", {}, False), ("adan", {"weight_decay": 1e-3}, True), ("radam", {}, False),
        ("schedule_free_adamw", {}, True), ("ademamix", {}, False), ("adabelief", {}, False),
    ],
)  # fmt: skip
def test_which_rules_need_the_parameters(name: str, given: dict[str, float], needs: bool) -> None:
    """A rule whose step is of gradients and states alone is stepped without, a decay is not."""
    formula = parse(getattr(rules, name))
    assert needed(formula, {**formula.hypers, **given}) is needs


def test_a_rule_that_needs_parameters_late_or_far_away_needs_them(tmp_path: Path) -> None:
    """What happens after step 100, or only to large parameters, is told from the text."""
    formula = parse(function(tmp_path, LATE, "late"))
    assert needed(formula, formula.hypers)
    assert not needed(formula, {**formula.hypers, "decay": 0.0})
    assert needed(formula, {**formula.hypers, "decay": object()})


@pytest.mark.parametrize("other", [adamas.jax.sgd, optax.adam])
def test_the_state_of_another_optimizer_is_refused(other: Any) -> None:
    """Who switches in the middle of a run is told what makes a state of another."""
    p = {"w": jnp.ones(3)}
    with pytest.raises(TypeError, match=r"adamw got a state without .* adamas\.convert"):
        adamas.jax.adamw(1e-3).update(p, other(0.1).init(p), p)
