"""Logistic regression on real tumours, once as usual and once with features of unequal units.

Both minimise the penalised loss of scikit-learn's `LogisticRegression` at its default C = 1, whose
minimum is unique. The second is the first under a change of units: same minimum, other slopes.
"""

from collections.abc import Iterator
from functools import cache
from itertools import repeat

import numpy as np

from adamas.lab.data.tables import BREAST_CANCER, breast_cancer
from adamas.lab.problems import Array, Batch, Params, Problem, generator, shuffled_batches
from adamas.lab.zoo.about import about
from adamas.lab.zoo.dense import split

HELD, BATCH = 114, 32
FEATURES = 30
# The computed minimum and losses near it agree to about 1e-16.
FLOOR = 1e-15


def log_loss(z: Array, y: Array) -> float:
    """Return the mean cross-entropy in nats of labels 0 or 1 under the logits `z`."""
    return float(np.mean(np.logaddexp(0.0, z) - y * z))


def slope(z: Array, y: Array) -> Array:
    """Return the derivative of `log_loss` by each logit; tanh cannot overflow."""
    return np.asarray((0.5 + 0.5 * np.tanh(0.5 * z) - y) / len(y))


class LogisticTask:
    """Weights "w" (30,) and "b" (1,), float64, from 0; the seed draws split and batch order."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        (x, y), (x_held, y_held) = split(*breast_cancer(), HELD, seed)
        mean, scale = x.mean(axis=0), x.std(axis=0)
        self.training: Batch = ((x - mean) / scale, y)
        self.validation: Batch = ((x_held - mean) / scale, y_held)
        self.penalty = np.full(FEATURES, 1 / len(x))

    def start(self) -> Params:
        """Return weights of 0: every tumour is as likely benign as malignant."""
        return {"w": np.zeros(FEATURES), "b": np.zeros(1)}

    def batches(self) -> Iterator[Batch]:
        """Yield 32 training samples at a time, shuffled anew each epoch."""
        return shuffled_batches(*self.training, BATCH, generator(self.seed, 2))

    def gradient(self, params: Params, batch: Batch, grads: Params) -> float:
        """Write the gradient of the penalised mean loss of a batch and return that loss."""
        x, y = batch
        w = params["w"]
        z = x @ w + params["b"]
        delta = slope(z, y)
        grads["w"][:] = delta @ x + self.penalty * w
        grads["b"][:] = delta.sum()
        return log_loss(z, y) + 0.5 * float(w @ (self.penalty * w))

    def evaluate(self, params: Params) -> float:
        """Return the cross-entropy on the validation samples, without the penalty."""
        x, y = self.validation
        return log_loss(x @ params["w"] + params["b"], y)

    def extras(self, params: Params) -> dict[str, float]:
        """Return the share of validation samples that are classified correctly."""
        x, y = self.validation
        return {"accuracy": float((((x @ params["w"] + params["b"]) > 0) == y).mean())}


class ScaledTask(LogisticTask):
    """All 569 tumours in every gradient; the seed draws which feature has which unit.

    Feature i is standardised and multiplied by s_i, from 0.01 to 100, and the penalty weighs
    s_i w_i: with u = s w the loss is that of the standardised features, whatever the seed.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        x, y = _standardised()
        self.units = generator(seed, 0).permutation(np.logspace(-2, 2, FEATURES))
        self.training = self.validation = (x * self.units, y)
        self.penalty = self.units**2 / len(x)

    def batches(self) -> Iterator[Batch]:
        """Yield all samples, again and again."""
        return repeat(self.training)

    def evaluate(self, params: Params) -> float:
        """Return the penalised loss above its minimum, at least 1e-15 to have a logarithm."""
        unused = self.start()
        loss = self.gradient(params, self.training, unused)
        return float(np.maximum(loss - minimum()[0], FLOOR))

    def extras(self, params: Params) -> dict[str, float]:
        """Return the distance to the minimiser, in units of standardised features."""
        return {"distance": float(np.linalg.norm(params["w"] * self.units - minimum()[1][:-1]))}


@cache
def _standardised() -> Batch:
    x, y = breast_cancer()
    return (x - x.mean(axis=0)) / x.std(axis=0), y


@cache
def minimum() -> tuple[float, Array]:
    """Return the least penalised loss and its weights, bias last: Newton's method, exact to 1e-15.

    >>> f"{minimum()[0]:.6f}"
    '0.066360'
    """
    x, y = _standardised()
    x = np.column_stack([x, np.ones(len(x))])
    penalty = np.append(np.full(FEATURES, 1 / len(x)), 0.0)
    u = np.zeros(FEATURES + 1)
    for _ in range(20):
        p = 0.5 + 0.5 * np.tanh(0.5 * (x @ u))
        curvature = (x.T * (p * (1 - p) / len(x))) @ x + np.diag(penalty)
        u -= np.linalg.solve(curvature, x.T @ (p - y) / len(x) + penalty * u)
    return log_loss(x @ u, y) + 0.5 * float(u @ (penalty * u)), u


TUMOURS = Problem(
    "breast-cancer",
    560,
    20,
    BATCH,
    LogisticTask,
    about=about(
        "breast-cancer",
        "classification",
        ("loss", 0.0763),
        sources=(BREAST_CANCER,),
        higher=("accuracy",),
    ),
)
SCALES = Problem(
    "logistic-scales",
    2000,
    50,
    569,
    ScaledTask,
    about=about(
        "logistic-scales",
        "convex",
        ("loss", 0.0033),
        sources=(BREAST_CANCER,),
        label="composite",
        shared="breast-cancer",
    ),
)
