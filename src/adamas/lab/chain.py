"""A chain of dense layers with ReLU between them, in NumPy float32, for every small network here.

Softmax regression is the chain of one layer. No framework: the lab compares optimizers, and these
nets are small enough that a framework's overhead would be most of what is timed. A head turns the
chain's output and the targets into a loss and the loss's slope; everything else is shared.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from adamas.lab.problems import Array, Batch, Params

# (outputs, targets) -> (mean loss of the batch, its slope along the outputs)
Head = Callable[[Array, Array], tuple[float, Array]]


def start(widths: tuple[int, ...], rng: np.random.Generator) -> Params:
    """Return He-normal weights and biases of 0, float32 (He et al. 2015, section 2.2)."""
    params: Params = {}
    for i, (fan_in, fan_out) in enumerate(pairwise(widths)):
        scale = np.sqrt(2 / fan_in)
        params[f"W{i}"] = (scale * rng.standard_normal((fan_in, fan_out))).astype(np.float32)
        params[f"b{i}"] = np.zeros(fan_out, np.float32)
    return params


def forward(params: Params, x: Array) -> list[Array]:
    """Return the input, the output of every hidden layer, and the output of the last layer."""
    layers = len(params) // 2
    outputs = [x]
    for i in range(layers):
        z = outputs[-1] @ params[f"W{i}"] + params[f"b{i}"]
        outputs.append(np.maximum(z, 0) if i < layers - 1 else z)
    return outputs


def back_propagate(params: Params, batch: Batch, grads: Params, head: Head) -> float:
    """Write the gradient of a batch's mean loss into `grads` and return that loss."""
    x, y = batch
    outputs = forward(params, x)
    loss, delta = head(outputs[-1], y)
    for i in reversed(range(len(params) // 2)):
        np.matmul(outputs[i].T, delta, out=grads[f"W{i}"])
        np.sum(delta, axis=0, out=grads[f"b{i}"])
        if i:
            delta = (delta @ params[f"W{i}"].T) * (outputs[i] > 0)
    return loss


def log_softmax(logits: Array) -> Array:
    """Return log-probabilities, row by row, without overflow."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def cross_entropy(logits: Array, y: Array) -> tuple[float, Array]:
    """Return the mean cross-entropy of classes `y`, shape (n,), in nats, and its slope."""
    rows = np.arange(len(y))
    log_p = log_softmax(logits)
    delta = np.exp(log_p)
    delta[rows, y] -= 1
    delta /= len(y)
    return float(-log_p[rows, y].mean()), delta


def squared_error(outputs: Array, y: Array) -> tuple[float, Array]:
    """Return the mean squared error of one output, shape (n, 1), for `y` (n,), and its slope."""
    off = outputs - y[:, None]
    return float(np.square(off).mean()), off * (2 / len(y))
