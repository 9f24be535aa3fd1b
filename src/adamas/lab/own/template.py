"""The example that `adamas compare --new mine.py` writes, for the user to change."""

from pathlib import Path

from adamas.lab.needs import LabError

TEXT = '''\
"""A problem of my own.  Run:  adamas compare {name}:problem

Change the three parts below. PyTorch and JAX versions are at the end.
"""

import numpy as np

from adamas.lab import numpy_problem

# 1. The data: x has one sample in each row, y its answer. Here an artificial yes-or-no question;
#    put yours in its place, for example
#    with np.load("data.npz") as file:
#        x, y = file["X"].astype(np.float32), file["y"].astype(np.float32)
rng = np.random.default_rng(0)
x = rng.standard_normal((1000, 5)).astype(np.float32)
y = (x @ [1, -2, 0.5, 0, 3] + rng.standard_normal(1000) > 0).astype(np.float32)


# 2. The model: its first parameters, drawn anew for each seed (float32 or float64 arrays).
def start(rng):
    w = 0.1 * rng.standard_normal(5)
    return {{"w": w.astype(np.float32), "b": np.zeros(1, np.float32)}}


# 3. The mean loss of a batch, positive, and its gradient for every parameter. Here the
#    cross-entropy of logistic regression.
def loss_and_grad(params, x, y):
    z = x @ params["w"] + params["b"]
    loss = np.mean(np.logaddexp(0, z) - y * z)
    slope = (1 / (1 + np.exp(-z)) - y) / len(y)
    return loss, {{"w": x.T @ slope, "b": slope.sum(keepdims=True)}}


def accuracy(params, x, y):
    return {{"accuracy": np.mean((x @ params["w"] + params["b"] > 0) == y)}}


# What `adamas compare {name}:problem` runs: `steps` updates, each from `batch` samples. A fifth of
# the data, drawn by the seed, judges; give validation=(x, y) to choose it yourself.
def problem():
    return numpy_problem(
        loss_and_grad,
        start,
        (x, y),
        metrics=accuracy,
        higher=("accuracy",),  # metrics that are better when larger
        name="mine",
        steps=600,
        batch=32,
        label="synthetic",  # "real" for measured data
    )


# PyTorch: adamas compare {name}:torch_version
def torch_version():
    import torch

    from adamas.lab import torch_problem

    def build():
        return torch.nn.Sequential(torch.nn.Linear(5, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1))

    def loss_fn(outputs, y):
        return torch.nn.functional.binary_cross_entropy_with_logits(outputs[:, 0], y)

    # Instead of (x, y) also a torch.utils.data.Dataset of pairs.
    return torch_problem(build, (x, y), loss_fn, name="mine", steps=600, label="synthetic")


# JAX: adamas compare {name}:jax_version
def jax_version():
    import jax.numpy as jnp

    from adamas.lab import jax_problem

    def loss(params, x, y):
        z = x @ params["w"] + params["b"]
        return jnp.mean(jnp.logaddexp(0, z) - y * z)

    first = {{"w": np.zeros(5, np.float32), "b": np.zeros(1, np.float32)}}
    return jax_problem(loss, first, (x, y), name="mine", steps=600, label="synthetic")
'''


def write(path: Path | str) -> None:
    """Write the example; `LabError` if the file is there, is not `.py`, or cannot be written."""
    path = Path(path)
    if path.suffix != ".py" or not path.stem.isidentifier():
        raise LabError(f"{path} is no name of a Python file; use one such as mine.py")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(TEXT.format(name=path.name))
    except FileExistsError:
        raise LabError(
            f"{path} is there already and is not overwritten; choose another name"
        ) from None
    except OSError as error:
        raise LabError(
            f"{path} cannot be written ({error.strerror}); choose another place"
        ) from None
