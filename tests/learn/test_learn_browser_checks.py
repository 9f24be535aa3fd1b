"""Every check of pages lets a good page pass, and finds the fault that it is there for."""

import re
from pathlib import Path

import pytest

import browser_checks as checks
from browser import Browser, Page
from browser_process import NO_BROWSER, find_browser
from browser_static import MOST_BYTES, dead, loaded, lost, static_findings, too_large, twice

needs_browser = pytest.mark.skipif(find_browser() is None, reason=NO_BROWSER)
PICTURE = """<svg id="chart" role="img" aria-labelledby="says" width="300" height="100"
viewBox="0 0 300 100"><rect width="300" height="100" fill="#eee"/><text x="10" y="40">low</text>
<text x="20" y="80" transform="rotate(-90 20 80)">loss</text><text x="200" y="40">high</text>
</svg>"""
FORMULA = """<math><mfrac><mi>m</mi><mi>v</mi></mfrac><msup><mi>b</mi><mi>t</mi></msup>
<msub><mi>g</mi><mi>t</mi></msub></math>"""
# A page that keeps every rule; each case below breaks it in one place.
GOOD = f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>A good page</title>
<style>
:root {{ color-scheme: light dark }}
body {{ margin: 1rem; background: #fff; color: #222 }}
#chart text {{ fill: #222 }} .away {{ position: absolute; left: -999px }} .away:focus {{ left: 0 }}
@media (prefers-color-scheme: dark) {{ body {{ background: #111; color: #eee }} }}
</style></head>
<body><a class="away" href="#one">skip</a><h1>Title</h1><p id="text">A text to be read.</p>
<section id="one"><h2>Part</h2>{PICTURE}<p id="says">What the picture shows.</p>
<p>{FORMULA}</p><div style="width: 100%; overflow-x: auto" tabindex="0" role="region"
aria-label="wide"><div style="width: 3000px; height: 1em"></div></div>
<details><summary>More</summary><h3>Folded</h3><p><a href="https://arxiv.org/abs/1412.6980">paper
</a></p></details></section>
<div id="controls" hidden><button id="go">go</button><label for="lr">lr</label>
<input id="lr" type="range"><input type="radio" name="r" aria-label="one" checked><input
type="radio" name="r" aria-label="two"></div>
<script>document.getElementById("controls").hidden = false;</script></body></html>
"""
# check -> (what is replaced, by what, what the finding says)
FAULTS = {
    "cut_wide": ("A text", "<b style='display: block; width: 1300px'>A</b>", "1200 px: .* b “A”"),
    "cut_long": ("A text", "A" * 60, "360 px: the page is"),
    "cut": ("A text", "<b style='display: block; width: 9px; overflow: hidden'>cut</b>",
            "360 px: its box cuts #text b “cut”"),
    "cut_outside": ('x="200"', 'x="290"', "px outside its picture: #chart text “high”"),
    "cut_below": ('x="200" y="40"', 'x="200" y="110"', "px outside its picture"),
    "cut_on_another": ('x="200"', 'x="25"', "“low” lies under #chart text “high”"),
    "cut_on_turned": ('x="200" y="40"', 'x="0" y="70"', "“loss” lies under #chart text “high”"),
    "cut_tiny": ("A text", "<small style='font-size: 8px'>small</small>", "text of 8.0 px"),
    # W3C: of the greys on white, #767676 is the palest that can be read.
    "contrast": ("A text", "<b style='color: #777; background: #fff'>pale</b>", "light: .* 4.48"),
    "contrast_dark": ("body { background: #111; color: #eee }", "body { color: #eee }",
                      "dark: contrast 1.16"),
    "contrast_large": ("A text", "<b style='font-size: 24px; color: #aaa'>pale</b>",
                       "light: .* needed 3: .* b “pale”"),
    "contrast_faded": ("A text", "<b style='opacity: 0.4'>pale</b>", "light: .* b “pale”"),
    "contrast_ground": ("A text", "<b style='background: rgb(0 0 0 / 0.7)'>dark</b>", "light: "),
    "contrast_picture": ('fill="#eee"', 'fill="#555"', "“low”"),
    "noise": ("<script>", "<script>throw Error('broken');", "threw: Error: broken"),
    "noise_console": ("<script>", "<script>console.error('odd');", "error: odd"),
    "noise_request": ("<h1>", "<img alt='' src='other.png'><h1>", "asked for file:.*other.png"),
    "noise_fetch": ("<script>", "<script>fetch('https://adamas.invalid/').catch(() => 0);",
                    "asked for https://adamas.invalid/"),
    "keyboard": ('<button id="go">', '<button id="go" tabindex="-1">', "not reach button#go “go”"),
    "keyboard_focus": ("#chart text", "button { outline: none } #chart text",
                       "its focus does not show: button#go"),
    "keyboard_pale": ("#chart text", "button:focus { outline: 2px solid #ddd } #chart text",
                      "hardly shows .* button#go"),
    "keyboard_away": (".away:focus { left: 0 }", "", "focused out of sight: a.away “skip”"),
    "keyboard_trap": ("<script>", "<script>document.addEventListener('keydown', (e) => {"
                      "if (e.target.id === 'go') e.preventDefault() });", "Tab does not reach"),
    "names": ('for="lr"', 'for="go"', 'slider without a name: <input id="lr"'),
    "names_button": (">go</button>", "></button>", 'button without a name: <button id="go"'),
    "names_picture": ('aria-labelledby="says"', "", 'without a name: <svg id="chart"'),
    "names_role": ('role="img"', "", "a screen reader cannot tell svg#chart"),
    "names_region": ('aria-label="wide"', "", "a region without a name: #one div"),
    "headings": ("<h2>Part</h2>", "<h3>Part</h3>", "h1 is followed by .*h3 “Part”"),
    "headings_one": ("<h2>Part</h2>", "<h1>Part</h1>", "the page has 2 headings h1"),
    "headings_lang": (' lang="en"', "", "lang is “”"),
    "headings_title": ("A good page", "", "the page has no title"),
    "formulas": ("#chart text", "math { display: block } #chart text", "not set as a formula"),
    "formulas_flat": ("<mfrac>", "<mfrac style='display: flex'>", "no fraction"),
    "formulas_hidden": ("#chart text", "msup { display: none } #chart text", "no exponent"),
}  # fmt: skip
SCRIPTLESS = {
    "text": ("A text to be read.", "", "<script>", "<script>document.getElementById('text')"
             ".textContent = 'A long text that only the script writes. '.repeat(9);",
             "characters, with it"),
    "pictures": (PICTURE, "<i id='in'></i>", "<script>", "<script>document.getElementById('in')"
                 f".innerHTML = `{PICTURE}`;", "0 pictures, with it 1"),
    "width": ("A text", "<b id='in' style='display: block; width: 999px'>wide</b>", "<script>",
              "<script>document.getElementById('in').style.width = 'auto';",
              "360 px: the page is .* b#in"),
    "controls": ('id="controls" hidden', 'id="controls"', "", "",
                 "this does nothing: button#go"),
}  # fmt: skip


@pytest.fixture(scope="module")
def page(browser: Browser) -> Page:
    """Return one page for all faults: opening another takes longer than looking."""
    return browser.blank()


@needs_browser
def test_a_good_page_passes(browser: Browser, tmp_path: Path) -> None:
    """A page that keeps every rule has no findings, folded parts and hidden helpers included."""
    file = tmp_path / "good.html"
    file.write_text(GOOD, encoding="utf-8")
    assert checks.audit(browser, file) == []


@needs_browser
@pytest.mark.parametrize("case", FAULTS)
def test_each_fault_is_found(case: str, page: Page, tmp_path: Path) -> None:
    """One fault in a good page is found by its check, and the sentence says where."""
    old, new, said = FAULTS[case]
    assert old in GOOD
    file = tmp_path / "bad.html"
    file.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    page.forget()
    page.resize(1200)
    page.load(file.as_uri())
    checks.reading(page)
    found = getattr(checks, case.split("_")[0])(page)
    assert any(re.search(said, text) for text in found), found


@needs_browser
@pytest.mark.parametrize("grey", ["#767676", "rgb(0 0 0 / 0.537255)"])
def test_the_palest_grey_that_is_allowed_passes(
    grey: str, browser: Browser, tmp_path: Path
) -> None:
    """#767676 on white has a contrast of 4.54, the first grey above 4.5, as W3C's notes say."""
    file = tmp_path / "grey.html"
    text = f"<b style='background: #fff'><i style='color: {grey}'>grey</i></b>"
    file.write_text(GOOD.replace("A text", text), encoding="utf-8")
    page = browser.open(file)
    assert checks.contrast(page) == []
    page.close()


@needs_browser
@pytest.mark.parametrize("case", SCRIPTLESS)
def test_what_only_the_script_brings_is_found(case: str, browser: Browser, tmp_path: Path) -> None:
    """Text, pictures and controls that need the script are named."""
    old, new, other, more, said = SCRIPTLESS[case]
    file = tmp_path / "scripted.html"
    file.write_text(GOOD.replace(old, new, 1).replace(other, more, 1), encoding="utf-8")
    page = browser.open(file)
    found = checks.without_script(browser, file, checks.reading(page))
    page.close()
    assert any(re.search(said, text) for text in found), found


@pytest.mark.parametrize(
    "text",
    [
        '<img src="https://a.example/x.png">',
        '<img srcset="x.png 2x">',
        '<script src="//a.example/x.js"></script>',
        '<link rel="stylesheet" href="style.css">',
        '<svg><image href="x.png"/><use xlink:href="y.svg#a"/></svg>',
        "<style>@import 'x.css';</style>",
        "<style>p { background: url(http://a.example/x.png) }</style>",
        '<p style="background: url(x.png)">p</p>',
        '<video poster="x.png"></video>',
        '<object data="x.svg"></object>',
    ],
)
def test_what_loads_is_found(text: str) -> None:
    """Every way in which a page's file asks for another file is found."""
    assert loaded(text) and static_findings(text)


def test_what_does_not_load_passes() -> None:
    """Links to follow, parts of the page itself and data: are no loading."""
    text = (
        '<a href="https://arxiv.org/abs/1412.6980">paper</a><img src="data:image/png;base64,AA=="> '
        '<style>p { fill: url(#a) }</style><svg id="a"><use href="#a"/></svg>'
        '<script>const made = `<img src="x.png"><p id="b" for="c">url(#d)`;</script>'
    )
    assert static_findings(text) == []


def test_ids_are_checked() -> None:
    """An id that is there twice is found, and so is one that is referred to and not there."""
    text = (
        '<p id="a"></p><p id="a"></p><label for="b"></label><p aria-labelledby="a c"></p>'
        '<a href="#d">d</a><a href="#">top</a><svg><g clip-path="url(#e)"/></svg><p id="f"></p>'
    )
    assert twice(text) == ["a"] and lost(text) == ["b", "c", "d", "e"]


def test_dead_links_are_found(tmp_path: Path) -> None:
    """A link to a page that is not there is found, and so is one to a place that it lacks."""
    (tmp_path / "b.html").write_text('<p id="here">b</p>', encoding="utf-8")
    links = "b.html b.html#here b.html#here?x=1 b.html#t=5 b.html#gone c.html https://a.example #x"
    text = "".join(f'<a href="{link}">a</a>' for link in links.split())
    (tmp_path / "a.html").write_text(text, encoding="utf-8")
    assert dead(tmp_path / "a.html") == [
        "b.html#gone leads to no place in its page",
        "c.html leads nowhere",
    ]


def test_size_is_checked() -> None:
    """The size of a page counts in bytes, of which a Chinese letter has three."""
    assert too_large("x" * (MOST_BYTES - 1)) == []
    assert too_large("数" * (MOST_BYTES // 3)) == ["300,000 bytes, limit 300,000"]
