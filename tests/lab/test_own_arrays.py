"""Arrays and Parquet files of the user's own: the same problem as from a table of text."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from adamas.lab.needs import LabError
from adamas.lab.own.spec import Spec, resolve
from adamas.lab.problems import Array, Problem
from own_files import ROWS, inputs, note, numbers, refusal, small, written


def arrays(folder: Path, **named: object) -> Path:
    """Write an npz file."""
    path = folder / "data.npz"
    np.savez(path, **named)  # type: ignore[arg-type]
    return path


def validation(problem: Problem) -> tuple[Array, Array]:
    """Return what judges the first seed."""
    found: tuple[Array, Array] = problem.task(0).validation  # type: ignore[attr-defined]
    return found


def test_arrays_are_the_table_of_their_columns(tmp_path: Path) -> None:
    """X and y give the inputs and targets that a CSV file of the same numbers gives."""
    table = small()
    x = np.array([table["a"], table["b"]], np.float64).T
    by_file = resolve(Spec(str(written(tmp_path, table)), "y"))
    for names in (("X", "y", None), ("x", "Y", None), ("X", "price", "price")):
        path = arrays(tmp_path, **{names[0]: x, names[1]: np.array(table["y"])[:, None]})
        for mine, theirs in zip(
            validation(resolve(Spec(str(path), names[2]))), validation(by_file), strict=True
        ):
            np.testing.assert_array_equal(mine, theirs)


def test_images_texts_and_booleans(tmp_path: Path) -> None:
    """Samples of any shape are laid out as rows; texts are classes and booleans are numbers."""
    images = np.random.default_rng(0).integers(0, 255, (ROWS, 4, 5), np.uint8)
    path = arrays(tmp_path, X=images, y=np.array(["cat", "dog", "owl"] * (ROWS // 3)))
    problem = resolve(Spec(str(path)))
    assert inputs(problem) == 20
    assert "(4, 5)" in note(problem) and "3 classes" in note(problem)
    path = arrays(tmp_path, X=images.reshape(ROWS, -1) > 100, y=np.arange(ROWS) % 2 == 0)
    assert "2 classes" in note(resolve(Spec(str(path))))


X = np.zeros((ROWS, 2))
Y = np.arange(ROWS)


@pytest.mark.parametrize(
    ("named", "target", "words"),
    [
        ({"X": X}, None, ["no array y or Y", "it holds X"]),
        ({"y": Y}, None, ["no array X or x", "it holds y"]),
        ({"X": X, "y": Y}, "price", ["no array price"]),
        ({"X": X, "y": Y[:-1]}, None, ["(60, 2)", "(59,)"]),
        ({"X": X[:, 0], "y": Y}, None, ["(60,)", "(n, ...)"]),
        ({"X": X, "y": X}, None, ["(60, 2)"]),
        ({"X": X, "y": Y}, "X", ["(n,)"]),
        ({"X": X[:30], "y": Y[:30]}, None, ["30 rows", "40"]),
        ({"X": X * 1j, "y": Y}, None, ["complex128", "X"]),
        ({"X": X, "y": Y}, None, ["no column left", "every row: X[0], X[1]"]),
        ({"X": np.array([[{}]] * ROWS, object), "y": Y}, None, ["Python objects", "run code"]),
    ],
)
def test_arrays_that_are_refused(
    named: dict[str, object], target: str | None, words: list[str], tmp_path: Path
) -> None:
    """Missing names, shapes that do not fit, and anything that needs pickle are refused."""
    sentence = refusal(arrays(tmp_path, **named), target)
    assert all(word in sentence for word in ["data.npz", *words]), sentence


def test_a_file_that_is_no_npz(tmp_path: Path) -> None:
    """Text under the name of an npz file is refused with how to write one."""
    path = tmp_path / "data.npz"
    path.write_text("a,b\n1,2\n")
    assert "np.savez" in refusal(path)


def test_parquet_is_the_table_of_its_columns(tmp_path: Path) -> None:
    """Numbers, texts, dates, booleans and categories come as from text; lists are left out."""
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    days = [f"2024-01-{i % 28 + 1:02d}" for i in range(ROWS)]
    color = ["red", "green", "blue"] * (ROWS // 3)
    plain = small(gap=["", *numbers(ROWS - 1)], day=days, color=color, yes=["true", "false"] * 30)
    columns = {
        **{name: pa.array(plain[name]) for name in ("a", "b", "y")},
        "gap": pa.array([None, *plain["gap"][1:]]),
        "day": pa.array(np.array(days, "datetime64[D]")),
        "color": pa.array(color).dictionary_encode(),
        "yes": pa.array([True, False] * 30),
        "list": pa.array([[1, 2]] * ROWS),
    }
    path = tmp_path / "data.parquet"
    pq.write_table(pa.table(columns), path)
    problem = resolve(Spec(str(path), "y"))
    by_file = resolve(Spec(str(written(tmp_path, plain)), "y"))
    for mine, theirs in zip(validation(problem), validation(by_file), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-6)
    assert "texts or dates: list." in note(problem)
    assert "did you mean 'color'?" in refusal(path, "colour")
    assert "'list'" in refusal(path, "list")


@pytest.mark.parametrize("name", ["data.parquet.brotli", "data", "data.csv"])
def test_parquet_is_told_by_what_it_begins_with(name: str, tmp_path: Path) -> None:
    """Parquet under another name is read as Parquet, as packages ship it."""
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    pq.write_table(pa.table(small()), tmp_path / name)
    assert inputs(resolve(Spec(str(tmp_path / name), "y"))) == 2


def test_without_pyarrow_the_cure_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parquet without its reader says what to install."""
    path = tmp_path / "data.parquet"
    path.write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert "pip install pyarrow" in refusal(path)


def test_importing_the_lab_stays_light() -> None:
    """`from adamas.lab import Problem` loads no framework and none of the lab's own packages."""
    code = (
        "import sys; from adamas.lab import Problem; print(*{n.split('.')[0] for n in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"torch", "jax", "pyarrow", "sklearn", "scipy", "matplotlib", "numba"}
    assert not heavy & set(done.stdout.split())
    with pytest.raises(ImportError):
        from adamas.lab import no_such_name  # type: ignore[attr-defined]  # noqa: F401
    assert issubclass(LabError, Exception)
