"""The table of files in docs/convert.md: every row is run, within its tolerance or refused."""

import functools
import tempfile
from pathlib import Path

import pytest

from file_map import CODES, FLOAT32, PAGES, ROWS, block, marked, outcome
from places import ROOT

MOST = {FLOAT32: 2e-6, CODES: 1e-2, "0": 0.0}


@functools.cache
def run(source: str, target: str) -> float | tuple[str, str]:
    """What comes of a row, once."""
    for name in ("bitsandbytes", "schedulefree"):
        if source.startswith(name):
            pytest.importorskip(name)
    with tempfile.TemporaryDirectory() as folder:
        return outcome(source, target, Path(folder))


@pytest.mark.parametrize(("source", "target", "most"), ROWS)
def test_a_file_goes_on_or_is_refused(source: str, target: str, most: str) -> None:
    """Twenty steps from the new file are those at home, within what the table says."""
    found = run(source, target)
    assert found <= MOST[most] if isinstance(found, float) else not most


@pytest.mark.parametrize("page", PAGES)
def test_the_table_in_the_docs_is_what_was_run(page: str) -> None:
    """The page's table is made of these runs; `python tests/helpers/file_map.py` writes it."""
    text = (ROOT / page).read_text("utf-8")
    assert marked(text) == block([run(source, target) for source, target, _ in ROWS], page)
