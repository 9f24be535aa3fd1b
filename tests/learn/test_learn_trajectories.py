"""The guide's script, in V8 alone and in a real browser, goes where adamas goes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adamas.learn.book import script
from adamas.learn.problems import PROBLEMS
from browser import Browser, Page
from browser_process import NO_BROWSER, find_browser
from short_script import short
from trajectories import RULES, STEPS, expected_points, near, same_bits
from v8 import run


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Page]:
    """Open a page that is the script alone, as a page of the guide has it."""
    file = Path(tmp_path_factory.mktemp("script")) / "script.html"
    text = f'<!DOCTYPE html><meta charset="utf-8"><script>{short(script("en"))}</script>'
    file.write_text(text, encoding="utf-8")
    opened = browser.open(file)
    yield opened
    opened.close()


def points(name: str) -> str:
    """The expression for the points of a rule on every problem, by the problem's name."""
    return (
        "Object.fromEntries(Object.values(PROBLEMS).map((problem) => "
        f"[problem.name, trace(RULES.{name}, problem, {STEPS}).points]))"
    )


def agree(name: str, found: dict[str, Any]) -> None:
    """Assert that a rule passes the reference's points on every problem."""
    expected = expected_points(name)
    assert found.keys() == PROBLEMS.keys()
    for problem in PROBLEMS.values():
        if same_bits(name, problem):
            assert found[problem.name] == expected[problem.name], problem.name
        else:
            near(found[problem.name], expected[problem.name])


@pytest.mark.parametrize("name", RULES)
def test_trajectories(name: str) -> None:
    """Every rule passes the same points in the script and in the reference, on every problem."""
    agree(name, run(points(name)))


@pytest.mark.skipif(find_browser() is None, reason=NO_BROWSER)
@pytest.mark.parametrize("name", RULES)
def test_trajectories_in_chromium(name: str, page: Page) -> None:
    """Every rule passes the reference's points in Chromium, on every problem."""
    agree(name, page.evaluate(points(name)))
    assert not page.errors
