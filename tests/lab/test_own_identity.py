"""Columns that name or number the rows: what is dropped, what is kept and said."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adamas.lab.own.identity import role
from adamas.lab.own.spec import Spec, resolve
from own_files import ROWS, found, inputs, note, numbers, trained

GAPS = [i + i // 7 for i in range(ROWS)]
COUNTERS = {
    "from_0": list(range(ROWS)),
    "from_1": list(range(1, ROWS + 1)),
    "from_4711": [4711 + i for i in range(ROWS)],
    "descending": [ROWS - i for i in range(ROWS)],
    "tens": [10 * i for i in range(ROWS)],
    "gaps": GAPS,
    "below_0": [i - 30 for i in range(ROWS)],
    "shuffled": np.random.default_rng(0).permutation(ROWS).tolist(),
    "sampled": np.random.default_rng(0).permutation(2 * ROWS)[:ROWS].tolist(),
    "copied": [1, *range(1, ROWS)],
    "missing": ["", *range(2, ROWS + 1)],
    "years": [1947 + i for i in range(ROWS)],
}


@pytest.mark.parametrize("kind", COUNTERS)
@pytest.mark.parametrize("left_out", [0, 1, 3])
def test_what_numbers_the_rows_is_not_learned_from(
    kind: str, left_out: int, tmp_path: Path
) -> None:
    """Any counter is dropped with a word, also when rows without a target are left out."""
    y = [*numbers(ROWS - left_out), *[""] * left_out]
    problem = found(tmp_path, id=COUNTERS[kind], y=y)
    assert inputs(problem) == 2
    assert "only number the rows" in note(problem) and ": id." in note(problem)
    assert "各行编号的整数列" in note(problem, "zh") and "：id。" in note(problem, "zh")


def test_a_row_number_does_not_decide_the_loss(tmp_path: Path) -> None:
    """A target that drifts from row to row, one of them blank, is not read off a row number."""
    drift = np.cumsum(np.random.default_rng(3).normal(size=200))
    y = [f"{value:.2f}" for value in drift]
    y[7] = ""
    rng = np.random.default_rng(4)
    columns = {name: [f"{x:.2f}" for x in rng.normal(size=200)] for name in ("a", "b")}
    problem = found(tmp_path, **columns, id=list(range(1, 201)), y=y)
    task, params = trained(problem, 300, 0.01)
    # Inputs that say nothing of the target cannot do better than the mean, whose loss is 1.
    assert task.evaluate(params) > 0.8


def test_what_may_be_a_measurement_is_kept_and_said(tmp_path: Path) -> None:
    """Times, dates and large numbers of one's own stay, and the page says what may be wrong."""
    rng = np.random.default_rng(0)
    problem = found(
        tmp_path,
        seconds=np.cumsum(rng.integers(1, 10**6, ROWS)).tolist(),
        day=[f"2024-{i // 28 + 1:02d}-{i % 28 + 1:02d}" for i in range(ROWS)],
        grid=[i / 8 for i in range(ROWS)],
        income=rng.choice(10**7, ROWS, replace=False).tolist(),
        age=rng.integers(18, 90, ROWS).tolist(),
    )
    assert inputs(problem) == 2 + 5
    words, written = note(problem), note(problem, "zh")
    assert "fall with every row" in words and "seconds, day, grid." in words
    assert "differ in every row; delete" in words and ": income." in words
    assert "age" not in words
    assert "逐行递增" in written and "每行都不同" in written


@given(st.integers(80, 400), st.integers(0, 10**6), st.booleans(), st.data())
def test_a_counter_is_found_in_any_order(
    count: int, first: int, shuffled: bool, data: st.DataObject
) -> None:
    """Whatever it begins with and steps by, with a third of it missing or deleted, in any order."""
    step = data.draw(st.sampled_from([1, -1, 2, 5, 100, -1000]))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    values = first + step * np.arange(count, dtype=np.float64)
    values = rng.permutation(values) if shuffled else values
    lost = rng.random(count) < data.draw(st.sampled_from([0, 0.1, 0.3]))
    assert role(values) == role(values[~lost]) == "counter"
    values[lost] = np.nan
    assert role(values) == "counter"


@given(st.integers(0, 10**6), st.sampled_from([40, 200, 1000]))
def test_measurements_are_no_counters(seed: int, count: int) -> None:
    """Whole numbers drawn at random, from few or from many, are not taken for numbers of rows."""
    rng = np.random.default_rng(seed)
    for room in (2, count // 4, count, count * count // 20, 10**6, 2**52):
        assert role(rng.integers(0, room, count).astype(np.float64)) != "counter"
    assert role(rng.normal(size=count)) is None
    assert role(np.round(rng.lognormal(10, 1, count))) != "counter"


def test_ids_beyond_float64_in_parquet(tmp_path: Path) -> None:
    """Numbers above 2 ** 53, as databases give them to rows, are no reason to fail."""
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    columns = {name: pa.array(numbers(seed=k)) for k, name in enumerate("ay")}
    columns["id"] = pa.array([2**62 + 1024 * i for i in range(ROWS)], pa.int64())
    parquet.write_table(pa.table(columns), tmp_path / "data.parquet")
    assert inputs(resolve(Spec(str(tmp_path / "data.parquet"), "y"))) == 2
