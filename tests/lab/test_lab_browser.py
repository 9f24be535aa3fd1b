"""The lab's pages in Chromium: nothing cut, pale, nameless or out of reach, in both languages."""

from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from adamas.lab.commands.suite import suite_tree
from adamas.lab.demo.demo_page import render as render_demo
from adamas.lab.demo.demo_results import QUICK, DemoResults, collect
from adamas.lab.page.given_names import LONGEST_NAME
from adamas.lab.protocol.results_types import Results
from adamas.lab.report.compare_page import render
from adamas.lab.report.suite_page import render_suite
from adamas.lab.text import LANGUAGES, Say
from browser import Browser
from browser_checks import audit, stuck, unfold
from browser_process import NO_BROWSER, find_browser
from long_form import sampled
from report_sample import CLASSICAL, sample, sample_timing

pytestmark = pytest.mark.skipif(find_browser() is None, reason=NO_BROWSER)


def suite(say: Say) -> str:
    """Return the page of two problems, and of one that is missing."""
    trees = {"cells": sample(CLASSICAL), "other": sample(CLASSICAL)}
    return render_suite(suite_tree(trees, {"text": {"en": "no torch", "zh": "缺少 torch"}}), say)


PAGES: dict[str, Callable[[Say], str]] = {
    "twelve": lambda say: render(sample(), sample_timing(), say),
    "classical": lambda say: render(sample(CLASSICAL), None, say),
    "suite": suite,
}


@pytest.fixture(scope="module")
def results() -> DemoResults:
    """Return the numbers of a short run: the shape of the real ones, not their meaning."""
    return collect(QUICK, lambda chapter, optimizer: None, lambda line: None)


@pytest.mark.parametrize(("name", "language"), sampled(product(PAGES, sorted(LANGUAGES))))
def test_reports_keep_every_rule(
    name: str, language: str, browser: Browser, tmp_path: Path
) -> None:
    """Reports fit every width, can be read in light and dark, and by keyboard and ear."""
    file = tmp_path / "report.html"
    file.write_text(PAGES[name](Say(language)), encoding="utf-8")
    assert audit(browser, file) == []


def test_a_long_name_leaves_room_for_its_table(browser: Browser, tmp_path: Path) -> None:
    """Beside the longest name that may be given, the tables can be read on a phone."""
    tree: Results = {**sample(CLASSICAL), "names": {"momentum": "m" * LONGEST_NAME}}
    file = tmp_path / "report.html"
    file.write_text(render(tree, None, Say("en")), encoding="utf-8")
    page = browser.open(file)
    unfold(page)
    assert stuck(page) == []
    page.close()


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_the_demo_keeps_every_rule(
    language: str, results: DemoResults, browser: Browser, tmp_path: Path
) -> None:
    """The demo's page fits every width, can be read in light and dark, by keyboard and ear."""
    file = tmp_path / "demo.html"
    file.write_text(render_demo(results, Say(language)), encoding="utf-8")
    assert audit(browser, file) == []
