"""The driver of Chromium does what a reader does, hears what a page says, and leaves nothing."""

import os
import select
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import browser_process
from browser import Browser, Page, ScriptError
from browser_process import NO_BROWSER, BrowserError, BrowserProcess, find_browser

needs_browser = pytest.mark.skipif(find_browser() is None, reason=NO_BROWSER)
HELPERS = Path(browser_process.__file__).parent
HTML = """<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>driven</title>
<style>
  p { width: 300px } @media (prefers-color-scheme: dark) { p { color: rgb(1, 2, 3) } }
  @media (prefers-reduced-motion: reduce) { p { color: rgb(4, 5, 6) } }
</style>
<p>plain</p><button>press</button> <input id="text"> <input id="slide" type="range" max="10">
<div style="height: 4000px"></div><button id="low">low</button>
<script>
  const heard = [];
  for (const kind of ["click", "touchstart", "input"])
    document.addEventListener(kind, (e) => heard.push(kind + " " + e.target.tagName));
  document.querySelector("p").textContent = "scripted";
</script></html>"""


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """Open the page above."""
    file = tmp_path / "driven.html"
    file.write_text(HTML, encoding="utf-8")
    opened = browser.open(file)
    yield opened
    opened.close()


@needs_browser
def test_keys_reach_the_page(page: Page) -> None:
    """Tab moves the focus, Enter and Space press a button, arrows move a slider, letters type."""
    page.press("Tab")
    page.press("Enter")
    page.press(" ")
    assert page.evaluate("heard") == ["click BUTTON", "click BUTTON"]
    page.press("Tab")
    for letter in "Adam 2":
        page.press(letter)
    page.press("Backspace")
    page.press("Tab")
    page.press("ArrowRight", times=3)
    page.press("ArrowLeft")
    assert page.evaluate("[text.value, slide.value]") == ["Adam ", "7"]


@needs_browser
def test_mouse_and_finger_reach_the_page(page: Page) -> None:
    """A click and a tap press what lies below the first screen, and a finger drags a slider."""
    page.click("#low")
    assert page.evaluate("heard") == ["click BUTTON"]
    page.tap("#low")
    assert page.evaluate("heard.slice(1)") == ["touchstart BUTTON", "click BUTTON"]
    page.swipe("#slide", right=40)
    assert page.evaluate("+slide.value") > 5


@needs_browser
def test_the_reader_prefers(page: Page) -> None:
    """A page is shown the colours and the motion that its reader prefers, in the size given."""
    seen = []
    for scheme, motion in (
        ("light", "no-preference"),
        ("dark", "no-preference"),
        ("light", "reduce"),
    ):
        page.prefer(scheme, motion)
        seen.append(page.evaluate("getComputedStyle(document.querySelector('p')).color"))
    assert seen == ["rgb(0, 0, 0)", "rgb(1, 2, 3)", "rgb(4, 5, 6)"]
    page.resize(360, 640, scale=2)
    assert page.evaluate("[innerWidth, innerHeight, devicePixelRatio]") == [360, 640, 2]


@needs_browser
def test_a_page_without_its_script(browser: Browser, tmp_path: Path) -> None:
    """With script off a page shows what its file says, and can still be asked."""
    file = tmp_path / "plain.html"
    file.write_text(HTML, encoding="utf-8")
    page = browser.open(file, script=False)
    assert page.evaluate("document.querySelector('p').textContent") == "plain"
    page.close()


# What one page could leave to the next that is opened in its window.
LEFT = """[localStorage.length, sessionStorage.length, document.querySelectorAll(":hover").length,
  document.querySelector("p").textContent, innerWidth, devicePixelRatio, "ontouchstart" in window,
  matchMedia("print").matches, matchMedia("(prefers-color-scheme: dark)").matches, scrollY]"""


@needs_browser
def test_a_page_knows_nothing_of_the_one_before(tmp_path: Path) -> None:
    """A page that is opened where one was closed is as the first: its store, what it says, size."""
    file = tmp_path / "driven.html"
    file.write_text(HTML, encoding="utf-8")
    with Browser() as browser:
        page = browser.open(file)
        fresh = page.evaluate(LEFT)
        page.evaluate("localStorage.a = sessionStorage.a = 1, console.error('left')")
        page.resize(360, 640, scale=2)
        page.prefer("dark", "reduce")
        page.call("Emulation.setEmulatedMedia", media="print")
        page.click("p")
        page.tap("#low")
        assert page.evaluate(LEFT) != fresh and page.console
        page.close()
        script_free = browser.open(file, script=False)
        script_free.close()
        again = browser.open(file)
        again.settle()
        assert page is script_free is again and again.evaluate(LEFT) == fresh
        assert (again.console, again.errors, again.requests) == ([], [], [file.as_uri()])
        assert len(again.call("Page.getNavigationHistory")["entries"]) <= 2


