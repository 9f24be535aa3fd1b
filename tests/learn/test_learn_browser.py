"""The guide as it is built, in Chromium: seen, read, pressed, touched, left and opened again."""

import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

import browser_checks as checks
from adamas.learn import book
from adamas.learn.chapters.exercises import ANSWERS
from browser import Browser, Page
from browser_process import NO_BROWSER, find_browser
from browser_static import dead, too_large
from learn_pages import SHIPPED
from long_form import LONG, sampled

pytestmark = pytest.mark.skipif(find_browser() is None, reason=NO_BROWSER)
# What a figure shows, its controls aside.
SHOWN = '[...f.querySelectorAll(".picture, .numbers, .sentence")].map(e => e.innerHTML).join("")'
# The values of all controls, figure by figure.
VALUES = """Object.fromEntries([...document.querySelectorAll("[data-control]")].map(c =>
  [c.id, c.type === "checkbox" ? c.checked : c.value]))"""


@pytest.fixture(scope="module")
def guide() -> Path:
    """Return the folder of the guide."""
    return SHIPPED / "learn"


def test_links_lead_somewhere(guide: Path) -> None:
    """Every link between the pages that are built leads to a page and a place in it."""
    pages = sorted(guide.parent.rglob("*.html"))
    assert len(pages) >= len(book.GUIDE)
    assert [text for page in pages for text in dead(page)] == []


@pytest.fixture(params=book.GUIDE)
def file(guide: Path, request: pytest.FixtureRequest) -> Path:
    """Return the page of each language."""
    return guide / book.GUIDE[request.param]


@pytest.fixture
def page(browser: Browser, guide: Path) -> Iterator[Page]:
    """Open the English page, which must not complain."""
    opened = browser.open(guide / "en.html")
    opened.prefer(motion="reduce")  # else it still scrolls when a finger comes down
    yield opened
    assert checks.noise(opened) == []
    opened.close()


def of(page: Page, play: str, expression: str) -> Any:
    """Return the value of an expression about `f`, the figure of a play."""
    return page.evaluate(f"(f => {expression})(document.getElementById('play-{play}'))")


def plays(page: Page) -> list[str]:
    """Return the names of all figures."""
    found: list[str] = page.evaluate(
        "[...document.querySelectorAll('[data-play]')].map(f => f.dataset.play)"
    )
    assert found
    return found


def controls(page: Page, play: str, selector: str = "[data-control]") -> list[str]:
    """Return a selector for each of a figure's controls."""
    found: list[str] = of(page, play, f"[...f.querySelectorAll({selector!r})].map(c => '#' + c.id)")
    return found


def focus(page: Page, selector: str) -> None:
    """Give an element the focus; that Tab reaches it is a check of its own."""
    page.evaluate(f"document.querySelector({json.dumps(selector)}).focus()")


def move(page: Page, selector: str) -> None:
    """Change a control with the keys that its kind has."""
    focus(page, selector)
    kind, first, last = page.evaluate(
        f"(c => [c.type, c.options ? c.selectedIndex === 0 : +c.value <= +c.min,"
        "c.options ? c.selectedIndex === c.options.length - 1 : +c.value >= +c.max])"
        f"(document.querySelector({json.dumps(selector)}))"
    )
    assert not (first and last), f"{selector} has one value only"
    if kind == "checkbox":
        page.press(" ")
    elif kind == "select-one":
        page.press("ArrowUp" if last else "ArrowDown")
    elif kind == "range":
        page.press("ArrowLeft" if last else "ArrowRight")
    else:
        raise AssertionError(f"{selector} is a {kind}: say here which keys change it")


# The catalogue in English is that in Chinese with longer words; the long form looks at it too.
AUDITED = [
    (folder, name)
    for folder in ("learn", "rules")
    for name in book.GUIDE.values()
    if LONG or (folder, name) != ("rules", book.GUIDE["en"])
]


