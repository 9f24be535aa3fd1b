"""The table of columns: what was read as what, before the first run and on the page."""

import re
from html.parser import HTMLParser
from pathlib import Path
from unicodedata import category

import pytest

from adamas.lab.commands.progress import fitting
from adamas.lab.notebook.comparison import ComparisonResult
from adamas.lab.own.column_table import TOLD
from adamas.lab.own.spec import Spec, resolve
from adamas.lab.problems import About
from adamas.lab.protocol.results import described
from adamas.lab.report.column_chapter import SHOWN, chapter, lines, places
from adamas.lab.report.compare_page import render
from adamas.lab.report.subject import subject
from adamas.lab.text import Say
from own_files import ROWS, found, numbers, small, written
from report_sample import sample

TWO = ("sgd", "adam")


def about(folder: Path, **columns: list[object]) -> About:
    """Return what is known of a table with these columns besides a, b and y."""
    told = found(folder, **columns).about
    assert told is not None
    return told


MIXED: dict[str, list[object]] = {
    "flat": [1] * ROWS,
    "颜色": ["红", "绿", ""] * (ROWS // 3),
    "row": list(range(ROWS)),
}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_column_is_listed_before_the_first_run(language: str, tmp_path: Path) -> None:
    """The terminal shows each column once, aligned, with its inputs, its gaps and why it is out."""
    say = Say(language)
    told = lines(about(tmp_path, **MIXED), say)
    rows = told[1:-1]
    assert [row.split()[0] for row in rows] == ["y", "a", "b", "颜色", "flat", "row"]
    start = places(told[0][: told[0].index(say("columns_fate"))])
    for name, key in (("y", "target"), ("flat", "constant"), ("row", "counter")):
        row = next(row for row in rows if row.startswith(name))
        assert row == fitting(row, start) + say(f"fate_{key}")
    text = say("column_text", count=2)
    assert re.search(rf"颜色 +{re.escape(text)} +3 +20$", rows[3])


def test_a_line_says_how_its_column_was_read(tmp_path: Path) -> None:
    """The words that were taken for missing, and whatever is not plain, stand beside the column."""
    told = lines(
        about(
            tmp_path,
            gap=["-", "?", *numbers(ROWS - 2)],
            share=[f"{i * i % 29}%" for i in range(ROWS)],
            paid=[f"$1,{i * i:03}.50" for i in range(ROWS // 3)] * 3,
            born=[f"2024-03-{i % 28 + 1:02}" for i in range(ROWS)],
            seen=[f"{i % 28 + 1:02}/03/2024" for i in range(ROWS)],
        ),
        Say("en"),
    )
    rows = {row.split()[0]: " ".join(row.split()[1:]) for row in told}
    assert rows["gap"] == "number 2 2: '-', '?'"
    assert rows["share"] == "percentage 1 –"
    assert rows["paid"] == "amount of money 1 – marks between thousands"
    assert rows["born"] == "date 1 –"
    assert rows["seen"] == "date 1 – day before month"


def test_every_reading_has_its_words() -> None:
    """Whatever a column may be read as, and however, a page has words for it in both languages."""
    kinds = ("number", "percent", "currency", "date", "text", "other")
    for key in (*(f"column_{kind}" for kind in kinds), *(f"reading_{key}" for key in TOLD)):
        assert Say("en")(key, count=2) != Say("zh")(key, count=2)


def test_many_columns_are_counted(tmp_path: Path) -> None:
    """Of many columns those that are no ordinary input are shown first, and the others counted."""
    wide = {f"c{i}": numbers(seed=i) for i in range(40)}
    told = lines(about(tmp_path, **wide, flat=["x"] * ROWS), Say("en"))
    assert len(told) == 1 + SHOWN + 2
    assert told[1].startswith("y") and told[2].startswith("flat")
    assert "19 more columns" in told[-2]


def test_the_page_does_not_send_to_itself() -> None:
    """What the terminal leaves to the page is folded on the page, under its count alone."""
    tree = sample(TWO)
    first, *_ = tree["problem"]["columns"]
    tree["problem"]["columns"] = [first] * (SHOWN + 2)
    page = chapter(subject(tree, None, Say("en")))
    assert "<summary>2 more columns</summary>" in page


def test_no_table_no_columns() -> None:
    """A problem that is no table has no such lines, no such chapter and no link to one."""
    assert lines(resolve(Spec("digits")).about, Say("en")) == []
    tree = sample(TWO)
    tree["problem"] |= {"columns": [], "split": {}}
    assert 'id="columns"' not in (page := render(tree, None, Say("en")))
    assert 'href="#columns"' not in page


class Headers(HTMLParser):
    """The text of every row's header, and the names of all elements."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.tags: set[str] = set()
        self._open = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a header of a row."""
        self.tags.add(tag)
        self._open = ("scope", "row") in attrs
        self.names += [""] * self._open

    def handle_endtag(self, tag: str) -> None:
        """End whatever is open."""
        self._open = False

    def handle_data(self, data: str) -> None:
        """Add to the header."""
        if self._open:
            self.names[-1] += data


HOSTILE = ["a**b", "c**d", "`e`", "_f_", "[g](h)", "<script>", "&amp;", "$x$", "esc\x1b[31m"]


def test_names_are_no_markup(tmp_path: Path) -> None:
    """Names of columns stand on the page as they are, and none of them commands a terminal."""
    hostile = {name: ["", *numbers(ROWS - 1, seed=i)] for i, name in enumerate(HOSTILE)}
    path = written(tmp_path, {**small(), **hostile, "**y**": numbers(seed=99)})
    problem = resolve(Spec(str(path), "**y**"))
    told = described(problem)
    tree = sample(TWO) | {"problem": told}
    page = render(tree, None, Say("en"))
    shown = Headers(page).names
    names = [one["name"] for one in told["columns"]]
    assert set(HOSTILE[:-1]) <= set(names) <= set(shown) and "script" not in Headers(page).tags
    assert "a**b, c**d, `e`, _f_, [g](h), &lt;script&gt;" in page
    html = ComparisonResult(tree, {}, Say("en"))._repr_html_()
    assert "<strong>y" not in html and "<strong>y" not in page
    said = lines(problem.about, Say("en"))
    assert not [char for line in said for char in line if category(char) in ("Cc", "Cf")]
