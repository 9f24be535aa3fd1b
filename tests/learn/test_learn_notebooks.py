"""The exercises of `examples/`: the same ten in both languages, whose solutions are right."""

import json
import os
import re
import subprocess
import sys

import nbformat
import pytest

from places import HELPERS, ROOT

NAMES = ("exercises.ipynb", "exercises.zh.ipynb")
BOOKS = {name: nbformat.read(ROOT / "examples" / name, as_version=4) for name in NAMES}
QUIET = {"MPLBACKEND": "Agg", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}


def test_every_solution_is_right_and_every_check_can_fail() -> None:
    """Without Jupyter, all cells run in order; each check passes, and fails on a wrong answer.

    The other notebook has the same code to the letter, which a test below holds.
    """
    book = ROOT / "examples" / NAMES[0]
    command = [sys.executable, str(HELPERS / "notebook_cells.py"), str(book)]
    kept = {k: v for k, v in os.environ.items() if k != "KERAS_BACKEND"}
    done = subprocess.run(command, capture_output=True, text=True, env={**kept, **QUIET})
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout.splitlines()[-1])) == 10


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_valid_and_holds_no_outputs(name: str) -> None:
    """Jupyter opens it, and a reader finds ten questions, each with a folded solution."""
    book = BOOKS[name]
    nbformat.validate(book)
    assert (book.nbformat, book.nbformat_minor) == (4, 5)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    kinds = [cell.metadata.get("tags", [cell.cell_type])[0] for cell in book.cells]
    assert kinds == ["markdown", "code", *["markdown", "yours", "solution", "check"] * 10]
    folded = [cell for cell in code if cell.metadata.get("jupyter", {}).get("source_hidden")]
    assert [cell.metadata.tags for cell in folded] == [["solution"]] * 10
    questions = [cell.source for cell in book.cells if cell.source.startswith("## ")]
    assert [int(text[3:].partition(".")[0]) for text in questions] == [*range(1, 11)]


def test_both_languages_have_the_same_code() -> None:
    """Cells and their names are the same; only what is said differs, and in Chinese all of it."""
    english, chinese = (BOOKS[name].cells for name in NAMES)
    assert [cell.id for cell in english] == [cell.id for cell in chinese]
    for ours, theirs in zip(english, chinese, strict=True):
        if ours.cell_type == "code":
            assert (ours.source, ours.metadata) == (theirs.source, theirs.metadata)
            continue
        numbers = [re.findall(r"`[^`]+`", text) for text in (ours.source, theirs.source)]
        assert sorted(numbers[0]) == sorted(numbers[1])
        bare = re.sub(r"`[^`]+`", "", theirs.source)
        assert not re.search(r"[A-Za-z]+ [A-Za-z]+ [A-Za-z]+", bare)
