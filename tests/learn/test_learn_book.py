"""The guide as it is built: complete in both languages, whole without a network or a script."""

import re
from collections.abc import Mapping

import pytest

from adamas.learn import book
from adamas.learn.text import SENTENCES
from learn_pages import shipped

LIMIT = 300_000  # bytes of a page


@pytest.fixture(scope="module")
def pages() -> Mapping[str, str]:
    """Return the built pages by language."""
    return {language: shipped(f"learn/{language}.html") for language in book.GUIDE}


def without_script(page: str) -> str:
    """Return what is read where no script runs."""
    return re.sub(r"<(script|style)>.*?</\1>", "", page, flags=re.DOTALL)


@pytest.mark.parametrize("language", book.GUIDE)
def test_pages_load_nothing(pages: Mapping[str, str], language: str) -> None:
    """A page opens from disk: it loads nothing, and is small enough to send."""
    page = pages[language]
    assert not re.findall(r"src=|@import|url\((?!#)|<link", page)
    assert len(page.encode()) < LIMIT


@pytest.mark.parametrize("language", book.GUIDE)
def test_figures_are_there_without_a_script(pages: Mapping[str, str], language: str) -> None:
    """Every figure has its picture or its numbers in the page itself, and every slot is filled."""
    text = without_script(pages[language])
    figures = re.findall(r'<figure class="play".*?</figure>', text, flags=re.DOTALL)
    assert len(figures) == text.count("data-play=") > 0
    assert all("<svg" in figure or "<table" in figure for figure in figures)
    assert not re.findall(r"\{\w+\}|undefined|NaN(?!-)", re.sub(r"<code>.*?</code>", "", text))


def test_both_languages_say_the_same() -> None:
    """A sentence has the same slots, the same code and no number of its own in both languages."""
    for key, both in SENTENCES.items():
        for part in (r"\{\w+\}", r"`[^`]+`"):
            found = {code: sorted(re.findall(part, both[code])) for code in ("en", "zh")}
            assert found["en"] == found["zh"], key


def test_no_sentence_stays_english() -> None:
    """A Chinese sentence is Chinese, but for names and code."""
    short = [
        key
        for key, both in SENTENCES.items()
        if both["en"] == both["zh"] and len(both["en"].split()) > 2
    ]
    assert not short
