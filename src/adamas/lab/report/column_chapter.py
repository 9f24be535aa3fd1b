"""What every column of a table was read as and became: on the page, and in the terminal."""

import html
from collections.abc import Sequence
from unicodedata import east_asian_width

from adamas.lab.problems import About, ColumnFate
from adamas.lab.protocol.results_types import ColumnTree
from adamas.lab.report.numbers import NONE, whole
from adamas.lab.report.subject import Subject, in_language
from adamas.lab.text import Say
from adamas.pages.elements import details, paragraph, section, table
from adamas.pages.sentences import plain, printable

# So many columns are shown at once, and a name in the terminal is cut after so many places.
SHOWN, WIDEST = 25, 28
WORD = 20  # letters of a word that stands for a missing value
HEAD = ("name", "kind", "inputs", "missing", "fate")


def chapter(subject: Subject) -> str:
    """Return the column table and what was done to it; nothing for a problem without one."""
    say, columns = subject.say, subject.problem["columns"]
    if not columns:
        return ""
    first, rest = foremost(columns)
    folded = [details(say("columns_more", count=len(rest)), page_table(rest, say))] if rest else []
    return section(
        "columns",
        say("columns_title"),
        page_table(first, say),
        *folded,
        details(say("columns_done"), paragraph(subject.words(subject.problem["notes"]))),
    )


def page_table(columns: Sequence[ColumnTree], say: Say) -> str:
    """Return columns as a table for a page; names are what they are, and no markup."""
    rows = [[html.escape(cell) for cell in cells(one, say)] for one in columns]
    return table(say("columns_caption"), [say(f"columns_{key}") for key in HEAD], rows)


def lines(about: About | None, say: Say) -> list[str]:
    """Return the column table and the split for a terminal or a log; nothing without a table."""
    if about is None or not about.columns:
        return []
    first, rest = foremost([tree_of(one) for one in about.columns])
    rows = [[say(f"columns_{key}") for key in HEAD], *(cells(one, say) for one in first)]
    rows = [[cut(printable(" ".join(cell.split())), WIDEST) for cell in row[:-1]] + row[-1:]
            for row in rows]  # fmt: skip
    widths = [max(map(places, column)) for column in zip(*rows, strict=True)]
    aligned = ["  ".join(map(padded, row, widths)).rstrip() for row in rows]
    more = [say("columns_rest", count=len(rest))] if rest else []
    return [*aligned, *more, plain(in_language(about.split, say))]


def foremost(columns: Sequence[ColumnTree]) -> tuple[list[ColumnTree], list[ColumnTree]]:
    """Return what is shown at once, and the rest; of many, first what is no ordinary input."""
    found = list(columns)
    if len(found) > SHOWN:
        found.sort(key=lambda one: not one["fate"])
    return found[:SHOWN], found[SHOWN:]


def cells(one: ColumnTree, say: Say) -> list[str]:
    """Return the cells of a column, as text."""
    kind = say(f"column_{one['kind']}", count=whole(one["different"]))
    told = [say(f"fate_{one['fate']}")] if one["fate"] else []
    told += [say(f"reading_{key}") for key in one["reading"]]
    inputs = whole(one["inputs"]) if one["inputs"] else NONE
    return [one["name"], kind, inputs, gaps(one, say), say("columns_and").join(told)]


def gaps(one: ColumnTree, say: Say) -> str:
    """Return how many values are missing, and the words that stand where they are."""
    count = whole(one["missing"]) if one["missing"] else NONE
    if not one["words"]:
        return count
    shown = say.names([repr(word[:WORD]) for word in one["words"]])
    return say("columns_gaps", count=count, words=shown)


def tree_of(one: ColumnFate) -> ColumnTree:
    """Return a column as the results hold it."""
    return {"name": one.name, "kind": one.kind, "missing": one.missing, "inputs": one.inputs,
            "fate": one.fate, "different": one.different,
            "words": [*one.words], "reading": [*one.reading]}  # fmt: skip


def places(text: str) -> int:
    """Return how many places a text takes in a terminal."""
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)


def padded(text: str, width: int) -> str:
    """Return a text with blanks up to a width."""
    return text + " " * (width - places(text))


def cut(text: str, width: int) -> str:
    """Return a text that takes no more than a width, with a sign where it was cut.

    >>> cut("temperature", 6), cut("温度", 6)
    ('tempe…', '温度')
    """
    if places(text) <= width:
        return text
    while places(text) >= width:
        text = text[:-1]
    return f"{text}…"
