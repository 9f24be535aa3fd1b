"""Small tables on disk, and what the lab makes of them."""

import csv
import io
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

import adamas
from adamas.lab.needs import LabError
from adamas.lab.own.spec import Spec, resolve
from adamas.lab.problems import Params, Problem, Task

ROWS = 60


def written(folder: Path, columns: dict[str, list[object]], name: str = "data.csv") -> Path:
    """Write a CSV file with these columns."""
    path = folder / name
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    path.write_text(text.getvalue(), "utf-8")
    return path


def numbers(count: int = ROWS, seed: int = 0) -> list[object]:
    """Return numbers without a pattern."""
    return [round(float(x), 4) for x in np.random.default_rng(seed).normal(size=count)]


def small(**more: list[object]) -> dict[str, list[object]]:
    """Return a small sound table, with further or replaced columns."""
    return {"a": numbers(seed=1), "b": numbers(seed=2), "y": numbers(seed=3), **more}


def found(folder: Path, target: str = "y", **columns: list[object]) -> Problem:
    """Resolve the small table with these columns."""
    return resolve(Spec(str(written(folder, small(**columns))), target))


def note(problem: Problem, language: str = "en") -> str:
    """Return what the problem says of the table."""
    assert problem.about is not None
    return problem.about.notes[language]


def inputs(problem: Problem) -> int:
    """Return how many numbers the network sees for each row."""
    return len(problem.task(0).start()["W0"])


def refusal(path: Path, target: str | None = "y") -> str:
    """Return the sentence with which a file is refused."""
    with pytest.raises(LabError) as caught:
        resolve(Spec(str(path), target))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def trained(problem: Problem, steps: int, lr: float, seed: int = 1) -> tuple[Task, Params]:
    """Train with Adam and return the task and the parameters."""
    task = problem.task(seed)
    params = task.start()
    grads: Params = {name: np.empty_like(value) for name, value in params.items()}
    optimizer = adamas.Adam(params, lr=lr, threads=1)
    for batch in islice(task.batches(), steps):
        task.gradient(params, batch, grads)
        optimizer.step(grads)
    return task, params
