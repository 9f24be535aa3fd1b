"""The guide as it is built: complete in both languages, whole without a network or a script."""

import re
from collections.abc import Mapping

import pytest

from adamas.learn import book
from adamas.learn.text import SENTENCES
from learn_pages import shipped

SMALL = {"0", "1", "2"}  # of formulas and of counting
# A level of confidence, years of papers, the size of MNIST's part, bytes of a float32, an example.
FACTS = {"95", "2013", "2018", "2019", "5000", "4", "0.25"}
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
    """A sentence has the same slots and the same code in both languages."""
    for key, both in SENTENCES.items():
        for part in (r"\{\w+\}", r"`[^`]+`"):
            found = {code: sorted(re.findall(part, both[code])) for code in ("en", "zh")}
            assert found["en"] == found["zh"], key


def own_numbers(text: str) -> list[str]:
    """What stands in digits outside of code, slots and names such as int8."""
    plain = re.sub(r"`[^`]+`|\{\w+\}|\d+ × \d+|[A-Za-z]+\d+\w*", "", text)
    return sorted(re.findall(r"\d+(?:[.,]\d+)*", plain))


def test_no_sentence_has_a_number_of_its_own() -> None:
    """A number is a slot, so that the code fills it; but for facts and what is counted on a hand.

    The playground's presets and the reader's messages count what stands in their own texts.
    """
    for key, both in SENTENCES.items():
        found = {code: own_numbers(both[code]) for code in ("en", "zh")}
        telling = {code: [x for x in all_ if x not in SMALL] for code, all_ in found.items()}
        assert telling["en"] == telling["zh"], key
        if key.partition(".")[0] not in ("playground", "reader", "summary"):
            assert {*telling["en"]} <= FACTS, key


@pytest.mark.parametrize(
    "text", ["after 1,000 steps", "for batches of 64", "beta2 = 0.999", "100 步", "L2，g = 100"]
)
def test_a_number_of_its_own_is_found(text: str) -> None:
    """The check can fail."""
    assert not {*own_numbers(text)} <= FACTS | SMALL


def test_no_sentence_stays_english() -> None:
    """A Chinese sentence is Chinese, but for names and code."""
    short = [
        key
        for key, both in SENTENCES.items()
        if both["en"] == both["zh"] and len(both["en"].split()) > 2
    ]
    assert not short
