"""How the playground looks in Chromium: whole, legible and in reach, at every width."""

from urllib.parse import quote_plus

import pytest

import browser_checks as checks
from adamas.learn import playground_page as playground
from browser import Browser
from browser_playground import focus, go
from browser_process import NO_BROWSER, find_browser
from browser_static import too_large
from learn_pages import SHIPPED

pytestmark = pytest.mark.skipif(find_browser() is None, reason=NO_BROWSER)
FOLDER = SHIPPED / "playground"
# What is wider than the card of its optimizer.
STICKING = """[...document.querySelectorAll(".optimizer")].flatMap(card => [...card.children]
  .filter(e => e.getBoundingClientRect().right > card.getBoundingClientRect().right)
  .map(e => e.className || e.localName))"""
# A name that is long, a line that is, and several faults.
LINE = "    v = 0.999 * v + (1 - 0.999) * (g - m) * (g - m) + erf(v) * (m @ m) + 1e-8 * 学习率"
FAULTY = f"problem=line&o=own&text={quote_plus(f'def f(p, g, m, v):{chr(10)}{LINE}')}&o=adam"
# Names without a break, of a rule and of a hyper-parameter.
LONG_NAMES = [
    f"o=own&text=def {name}(p, g, *, {hyper}=0.1):%0A return p - {hyper} * g&o=adam"
    for name, hyper in (("a" * 60, "lr"), ("Q" * 12, "lr"), ("规" * 900, "率" * 60))
]
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


@pytest.mark.parametrize("language", playground.PAGE)
def test_the_page_keeps_every_rule(browser: Browser, language: str) -> None:
    """Nothing is cut, pale, nameless or out of reach, at any width, with and without a script."""
    file = FOLDER / playground.PAGE[language]
    assert checks.audit(browser, file) == []
    assert too_large(file.read_text("utf-8")) == []


@pytest.mark.parametrize("state", [*playground.PRESETS.values(), FAULTY, *LONG_NAMES])
def test_nothing_is_cut_in_a_state_worth_a_look(browser: Browser, state: str) -> None:
    """Presets, and a text with faults, are whole on a phone and on a wide screen."""
    page = browser.open(FOLDER / "zh.html")
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


@pytest.mark.parametrize("language", playground.PAGE)
def test_every_rule_is_whole_on_a_phone(browser: Browser, language: str) -> None:
    """Names of all rules, four at a time, fit beside their lines."""
    page = browser.open(FOLDER / playground.PAGE[language])
    page.resize(360)
    names = page.evaluate("[...document.querySelector('#rule-0').options].map(o => o.value)")[:-1]
    for k in range(0, len(names), 4):
        go(page, "&".join(f"o={name}" for name in names[k : k + 4]))
        assert checks.ask(page, "labels") == [], names[k : k + 4]
    page.close()


def test_no_label_is_cut_on_any_problem(browser: Browser) -> None:
    """On every problem, from its start to its end, no label lies on another or outside."""
    page = browser.open(FOLDER / "en.html")
    checks.unfold(page)
    for width in (360, 1200):
        page.resize(width)
        page.settle()
        found = page.evaluate(f"{EVERYTHING}({checks.SCRIPT.strip().rstrip(';')})")
        assert found == [], width
    page.close()


def test_paper_holds_what_was_set_and_no_control(browser: Browser) -> None:
    """Printed, the page says what it shows at this address, and prints no control."""
    page = browser.open(FOLDER / "en.html")
    go(page, "problem=bowl&t=5")
    page.call("Emulation.setEmulatedMedia", media="print")
    page.settle()
    assert page.evaluate("document.querySelector('#ground .set').innerText").count("bowl")
    seen = "[...document.querySelectorAll('#ground :is(input, select, button, textarea)')]"
    assert page.evaluate(f"{seen}.filter((one) => one.checkVisibility()).length") == 0
    page.close()
