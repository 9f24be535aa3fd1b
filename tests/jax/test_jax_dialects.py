"""What optax computes otherwise is what its own options choose here."""

import inspect
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import adamas.jax
from adamas import dialects
from adamas.homes.optax import SIGNATURES
from jax_stepping import run

CONTRIB = {"ademamix", "schedule_free_adamw"}
FREE = optax.contrib.schedule_free_adamw
# A function of adamas.jax with its options, and optax's with the options that say the same.
PAIRS: list[tuple[Any, dict[str, Any], Any, dict[str, Any]]] = [
    (adamas.jax.sgd, {}, optax.sgd, {}),
    (adamas.jax.sgd, {"momentum": 0.9}, optax.sgd, {"momentum": 0.9}),
    (
        adamas.jax.sgd, {"momentum": 0.9, "nesterov": True},
        optax.sgd, {"momentum": 0.9, "nesterov": True},
    ),
    (
        adamas.jax.adagrad, {"initial_accumulator_value": 0.1, "eps": 1e-7, "eps_in_sqrt": True},
        optax.adagrad, {},
    ),
    *(
        (
            adamas.jax.rmsprop, {"eps_in_sqrt": inside, "centered": centered, "momentum": moving},
            optax.rmsprop,
            {"eps_in_sqrt": inside, "centered": centered, "momentum": moving, "decay": 0.99},
        )
        for inside in (False, True)
        for centered in (False, True)
        for moving in (None, 0.8)
    ),
    (adamas.jax.rmsprop, {"initial_scale": 0.5}, optax.rmsprop,
     {"initial_scale": 0.5, "decay": 0.99, "eps_in_sqrt": False}),
    (adamas.jax.adadelta, {"weight_decay": 0.1}, optax.adadelta, {"weight_decay": 0.1}),
    (adamas.jax.adam, {}, optax.adam, {}),
    (adamas.jax.adam, {"nesterov": True}, optax.adam, {"nesterov": True}),
    (adamas.jax.adamw, {}, optax.adamw, {"weight_decay": 1e-2}),
    (adamas.jax.adamw, {"nesterov": True}, optax.nadamw, {"weight_decay": 1e-2}),
    (adamas.jax.transform(dialects.nadam_constant), {}, optax.nadam, {}),
    (adamas.jax.transform(dialects.amsgrad_corrected_max), {}, optax.amsgrad, {}),
    (adamas.jax.adamax, {}, optax.adamax, {}),
    (adamas.jax.adamaxw, {}, optax.adamaxw, {"weight_decay": 1e-2}),
    (adamas.jax.radam, {"threshold": 5.0}, optax.radam, {}),
    (adamas.jax.adabelief, {}, optax.adabelief, {}),
    (adamas.jax.adabelief, {"eps": 1e-4}, optax.adabelief, {"eps": 1e-4, "eps_root": 1e-4}),
    (adamas.jax.lion, {"weight_decay": 1e-3}, optax.lion, {}),
    (adamas.jax.ademamix, {"weight_decay": 0.1}, optax.contrib.ademamix, {"weight_decay": 0.1}),
    (adamas.jax.schedule_free_adamw, {"weight_decay": 0.1}, FREE, {"weight_decay": 0.1}),
]  # fmt: skip


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair[0].__name__} {pair[1]}")
def test_the_options_choose_what_optax_computes(pair: tuple[Any, Any, Any, Any]) -> None:
    """In float64 both give the same numbers, steps of every sign and a zero among them."""
    ours, options, theirs, same = pair
    random = np.random.default_rng(3)
    with jax.enable_x64(True), jax.disable_jit():
        p = jnp.asarray(random.normal(size=24))
        gradients = [jnp.asarray(random.normal(size=24)).at[0].set(0.0) for _ in range(8)]
        found, _ = run(ours(1e-2, **options), p, gradients)
        right, _ = run(theirs(1e-2, **same), p, gradients)
    assert found.dtype == jnp.float64
    # optax keeps some of its numbers in float32 even then.
    assert np.max(np.abs(found - right)) < 2e-7


DIFFER = [
    (adamas.jax.adagrad, optax.adagrad),
    (adamas.jax.rmsprop, optax.rmsprop),
    (adamas.jax.adamw, optax.adamw),
    (adamas.jax.amsgrad, optax.amsgrad),
    (adamas.jax.nadam, optax.nadam),
    (adamas.jax.radam, optax.radam),
    (adamas.jax.adan, optax.adan),
]


@pytest.mark.parametrize(("ours", "theirs"), DIFFER, ids=lambda one: getattr(one, "__name__", ""))
def test_the_page_lists_what_differs_by_default(ours: Any, theirs: Any) -> None:
    """Where the formula's default is not optax's, the numbers show it, and only there."""
    random = np.random.default_rng(3)
    # So small that eps counts.
    gradients = [jnp.asarray(random.normal(size=24) * 1e-6) for _ in range(8)]
    p = jnp.asarray(random.normal(size=24))
    found, _ = run(ours(1e-2), p, gradients)
    right, _ = run(theirs(1e-2), p, gradients)
    assert np.max(np.abs(found - right)) > 1e-5


# Beside learning_rate, which optax has no default for.
DEFAULTS = {
    "adagrad": {"initial_accumulator_value": 0.1, "eps": 1e-7},
    "rmsprop": {"decay": 0.9, "eps_in_sqrt": True},
    **{name: {"weight_decay": 1e-4} for name in ("adamw", "adamaxw", "nadamw")},
    "lion": {"weight_decay": 1e-3},
    "radam": {"threshold": 5.0},
    # One eps in two places is the same; two of adan's are not to be had.
    "adabelief": {"eps_root": 1e-16},
    "adan": {"eps_root": 1e-8},
    # That masks nothing.
    "lars": {"weight_decay_mask": True},
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_other_defaults_than_those_of_the_table_are_the_same(name: str) -> None:
    """Every default of optax is ours, or stands in the table of the page."""
    theirs = getattr(optax.contrib if name in CONTRIB else optax, name, None)
    ours = inspect.signature(getattr(adamas.jax, name)).parameters
    found = {}
    for key, one in inspect.signature(theirs).parameters.items() if theirs else ():
        same = one.default == getattr(ours.get(key), "default", one.default)
        # Nothing under the root, or beside a norm, is 0.0 there and None here.
        none = key in ("eps_root", "eps") and one.default == 0.0 and ours[key].default is None
        if not (same or none or key == "learning_rate"):
            found[key] = one.default
    assert found == DEFAULTS.get(name, {})
