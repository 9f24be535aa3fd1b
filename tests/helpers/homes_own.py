"""Every optimizer in the table of docs/homes.md beside the rule that the table names.

A process of its own, because Keras takes its backend from the environment (JAX here, in float64):
prints as JSON how far each ends from the run of its rule, and what `write_homes` finds out of date.
"""

import json
from typing import Any

import jax
import keras
import numpy as np
import torch

import write_homes
from adamas.kernel.reference import Reference
from write_homes import Own

# A power of two, because Keras keeps it in float32; an eps that is large enough to tell its place.
LR, EPS = 2.0**-7, 1e-3
STEPS = 20


def given(one: Own) -> dict[str, Any]:
    """The arguments of the run, under the home's names."""
    numbers = one.numbers()
    found = {one.takes.sources.get("lr", ("lr",))[0]: LR}
    if "eps" in numbers:
        found[numbers["eps"][0]] = EPS
    if one.name == "adabelief":
        found["eps_root"] = EPS
    return {**one.options, **found}


def in_torch(one: Own, p: Any, gradients: Any) -> Any:
    """Where torch ends."""
    held = torch.nn.Parameter(torch.tensor(p))
    optimizer = one.function([held], **given(one))
    for g in gradients:
        held.grad = torch.tensor(g)
        optimizer.step()
    return held.detach().numpy()


def in_optax(one: Own, p: Any, gradients: Any) -> Any:
    """Where optax ends."""
    tx = one.function(**given(one))
    held = jax.numpy.asarray(p)
    state = tx.init(held)
    for g in gradients:
        updates, state = tx.update(jax.numpy.asarray(g), state, held)
        held = held + updates
    return np.asarray(held)


def in_keras(one: Own, p: Any, gradients: Any) -> Any:
    """Where Keras ends."""
    held = keras.Variable(p, dtype="float64")
    optimizer = one.function(**given(one))
    for g in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(g)], [held])
    return keras.ops.convert_to_numpy(held)


RUNS = {"torch": in_torch, "optax": in_optax, "keras": in_keras}


def off(one: Own) -> float:
    """How far the home ends from the rule."""
    generator = np.random.default_rng(0)
    p, gradients = generator.standard_normal(7), 0.1 * generator.standard_normal((STEPS, 7))
    hypers = {name: value for name, (_, value) in one.numbers().items()}
    if "eps" in hypers:
        hypers["eps"] = EPS
    rule = Reference(one.formula, p, **{**hypers, "lr": LR})
    for g in gradients:
        rule.step(g)
    return float(np.abs(RUNS[one.home](one, p, gradients) - rule.p).max())


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    each = [one for _, row in write_homes.ROWS for one in row if one]
    found = {f"{one.home}.{one.name}{one.options or ''}": off(one) for one in each}
    pages = {name: (write_homes.DOCS / name).read_text() for name in write_homes.HEADS}
    old = [name for name, text in pages.items() if text != write_homes.page(name)]
    print(json.dumps({"off": found, "old": old}))