@needs_browser
def test_a_page_is_heard(browser: Browser, tmp_path: Path) -> None:
    """What a page logs, throws and asks for is known, the file itself first."""
    file = tmp_path / "loud.html"
    file.write_text(
        "<script>console.warn('careful', 3); setTimeout(() => { throw Error('late') })</script>"
        "<img src='nowhere.png'><img src='https://adamas.invalid/x.png'>"
    )
    page = browser.open(file)
    page.settle()
    assert "warning: careful 3" in page.console
    assert [text.split("\n")[0] for text in page.errors] == ["Error: late"]
    asked = {(tmp_path / "nowhere.png").as_uri(), "https://adamas.invalid/x.png"}
    assert page.requests[0] == file.as_uri() and set(page.requests[1:]) == asked
    page.close()


@needs_browser
def test_values_and_errors_come_back(page: Page) -> None:
    """Numbers arrive bit for bit, promises when they are kept, and what throws is an error."""
    assert page.evaluate("[0.1 + 0.2, 5e-324, 2 ** 53 + 2]") == [0.1 + 0.2, 5e-324, 2.0**53 + 2]
    assert str(page.evaluate("-0")) == "-0.0" and page.evaluate("1 / 0") == float("inf")
    assert page.evaluate("Promise.resolve('kept')") == "kept"
    with pytest.raises(ScriptError, match="ReferenceError: nothing is not defined"):
        page.evaluate("nothing")
    with pytest.raises(BrowserError, match=r"^No\.Such: "):
        page.call("No.Such")
    with pytest.raises(ScriptError, match="nothing matches #none"):
        page.click("#none")


@needs_browser
def test_the_address_is_kept_and_opened_again(page: Page) -> None:
    """A fragment changes without loading; a reload loads the same address; no file is an error."""
    page.evaluate("location.hash = 'lr=0.1', window.mark = 1")
    page.reload()
    assert page.evaluate("[location.hash, typeof mark]") == ["#lr=0.1", "undefined"]
    with pytest.raises(BrowserError, match="does not open"):
        page.load("file:///no/such/page.html")


@needs_browser
def test_a_picture_shows_the_whole_page(page: Page, tmp_path: Path) -> None:
    """A picture has the size of the page in device pixels, and may be a tile of it."""
    page.resize(400, 300, scale=2)
    page.settle()
    sizes = []
    for name, tile in (("whole.png", ()), ("tile.png", (4000, 1000))):
        page.shoot(tmp_path / name, *tile)
        sizes.append(struct.unpack(">II", (tmp_path / name).read_bytes()[16:24]))
    height = page.evaluate("document.documentElement.scrollHeight")
    assert sizes == [(800, 2 * height), (800, 2 * (height - 4000))]
    assert page.evaluate("[innerWidth, innerHeight]") == [400, 300]


@needs_browser
def test_a_very_long_page_is_shown_to_its_end(page: Page, tmp_path: Path) -> None:
    """The last tile of a page of 40,000 pixels arrives, where Chromium would fall silent."""
    page.evaluate("void (document.querySelector('div').style.height = '40000px')")
    page.shoot(tmp_path / "last.png", 39_500, 1000)
    assert struct.unpack(">II", (tmp_path / "last.png").read_bytes()[16:24])[0] == 1200


def alive(profile: Path) -> list[str]:
    """Return every process whose command line names a profile."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
        except OSError:  # it ended meanwhile
            continue
        if os.fsencode(profile) in command:
            found.append(command.decode(errors="replace"))
    return found


@needs_browser
def test_nothing_outlives_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes and profile are gone when a test fails, and no home folder is needed."""
    monkeypatch.setenv("HOME", "/dev/null/no-home")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/dev/null/no-home")
    browser = Browser()
    profile = browser.process.profile
    with pytest.raises(ScriptError), browser:  # noqa: PT012
        assert browser.blank().evaluate("1") and profile.is_dir() and alive(profile)
        browser.blank().evaluate("throw Error('a test that fails')")
    assert not profile.exists() and alive(profile) == []
    browser.process.close()  # a second time


@needs_browser
def test_nothing_outlives_a_killed_python() -> None:
    """Chromium ends and its profile goes even when the Python that started it is killed."""
    script = (
        "from browser import Browser\nbrowser = Browser(); browser.blank()\n"
        "print(browser.process.pid, browser.process.profile, flush=True); input()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(HELPERS)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with child:
        assert child.stdout is not None
        pid, profile = child.stdout.readline().split()
        ended = os.pidfd_open(int(pid))
        child.send_signal(signal.SIGKILL)
        assert select.select([ended], [], [], 20.0)[0]
        os.close(ended)
    assert not Path(profile).exists() and alive(Path(profile)) == []


def test_without_chromium_the_reason_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no Chromium, nothing starts and the message says what to install or set."""
    monkeypatch.setenv("PATH", "/dev/null")
    monkeypatch.setenv("ADAMAS_CHROMIUM", "/no/such/chromium")
    assert find_browser() is None
    with pytest.raises(BrowserError, match="needs Chromium: on PATH"):
        BrowserProcess()


def test_a_browser_that_ends_at_once_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Chromium that cannot start is reported with its own last words."""
    broken = tmp_path / "chromium"
    broken.write_text("#!/bin/sh\necho no such library >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("ADAMAS_CHROMIUM", str(broken))
    with Browser() as browser, pytest.raises(BrowserError, match="Chromium has ended"):
        browser.blank()
