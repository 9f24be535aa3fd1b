"""Comparisons whose runs are drawn and not made: a valley in the learning rate, with noise."""

from collections.abc import Sequence
from functools import cache
from math import log10

import numpy as np

from adamas.lab.entrants import entrant
from adamas.lab.protocol.runner import Runner, Trial
from adamas.lab.trial import Record
from adamas.lab.zoo.digits import SOFTMAX

PAIR = ("sgd", "momentum")


class Valley(Runner):
    """A runner whose runs end on a valley in log lr, with noise of `spread` in parts of the loss.

    Half a decade from the bottom the loss is 25 % higher. What the seed draws is shared by both
    optimizers; the noise is not. `planted` makes the first one worse, in parts of the loss.
    """

    def __init__(self, number: int, spread: float = 0.04, planted: float = 0.0) -> None:
        super().__init__(lambda: SOFTMAX, number)
        self.number, self.spread, self.planted = number, spread, planted

    def run(self, trials: Sequence[Trial]) -> list[Record]:
        """Return a record for each trial."""
        return [self.record(trial) for trial in trials]

    def record(self, trial: Trial) -> Record:
        """Draw the loss of one trial: the same whenever it is asked for."""
        place = PAIR.index(trial.optimizer)
        step = round(1e4 * log10(trial.lr)) + 10**6
        shared = np.random.default_rng([self.number, trial.seed]).normal()
        own = np.random.default_rng([self.number, trial.seed, place, step, trial.steps]).normal()
        away = log10(trial.lr / centre(trial.optimizer))
        loss = np.exp(0.1 * shared) * (1 + away**2) * (1 + self.spread * own)
        loss *= 1 + self.planted * (place == 0)
        losses = (3.0, float(loss))
        return Record(
            trial.optimizer, trial.lr, trial.seed, (0, trial.steps), losses, losses[1], False, {}
        )


@cache
def centre(name: str) -> float:
    """Return where the bottom of an optimizer's valley is."""
    return entrant(name).centre