@pytest.mark.parametrize(("folder", "name"), AUDITED)
def test_built_pages_keep_every_rule(folder: str, name: str, browser: Browser, guide: Path) -> None:
    """Nothing is cut, pale, nameless or out of reach, at any width, in both schemes."""
    file = guide.parent / folder / name
    assert checks.audit(browser, file) == []
    # The catalogue may have so many bytes for each rule: `test_learn_catalogue.py`.
    assert folder == "rules" or too_large(file.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("folder", "name"), sampled(product(["learn", "rules", "playground"], book.GUIDE.values()))
)
def test_letters_may_be_twice_as_large(
    folder: str, name: str, browser: Browser, guide: Path
) -> None:
    """On a phone with letters of twice the size no page is wider than the screen."""
    page = browser.open(guide.parent / folder / name)
    checks.unfold(page)
    page.resize(360)
    page.evaluate("void (document.documentElement.style.fontSize = '200%')")
    page.settle()
    assert checks.ask(page, "overflow") == []
    page.close()


def test_arrows_move_every_control(page: Page) -> None:
    """Every slider, choice and switch is moved by keys alone, and shows its new value."""
    for play in plays(page):
        for control in controls(page, play):
            before = page.evaluate(VALUES)[control[1:]]
            says = page.evaluate(f"document.querySelector('output[for={control[1:]}]')?.innerText")
            move(page, control)
            assert page.evaluate(VALUES)[control[1:]] != before, control
            now = page.evaluate(f"document.querySelector('output[for={control[1:]}]')?.innerText")
            assert says is None or now != says, f"{control} does not say its new value"


def test_every_slider_changes_what_is_shown(page: Page) -> None:
    """Home and End on a slider show something else than each other."""
    for play in plays(page):
        for slider in controls(page, play, "[type=range]"):
            focus(page, slider)
            page.press("Home")
            low = of(page, play, SHOWN)
            page.press("End")
            assert of(page, play, SHOWN) != low, slider


def test_buttons_are_pressed_with_the_keyboard(page: Page) -> None:
    """Enter and Space on every button of every figure change what it shows."""
    for play in plays(page):
        count = of(page, play, "f.querySelectorAll('[data-act]').length")
        for number in range(count):
            for key in ("Enter", " "):
                # From the middle every button leads somewhere else.
                of(page, play, "f.querySelectorAll('[data-act=again]').forEach(b => b.click())")
                of(page, play, "f.querySelectorAll('[data-act=step]').forEach(b => b.click())")
                before = of(page, play, SHOWN)
                of(page, play, f"f.querySelectorAll('[data-act]')[{number}].focus()")
                page.press(key)
                assert of(page, play, SHOWN) != before, (play, number, key)


def values_of(page: Page, play: str) -> dict[str, Any]:
    """Return the values of a figure's controls by their selectors."""
    values = page.evaluate(VALUES)
    return {control: values[control[1:]] for control in controls(page, play)}


def test_the_address_keeps_what_was_set(browser: Browser, guide: Path, page: Page) -> None:
    """Whoever is sent the address sees every figure as it was left."""
    left = {}
    for play in plays(page):
        for control in controls(page, play):
            move(page, control)
        address = page.evaluate("location.hash")
        assert address.startswith(f"#play-{play}?"), address
        left[play] = address, values_of(page, play), of(page, play, SHOWN)
    other = browser.open(guide / "en.html")
    for play, (address, values, seen) in left.items():
        other.evaluate(f"void (location.hash = {json.dumps(address)})")
        other.evaluate("new Promise(r => setTimeout(r))")  # hashchange comes after the change
        assert (values_of(other, play), of(other, play, SHOWN)) == (values, seen), play
    assert checks.noise(other) == []
    other.close()


def test_a_reload_keeps_what_was_set(page: Page) -> None:
    """The page loaded again shows the figure as it was left, and where it was."""
    play = plays(page)[-1]
    for control in controls(page, play):
        move(page, control)
    left = values_of(page, play), of(page, play, SHOWN)
    page.reload()
    assert (values_of(page, play), of(page, play, SHOWN)) == left
    assert of(page, play, "(b => b.top < innerHeight && b.bottom > 0)(f.getBoundingClientRect())")


