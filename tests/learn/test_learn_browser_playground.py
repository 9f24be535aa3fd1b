"""The playground in Chromium: keys, clicks, typed rules, addresses; nothing is lost."""

from collections.abc import Iterator

import pytest

import browser_checks as checks
from adamas.learn import playground_page as playground
from browser import SHIFT, Browser, Page
from browser_playground import choose, focus, go, value
from browser_process import NO_BROWSER, find_browser
from learn_pages import SHIPPED

pytestmark = pytest.mark.skipif(find_browser() is None, reason=NO_BROWSER)
FOLDER = SHIPPED / "playground"
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
CHOOSE_OWN = """(s => { s.value = "own"; s.dispatchEvent(new Event("change", { bubbles: true })); })
  (document.querySelector("#rule-0"))"""
FAULTS = "document.querySelector('#faults-0').innerText"
PICTURES = "document.querySelector('#ground .pictures').innerHTML"
SHOWN = """[...document.querySelectorAll(".pictures, .inside, .numbers, .sentence")]
  .map(e => e.innerHTML).join("")"""
CONTROLS = """Object.fromEntries(
  [...document.querySelectorAll("#ground :is(input, select, textarea)")]
    .map(c => [c.id, c.value]))"""
OPTIMIZERS = "document.querySelectorAll('[data-optimizer]').length"
OWN = "def mine(p, g, m, *, lr=0.1):\n    m = 0.9 * m + g\n    p = p - lr * m\n    return p, m\n"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Open the English page with everything unfolded; it must not complain."""
    opened = browser.open(FOLDER / playground.PAGE["en"])
    opened.prefer(motion="reduce")
    checks.unfold(opened)
    yield opened
    assert checks.noise(opened) == []
    opened.close()


def edit(page: Page) -> None:
    """Write a blank into the text of the second optimizer, and stay there."""
    focus(page, "#text-1")
    page.press(" ")


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
        page.press("PageUp", times=6)
    rows = page.evaluate(
        "[...document.querySelector('.numbers table').querySelectorAll('tbody tr')]"
        ".map(r => [...r.cells].slice(1).map(c => c.innerText))"
    )
    assert rows[0] == rows[1] and rows[0][0] != "–"


@pytest.mark.parametrize("problem", ["line", "himmelblau"])
def test_the_address_holds_everything(problem: str, browser: Browser, page: Page) -> None:
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
    other = browser.open(FOLDER / playground.PAGE["zh"], fragment=fragment)
    assert other.evaluate(CONTROLS) == left
    assert checks.noise(other) == []
    other.close()


def test_whoever_opens_the_address_sees_the_same(page: Page) -> None:
    """Every preset, changed by a step, is the same after the page is loaded again."""
    for name, state in playground.PRESETS.items():
        go(page, state)
        page.click("[data-act=back]")
        checks.unfold(page)
        left = page.evaluate("document.querySelector('#ground').innerText")
        page.reload()
        checks.unfold(page)
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


def back(page: Page) -> None:
    """Go back to the address before."""
    page.evaluate(
        "new Promise((done) => { addEventListener('hashchange', done, { once: true });"
        "history.back(); })"
    )
    page.settle()


def test_going_back_shows_what_the_address_says(page: Page) -> None:
    """After a step and a link, going back shows the state whose address stands there."""
    go(page, "problem=bowl&t=5")
    page.click("[data-act=step]")
    go(page, "problem=line&t=3")
    assert value(page, "#problem") == "line"
    back(page)
    assert (value(page, "#problem"), value(page, "#t")) == ("bowl", "6")


def typing(page: Page, selector: str, text: str) -> None:
    """Replace what a field holds, letter by letter."""
    focus(page, selector)
    page.evaluate("document.activeElement.select()")
    for letter in text:
        page.press(letter)


def test_a_number_is_read_as_it_is_typed(page: Page) -> None:
    """A comma counts as a point; what is no number is refused in words with the value that runs."""
    typing(page, "#hyper-0-beta1", "0,5")
    assert page.evaluate(FAULTS) == ""
    typing(page, "#hyper-0-beta1", "0.9x")
    assert page.evaluate(FAULTS) == "beta1: “0.9x” is no number; 0.9 is used."
    live = "document.querySelector('#faults-0').getAttribute('aria-live')"
    assert page.evaluate(live) == "off"
    page.press("Tab")
    assert page.evaluate(live) == "polite"
    assert "beta1:" not in page.evaluate("location.hash")  # 0.9 is the default


def test_a_rate_is_typed_or_moved(page: Page) -> None:
    """The field beside the slider holds the same rate, also one that no slider has."""
    typing(page, "#hyper-0-lr", "0.003")
    assert float(value(page, "#lr-0")) == pytest.approx(-2.5, abs=0.026)
    label = "document.querySelector('output[for=lr-0]').innerText"
    assert page.evaluate(label) == "0.003"
    focus(page, "#lr-0")
    page.press("End")
    assert value(page, "#hyper-0-lr") == "10"
    go(page, "o=sgd,lr:-0.5")
    assert page.evaluate(label) == "−0.5"


def test_an_empty_first_line_stays(page: Page) -> None:
    """A text that begins with empty lines stands in its field as it is in the address."""
    go(page, "o=own&text=%0A%0Adef f(p, g):%0A return q")
    assert value(page, "#text-0").startswith("\n\ndef")
    assert "Line 4" in page.evaluate(FAULTS)


def test_faults_are_read_aloud_when_the_text_is_done(page: Page) -> None:
    """While a text is typed its faults are shown in silence, and told when one leaves it."""
    choose(page, "#rule-0", "own")
    focus(page, "#text-0")
    page.press("(")
    box = "document.querySelector('#faults-0')"
    assert page.evaluate(f"{box}.getAttribute('aria-live')") == "off"
    assert value(page, "#text-0").count("(") and page.evaluate(f"{box}.children.length") > 0
    page.evaluate(
        f"window.heard = []; new MutationObserver((all) => heard.push(...all.flatMap((one) =>"
        f"[...one.addedNodes].map(() => {box}.ariaLive)))).observe({box}, {{ childList: true }})"
    )
    page.press("Tab")
    assert set(page.evaluate("heard")) == {"polite"}
