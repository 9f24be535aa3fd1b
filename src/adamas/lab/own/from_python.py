"""Take a problem out of the user's own Python file."""

import sys
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

from adamas.cli_text.core_words import told
from adamas.lab.needs import LabError
from adamas.lab.own.loop import Loop, begun, is_loop, loop_problem
from adamas.lab.problems import Problem
from adamas.lab.text import words
from adamas.show import described, load_module


def load(path: Path, text: str) -> Problem:
    """Return the `Problem` that `mine.py:problem` names, or that a call of it returns.

    The file is run, and may import what lies beside it. Raises `LabError` if it fails, if the name
    is missing or something else, or if the problem does not keep the promises of `Task`.
    """
    name = text.rpartition(":")[2]
    if not name.isidentifier():
        raise LabError("error.no_function", text=text, file=path.name)
    if str(path.parent) not in sys.path:
        # Behind everything else, so that a user's random.py shadows nothing.
        sys.path.append(str(path.parent))
    try:
        module = load_module(path)
    except ValueError as error:
        raise LabError("error.plain", reason=told(error)) from error
    found = _named(module, name, text)
    try:
        if is_loop(found):
            found = loop_problem(found, name=name)
        elif not isinstance(found, Problem) and callable(found):
            found = found()
    except LabError:
        raise
    except (Exception, SystemExit) as error:
        raise LabError("error.failed", text=text, error=described(error, path)) from error
    if not isinstance(found, Problem):
        raise LabError("error.not_problem", text=text, kind=type(found).__name__)
    check(found, text, path)
    return found


def _named(module: object, name: str, text: str) -> Any:
    if hasattr(module, name):
        return getattr(module, name)
    names = [other for other in vars(module) if not other.startswith("_")]
    close = get_close_matches(name, names, 1)
    hint = words("hint.mean", name=close[0]) if close else words("hint.define")
    raise LabError("error.not_defined", text=text, name=name, hint=hint)


def check(problem: Problem, text: str, path: Path) -> None:
    """Take one gradient and one validation loss, and refuse what an optimizer could not use.

    Of a training loop, run the beginning.
    """
    if not 1 <= problem.every <= problem.steps:
        raise LabError("error.every", text=text, every=problem.every, steps=problem.steps)
    if isinstance(problem, Loop):
        return begun(problem)
    try:
        task = problem.task(0)
        params = task.start()
        _check_arrays(params, text)
        grads = {name: np.full_like(array, np.nan) for name, array in params.items()}
        loss = task.gradient(params, next(iter(task.batches())), grads)
        judged = task.evaluate(params)
    except LabError:
        raise
    except (Exception, SystemExit) as error:
        raise LabError("error.failed", text=text, error=described(error, path)) from error
    for name, grad in grads.items():
        if not np.isfinite(grad).all():
            raise LabError("error.start_gradient", text=text, name=name)
    if not np.isfinite(loss):
        raise LabError("error.start_loss", text=text, loss=loss)
    if not (np.isfinite(judged) and judged > 0):
        raise LabError("error.start_judged", text=text, judged=judged)


def _check_arrays(params: object, text: str) -> None:
    good = (
        isinstance(params, dict)
        and params
        and all(
            isinstance(array, np.ndarray) and array.dtype in (np.float32, np.float64)
            for array in params.values()
        )
    )
    if not good:
        raise LabError("error.start_arrays", text=text)
