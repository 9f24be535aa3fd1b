"""A table that is too large for memory is read in pieces, and becomes the same problem."""

import gzip
import pickle
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from adamas.lab.needs import LabError
from adamas.lab.own import csv, encodings, files, room, sharing, spec
from adamas.lab.own.options import TableOptions
from adamas.lab.own.spec import Spec, resolve
from adamas.lab.own.telling import listening
from adamas.lab.problems import Problem
from own_files import numbers, refusal, small, trained, written

ROWS = 400
DAYS = [f"2024-{1 + k // 28 % 12:02}-{1 + k % 28:02}" for k in range(ROWS)]
WORDS = [("red", "green", "blue", "")[k * 7 % 4] for k in range(ROWS)]


def columns(**more: list[object]) -> dict[str, list[object]]:
    """Return a table with columns of all kinds."""
    noise = numbers(ROWS, 5)
    return {
        "number": numbers(ROWS, 1),
        "holes": ["NA" if k % 9 == 0 else x for k, x in enumerate(numbers(ROWS, 2))],
        "whole": [k * 13 % 50 for k in range(ROWS)],
        "day": list(DAYS),
        "word": list(WORDS),
        "name": [f"n{k}" for k in range(ROWS)],
        "row": list(range(ROWS)),
        "money": [f"${k % 30},{100 + k % 800}.50" for k in range(ROWS)],
        "same": [1] * ROWS,
        "unit_id": [k // 4 for k in range(ROWS)],
        "y": [None if k % 50 == 7 else x for k, x in enumerate(noise)],
        **more,
    }


def as_csv(folder: Path) -> Path:
    """Write the table as text."""
    return written(folder, columns())


def as_classes(folder: Path) -> Path:
    """Write the table with a target of classes, packed, in GB18030."""
    path = written(folder, columns(y=[("甲", "乙", "丙")[k * 5 % 3] for k in range(ROWS)]))
    packed = folder / "data.csv.gz"
    packed.write_bytes(gzip.compress(path.read_text("utf-8").encode("gb18030")))
    return packed


def as_commas(folder: Path) -> Path:
    """Write numbers with decimal commas between semicolons, and a row that has too many fields."""
    path = folder / "data.csv"
    rows = [f"{k % 17},5;{k * 3 % 19},{k % 10};{k * 7 % 23}" for k in range(ROWS)]
    path.write_text("\n".join(["a;b;y", *rows, "1,5;2;3;4"]), "utf-8")
    return path


def as_parquet(folder: Path) -> Path:
    """Write the table with types of its own: texts, dictionaries, dates, bytes, lists, nulls."""
    path, table = folder / "data.parquet", columns()
    arrays: dict[str, Any] = {
        **{name: pa.array(table[name]) for name in ("number", "whole", "row", "same", "y")},
        "holes": pa.array([None if x == "NA" else x for x in table["holes"]]),
        "word": pa.array(WORDS).dictionary_encode(),
        "day": pa.array(np.array(DAYS, "datetime64[D]")),
        "moment": pa.array(np.array(DAYS, "datetime64[us]")),
        "truth": pa.array([k % 3 == 0 for k in range(ROWS)]),
        "zero": pa.array([f"a\0{k % 3}" for k in range(ROWS)]),
        "text": pa.array([b"one", b"two", None, b"one"] * (ROWS // 4)),
        "bytes": pa.array([b"\xff", b"two", None, b"one"] * (ROWS // 4)),
        "list": pa.array([[1]] * ROWS),
    }
    pq.write_table(pa.table(arrays), path, row_group_size=90)
    return path


def as_arrays(folder: Path) -> Path:
    """Write samples of two dimensions, in the order of Fortran, packed."""
    x = np.random.default_rng(0).normal(size=(ROWS, 3, 4)).astype(np.float32)
    x[5, 1, 2] = np.nan
    path = folder / "data.npz"
    np.savez_compressed(path, X=np.asfortranarray(x), y=x[:, 0, :1] * x[:, 2, :1], more=x)
    return path


def as_rows(folder: Path) -> Path:
    """Write samples row by row as texts."""
    path = folder / "data.npz"
    np.savez(path, x=np.array([[word, f" {k % 7}"] for k, word in enumerate(WORDS)]), y=range(ROWS))
    return path


CASES: dict[str, tuple[Callable[[Path], Path], TableOptions]] = {
    "text": (as_csv, TableOptions()),
    "sample": (as_csv, TableOptions(rows=100)),
    "groups": (as_csv, TableOptions(group="unit_id")),
    "time": (as_csv, TableOptions(time="day", drop=("name",))),
    "classes": (as_classes, TableOptions()),
    "commas": (as_commas, TableOptions()),
    "parquet": (as_parquet, TableOptions()),
    "arrays": (as_arrays, TableOptions()),
    "rows": (as_rows, TableOptions(rows=90)),
    "parquet_sample": (as_parquet, TableOptions(rows=60)),
}


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From when this is called on every table is too large for memory, and read in small pieces."""

    def start() -> None:
        spec._resolve.cache_clear()
        monkeypatch.setattr(room, "LARGEST", 0)
        monkeypatch.setattr("adamas.lab.own.parquet.ROWS", 50)
        monkeypatch.setattr("adamas.lab.own.arrays_in_pieces.PIECE", 1000)
        monkeypatch.setattr(csv, "CELLS", 500)
        for one in (files, encodings):
            monkeypatch.setattr(one, "BLOCK", 1000)

    return start


def same(one: Problem, other: Problem) -> None:
    """Check that two problems are trained, judged and told alike, but for how they were read."""
    assert one.about and other.about
    assert one.about.columns == other.about.columns
    for language in ("en", "zh"):
        for text in ("notes", "split"):
            first, second = (getattr(p.about, text)[language] for p in (one, other))
            assert second.endswith(first) and len(second) > len(first) > 0
    names = ("steps", "every", "batch")
    assert [getattr(one, name) for name in names] == [getattr(other, name) for name in names]
    for seed in (0, 1):
        tasks: list[Any] = [one.task(seed), other.task(seed)]
        for side in ("training", "validation"):
            for a, b in zip(*(getattr(task, side) for task in tasks), strict=True):
                assert a.dtype == b.dtype and np.array_equal(a, b)
        assert tasks[0].split.unit == tasks[1].split.unit


@pytest.mark.parametrize("case", CASES)
def test_pieces_are_the_same_problem(case: str, tmp_path: Path, pieces: Callable[[], None]) -> None:
    """Columns, splits, scales, steps and losses have the bits of the table as a whole."""
    made, options = CASES[case]
    asked = Spec(str(made(tmp_path)), "y", options)
    whole = resolve(asked)
    pieces()
    again = resolve(asked)
    assert again is not whole
    same(whole, again)
    if case == "text":
        losses = []
        for problem in (whole, again):
            task, params = trained(replace(problem, steps=30), 30, 0.01)
            losses.append(task.evaluate(params))
        assert losses[0] == losses[1]


def peak(asked: Spec) -> int:
    """Return the most bytes that reading a table takes, everything imported."""
    spec._resolve.cache_clear()
    tracemalloc.start()
    try:
        resolve(asked)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_holds_a_column_and_not_the_table(
    tmp_path: Path, pieces: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sample of a table of sixty columns takes a quarter of what reading it at once takes."""
    values = np.random.default_rng(0).normal(size=(8_000, 60)).round(4)
    path = tmp_path / "large.csv"
    lines = [",".join(map(str, row)) for row in values.tolist()]
    path.write_text("\n".join([",".join(f"c{k}" for k in range(60)), *lines]))
    asked = Spec(str(path), "c7", TableOptions(rows=200))
    monkeypatch.setattr(csv, "CELLS", 12_000)
    resolve(asked)
    whole = peak(asked)
    pieces()
    monkeypatch.setattr(csv, "CELLS", 12_000)
    assert whole > 2 * path.stat().st_size
    assert peak(asked) < whole / 4


def test_a_table_is_read_once_for_all_processes(
    tmp_path: Path, pieces: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process gets what became of the table, without the table, and nothing stays."""
    asked = Spec(str(as_csv(tmp_path)), "y")
    whole = resolve(asked)
    with sharing.shared(whole, asked, tmp_path) as load:
        assert load() is whole and not (tmp_path / sharing.NAME).exists()
    pieces()
    problem = resolve(asked)
    with sharing.shared(problem, asked, tmp_path) as load:
        assert load() is problem
        there = pickle.loads(pickle.dumps(load))
        monkeypatch.setattr(sharing, "_here", {})
        Path(asked.text).unlink()
        again = there()
        assert again is not problem and again is there()
        same(whole, again)
    assert not (tmp_path / sharing.NAME).exists()
    monkeypatch.setattr(sharing, "_here", {})
    with pytest.raises(LabError, match="there is no file"):
        there()  # would read the table again


class Bomb:
    """Unpacking one says so."""

    def __reduce__(self) -> object:
        return pytest.fail, ("what somebody else wrote was unpacked",)


def test_what_somebody_else_puts_there_is_not_unpacked(
    tmp_path: Path, pieces: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that finds another file than the one of its run reads the table itself."""
    pieces()
    asked = Spec(str(as_csv(tmp_path)), "y")
    problem = resolve(asked)
    with sharing.shared(problem, asked, tmp_path) as load:
        monkeypatch.setattr(sharing, "_here", {})
        (tmp_path / sharing.NAME).write_bytes(pickle.dumps(Bomb()))
        assert load().about == problem.about


def test_a_full_disk_says_so_before_the_work(
    tmp_path: Path, pieces: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the disk has no room for the columns the refusal tells the bytes and the folder."""
    path = written(tmp_path, small())
    pieces()
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(room, "MOST", 0.0)
    said = refusal(path)
    assert f"takes {path.stat().st_size:,} bytes of {tmp_path}" in said and "TMPDIR" in said
    monkeypatch.setenv("TMPDIR", str(tmp_path / "nowhere"))
    assert "0 are free" in refusal(path)


def test_a_small_file_that_unpacks_to_a_huge_one(
    tmp_path: Path, pieces: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a packed file holds goes to the disk and not into memory, and a limit ends it."""
    path = tmp_path / "data.csv.gz"
    path.write_bytes(gzip.compress(b"1,2\n" * 10**6))
    pieces()
    monkeypatch.setattr(room, "GROWTH", 10_000)
    monkeypatch.setattr(room, "MOST", 1e-12)
    tracemalloc.start()
    try:
        assert "does not fit into memory" in refusal(path, "column2")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2**20


def test_memory_that_is_short_now_changes_no_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table read in pieces for lack of memory just now says nothing else of itself."""
    asked = Spec(str(as_csv(tmp_path)), "y")
    whole = resolve(asked)
    spec._resolve.cache_clear()
    monkeypatch.setattr(room, "free_memory", lambda: 0)
    again = resolve(asked)
    assert whole.about and again.about
    assert again is not whole and again.about == whole.about


def test_a_long_reading_is_told(
    tmp_path: Path, pieces: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After two seconds it is said how many rows were read, and which column is."""
    monkeypatch.setattr("adamas.lab.own.telling.QUIET", -1.0)
    monkeypatch.setattr("adamas.lab.own.telling.SHARE", -1.0)
    told: list[tuple[str, dict[str, object]]] = []
    pieces()
    with listening(lambda key, **values: told.append((key, values))):
        resolve(Spec(str(as_csv(tmp_path)), "y"))
    rows = [values["rows"] for key, values in told if key == "reading_rows"]
    assert rows == sorted(rows) and rows[-1] == ROWS and len(rows) > 5  # type: ignore[type-var]
    assert [v["column"] for k, v in told if k == "reading_column"] == [*columns()]


def test_spoilt_files_are_refused_all_the_same(tmp_path: Path, pieces: Callable[[], None]) -> None:
    """A file that breaks off is refused with a sentence, however it is read."""
    pieces()
    for make in (as_parquet, as_arrays):
        path = make(tmp_path)
        content = path.read_bytes()
        for broken in (content[:-20], content[:400] + bytes(200) + content[600:]):
            path.write_bytes(broken)
            assert path.name in refusal(path)
    np.savez(path, X=np.array([[object()]] * ROWS), y=range(ROWS))
    assert "pickle" in refusal(path) or "objects" in refusal(path)
    np.savez(path, X=np.zeros((ROWS, 2), np.complex64), y=range(ROWS))
    assert "complex64" in refusal(path)
    np.savez(path, X=np.zeros(ROWS), y=range(ROWS))
    assert "(400,)" in refusal(path)
