"""Adam of torch, optax and Keras on the same gradients, as JSON: `learn.measured`'s group `adam`.

A process of its own, because Keras takes its backend from the environment (KERAS_BACKEND=jax) and
JAX computes in float64 here.
"""

import json
from collections.abc import Callable, Sequence
from inspect import Parameter, signature
from typing import Any

import jax
import keras
import numpy as np
import optax
import torch

from adamas import dialects, rules
from adamas.kernel.formula import parse
from adamas.kernel.reference import Reference
from adamas.lab.problems import Array
from adamas.lab.zoo.line import data
from adamas.learn.measured import AdamHome

LR, STEPS, TINY = 2.0**-10, 100, 1e-9
Rule = Callable[..., Any]


def gradients() -> list[Array]:
    """Return the gradients that the tutorial's line gives Adam, one number each."""
    x, y = data()
    reference, found = Reference(parse(rules.adam), np.zeros(1), lr=LR), []
    for _ in range(STEPS):
        found.append(np.array([2 * np.mean((x * reference.p - y) * x)]))
        reference.step(found[-1])
    return found


def in_torch(given: Sequence[Array]) -> float:
    """Where torch ends."""
    p = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    optimizer = torch.optim.Adam([p], lr=LR)
    for g in given:
        p.grad = torch.tensor(g)
        optimizer.step()
    return p.item()


def in_optax(given: Sequence[Array]) -> float:
    """Where optax ends."""
    tx: Any = optax.adam(LR)
    p = jax.numpy.zeros(1)
    state = tx.init(p)
    for g in given:
        updates, state = tx.update(jax.numpy.asarray(g), state, p)
        p = p + updates
    return float(p[0])


def in_keras(given: Sequence[Array]) -> float:
    """Where Keras ends."""
    p, optimizer = keras.Variable(np.zeros(1), dtype="float64"), keras.optimizers.Adam(LR)
    for g in given:
        optimizer.apply([keras.ops.convert_to_tensor(g)], [p])
    return float(keras.ops.convert_to_numpy(p)[0])


def by(rule: Rule) -> Callable[[Sequence[Array]], float]:
    """Return how a rule of adamas is run."""

    def ends(given: Sequence[Array]) -> float:
        reference = Reference(parse(rule), np.zeros(1), lr=LR)
        for g in given:
            reference.step(g)
        return float(reference.p[0])

    return ends


def home(run: Callable[[Sequence[Array]], float], adam: Rule, adamw: Rule) -> AdamHome:
    """Return the row of one Adam: what `run` gives, and what the signatures say."""
    given = {name: one.default for name, one in signature(adam).parameters.items()}

    def default(*names: str) -> Any:
        return next(given[name] for name in names if name in given)

    lr = default("lr", "learning_rate")
    beta1, beta2 = default("betas") if "betas" in given else (None, None)
    line = gradients()
    return {
        "line": run(line),
        "tiny": run([TINY * g for g in line]),
        "lr": None if lr is Parameter.empty else lr,
        "beta1": beta1 or default("beta1", "b1", "beta_1"),
        "beta2": beta2 or default("beta2", "b2", "beta_2"),
        "eps": default("eps", "epsilon"),
        "adamw_decay": signature(adamw).parameters["weight_decay"].default,
    }


def adam() -> dict[str, AdamHome]:
    """Return the row of every home."""
    configuration: Any = jax.config
    configuration.update("jax_enable_x64", True)
    return {
        "adamas": home(by(rules.adam), rules.adam, rules.adamw),
        "eps_hat": home(by(dialects.adam_eps_hat), dialects.adam_eps_hat, rules.adamw),
        "torch": home(in_torch, torch.optim.Adam, torch.optim.AdamW),
        "optax": home(in_optax, optax.adam, optax.adamw),
        "keras": home(in_keras, keras.optimizers.Adam, keras.optimizers.AdamW),
    }


if __name__ == "__main__":
    print(json.dumps(adam()))
