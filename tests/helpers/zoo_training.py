"""Training of the lab's problems in tests: the plain loop, and tasks moved to float64."""

from itertools import islice
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

import adamas
from adamas import rules
from adamas.lab.problems import Params, Problem, Task


def train(problem: Problem, rule: str, lr: float, seed: int, steps: int = 0) -> tuple[Task, Params]:
    """Train with the rule's defaults for `steps`, or the problem's own number; return the end."""
    task = problem.task(seed)
    params = task.start()
    grads = {name: np.empty_like(value) for name, value in params.items()}
    opt = adamas.Optimizer(getattr(rules, rule), params, lr=lr, threads=1, on_nonfinite="allow")
    with threadpool_limits(1):
        for batch in islice(task.batches(), steps or problem.steps):
            task.gradient(params, batch, grads)
            opt.step(grads)
    return task, params


def final_loss(problem: Problem, rule: str, lr: float, seeds: range) -> float:
    """Return the mean validation loss at the end of one run for each seed."""
    ends = (train(problem, rule, lr, seed) for seed in seeds)
    return float(np.mean([task.evaluate(params) for task, params in ends]))


def in_float64(value: Any) -> Any:
    """Return arrays and tensors of floats in float64, inside tuples and dicts too."""
    if isinstance(value, dict):
        return {name: in_float64(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(in_float64(item) for item in value)
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return value.astype(np.float64)
    if type(value).__module__ == "torch" and value.is_floating_point():
        return value.double()
    return value


def as_bytes(value: Any) -> bytes:
    """Return the content of arrays, tensors and numbers in any nest of tuples and dicts."""
    if isinstance(value, dict):
        value = tuple(value.items())
    if isinstance(value, tuple | list):
        return b"|".join(as_bytes(item) for item in value)
    return np.asarray(value).tobytes() if not isinstance(value, str) else value.encode()
