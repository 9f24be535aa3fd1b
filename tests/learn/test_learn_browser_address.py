"""The address of a page in Chromium, when more is changed than a browser lets a page write."""

import json
from collections.abc import Iterator

import pytest

import browser_checks as checks
from adamas.learn import playground_page as playground
from adamas.learn.book import GUIDE
from browser import Browser, Page
from browser_process import NO_BROWSER, find_browser
from learn_pages import SHIPPED

pytestmark = pytest.mark.skipif(find_browser() is None, reason=NO_BROWSER)
PLAYGROUND = SHIPPED / "playground" / playground.PAGE["en"]
# Each page with one of its sliders.
PAGES = {
    "guide": (SHIPPED / "learn" / GUIDE["en"], "[data-play] input[type=range]"),
    "playground": (PLAYGROUND, "#seed"),
}
# A key held down moves a slider so many times in ten seconds.
HELD = 300
# Chromium complains of the next one within ten seconds.
REFUSED = 200
COUNT = """void (window.written = 0, history.replaceState = ((real) => function (...given) {
  window.written += 1;
  if (window.refuses) throw new DOMException("too many", "SecurityError");
  return real.apply(this, given);
})(history.replaceState))"""
HOLD = """(({ selector, times, link }) => {
  const slider = document.querySelector(selector);
  for (let k = 0; k < times; k += 1) {
    slider.value = k % 2 ? slider.min : slider.max;
    for (const kind of ["input", "change"])
      slider.dispatchEvent(new Event(kind, { bubbles: true }));
  }
  slider.value = (Number(slider.min) + Number(slider.max)) / 2;
  for (const kind of ["input", "change"]) slider.dispatchEvent(new Event(kind, { bubbles: true }));
  const early = location.hash;
  if (link) document.querySelector(link).click();
  return [slider.value, early];
})"""
# Until the address changes, as it must: a browser that stays silent ends the test.
CHANGED = """(async (before) => {
  while (location.hash === before) await new Promise((done) => setTimeout(done, 20));
})"""


@pytest.fixture(params=PAGES)
def held(request: pytest.FixtureRequest, browser: Browser) -> Iterator[tuple[Page, str]]:
    """A page that must not complain, and its slider."""
    file, selector = PAGES[request.param]
    page = browser.open(file)
    page.evaluate(COUNT)
    yield page, selector
    assert checks.noise(page) == []
    page.close()


def hold(page: Page, selector: str, times: int = HELD, link: str = "") -> tuple[str, str]:
    """Change a slider so many times at once, put it in its middle, and click a link if told.

    Return its value there, and the address before any time has passed.
    """
    given = json.dumps({"selector": selector, "times": times, "link": link})
    value, early = page.evaluate(f"{HOLD}({given})")
    return value, early


def value_again(page: Page, selector: str) -> str:
    """The slider's value when the page is loaded again from its address."""
    page.reload()
    value: str = page.evaluate(f"document.querySelector({json.dumps(selector)}).value")
    return value


def test_a_key_held_down_does_not_flood_the_address(held: tuple[Page, str]) -> None:
    """The page writes fewer addresses than a browser refuses, and the last one at the end."""
    page, selector = held
    left, early = hold(page, selector)
    page.evaluate(f"{CHANGED}({json.dumps(early)})")
    assert page.evaluate("written") < REFUSED < HELD
    assert value_again(page, selector) == left


def test_an_address_that_was_refused_is_written_later(held: tuple[Page, str]) -> None:
    """Where a browser allows fewer, as Safari does, the page tries again until it may."""
    page, selector = held
    page.evaluate("void (window.refuses = true)")
    left, early = hold(page, selector, times=3)
    assert page.evaluate("written") == 1
    page.evaluate("void (window.refuses = false)")
    page.evaluate(f"{CHANGED}({json.dumps(early)})")
    assert value_again(page, selector) == left


def test_a_change_is_in_the_address_at_once(held: tuple[Page, str]) -> None:
    """Who changes something and loads the page again at once sees it as it was."""
    page, selector = held
    left, _ = hold(page, selector, times=0)
    assert value_again(page, selector) == left


def test_who_follows_a_link_finds_all_by_going_back(browser: Browser) -> None:
    """What was not written yet is written before, and does not overwrite where the link leads."""
    page = browser.open(PLAYGROUND)
    left, _ = hold(page, "#seed", link="#presets a")
    link = "document.querySelector('#presets a')"
    assert page.evaluate(f"location.hash === {link}.hash")
    # Longer than an address waits.
    page.evaluate("new Promise((done) => setTimeout(done, 700))")
    assert page.evaluate(f"location.hash === {link}.hash")
    page.evaluate(
        "new Promise((done) => { addEventListener('hashchange', done, { once: true });"
        "history.back(); })"
    )
    page.settle()
    assert page.evaluate("document.querySelector('#seed').value") == left
    assert checks.noise(page) == []
    page.close()