@pytest.mark.parametrize(
    "fragment",
    [
        "%",
        "play-one?lr=%",
        "play-one?lr=nothing&t=1e9&rule=none&x=1",
        "play-one?t=2.5",
        "?",
        "play-",
    ],
)
def test_an_odd_address_does_no_harm(browser: Browser, guide: Path, fragment: str) -> None:
    """An address that says nothing opens the page as it is built, without an error."""
    page = browser.open(guide / "en.html", fragment=fragment)
    assert checks.noise(page) == []
    assert "NaN" not in of(page, "one", SHOWN)
    move(page, controls(page, "one", "[type=range]")[0])
    page.close()


def test_no_label_is_cut_however_controls_are_set(browser: Browser, file: Path) -> None:
    """At the ends of every control no label of a picture lies on another or outside."""
    page = browser.open(file)
    for width in (360, 1200):
        page.resize(width)
        page.settle()
        found = page.evaluate(
            f"""(check => [...document.querySelectorAll("[data-control]")].flatMap(c => {{
              const figure = c.closest("[data-play]"), start = c.value;
              const ends = c.options ? [...c.options].map(o => o.value)
                : c.type === "range" ? [c.min, c.max] : [];
              const found = [...ends, start].flatMap((value) => {{
                c.value = value;
                c.dispatchEvent(new Event("input", {{ bubbles: true }}));
                return check.labels(figure).map(text => `${{c.id}} = ${{value}}: ${{text}}`);
              }});
              return found;
            }}))({checks.SCRIPT.strip().rstrip(";")})"""
        )
        assert found == [], width
    assert checks.noise(page) == []
    page.close()


def test_nothing_moves_for_who_wants_no_motion(page: Page) -> None:
    """With reduced motion, playing shows the end at once; without, it goes step by step."""
    moving = [
        play for play in plays(page) if of(page, play, "!!f.querySelector('[data-act=play]')")
    ]
    for play in moving:
        slider = "f.querySelector('[data-act=play]').closest('.controls').querySelector('#' + "
        slider += (
            "CSS.escape(f.dataset.play + '-' + f.querySelector('[data-act=play]').dataset.of))"
        )
        for motion in ("reduce", "no-preference"):
            page.prefer(motion=motion)
            of(page, play, "f.querySelectorAll('[data-act=again]').forEach(b => b.click())")
            of(page, play, "f.querySelector('[data-act=play]').click()")
            at_end = of(page, play, f"{slider}.value === {slider}.max")
            assert at_end is (motion == "reduce"), (play, motion)
            assert page.evaluate("document.getAnimations().length") == 0
        # What moves can be stopped, and stays where it was stopped.
        of(page, play, "f.querySelector('[data-act=play]').click()")


def test_fingers_move_sliders_and_press_buttons(page: Page) -> None:
    """A finger that is drawn along a slider moves it, and a tap presses a button."""
    page.resize(360)
    page.settle()
    for play in plays(page):
        for slider in controls(page, play, "[type=range]")[:1]:
            focus(page, slider)
            page.press("Home")
            before = of(page, play, SHOWN)
            page.swipe(slider, right=40)
            assert of(page, play, SHOWN) != before, slider
        if of(page, play, "!!f.querySelector('[data-act=step]')"):
            page.tap(f"#play-{play} [data-act=again]")
            before = of(page, play, SHOWN)
            page.tap(f"#play-{play} [data-act=step]")
            assert of(page, play, SHOWN) != before, play


def test_an_exercise_is_answered_with_the_keyboard(page: Page) -> None:
    """What is typed into each exercise is judged when Enter is pressed, wrong and right."""
    for name, answer in ANSWERS.items():
        field, said = f"[data-exercise={name}] input", f"#exercise-{name} .sentence"
        heard = []
        for text in ("9999", f"{answer():.4g}"):
            focus(page, field)
            page.evaluate(f"document.querySelector({json.dumps(field)}).select()")
            for letter in text:
                page.press(letter)
            page.press("Enter")
            heard.append(page.evaluate(f"document.querySelector({json.dumps(said)}).textContent"))
        assert "too large" in heard[0] and "Right" in heard[1], (name, heard)
