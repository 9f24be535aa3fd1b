"""Whether an optimizer can take a step on a problem at all, seen before the first run."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from adamas.lab.entrant_base import Entrant
from adamas.lab.needs import LabError
from adamas.lab.own.loop import Loop, sized
from adamas.lab.problems import Problem
from adamas.lab.protocol.plan import SHARE
from adamas.lab.regrouped import refuse_more, with_batch
from adamas.lab.stepping import StepError
from adamas.lab.trial import start


def try_out(problem: Problem, entrants: Iterable[Entrant]) -> None:
    """Let every optimizer that may fail take one step on a seed that nobody is judged on.

    Rules of adamas do not, but for those that need a matrix of a hidden layer.
    Raises `LabError` with the optimizer's own words when it fails, and where a problem's batches
    cannot have the size that an optimizer is given, or a run of a search has fewer samples. In a
    run the same is a run that failed, as a training at a rate that is too high may end in an error.
    A user's own loop makes its steps itself.
    """
    short = replace(problem, steps=max(problem.every, round(problem.steps * SHARE)))
    for who in entrants:
        batch = who.course.batch
        if isinstance(problem, Loop):
            sized(problem, batch)
        if batch is not None:
            refuse_more(short, batch)
        if isinstance(problem, Loop):
            continue
        if batch is not None:
            next(iter(with_batch(problem, batch).task(0).batches()))
        if who.formula is None or who.formula.orthogonalizes:
            one_step(problem, who)


def one_step(problem: Problem, who: Entrant) -> None:
    """Let somebody else's optimizer be made, judged and stepped once; `LabError` where it fails."""
    task = problem.task(0)
    with who.apart(0), np.errstate(all="ignore"):
        try:
            params, grads, opt = start(task, who.text, who.default_lr)
        except StepError as error:
            raise LabError("error.foreign_made", text=who.text, reason=str(error)) from error
        one = next(iter(task.batches()))
        try:
            with opt.judged():
                pass
            if who.course.factor(problem.steps) is not None:
                opt.at(who.default_lr)
            loss = task.gradient(params, one, grads)
            opt.step(grads, loss, lambda: task.gradient(params, one, grads))
            with opt.judged():
                opt.state_bytes()
        except StepError as error:
            raise LabError("error.foreign_step", text=who.text, reason=str(error)) from error
