"""Files of Keras go to torch and back by `adamas convert`; prints how far runs end; run by a test.

A process of its own, because Keras takes its backend from the environment.
"""

import json
import os
import sys
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np
import torch

import adamas.keras
import adamas.torch
from adamas import cli

HALF = 20


def model_of(optimizer: Any) -> keras.Model:
    """The same model each time."""
    keras.utils.set_random_seed(0)
    keras.utils.clear_session()
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="fc")], name="m")
    model.compile(optimizer, loss="mse")
    return model


def batches() -> list[tuple[Any, Any]]:
    """Forty batches."""
    rng = np.random.default_rng(0)
    return [
        (rng.normal(size=(8, 4)).astype("f4"), rng.normal(size=(8, 3)).astype("f4"))
        for _ in range(2 * HALF)
    ]


def fitted(model: keras.Model, every: Any) -> list[Any]:
    """The parameters after these batches."""
    for x, y in every:
        model.train_on_batch(x, y)
    return [v.value.detach().cpu().numpy().copy() for v in model.trainable_variables]


def in_torch(half: list[Any], load: Any, every: Any) -> list[Any]:
    """The same layer in torch, twenty steps from a state on."""
    layer = torch.nn.Linear(4, 3)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(half[0].T))
        layer.bias.copy_(torch.tensor(half[1]))
    optimizer = load(layer)
    for x, y in every:
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(layer(torch.tensor(x)), torch.tensor(y)).backward()
        optimizer.step()
    return [layer.weight.detach().numpy().T, layer.bias.detach().numpy()]


def off(one: list[Any], other: list[Any]) -> float:
    """How far parameters are apart, relative to the largest."""
    pairs = zip(one, other, strict=True)
    return max(float(np.abs(a - b).max() / np.abs(b).max()) for a, b in pairs)


def converted(*words: str) -> None:
    """The command, which must do it."""
    assert cli.main(["convert", *words]) == 0, words


def there_and_back(folder: str, name: str, make: Any, torch_class: str) -> dict[str, float]:
    """How far torch, and Keras after it, end from forty steps in Keras."""
    model, every = model_of(make()), batches()
    half = fitted(model, every[:HALF])
    suffix = "keras" if name == "own" else "weights.h5"
    place, pt, back = (
        f"{folder}/{name}.{suffix}",
        f"{folder}/{name}.pt",
        f"{folder}/{name}.b.weights.h5",
    )
    model.save(place) if name == "own" else model.save_weights(place)
    model.save_weights(f"{folder}/{name}.like.weights.h5")
    whole = fitted(model, every[HALF:])
    names = json.dumps([["weight", "T"], "bias"])
    converted(place, pt, "--names", names, "--to", torch_class)
    module: Any = adamas.torch if torch_class.startswith("adamas") else torch.optim

    def load(layer: torch.nn.Module) -> Any:
        optimizer = getattr(module, torch_class.rpartition(".")[2])(
            layer.named_parameters(), lr=1e-2
        )
        optimizer.load_state_dict(torch.load(pt))
        return optimizer

    ends = {f"{name} in torch": off(in_torch(half, load, every[HALF:]), whole)}
    names = json.dumps({"weight": ["m/fc/kernel", "T"], "bias": "m/fc/bias"})
    there = "keras.Adadelta" if name == "own" else "adamas.keras.AdamW"
    like = f"{folder}/{name}.like.weights.h5"
    converted(pt, back, "--to", there, "--names", names, "--like", like)
    again = model_of(make())
    again.optimizer.build(again.trainable_variables)
    again.load_weights(back)
    return ends | {f"{name} in Keras": off(fitted(again, every[HALF:]), whole)}


if __name__ == "__main__":
    folder = sys.argv[1]
    found = there_and_back(folder, "ours", lambda: adamas.keras.AdamW(1e-2), "torch.AdamW")
    own = there_and_back(folder, "own", lambda: keras.optimizers.Adadelta(1.0), "torch.Adadelta")
    print(json.dumps({**found, **own}))
