"""What a run costs on this machine: for the estimate before a comparison, and for its report.

Times never enter the results, because they differ from one day to the next.
"""

import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from math import inf
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from adamas.lab.entrant_base import Entrant
from adamas.lab.entrants import entrant
from adamas.lab.own.loop import Loop, trained
from adamas.lab.problems import Problem, Task
from adamas.lab.protocol.plan import Plan
from adamas.lab.protocol.results_types import StepTimes
from adamas.lab.statistics.moments import average
from adamas.lab.stepping import StepError
from adamas.lab.trial import start

REPEATS = 7
# A short run takes some hundredths of a second, which whatever else runs here may double.
SHORT_RUNS = 3
ENOUGH = 0.02
# Seconds of short runs that need no further one beside them.
LONG = 1.0
# How many times as long the second of two short runs is, and up to which seconds of the first.
LONGER, SHORT = 4, 0.25
# A learning rate at which no loss overflows.
STILL = 1e-9
# What a worker process takes before its first run: seconds measured with and without PyTorch.
STARTING = 3.0


@dataclass(frozen=True)
class Apart:
    """Seconds that are no run's: to load a problem, to draw a seed's data, to fit its baselines."""

    loading: float = 0.0
    drawing: float = 0.0
    fitting: float = 0.0

    def fits(self, plan: Plan, workers: int) -> float:
        """Return the seconds of the baselines, which the seeds that judge have."""
        return self.fitting * len(plan.report) / workers

    def whole(self, plan: Plan, workers: int) -> float:
        """Return the seconds of a plan.

        Runs of one seed follow each other, so that every worker draws each seed once in a stage,
        and those that judge once for the tuned and once for the untuned runs.
        """
        seeds = len(plan.tuning) + len(plan.refine) + 2 * len(plan.report)
        waiting = STARTING + self.loading if workers > 1 else 0.0
        return waiting + self.drawing * seeds + self.fits(plan, workers)


def seconds_per_run(problem: Problem, entrants: Sequence[Entrant]) -> float:
    """Return about how long a full run takes here, from short ones: the mean of all who take part.

    The mean, because all have as many runs. Rules that differ in fixed numbers alone take as long
    as each other, and are measured once.
    """
    taken = dict[tuple[str, int | None], float]()
    kinds = [(who.formula.key if who.formula else who.text, who.course.batch) for who in entrants]
    for kind, who in zip(kinds, entrants, strict=True):
        if kind not in taken:
            taken[kind] = seconds_of(problem, who)
    return average(taken[kind] for kind in kinds)


def seconds_of(problem: Problem, who: Entrant) -> float:
    """Return about how long a full run of one optimizer takes here, from a short one."""
    # Somebody else's may refuse a rate that is next to nothing.
    lr = STILL if who.formula else who.default_lr
    few = min(problem.every, problem.steps)
    more = min(LONGER * few, problem.steps)

    def taken(steps: int) -> float:
        begun = time.perf_counter()
        trained(replace(problem, steps=steps), who.text, lr, 1)
        return time.perf_counter() - begun

    with threadpool_limits(limits=1):
        taken(few)  # compiles what others find compiled
        begun = time.perf_counter()
        short, longer = taken(few), inf
        if short > SHORT:
            # It was judged at the start, too, as a full run is only once: of many rows, half of it.
            once = min(seconds_judging(problem), short / 2)
            return (short - once) * problem.steps / few + once
        for _ in range(SHORT_RUNS):
            longer = min(longer, taken(more))
            if time.perf_counter() - begun > LONG:
                break
            short = min(short, taken(few))
    return continued((few, short), (more, longer), problem.steps)


def continued(short: tuple[int, float], longer: tuple[int, float], steps: int) -> float:
    """Return the seconds of a run of `steps`, from the steps and seconds of two shorter ones.

    What every run takes once, whatever its length, is in both of them, and is not multiplied.

    >>> continued((10, 3.0), (30, 5.0), steps=110)
    13.0
    """
    (few, least), (more, most) = short, longer
    step = (most - least) / (more - few) if more > few else 0.0
    return least + min(max(step, 0.0), least / few) * (steps - few)


def seconds_judging(problem: Problem) -> float:
    """Return how long one evaluation takes; nothing is told of a user's own loop."""
    if isinstance(problem, Loop):
        return 0.0
    task = problem.task(1)
    params = task.start()
    begun = time.perf_counter()
    task.evaluate(params)
    return time.perf_counter() - begun


def seconds_apart(problem: Problem, loading: float) -> Apart:
    """Return what a table takes besides its runs, when to load it took `loading` seconds."""
    if problem.baselines is None:
        return Apart()
    # Imports what others find imported; a limit of threads holds for what is imported before it.
    problem.baselines(2)
    with threadpool_limits(limits=1):
        begun = time.perf_counter()
        problem.task(3)
        drawn = time.perf_counter()
        problem.baselines(3)
        fitted = time.perf_counter()
    return Apart(loading, drawn - begun, fitted - drawn)


def seconds_for(plan: Plan, each: float, workers: int) -> float:
    """Return the estimate of the time of a plan's runs, when a full one takes `each` seconds."""
    return plan.costs()[1] * each / workers


def timing(problem: Problem, optimizers: Sequence[str]) -> StepTimes:
    """Return microseconds of a step of each optimizer and of the model, one thread, here.

    The least of several repeats, because everything that disturbs a measurement makes it longer.
    None for an optimizer that fails meanwhile, as it may late in a run. Nothing is told of a user's
    own loop.
    """
    if isinstance(problem, Loop):  # what is the optimizer's in it, nobody can tell
        return {"per_step": {}, "model_step": 0.0, "state_bytes_per_parameter": {}}
    task = problem.task(1)
    batch = next(iter(task.batches()))
    per_step, state = dict[str, float | None](), dict[str, float | None]()
    with threadpool_limits(limits=1):
        for name in optimizers:
            try:
                per_step[name], state[name] = timed(task, batch, entrant(name))
            except StepError:
                per_step[name] = state[name] = None
        params = task.start()
        grads = {name: np.empty_like(param) for name, param in params.items()}
        model = least(lambda: task.gradient(params, batch, grads))
    return {"per_step": per_step, "model_step": model, "state_bytes_per_parameter": state}


def timed(task: Task, batch: Any, who: Entrant) -> tuple[float | None, float]:
    """Return microseconds of a step of one optimizer, and its bytes of state per parameter.

    None instead of a time where a step takes several gradients: that is mostly the model's. Raises
    `StepError` when the optimizer fails.
    """
    with who.apart(1):
        params, grads, opt = start(task, who.text, STILL if who.formula else who.default_lr)
        loss = task.gradient(params, batch, grads)
        step = partial(opt.step, grads, loss, partial(task.gradient, params, batch, grads))
        step()
        taken = None if who.asks else least(step)
        return taken, opt.state_bytes() / sum(array.size for array in params.values())


def least(call: Callable[[], object]) -> float:
    """Return the least microseconds that one call took, over `REPEATS` batches of calls."""
    call()
    count, best = 1, float("inf")
    for _ in range(REPEATS):
        begun = time.perf_counter()
        for _ in range(count):
            call()
        taken = time.perf_counter() - begun
        best = min(best, taken / count)
        if taken < ENOUGH:
            count = max(count, int(count * ENOUGH / max(taken, 1e-6)))
    return 1e6 * best


def machine() -> dict[str, Any]:
    """Return versions and the kind of machine."""
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "numba", "scipy")},
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count() or 1,
    }
