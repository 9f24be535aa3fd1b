"""Tables that nobody prepared: what is refused, and why, in one sentence with the cure."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from adamas.lab.needs import LabError
from adamas.lab.own.notes import NAMED
from adamas.lab.own.options import TableOptions
from adamas.lab.own.spec import Spec, resolve
from adamas.lab.own.tabular import EVALUATIONS
from adamas.lab.zoo import built_in
from own_files import ROWS, found, inputs, note, numbers, refusal, small, written

# Content of the file -> words that the sentence must have.

HEAD = "a,b,y\n"
LINES = [f"{a},{b},{y}\n" for a, b, y in zip(*small().values(), strict=True)]
REFUSED = {
    "empty file": (b"", ["empty", "0 bytes"]),
    "blank lines": (b"\n\n  \n", ["no text"]),
    "header only": (HEAD.encode(), ["no rows"]),
    "one row": ((HEAD + LINES[0]).encode(), ["1 row ", "40"]),
    "39 rows": ((HEAD + "".join(LINES[:39])).encode(), ["39 rows", "40"]),
    "binary": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" * 9, ["binary", "CSV"]),
    "one class": ((HEAD + "1,2,yes\n" * 50).encode(), ["'yes'", "every row", "two values"]),
    "one number": ((HEAD + "1,2,7\n" * 50).encode(), ["'7'", "every row"]),
    "missing targets": (
        (HEAD + "".join(LINES) + "1,2,\n" * 61).encode(),
        ["61 of 121", "'y'", "50%", "another target"],
    ),
    "NaN and inf targets": (
        (HEAD + "".join(LINES) + "1,2,NaN\n3,4,inf\n" * 40).encode(),
        ["80 of 140", "infinite"],
    ),
    "no target at all": ((HEAD + "1,2,\n" * 50).encode(), ["50 of 50"]),
    "ragged": (
        (HEAD + "".join(LINES) + "1,2\n" * 4).encode(),
        ["2 fields", "line 62", "3 names", "4 of 64", "5%"],
    ),
    "doubled name": (b"a,y,a\n" + "".join(LINES).encode(), ["two columns", "'a'"]),
    "target alone": (b"y\n" + b"1\n2\n" * 30, ["no column but", "'y'"]),
    "free text": (
        (HEAD + "".join(f"1,2,name {i}\n" for i in range(50))).encode(),
        ["50 different values", "only once"],
    ),
    "nothing to learn from": (
        (HEAD + "".join(f"same,id {i},{i % 7}.5\n" for i in range(50))).encode(),
        ["no column left", "in every row: a", "b (50)"],
    ),
    "unclosed quote": ((HEAD + "".join(LINES) + '"' + "x" * 140_000).encode(), ["quotes"]),
}


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.replace(" ", "_"))
def test_refusals_name_the_value_and_the_cure(case: str, tmp_path: Path) -> None:
    """A file that cannot be learned from is refused in one sentence with its number and limit."""
    content, words = REFUSED[case]
    path = tmp_path / "data.csv"
    path.write_bytes(content)
    sentence = refusal(path)
    assert all(word in sentence for word in ["data.csv", *words]), sentence


def test_a_missing_column_is_answered_with_the_closest(tmp_path: Path) -> None:
    """A misspelt target gets the columns and the likeliest one; none at all gets the columns."""
    path = written(tmp_path, {"Price": numbers(), "size": numbers(seed=1)})
    assert "Price, size; did you mean 'Price'?" in refusal(path, "prise")
    assert "--target" in refusal(path, None) and "Price, size" in refusal(path, None)
    many = written(tmp_path, {f"c{i}": numbers() for i in range(50)}, "many.csv")
    assert "c19 and 30 more" in refusal(many, None)


def test_files_that_are_none(tmp_path: Path) -> None:
    """A directory, a name that is not there and an unknown kind are told apart, with a cure."""
    assert "is a directory" in refusal(tmp_path)
    path = written(tmp_path, small())
    assert f"did you mean {path}?" in refusal(tmp_path / "dta.csv")
    assert "no file" in refusal(tmp_path / "elsewhere" / "other.csv")
    for name in ("data.xlsx", "data"):
        said = refusal(path.rename(tmp_path / name))
        assert "save a table as CSV" in said
        assert ".csv, .tsv, .tab, .txt, .dat, .data, .parquet or .npz" in said
        path = tmp_path / name
    array = tmp_path / "x.npy"
    np.save(array, np.ones(3))
    assert "np.savez" in refusal(array)


def test_an_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file without permission is refused with the system's reason; root would be let in."""
    path = written(tmp_path, small())

    def shut(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", shut)
    assert "Permission denied" in refusal(path) and "permissions" in refusal(path)


def test_builtin_names_and_targets(tmp_path: Path) -> None:
    """A built-in name resolves to itself, and `--target` belongs to data files alone."""
    assert resolve(Spec("digits")) is built_in("digits")
    assert "--target y" in refusal(Path("digits"))
    with pytest.raises(LabError, match="digits"):
        resolve(Spec("no-such-problem"))


def test_a_spec_travels(tmp_path: Path) -> None:
    """A spec pickles, is resolved once, and its identity follows the bytes of the file."""
    path = written(tmp_path, small())
    spec = Spec(str(path), "y")
    assert pickle.loads(pickle.dumps(spec)) == spec
    assert resolve(spec) is resolve(pickle.loads(pickle.dumps(spec)))
    first, before = spec.identity(), resolve(spec)
    assert first == {**first, "text": str(path), "target": "y"}
    written(tmp_path, small(c=numbers(seed=9)))
    assert spec.identity()["sha256"] != first["sha256"]
    assert inputs(resolve(spec)) == inputs(before) + 1


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
def test_delimiters_and_encodings(delimiter: str, encoding: str, tmp_path: Path) -> None:
    """Delimiter and encoding are found out; one that is not UTF-8 is noted."""
    lines = [
        f'{a}{delimiter}"{"红" if i % 2 else "绿"}{delimiter}"{delimiter}{i % 9}.5'
        for i, a in enumerate(numbers())
    ]
    path = tmp_path / "表.csv"
    path.write_bytes("\r\n".join([delimiter.join(["数", "颜色", "价格"]), *lines]).encode(encoding))
    problem = resolve(Spec(str(path), "价格"))
    assert inputs(problem) == 2
    assert ("not UTF-8" in note(problem)) == (not encoding.startswith("utf-8"))


def test_thousands_of_columns(tmp_path: Path) -> None:
    """Two thousand columns are learned from, and a note names a few of many."""
    wide = {f"c{i}": numbers(seed=i) for i in range(2000)}
    flat = {f"f{i}": ["1"] * ROWS for i in range(30)}
    problem = found(tmp_path, **wide, **flat)
    assert inputs(problem) == 2002
    assert f"f5 and {30 - NAMED} more" in note(problem)
    assert "等共 30 列" in note(problem, "zh")
    assert problem.steps >= problem.every * EVALUATIONS


def test_too_many_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More inputs than memory should hold are refused with the limit, and a sample that fits."""
    monkeypatch.setattr("adamas.lab.own.features.MOST_CELLS", 100)
    path = written(tmp_path, small())
    assert "100 cells" in refusal(path) and "--rows 50" in refusal(path)
    assert resolve(Spec(str(path), "y", TableOptions(rows=50)))
