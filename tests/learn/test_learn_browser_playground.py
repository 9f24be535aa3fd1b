"""What the playground must not lose in Chromium: the focus, a press, a state, a label."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import browser_checks as checks
from adamas.learn import playground_page as playground
from browser import SHIFT, Browser, Page
from browser_process import NO_BROWSER, find_browser
from learn_pages import SHIPPED

pytestmark = pytest.mark.skipif(find_browser() is None, reason=NO_BROWSER)
SHOWN = """[...document.querySelectorAll(".pictures, .inside, .numbers, .sentence")]
  .map(e => e.innerHTML).join("")"""
CONTROLS = """Object.fromEntries(
  [...document.querySelectorAll("#ground :is(input, select, textarea)")]
    .map(c => [c.id, c.value]))"""
# Every problem with three rules, at the start, after a step and at the end.
EVERYTHING = """(check => {
  const found = [], change = (id, value, kind) => {
    const control = document.getElementById(id);
    control.value = value;
    control.dispatchEvent(new Event(kind, { bubbles: true }));
  };
  for (const { value } of [...document.getElementById("problem").options]) {
    change("problem", value, "change");
    for (const rule of ["adam", "yogi", "sgd"]) {
      change("rule-0", rule, "change");
      for (const t of [0, 1, 200]) {
        change("t", t, "input");
        found.push(...check.labels().map(text => `${value}, ${rule}, ${t}: ${text}`));
      }
    }
  }
  return found;
})"""
OPTIMIZERS = "document.querySelectorAll('[data-optimizer]').length"
OWN = "def mine(p, g, m, *, lr=0.1):\n    m = 0.9 * m + g\n    p = p - lr * m\n    return p, m\n"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Run one Chromium for this module."""
    with Browser() as running:
        yield running


@pytest.fixture(scope="module")
def folder() -> Path:
    """Return the folder of the pages."""
    return SHIPPED / "playground"


@pytest.fixture
def page(browser: Browser, folder: Path) -> Iterator[Page]:
    """Open the English page with everything unfolded; it must not complain."""
    opened = browser.open(folder / playground.PAGE["en"])
    opened.prefer(motion="reduce")
    checks.unfold(opened)
    yield opened
    assert checks.noise(opened) == []
    opened.close()


def focus(page: Page, selector: str) -> None:
    """Give an element the focus; that Tab reaches it is a check of its own."""
    page.evaluate(f"document.querySelector({json.dumps(selector)}).focus()")


def choose(page: Page, selector: str, value: str) -> None:
    """Choose an option with the arrow keys."""
    focus(page, selector)
    page.press("Home")
    options = f"[...document.querySelector({json.dumps(selector)}).options].map(o => o.value)"
    page.press("ArrowDown", times=page.evaluate(options).index(value))
    assert page.evaluate(f"document.querySelector({json.dumps(selector)}).value") == value


def edit(page: Page) -> None:
    """Write a blank into the text of the second optimizer, and stay there."""
    focus(page, "#text-1")
    page.press(" ")


def test_the_focus_goes_where_it_is_sent(page: Page) -> None:
    """After a text was changed Tab goes on from it, both ways, and no button throws one back."""
    focused = "document.activeElement.closest('[data-optimizer]')?.dataset.optimizer"
    choose(page, "#rule-1", "own")
    for modifiers in (0, SHIFT):
        edit(page)
        page.press("Tab", modifiers=modifiers)
        assert page.evaluate(focused) == "1"
    focus(page, "[data-act=add]")
    page.press("Enter")
    assert page.evaluate("document.activeElement.id") == "rule-2"
    focus(page, "[data-act=reset]")
    page.press(" ")
    assert page.evaluate("document.activeElement.dataset.act") == "reset"


def test_a_click_after_typing_counts(page: Page) -> None:
    """A button that is clicked while a text has the focus is pressed at the first click."""
    choose(page, "#rule-1", "own")
    edit(page)
    page.click("[data-act=add]")
    assert page.evaluate(OPTIMIZERS) == 3
    edit(page)
    page.click("[data-act=step]")
    assert page.evaluate("document.querySelector('#t').value") == "61"
    assert page.evaluate("document.querySelector('[data-optimizer=\"1\"] details').open")


@pytest.mark.parametrize("problem", ["line", "himmelblau"])
def test_the_address_holds_everything(
    problem: str, browser: Browser, folder: Path, page: Page
) -> None:
    """Whoever opens the address sees problem, rules, rates, texts, step and start as left."""
    choose(page, "#problem", problem)
    page.click("[data-act=add]")
    choose(page, "#rule-1", "adamw")
    choose(page, "#rule-2", "own")
    for slider, times in (("lr-0", 7), ("start-0", 3), ("noise", 2), ("seed", 4), ("t", 5)):
        focus(page, f"#{slider}")
        page.press("ArrowRight", times=times)
    focus(page, "#hyper-1-weight_decay")
    page.evaluate("document.activeElement.select()")
    for letter in "0.25":
        page.press(letter)
    choose(page, "#chosen", "2")
    left, seen = page.evaluate(CONTROLS), page.evaluate(SHOWN)
    fragment = page.evaluate("location.hash.slice(1)")
    page.reload()
    assert page.evaluate(CONTROLS) == left
    assert page.evaluate(SHOWN) == seen
    other = browser.open(folder / playground.PAGE["zh"], fragment=fragment)
    assert other.evaluate(CONTROLS) == left
    assert checks.noise(other) == []
    other.close()


def test_a_typed_rule_is_run(page: Page) -> None:
    """Momentum typed letter by letter goes where the product's momentum goes."""
    choose(page, "#rule-0", "momentum")
    choose(page, "#rule-1", "own")
    focus(page, "#text-1")
    page.evaluate("document.activeElement.select()")
    for letter in OWN:
        page.press("Enter" if letter == "\n" else letter)
    for slider in ("#lr-0", "#lr-1"):
        focus(page, slider)
        page.press("Home")
        page.press("ArrowRight", times=80)
    rows = page.evaluate(
        "[...document.querySelector('.numbers table').querySelectorAll('tbody tr')]"
        ".map(r => [...r.cells].slice(1).map(c => c.innerText))"
    )
    assert rows[0] == rows[1] and rows[0][0] != "–"


def test_no_label_is_cut_on_any_problem(page: Page) -> None:
    """On every problem, from its start to its end, no label lies on another or outside."""
    for width in (360, 1200):
        page.resize(width)
        page.settle()
        found = page.evaluate(f"{EVERYTHING}({checks.SCRIPT.strip().rstrip(';')})")
        assert found == [], width
