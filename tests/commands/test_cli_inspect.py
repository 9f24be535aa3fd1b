"""`adamas inspect` tells what is in a file, and what is wrong with one that is none."""

import json
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy

import adamas
from adamas import cli
from filled import filled
from lying_headers import LYING
from mutated_files import joined

Captured = pytest.CaptureFixture[str]


def saved(folder: Path) -> str:
    """A file with numbers of every kind, some of them not finite, and very large ones."""
    params = {
        "w": np.array([3.0, -4.0, np.nan, np.inf], np.float32),
        "big": np.array([3e200, 4e200]),
        "half": np.array([1.5, -2.0, np.inf], ml_dtypes.bfloat16),
        "wave": np.array([3 + 4j, 0], np.complex64),
        "none": np.zeros((0, 3), np.float32),
    }
    optimizer = filled(adamas.AdamW({"layer": np.ones((64, 128), np.float32)}, state="int8"))
    place = folder / "run.safetensors"
    optimizer.save(place, params=params)
    return str(place)


def test_arrays_are_counted_and_measured(tmp_path: Path, capsys: Captured) -> None:
    """Names, formats, shapes, bytes, norms and what is not finite, as NumPy finds them."""
    place = saved(tmp_path)
    assert cli.main(["inspect", place, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    found = {one.pop("name"): one for one in told["tensors"]}
    for name, array in safetensors.numpy.load_file(place).items():
        one = found.pop(name)
        assert (one["shape"], one["bytes"]) == (list(array.shape), array.nbytes)
        if array.dtype.kind in "iu":
            assert one["norm"] is one["nonfinite"] is None
            continue
        wide = array.astype(complex if array.dtype.kind == "c" else float)
        finite = wide[np.isfinite(wide)]
        assert one["nonfinite"] == wide.size - finite.size
        scale = 1e200 if name == "big" else 1.0
        assert one["norm"] == pytest.approx(np.linalg.norm(finite / scale) * scale, rel=1e-12)
    assert not found and told["rules"] == {"adamw": "adamw"}
    assert (told["parameters"], told["elements"]) == (1, 8192)


@pytest.mark.parametrize(("language", "word"), [("en", "not finite"), ("zh", "非有限")])
def test_the_table_stands_in_columns(
    language: str, word: str, tmp_path: Path, capsys: Captured
) -> None:
    """A reader sees the rule, the step and a line for each array, in the language asked for."""
    place = saved(tmp_path)
    assert cli.main(["inspect", place, "--lang", language]) == 0
    head, empty, names, *rows = capsys.readouterr().out.splitlines()
    assert place in head and "adamas.AdamW" in head and "8,192" in head and not empty
    assert word in names and len(rows) == len(adamas.open_file(place).tensors)
    row = next(row for row in rows if row.startswith("w "))
    assert row.split() == ["w", "4", "F32", "16", "5", "2", "-"]


@pytest.mark.parametrize("text", LYING, ids=range(len(LYING)))
def test_files_that_lie_are_refused_in_chinese(text: str, tmp_path: Path, capsys: Captured) -> None:
    """What is wrong with a file is said in one line, in the reader's language."""
    (tmp_path / "f").write_bytes(joined(text, b"abc"))
    assert cli.main(["inspect", str(tmp_path / "f"), "--lang", "zh"]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and str(tmp_path / "f") in said
    assert "的" in said or "张量" in said or "文件" in said, said


def test_files_that_are_none(tmp_path: Path, capsys: Captured) -> None:
    """A short file and one that does not exist end with status 1 and a reason."""
    (tmp_path / "short").write_bytes(b"abc")
    for name, reason in (
        ("short", "至少有 8 个"),
        ("no", "没有这个文件"),
    ):
        assert cli.main(["inspect", str(tmp_path / name), "--lang", "zh"]) == 1
        assert reason in capsys.readouterr().err
