"""One word for one thing: what the list of terms rules out stands in no Chinese text."""

import inspect
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

import adamas
from adamas import rules
from places import PACKAGE, ROOT


def terms() -> list[list[str]]:
    """The rows of the list of terms, cell by cell."""
    lines = (ROOT / "docs/terms.md").read_text("utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "|" in line]
    return rows[2:]


AVOIDED = [word for row in terms() for word in row[-1].split("、") if word]


def sentences(table: dict[str, Any]) -> Iterator[str]:
    """Every Chinese sentence of a TOML file, however deep its table lies."""
    for key, inner in table.items():
        if key == "zh":
            yield inner
        elif isinstance(inner, dict):
            yield from sentences(inner)


def chinese() -> dict[str, str]:
    """Every Chinese text of the project, by where it stands."""
    pages = {str(p.relative_to(ROOT)): p.read_text("utf-8") for p in ROOT.glob("docs/**/*.zh.md")}
    files = sorted(PACKAGE.glob("**/*.toml"))
    assert len(pages) > 10 and len(files) > 5
    for file in files:
        found = sentences(tomllib.loads(file.read_text("utf-8")))
        pages[str(file.relative_to(ROOT))] = "\n".join(found)
    return pages


def other(texts: dict[str, str]) -> list[tuple[str, str]]:
    """Where a text has a word that the list rules out; a word may be broken over two lines."""
    joined = {name: re.sub(r"\n\s*", "", text) for name, text in texts.items()}
    return [(name, word) for name, text in joined.items() for word in AVOIDED if word in text]


def test_every_text_uses_the_words_of_the_list() -> None:
    """A reader meets one word for one thing, on whatever page and in whatever message."""
    assert other(chinese()) == []


@pytest.mark.parametrize("text", ["梯度的滑动平均", "偏差校\n正", "罕见\n  词"])
def test_a_wrong_word_is_found(text: str) -> None:
    """The check itself can fail, also on a word that a line break divides."""
    assert [name for name, _ in other({"page": text})] == ["page"]


def test_the_list_names_what_is_there() -> None:
    """Every symbol of adamas in the list is a name in a rule or a name of adamas."""
    told = [name for row in terms() for name in re.findall(r"`(\w+)`", row[2])]
    used = " ".join(inspect.getsource(getattr(rules, name)) for name in ("adamw", "momentum"))
    known = {
        *re.findall(r"\w+", used),
        *dir(adamas),
        *inspect.signature(adamas.Optimizer).parameters,
    }
    assert len(told) > 10 and set(told) <= known


def test_no_word_is_both_right_and_wrong() -> None:
    """The list does not rule out a word that it asks for."""
    asked = "；".join(row[1] + row[5] for row in terms())
    assert [word for word in AVOIDED if word in asked] == []
