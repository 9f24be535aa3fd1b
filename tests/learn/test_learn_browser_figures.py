"""How figures stand on a page of the guide, in Chromium, with figures made for it."""

from pathlib import Path

import pytest

from adamas.learn import scripts
from adamas.learn.book import script
from browser import Browser, Page
from browser_process import NO_BROWSER, find_browser

pytestmark = pytest.mark.skipif(find_browser() is None, reason=NO_BROWSER)
# One figure fails when it is drawn, one at its later steps; one does not.
PLAYS = """
const counted = ({ t }) => ({ sentence: `t = ${t}` });
PLAYS.broken = { controls: [], show() { throw new Error("broken"); } };
PLAYS.later = { controls: [range("t", 0, 9, 1, 0)], show({ t }) {
  if (t) throw new Error("later");
  return counted({ t });
} };
PLAYS.whole = { controls: [stepper("t", 90, 0)], show: counted };
for (const [key, play] of Object.entries(PLAYS))
  for (const one of play.controls) TEXT[`play.${key}.${one.name}`] ??= one.name;
"""
FIGURE = """<figure data-play="{name}" id="play-{name}"><div class="picture"></div>
<div class="numbers"></div><p class="sentence" aria-live="polite"></p>
<form class="controls"></form><figcaption id="caption-{name}">x</figcaption></figure>"""
FILL = """for (const form of document.forms) {
  const { play } = form.parentElement.dataset, { controls } = PLAYS[play];
  form.innerHTML = controls.map((one) => controlHtml(play, one, one.value)).join("");
}"""
SAYS = "document.querySelector('#play-whole .sentence').innerText"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a page with three figures."""
    path = tmp_path_factory.mktemp("figures") / "page.html"
    figures = "".join(FIGURE.format(name=name) for name in ("broken", "later", "whole"))
    code = "\n".join([script("en"), PLAYS, FILL, scripts.page()])
    path.write_text(
        f'<!DOCTYPE html><meta charset="utf-8">{figures}<script>(() => {{{code}}})();</script>',
        encoding="utf-8",
    )
    return path


def go(page: Page, address: str) -> None:
    """Follow a link to a state of this page."""
    page.evaluate(f"void (location.hash = {address!r})")
    page.settle()


def test_a_figure_that_fails_harms_no_other(browser: Browser, file: Path) -> None:
    """What fails is reported; the others are drawn and follow the address, now and later."""
    page = browser.open(file, fragment="play-later?t=3")
    assert page.evaluate(SAYS) == "t = 0"
    go(page, "play-whole?t=7")
    assert page.evaluate(SAYS) == "t = 7"
    go(page, "play-broken")
    go(page, "play-whole?t=8")
    assert page.evaluate(SAYS) == "t = 8"
    assert sorted({text.split("\n")[0].split(": ")[-1] for text in page.errors}) == [
        "broken",
        "later",
    ]
    page.close()


def test_playing_is_not_read_aloud_step_by_step(browser: Browser, file: Path) -> None:
    """While a figure plays its sentence is silent, and its last one is read."""
    page = browser.open(file)
    live = "document.querySelector('#play-whole .sentence').getAttribute('aria-live')"
    page.evaluate("document.querySelector('#play-whole [data-act=play]').click()")
    assert page.evaluate(live) == "off"
    page.evaluate("document.querySelector('#play-whole [data-act=play]').click()")
    assert page.evaluate(live) == "polite"
    go(page, "play-whole?t=89")
    said = page.evaluate(
        "new Promise((done) => { const s = document.querySelector('#play-whole .sentence');"
        "new MutationObserver(() => done([s.innerText, s.getAttribute('aria-live')]))"
        ".observe(s, { childList: true });"
        "document.querySelector('#play-whole [data-act=play]').click(); })"
    )
    assert said == ["t = 90", "polite"]
    page.close()
