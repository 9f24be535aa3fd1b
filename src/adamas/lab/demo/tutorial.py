"""The tutorial's training loop, run through adamas, with everything recorded that Adam did."""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature

import numpy as np

import adamas
from adamas import rules
from adamas.kernel.formula import parse
from adamas.lab.doctor.effective import effective_step
from adamas.lab.problems import Array
from adamas.lab.zoo.line import POINTS, LineTask

EPOCHS = 1000
LOG_EVERY = 100
LR = 0.001
# 100 times the tutorial's: lr x steps = 100 reaches the optimum at 2.487 with room to settle.
CONVERGING_LR = 0.1

BETA1, BETA2 = (
    float(signature(rules.adam).parameters[name].default) for name in ("beta1", "beta2")
)

Log = Callable[[str], None]


@dataclass(frozen=True)
class Trace:
    """One run of Adam on the line, float64, one entry an epoch in every array.

    `losses` are seen before the update, as the tutorial prints them; `weights` are those after it;
    `m` and `v` the moments after it.
    """

    lr: float
    losses: Array
    weights: Array
    m: Array
    v: Array

    @property
    def epochs(self) -> Array:
        """Return 1, 2, 3, ..."""
        return np.arange(1, len(self.losses) + 1)

    @property
    def update_in_lr(self) -> Array:
        """Return |update| / lr: how many learning rates long each step was."""
        before = np.concatenate([[0.0], self.weights[:-1]])
        return np.asarray(np.abs(self.weights - before) / self.lr)

    @property
    def effective_step(self) -> Array:
        """Return lr / (sqrt(v_hat) + eps): what one unit of gradient is multiplied by."""
        return self._step(self.epochs, self.lr)

    @property
    def uncorrected_in_lr(self) -> Array:
        """Return the step in learning rates if the same m and v were not bias-corrected."""
        # As they are after infinitely many steps.
        return np.asarray(np.abs(self.m) * self._step(np.array(np.inf), 1.0))

    def _step(self, t: Array, lr: float) -> Array:
        formula = parse(rules.adam)
        step = effective_step(formula)
        assert step is not None
        return step(t, {**formula.hypers, "lr": lr}, {"m": self.m, "v": self.v})


def correction(beta: float, t: Array) -> Array:
    """Return 1 - beta**t, the share of a moving average that is not its start at 0.

    >>> [round(float(x), 4) for x in correction(0.9, np.array([1, 2, 100]))]
    [0.1, 0.19, 1.0]
    """
    return np.asarray(1 - beta**t)


def log_line(epoch: int, loss: float) -> str:
    """Return the tutorial's log line."""
    return f"Epoch {epoch}, Loss: {loss:.4f}"


def train(lr: float = LR, epochs: int = EPOCHS, log: Log | None = None) -> Trace:
    """Run the tutorial: full batch, w = 0 at the start, `log` called with its line every 100."""
    task = LineTask(0, POINTS)
    params = task.start()
    grads = {"w": np.empty_like(params["w"])}
    opt = adamas.Optimizer(rules.adam, params, lr=lr, threads=1)
    columns = np.empty((4, epochs))
    batches = task.batches()
    for epoch in range(1, epochs + 1):
        loss = task.gradient(params, next(batches), grads)
        opt.step(grads)
        state = opt.state["w"]
        moments = (np.asarray(state[name]).item() for name in ("m", "v"))
        columns[:, epoch - 1] = loss, params["w"].item(), *moments
        if log is not None and epoch % LOG_EVERY == 0:
            log(log_line(epoch, loss))
    return Trace(lr, *columns)
