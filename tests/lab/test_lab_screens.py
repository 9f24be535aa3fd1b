"""The lab's pages in a browser: nothing is cut, hidden, too small or wider than the screen."""

from pathlib import Path
from typing import Any

import pytest

from adamas.lab.commands.suite import suite_tree
from adamas.lab.report.compare_page import render
from adamas.lab.report.suite_page import render_suite
from adamas.lab.text import Say
from browser import Browser, Page
from browser_checks import contrast, cut
from browser_process import NO_BROWSER, find_browser
from report_sample import CLASSICAL, SHAPES, sample, sample_timing

pytestmark = pytest.mark.skipif(find_browser() is None, reason=NO_BROWSER)
# Heads of columns whose text runs into the next one.
HEADS = "[...document.querySelectorAll('th')].filter(e => e.scrollWidth > e.clientWidth + 1).length"
# The smallest letters of all pictures, in CSS pixels.
LETTERS = """Math.min(...[...document.querySelectorAll("svg text")].map(
  (e) => parseFloat(getComputedStyle(e).fontSize) * Math.hypot(e.getScreenCTM().a,
    e.getScreenCTM().b)))"""
TOP = "document.querySelector('figure svg').getBoundingClientRect()"


def compared(say: Say) -> str:
    """Return the page of a comparison of every kind of optimizer."""
    names = tuple(SHAPES)
    return render(sample(names), sample_timing(names), say, "report.twin.html")


def suited(say: Say) -> str:
    """Return the page of a suite."""
    return render_suite(suite_tree({"cells": sample(CLASSICAL)}, {}), say, "suite.twin.html")


@pytest.mark.parametrize(("made", "language"), [(compared, "zh"), (suited, "en")])
def test_everything_can_be_read(made: Any, language: str, browser: Browser, tmp_path: Path) -> None:
    """From 360 to 1600 pixels, light and dark, no text is cut, hidden, pale or too small."""
    file = tmp_path / "page.html"
    file.write_text(made(Say(language)), encoding="utf-8")
    page = browser.open(file)
    assert cut(page) + contrast(page) == []
    assert page.evaluate(HEADS) == 0
    page.close()


@pytest.mark.parametrize("made", [compared, suited])
def test_pictures_keep_their_letters(made: Any, browser: Browser, tmp_path: Path) -> None:
    """At every width the letters in pictures have at least 10.5 pixels, as those of small print."""
    file = tmp_path / "page.html"
    file.write_text(made(Say("en")), encoding="utf-8")
    page = browser.open(file)
    least = {}
    for width in (360, 400, 417, 480, 577, 768, 900, 1200, 1600):
        page.resize(width)
        page.settle()
        least[width] = page.evaluate(LETTERS)
    assert {width: size for width, size in least.items() if size < 10.5} == {}
    page.close()


@pytest.mark.parametrize(("width", "height"), [(360, 740), (1200, 800)])
def test_the_first_screen_has_a_picture(
    width: int, height: int, browser: Browser, tmp_path: Path
) -> None:
    """A picture begins on the first screen of a page, on a phone and on a desk."""
    file = tmp_path / "page.html"
    file.write_text(compared(Say("en")), encoding="utf-8")
    page = browser.open(file)
    page.resize(width)
    page.settle()
    assert page.evaluate(f"{TOP}.top") < height - 100
    page.close()


# What is folded and open, where the chapter of a fragment is, and how wide the verdicts are.
OPEN = "[...document.querySelectorAll('.fold > details')].map(e => e.open)"
BOX = "document.querySelector('{}').getBoundingClientRect()"
SCROLLED = """(e => e.scrollWidth - e.clientWidth)(document.querySelector("#result .scroll"))"""


def seen(page: Page, place: str) -> bool:
    """Return whether what a selector finds begins on the screen, once the page has moved on."""
    page.settle()
    top: float = page.evaluate(BOX.format(place) + ".top")
    return 0 <= top < 800


def test_chapters_are_folded_and_found(browser: Browser, tmp_path: Path) -> None:
    """A fragment opens the chapter it leads to, without a script, as a key does; print opens all.

    Answer, pictures and verdicts fit two screens of 1200 x 800, and on a phone no verdict scrolls.
    """
    file = tmp_path / "page.html"
    file.write_text(render(sample(CLASSICAL), None, Say("zh")), encoding="utf-8")
    page = browser.open(file, script=False, fragment="runs")
    page.resize(1200, 800)
    page.prefer("light", "reduce")
    page.settle()
    opened = page.evaluate(OPEN)
    assert opened.count(True) == 1 and len(opened) > 8
    assert page.evaluate("document.querySelector('#runs').closest('details').open")
    page.evaluate("void document.querySelector('nav a[href=\"#cost\"]').click()")
    assert any(seen(page, "#cost") for _ in range(2000))
    page.evaluate("void document.querySelector('.fold summary').focus()")
    page.press("Enter")
    assert page.evaluate(OPEN)[0]
    page.evaluate("void document.querySelectorAll('details').forEach(e => { e.open = false })")
    for last in ("#fig-curves", "#result table"):
        assert page.evaluate(BOX.format(last) + ".bottom + scrollY") < 1600, last
    page.call("Emulation.setEmulatedMedia", media="print")
    assert page.evaluate(BOX.format("#doctor") + ".height") > 0
    page.call("Emulation.setEmulatedMedia", media="")
    page.resize(360, 740)
    page.settle()
    assert page.evaluate(SCROLLED) <= 0
    page.close()
