"""A table as found in the wild, and files of anything at all."""

import csv
import gc
import os
import subprocess
import sys
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adamas.lab.needs import LabError
from adamas.lab.own.frame import FEWEST
from adamas.lab.own.prepared import CLIP
from adamas.lab.own.spec import Spec, resolve
from adamas.lab.problems import Problem
from own_files import note, trained, written


def large(folder: Path, classes: bool) -> Path:
    """Write 50,000 rows with gaps, texts, a constant and an identifier, and a known dependence."""
    rng = np.random.default_rng(0)
    count = 50_000
    age, income = rng.integers(18, 90, count), rng.lognormal(10, 1, count)
    city = rng.choice(["Rome", "Paris", "北京"], count)
    price = 3 * age + 20 * np.log(income) + 30 * (city == "Paris") + rng.normal(0, 5, count)
    cheap = np.where(price < np.median(price), "cheap", "dear")
    columns: dict[str, list[object]] = {
        "id": [f"u{i}" for i in range(count)],
        "age": [
            "" if gap else int(a) for a, gap in zip(age, rng.random(count) < 0.05, strict=True)
        ],
        "income": [f"{x:.2f}" for x in income],
        "city": city.tolist(),
        "comment": [f"seen {i} times" for i in range(count)],
        "unit": ["EUR"] * count,
        "price": cheap.tolist() if classes else [f"{x:.2f}" for x in price],
    }
    return written(folder, columns)


@pytest.mark.parametrize("classes", [False, True])
def test_a_large_table_trains_below_its_baseline(classes: bool, tmp_path: Path) -> None:
    """A table as found in the wild is learned in 200 steps: half the loss of a blind answer."""
    problem = resolve(Spec(str(large(tmp_path, classes)), "price"))
    task, params = trained(problem, 200, 0.01)
    assert task.evaluate(params) < 0.5 * (np.log(2) if classes else 1)
    assert not classes or task.extras(params)["accuracy"] > 0.85
    for words in ("every row: unit.", "id (50,000), comment", "says so: age", "others: city"):
        assert words in note(problem)


@pytest.mark.parametrize("classes", [False, True])
def test_the_table_of_a_seed_is_let_go(classes: bool, tmp_path: Path) -> None:
    """What a seed drew is freed when the seeds behind it are drawn, not when Python looks for it.

    Of 500,000 rows every seed kept 34 MB, until joblib took the worker for one that leaks.
    """
    problem = resolve(Spec(str(large(tmp_path, classes)), "price"))
    gc.disable()
    try:
        kept = [weakref.ref(problem.task(seed).split.data[0][0]) for seed in range(6)]
        assert [one() is None for one in kept] == [True] * 4 + [False] * 2
    finally:
        gc.enable()


ASK = """
import sys
import weakref
from adamas.lab.own.spec import Spec, resolve
task = resolve(Spec(sys.argv[1], "price")).task(7)
x, y = next(task.batches())
print(repr((task.evaluate(task.start()), float(x.sum()), float(y.sum()))))
"""


def test_every_process_sees_the_same(tmp_path: Path) -> None:
    """Batches and losses do not depend on the process, nor on how it hashes texts."""
    path = large(tmp_path, True)
    said = {
        subprocess.run(
            [sys.executable, "-c", ASK, str(path)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in "123"
    }
    assert len(said) == 1


CELLS: list[st.SearchStrategy[object]] = [
    st.floats(allow_nan=True, allow_infinity=True),
    st.integers(-3, 3),
    st.integers(),
    st.sampled_from(["", "NA", "?", "nan"]),
    st.sampled_from(["red", "green", "blue", "2024-01-01", "31/12/1999", "1,5", "true"]),
    st.text(max_size=5),
    st.dates().map(str),
]


@st.composite
def tables(draw: st.DrawFn) -> dict[str, list[object]]:
    """Draw tables of numbers at any scale, with a few other cells among them or instead."""
    count = draw(st.integers(FEWEST - 1, FEWEST + 8))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    columns: dict[str, list[object]] = {}
    for name in ["y", "a", "b", "c"][: draw(st.integers(1, 4))]:
        unit = draw(st.sampled_from([1.0, 1e-300, 1e30, 1e99, 1e300]))
        pool = draw(st.lists(st.one_of(CELLS), min_size=1, max_size=5))
        share = draw(st.sampled_from([0, 0.03, 0.3, 1]))
        columns[name] = [
            pool[rng.integers(len(pool))] if rng.random() < share else unit * float(rng.normal())
            for _ in range(count)
        ]
    return columns


def sound(make: Callable[[], Problem]) -> None:
    """Check that a problem is refused in one sentence, or has finite inputs, losses and slopes."""
    problem, sentence = None, "given"
    try:
        problem = make()
    except LabError as error:
        sentence = str(error)
    assert sentence and "\n" not in sentence
    if problem is None:
        return
    task = problem.task(1)
    params = task.start()
    for x, y in (task.training, task.validation):  # type: ignore[attr-defined]
        assert np.isfinite(x).all() and np.isfinite(y).all() and np.abs(x).max() <= CLIP
        assert len(x) == len(y) >= 4
    grads = {name: np.full_like(value, np.nan) for name, value in params.items()}
    assert np.isfinite(task.gradient(params, next(task.batches()), grads))
    assert all(np.isfinite(grad).all() for grad in grads.values())
    assert 0 < task.evaluate(params) < np.inf
    assert all(np.isfinite(value) for value in task.extras(params).values())


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
@given(columns=tables(), delimiter=st.sampled_from(",;\t|"))
def test_any_table_trains_or_is_refused(
    columns: dict[str, list[object]], delimiter: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever stands in the cells, nothing but a `LabError` comes out, and numbers are finite."""
    path = tmp_path_factory.mktemp("any") / "data.csv"
    with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    sound(lambda: resolve(Spec(str(path), "y")))


@settings(deadline=None)
@given(
    content=st.one_of(
        st.binary(max_size=300), st.text(max_size=300).map(lambda t: t.encode("utf-8", "replace"))
    ),
    suffix=st.sampled_from([".csv", ".npz", ".parquet", ".tsv", ".npy"]),
)
def test_any_bytes_are_refused_in_a_sentence(
    content: bytes, suffix: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A file of anything, under any name, gives a `LabError`."""
    path = tmp_path_factory.mktemp("any") / f"data{suffix}"
    path.write_bytes(content)
    sound(lambda: resolve(Spec(str(path), "y")))
