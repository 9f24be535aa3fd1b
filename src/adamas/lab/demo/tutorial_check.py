"""The tutorial through adamas beside its own program, and beside a rate that converges: numbers."""

from typing import TypedDict

import numpy as np

from adamas.lab.demo import tutorial, tutorial_numpy
from adamas.lab.demo.race import CLOSE, arrival, thin
from adamas.lab.demo.tutorial import Log
from adamas.lab.trial import finite
from adamas.lab.zoo.line import data, least_squares, loss_at


class Fit(TypedDict):
    """A weight and the loss of its line."""

    w: float
    loss: float


class Converging(Fit):
    """The run with the larger rate; `arrival` counts updates until it stays near the best loss."""

    lr: float
    arrival: float | None


class Logged(TypedDict):
    """The loss of one epoch, ours and that of the tutorial's own program; our weight after it."""

    epoch: int
    adamas: float
    numpy: float
    w: float


class Checked(TypedDict):
    """The tutorial's run and all that it is held against.

    `table` has a row for each log line; `reach` is lr x epochs; lengths of steps are in learning
    rates. `traces` holds curves over the epochs for the runs "tutorial" and "converging".
    """

    lr: float
    epochs: int
    table: list[Logged]
    largest_difference: float
    w: float
    w_numpy: float
    best: Fit
    reach: float
    converging: Converging
    largest_uncorrected: float
    first_step_uncorrected: float
    largest_update: float
    points: dict[str, list[float]]
    traces: dict[str, dict[str, list[float]]]


def checked(log: Log) -> Checked:
    """Run the tutorial, its NumPy program and the converging learning rate; compare all three."""
    ours = tutorial.train(log=log)
    losses, weight = tutorial_numpy.train(tutorial.EPOCHS, tutorial.LR)
    converging = tutorial.train(tutorial.CONVERGING_LR)
    best_weight, best_loss = least_squares()
    epochs = range(tutorial.LOG_EVERY, tutorial.EPOCHS + 1, tutorial.LOG_EVERY)
    x, y = data()
    return {
        "lr": ours.lr,
        "epochs": tutorial.EPOCHS,
        "table": [
            {
                "epoch": e,
                "adamas": float(ours.losses[e - 1]),
                "numpy": losses[e - 1],
                "w": float(ours.weights[e - 1]),
            }
            for e in epochs
        ],
        "largest_difference": float(np.abs(ours.losses - losses).max()),
        "w": float(ours.weights[-1]),
        "w_numpy": weight,
        "best": {"w": best_weight, "loss": best_loss},
        "reach": ours.lr * tutorial.EPOCHS,
        "converging": {
            "lr": converging.lr,
            "w": float(converging.weights[-1]),
            "loss": loss_at(float(converging.weights[-1])),
            "arrival": finite(arrival(converging.losses.tolist(), CLOSE * best_loss)),
        },
        "largest_uncorrected": float(ours.uncorrected_in_lr.max()),
        "first_step_uncorrected": float(ours.uncorrected_in_lr[0]),
        "largest_update": max(float(t.update_in_lr.max()) for t in (ours, converging)),
        "points": {"x": x.ravel().tolist(), "y": y.ravel().tolist()},
        "traces": {"tutorial": thinned(ours), "converging": thinned(converging)},
    }


def thinned(run: tutorial.Trace) -> dict[str, list[float]]:
    """Return a run's curves on about 120 epochs, evenly spread on a log axis."""
    shown = thin(len(run.epochs))
    return {
        "epochs": run.epochs[shown].tolist(),
        "loss": run.losses[shown].tolist(),
        "update": run.update_in_lr[shown].tolist(),
        "uncorrected": run.uncorrected_in_lr[shown].tolist(),
        "effective": run.effective_step[shown].tolist(),
        "m_correction": tutorial.correction(tutorial.BETA1, run.epochs[shown]).tolist(),
        "v_correction": tutorial.correction(tutorial.BETA2, run.epochs[shown]).tolist(),
    }
