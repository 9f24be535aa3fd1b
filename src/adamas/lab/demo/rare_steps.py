"""The step that rare and common words really get: lr / sqrt(second moment), word by word."""

from typing import TypedDict

import numpy as np

import adamas
from adamas.lab.doctor.effective import effective_step
from adamas.lab.problems import Array, Problem
from adamas.lab.trial import Updates, run
from adamas.lab.zoo.rare_words import RARE, frequencies

SHOWN = 80


class RareSteps(TypedDict):
    """Effective steps of some words by how often they are seen, and what they come to.

    `ratio` is a rare word's typical step in units of a common word's; `slope` that of Adam's steps
    over the frequency, in logarithms.
    """

    frequency: list[float]
    adam: list[float]
    adagrad: list[float]
    sgd: float
    ratio: dict[str, float]
    rare_words: int
    slope: float


def effective_steps(problem: Problem, lrs: dict[str, float], seed: int) -> RareSteps:
    """Return what one unit of gradient is multiplied by, per word, at the end of a run.

    `lrs` holds the tuned learning rates of "sgd", "adagrad" and "adam". For SGD the answer is lr,
    whatever the word. Words never seen (second moment 0) are left out.
    """
    frequency = frequencies()
    adam, v_adam = at_the_end(problem, "adam", lrs["adam"], seed)
    adagrad, v_adagrad = at_the_end(problem, "adagrad", lrs["adagrad"], seed)
    seen = (v_adam > 0) & (v_adagrad > 0)
    rare, common = frequency < RARE, frequency >= 0.5
    ratio = {
        name: float(np.median(step[seen & rare]) / np.median(step[seen & common]))
        for name, step in (("adam", adam), ("adagrad", adagrad))
    }
    shown = np.flatnonzero(seen)[:: max(1, int(seen.sum()) // SHOWN)]
    return {
        "frequency": frequency[shown].tolist(),
        "adam": adam[shown].tolist(),
        "adagrad": adagrad[shown].tolist(),
        "sgd": lrs["sgd"],
        "ratio": ratio,
        "rare_words": int(rare.sum()),
        "slope": float(np.polyfit(np.log(frequency[seen]), np.log(adam[seen]), 1)[0]),
    }


def at_the_end(problem: Problem, optimizer: str, lr: float, seed: int) -> tuple[Array, Array]:
    """Return the effective step and the state `v` after one run, float64, one entry a word."""
    last: list[adamas.Optimizer] = []

    def watch(step: int, opt: adamas.Optimizer) -> None:
        last[:] = [opt]

    run(problem, optimizer, lr, seed, Updates(watch))
    (opt,) = last
    states, effective = opt.values("w"), effective_step(opt.formula)
    assert effective is not None
    return effective(opt.steps, opt.settings(), states), np.asarray(states["v"], np.float64)
