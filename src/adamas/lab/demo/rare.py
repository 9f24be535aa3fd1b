"""The step that rare and common words really get: lr / sqrt(second moment), word by word."""

from inspect import signature
from typing import Any

import numpy as np

import adamas
from adamas import rules
from adamas.lab.demo.tutorial import BETA2, EPS, correction
from adamas.lab.problems import Array, Problem
from adamas.lab.trial import Updates, run
from adamas.lab.zoo.rare_words import RARE, frequencies

ADAGRAD_EPS = float(signature(rules.adagrad).parameters["eps"].default)
SHOWN = 80


def effective_steps(problem: Problem, lrs: dict[str, float], seed: int) -> dict[str, Any]:
    """Return what one unit of gradient is multiplied by, per word, at the end of a run.

    `lrs` holds the tuned learning rates of "sgd", "adagrad" and "adam". For SGD the answer is lr,
    whatever the word. Words never seen (second moment 0) are left out.
    """
    frequency = frequencies()
    v_adam = second_moment(problem, "adam", lrs["adam"], seed)
    v_adagrad = second_moment(problem, "adagrad", lrs["adagrad"], seed)
    v_hat = v_adam / correction(BETA2, np.array(problem.steps))
    adam = lrs["adam"] / (np.sqrt(v_hat) + EPS)
    adagrad = lrs["adagrad"] / (np.sqrt(v_adagrad) + ADAGRAD_EPS)
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


def second_moment(problem: Problem, optimizer: str, lr: float, seed: int) -> Array:
    """Return the state `v` after one run, float64, one entry a word."""
    last: list[Array] = []

    def watch(step: int, opt: adamas.Optimizer) -> None:
        last[:] = [np.array(opt.state["w"]["v"], dtype=np.float64)]

    run(problem, optimizer, lr, seed, Updates(watch))
    return last[0]
