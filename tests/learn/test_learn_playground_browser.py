"""The playground in Chromium: by keys alone, by clicks, by its address, at every width."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest

import browser_checks as checks
from adamas.learn import playground_page as playground
from browser import Browser, Page
from browser_process import NO_BROWSER, find_browser
from browser_static import too_large
from learn_pages import SHIPPED

pytestmark = pytest.mark.skipif(find_browser() is None, reason=NO_BROWSER)
SENTENCE = "document.querySelector('#ground .sentence').innerText"
# Controls, each with a key that gives it another value.
KEYS = (
    ("#lr-0", "ArrowLeft"),
    ("#start-0", "ArrowRight"),
    ("#noise", "ArrowRight"),
    ("#rule-1", "ArrowDown"),
    ("#problem", "ArrowDown"),
    ("#length", "ArrowUp"),
)
# What is wider than the card of its optimizer.
STICKING = """[...document.querySelectorAll(".optimizer")].flatMap(card => [...card.children]
  .filter(e => e.getBoundingClientRect().right > card.getBoundingClientRect().right)
  .map(e => e.className || e.localName))"""
CHOOSE_OWN = """(s => { s.value = "own"; s.dispatchEvent(new Event("change", { bubbles: true })); })
  (document.querySelector("#rule-0"))"""
FAULTS = "document.querySelector('#faults-0').innerText"
# A name that is long, a line that is, and several faults.
LINE = "    v = 0.999 * v + (1 - 0.999) * (g - m) * (g - m) + erf(v) * (m @ m) + 1e-8 * 学习率"
FAULTY = f"problem=line&o=own&text={quote_plus(f'def f(p, g, m, v):{chr(10)}{LINE}')}&o=adam"
PICTURES = "document.querySelector('#ground .pictures').innerHTML"


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
    """Open the English page, which must not complain."""
    opened = browser.open(folder / "en.html")
    opened.prefer(motion="reduce")
    yield opened
    assert checks.noise(opened) == []
    opened.close()


def focus(page: Page, selector: str) -> None:
    """Give an element the focus; that Tab reaches it is a check of its own."""
    page.evaluate(f"document.querySelector({json.dumps(selector)}).focus()")


def go(page: Page, address: str) -> None:
    """Follow a link to a state of this page."""
    page.evaluate(f"location.hash = {json.dumps(address)}")
    page.settle()


def value(page: Page, selector: str) -> Any:
    """The value of a control."""
    return page.evaluate(f"document.querySelector({json.dumps(selector)}).value")


@pytest.mark.parametrize("language", playground.PAGE)
def test_the_page_keeps_every_rule(browser: Browser, folder: Path, language: str) -> None:
    """Nothing is cut, pale, nameless or out of reach, at any width, with and without a script."""
    file = folder / playground.PAGE[language]
    assert checks.audit(browser, file) == []
    assert too_large(file.read_text("utf-8")) == []


@pytest.mark.parametrize("state", [*playground.PRESETS.values(), FAULTY])
def test_nothing_is_cut_in_a_state_worth_a_look(browser: Browser, folder: Path, state: str) -> None:
    """Presets, and a text with faults, are whole on a phone and on a wide screen."""
    page = browser.open(folder / "zh.html")
    go(page, state)
    for width in (360, 1200):
        page.resize(width)
        page.settle()
        for key in ("Home", "End"):
            focus(page, "#t")
            page.press(key)
            sticking = page.evaluate(STICKING)
            assert sticking == [], (width, sticking)
            for check in ("overflow", "labels", "hiddenText"):
                assert checks.ask(page, check) == [], (width, key)
    page.close()


def test_all_is_done_with_the_keyboard(page: Page) -> None:
    """Steps, rates, rules and problems change by keys, and the sentence says where all are."""
    focus(page, "#t")
    page.press("Home")
    assert page.evaluate(SENTENCE).startswith("Step 0. A Adam: x = −2, y = 0.6")
    for act, step in (("step", 1), ("ten", 11), ("back", 10), ("play", 200), ("again", 0)):
        focus(page, f"[data-act={act}]")
        page.press("Enter")
        assert page.evaluate(SENTENCE).startswith(f"Step {step}."), act
    focus(page, "#t")
    page.press("End")
    for selector, key in KEYS:
        page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        before = page.evaluate(PICTURES)
        focus(page, selector)
        page.press(key)
        assert page.evaluate(PICTURES) != before, selector
        assert page.evaluate("document.activeElement.id") == selector[1:]


def test_optimizers_come_and_go(page: Page) -> None:
    """Up to four stand side by side, each with its own rate; the last one stays."""
    for count in (3, 4):
        page.click("[data-act=add]")
        assert page.evaluate("document.querySelectorAll('.optimizer').length") == count
    assert page.evaluate("document.querySelector('[data-act=add]').disabled")
    assert page.evaluate(SENTENCE).count("loss") == 4
    for _ in range(3):
        page.click("[data-act=remove]")
    assert page.evaluate("document.querySelectorAll('[data-act=remove]').length") == 0


def test_a_click_sets_the_start(page: Page) -> None:
    """The middle of the picture of paths is the middle of what it shows; a tap does the same."""
    box = "document.querySelector('svg[data-box]').dataset.box.split(' ').map(Number)"
    for press in (page.click, page.tap):
        page.click("[data-act=reset]")
        press("svg[data-box]")
        left, top, right, bottom = page.evaluate(box)
        width, height = page.evaluate(
            "(b => [b.width, b.height])(document.querySelector('svg[data-box]').viewBox.baseVal)"
        )
        x = -2.5 + 5 * (width / 2 - left) / (right - left)
        y = -1.6 + 3.2 * (bottom - height / 2) / (bottom - top)
        page.click("[data-act=again]")
        found = page.evaluate("location.hash").partition("start=")[2].partition("&")[0]
        assert [float(one) for one in found.split(",")] == pytest.approx([x, y], abs=0.03)


def test_a_typed_rule_runs_and_shows_its_faults(page: Page) -> None:
    """A text begins as the rule before it; faults come and go while one types."""
    page.evaluate(CHOOSE_OWN)
    assert value(page, "#text-0").startswith("def adam(p, g, m, v, *, t, lr=0.001")
    assert page.evaluate(SENTENCE).startswith("Step 60. A adam: x = −0.04293")
    focus(page, "#text-0")
    page.evaluate("document.querySelector('#text-0').setSelectionRange(0, 0)")
    for key in "x = y\n":
        page.press("Enter" if key == "\n" else key)
    assert "does not belong beside a rule" in page.evaluate(
        "document.querySelector('#faults-0').innerText"
    )
    assert "the text is no rule yet" in page.evaluate(SENTENCE)
    page.press("Backspace", 6)
    assert page.evaluate(FAULTS) == ""
    assert page.evaluate(SENTENCE).startswith("Step 60. A adam: x = −0.04293")


def test_whoever_opens_the_address_sees_the_same(page: Page) -> None:
    """Every preset, changed by a step, is the same after the page is loaded again."""
    for name, state in playground.PRESETS.items():
        go(page, state)
        page.click("[data-act=back]")
        left = page.evaluate("document.querySelector('#ground').innerText")
        page.reload()
        assert page.evaluate("document.querySelector('#ground').innerText") == left, name


def test_nothing_moves_for_who_wants_no_motion(page: Page) -> None:
    """Playing shows the end at once with reduced motion, and goes step by step without."""
    page.click("[data-act=again]")
    page.click("[data-act=play]")
    assert value(page, "#t") == "200"
    page.prefer(motion="no-preference")
    page.click("[data-act=play]")
    assert int(value(page, "#t")) < 200
    page.click("[data-act=play]")
    stopped = value(page, "#t")
    page.settle()
    assert value(page, "#t") == stopped


@pytest.mark.parametrize("language", playground.PAGE)
def test_every_rule_is_whole_on_a_phone(browser: Browser, folder: Path, language: str) -> None:
    """Names of all rules, four at a time, fit beside their lines."""
    page = browser.open(folder / playground.PAGE[language])
    page.resize(360)
    names = page.evaluate("[...document.querySelector('#rule-0').options].map(o => o.value)")[:-1]
    for k in range(0, len(names), 4):
        go(page, "&".join(f"o={name}" for name in names[k : k + 4]))
        assert checks.ask(page, "labels") == [], names[k : k + 4]
    page.close()
