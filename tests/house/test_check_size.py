"""The size budget counts what it says it counts, and fails when it should."""

from pathlib import Path

import pytest

import check_size


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("", 0),
        ("# a comment\n\n", 0),
        ('"""A docstring\nof two lines."""\n', 0),
        ("x = 1  # counted once\n", 1),
        ("x = (\n    1,\n\n    # free\n)\n", 3),
        ('x = """three\n\nlines"""\n', 3),
        ('def f():\n    """Free."""\n    return 1\n', 2),
        ('class A:\n    """Free."""\n\n    x = 1\n', 2),
        ('def f():\n    x = 1\n    """Not a docstring."""\n', 3),
    ],
)
def test_sloc(source: str, lines: int) -> None:
    """Blank lines, comments and docstrings are free; the expected counts were made by hand."""
    assert check_size.sloc(source) == lines


def test_measure_leaves_stubs_out(tmp_path: Path) -> None:
    """Generated .pyi stubs are not counted."""
    (tmp_path / "words.py").write_text("x = 1\n")
    (tmp_path / "words.pyi").write_text("x: int\n")
    assert check_size.measure(tmp_path) == {Path("words.py"): 1}


def test_within_the_budget() -> None:
    """A small tree has a total for each part and no problem."""
    table, problems = check_size.check({Path("kernel/weave.py"): 7, Path("words.py"): 2})
    assert not problems
    assert any(
        line.split() == ["core", "9", "of", str(check_size.BUDGET["core"])] for line in table
    )


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({Path("kernel/weave.py"): 301}, "limit 300"),
        (
            {Path(f"lab/{n}.py"): 300 for n in range(check_size.BUDGET[check_size.LAB] // 300 + 1)},
            f"budget {check_size.BUDGET[check_size.LAB]}",
        ),
        ({Path("attic.py"): 1}, "add 'attic' to PARTS"),
    ],
)
def test_a_broken_limit_is_reported(sizes: dict[Path, int], message: str) -> None:
    """A long file, a part over its budget and an unknown module each give one problem."""
    _, problems = check_size.check(sizes)
    assert len(problems) == 1
    assert message in problems[0]
