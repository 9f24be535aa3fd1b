"""Files of Keras go to torch and back by `adamas convert`, and are told by `adamas inspect`."""

import contextlib
import io
import json
import tempfile
from typing import Any

import keras
import numpy as np

import adamas.keras
from adamas import cli
from adamas.others.opening import looked_at

HALF = 20


def model_of(optimizer: Any) -> keras.Model:
    """The same model each time."""
    keras.utils.set_random_seed(0)
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
    return [np.array(keras.ops.convert_to_numpy(v)) for v in model.trainable_variables]


def in_torch(half: list[Any], load: Any, every: Any) -> list[Any]:
    """The same layer in torch, twenty steps from a state on."""
    import torch

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
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
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
    import torch

    def load(layer: torch.nn.Module) -> Any:
        optimizer = getattr(torch.optim, torch_class.rpartition(".")[2])(
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


def check_convert_to_torch_and_back() -> None:
    """Twenty steps in Keras and twenty in torch from its file are forty in Keras, and back."""
    if keras.backend.backend() != "torch":
        return
    ours = adamas.keras.AdamW
    with tempfile.TemporaryDirectory() as folder:
        found = there_and_back(folder, "ours", lambda: ours(1e-2), "torch.AdamW")
        own = keras.optimizers.Adadelta
        found |= there_and_back(folder, "own", lambda: own(1.0), "torch.Adadelta")
    assert max(found.values()) < 2e-6, found


def check_inspect_tells_what_is_in_files_of_keras() -> None:
    """A `.keras` names its optimizer, its arguments and its step; adamas.keras its states, too."""
    with tempfile.TemporaryDirectory() as folder:
        model = model_of(keras.optimizers.Adam(1e-2))
        fitted(model, batches()[:2])
        model.save(f"{folder}/own.keras")
        found = looked_at(f"{folder}/own.keras")
        assert (found["kind"], found["steps"]) == ("keras", 2)
        # On torch it is a class of Keras' own backend.
        assert found["optimizer"].startswith("keras.") and found["optimizer"].endswith(".Adam")
        assert found["groups"][0]["beta_1"] == 0.9
        norms = {one["name"]: one["norm"] for one in found["tensors"]}
        kernel, momentum = model.trainable_variables[0], model.optimizer.variables[2]
        for name, variable in (("layers/dense/vars/0", kernel), ("optimizer/vars/2", momentum)):
            wanted = np.linalg.norm(keras.ops.convert_to_numpy(variable))
            assert abs(norms[name] - wanted) < 1e-6 * wanted, name
        model = model_of(adamas.keras.AdamW(1e-2))
        fitted(model, batches()[:2])
        model.save_weights(f"{folder}/ours.weights.h5")
        found = looked_at(f"{folder}/ours.weights.h5")
        assert "adamw" in found["optimizer"] and found["steps"] == 2
        assert any(one["name"].endswith("kernel_m") or "momentum" in one["name"] for one in
                   found["tensors"])  # fmt: skip
