"""Train a classifier of equinox on 5,000 images of MNIST, in one go or with a pause between.

`python jax_digits.py FOLDER whole` trains four epochs and keeps what it has after two in FOLDER,
`python jax_digits.py FOLDER rest` goes on from there. Both print the share of unseen images that
are right, and a digest of all weights and states.
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import equinox
import jax
import jax.numpy as jnp
import numpy as np
import optax

import adamas.jax
from adamas import schedule
from adamas.lab.data.mnist import images

BATCH, EPOCHS, HALF = 100, 4, 2
TX = optax.chain(
    optax.clip_by_global_norm(1.0),
    adamas.jax.adamw(
        schedule.cosine(2e-3, steps=160), weight_decay=0.01, weight_decay_mask=r"weight$"
    ),
)


def loss(model: Any, x: Any, y: Any) -> Any:
    """The mean cross-entropy of a batch."""
    return jnp.mean(optax.softmax_cross_entropy_with_integer_labels(jax.vmap(model)(x), y))


@equinox.filter_jit
def step(model: Any, state: Any, x: Any, y: Any) -> Any:
    """One step."""
    gradients = equinox.filter_grad(loss)(model, x, y)
    updates, state = TX.update(gradients, state, equinox.filter(model, equinox.is_inexact_array))
    return equinox.apply_updates(model, updates), state


def digest(*trees: Any) -> str:
    """A text that equal arrays share."""
    found = hashlib.sha256()
    for leaf in jax.tree.leaves([equinox.filter(tree, equinox.is_array) for tree in trees]):
        found.update(np.asarray(leaf).tobytes())
    return found.hexdigest()


def train(folder: Path, first: int, model: Any, state: Any) -> None:
    """Train from epoch `first` on; keep what there is after half of them."""
    # The file has one digit after another.
    mixed = np.random.default_rng(7).permutation(5000)
    x, y = (jnp.asarray(one[mixed]) for one in images())
    for epoch in range(first, EPOCHS):
        order = np.random.default_rng(epoch).permutation(4000)
        for rows in order.reshape(-1, BATCH):
            model, state = step(model, state, x[rows], y[rows])
        if epoch == HALF - 1:
            equinox.tree_serialise_leaves(folder / "model.eqx", model)
            np.savez(folder / "state.npz", **adamas.jax.to_dict(state))
    right = jnp.mean(jnp.argmax(jax.vmap(model)(x[4000:]), 1) == y[4000:])
    print(json.dumps({"right": float(right), "digest": digest(model, state)}))


def main(folder: Path, part: str) -> None:
    """Train the whole, or the rest of what was kept."""
    model = equinox.nn.MLP(784, 10, 64, 1, key=jax.random.key(0))
    state = TX.init(equinox.filter(model, equinox.is_inexact_array))
    if part == "rest":
        model = equinox.tree_deserialise_leaves(folder / "model.eqx", model)
        with np.load(folder / "state.npz") as saved:
            state = adamas.jax.from_dict(saved, state)
    train(folder, HALF if part == "rest" else 0, model, state)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
