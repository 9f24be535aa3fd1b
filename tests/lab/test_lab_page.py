"""The page: complete, self-contained, the same in both languages, and made of the run's numbers."""

import copy
import html
import inspect
import re
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from adamas import rules
from adamas.lab.demo.contest import one_each
from adamas.lab.demo.demo_page import render
from adamas.lab.demo.demo_results import QUICK, DemoResults, collect
from adamas.lab.demo.race_chapter import sensitivity
from adamas.lab.page.looks import LOOKS
from adamas.lab.page.plotting import NAME_GAP, name_lines, power_of_ten, spread
from adamas.lab.page.svg import COLOURS, Labels, compose, styled
from adamas.lab.report.numbers import learning_rate
from adamas.lab.report.result import result_table
from adamas.lab.report.subject import subject
from adamas.lab.text import LANGUAGES, Say
from adamas.lab.tuning import Point
from adamas.pages.elements import markup
from browser import Browser
from browser_checks import cut
from browser_process import NO_BROWSER, find_browser
from chinese_pages import english
from html_pages import Page

# Heads of columns whose text runs into the next one.
HEADS = "[...document.querySelectorAll('th')].filter(e => e.scrollWidth > e.clientWidth + 1).length"
PICTURES = {
    "opening", "fit", "loss", "update", "effective", "correction", "bias", "race", "race-lr",
    "words", "rare-steps", "lr-words", "lr-softmax", "lr-mlp", "digits-softmax",
    "intervals-softmax", "digits-mlp", "intervals-mlp",
}  # fmt: skip


@pytest.fixture(scope="module")
def results() -> DemoResults:
    """Return the numbers of a short run: the shape of the real ones, not their meaning."""
    return collect(QUICK, lambda chapter, optimizer: None, lambda line: None)


@pytest.fixture(scope="module", params=sorted(LANGUAGES))
def page(request: pytest.FixtureRequest, results: DemoResults) -> str:
    """Return the page in one language."""
    return render(results, Say(request.param), "demo.twin.html")


def test_page_loads_nothing_and_runs_nothing(page: str) -> None:
    """The file opens without a network and is read without JavaScript, and is under 600 kB.

    Its only link to elsewhere is the same page in the other language.
    """
    tags = Page(page)
    assert [link for link in tags.links if not link.startswith("#")] == ["demo.twin.html"]
    assert not re.search(r"@import|url\((?!#)|javascript:|\bon\w+=", page)
    assert {"script", "link", "img", "iframe", "object"}.isdisjoint(tags.tags)
    assert len(page.encode()) < 600_000


def test_every_reference_has_its_one_target(page: str) -> None:
    """Ids are unique, and every link, marker and clip path points at one of them."""
    tags = Page(page)
    assert [name for name, count in tags.ids.items() if count > 1] == []
    targets = {link.removeprefix("#") for link in (*tags.links, *tags.labels)}
    targets |= set(re.findall(r"url\(#([^)]+)\)", page))
    assert targets - set(tags.ids) == {"demo.twin.html"}


def test_every_picture_is_there_and_described(page: str) -> None:
    """Each named picture is an SVG that a screen reader announces with its caption."""
    for name in PICTURES:
        figure = re.search(rf'<figure id="fig-{name}">(.*?)</figure>', page, re.DOTALL)
        assert figure, name
        assert f'role="img" aria-labelledby="caption-{name}"' in figure[1]
        caption = re.search(rf'<figcaption id="caption-{name}">(.*?)</figcaption>', figure[1])
        assert caption and len(re.sub("<.*?>", "", caption[1])) > 20, name
        assert "<path" in figure[1]
    assert page.count("<figure") == len(PICTURES)


def test_tables_are_accessible(page: str) -> None:
    """Every table has a caption, column headers and row headers with their scope."""
    tables = re.findall(r"<table.*?</table>", page, re.DOTALL)
    assert len(tables) == 9
    for table in tables:
        assert "<caption>" in table and 'scope="col"' in table
        rows = re.findall(r"<tr>(.*?)</tr>", table.split("<tbody>")[1], re.DOTALL)
        assert rows and all(row.startswith('<th scope="row">') for row in rows)
        columns = table.count('scope="col"')
        assert all(row.count("<td>") == columns - 1 for row in rows)


def test_formula_is_the_function_that_ran(page: str) -> None:
    """The formula on the page is the source of `rules.adam`, character by character."""
    shown = re.search(r"<pre.*?><code>(.*?)</code></pre>", page, re.DOTALL)
    assert shown
    text = html.unescape(re.sub(r"</?span.*?>", "", shown[1]))
    assert text == inspect.getsource(rules.adam).rstrip()


@pytest.mark.skipif(find_browser() is None, reason=NO_BROWSER)
def test_everything_on_the_page_can_be_read(page: str, tmp_path: Path, browser: Browser) -> None:
    """From 360 to 1600 pixels nothing is cut, hidden or too small, and no head meets the next."""
    file = tmp_path / "demo.html"
    file.write_text(page, encoding="utf-8")
    shown = browser.open(file)
    assert cut(shown) == []
    assert shown.evaluate(HEADS) == 0
    shown.close()


def test_no_field_and_no_bad_number_is_left(page: str) -> None:
    """Nothing unfilled, no None, no NaN and no infinity reaches the reader."""
    text = re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)
    assert not re.search(r"[{}]|\bNone\b|\bnan\b|\binf\b|@\d", text)


def test_numbers_come_from_the_results(results: DemoResults) -> None:
    """Changing a number in the results changes the page, everywhere it is said."""
    changed = copy.deepcopy(results)
    changed["tutorial"]["w"] = 1.23456789
    before, after = (render(numbers, Say("en")) for numbers in (results, changed))
    said = before.count("0.90600039") - after.count("0.90600039")
    assert said == after.count("1.23456789") == 3


def test_contests_are_comparisons_like_any_other(results: DemoResults) -> None:
    """What the report says of a contest, its table of results, stands on the demo's page."""
    say = Say("zh")
    page = render(results, say)
    for contest in results["contests"].values():
        assert contest["problem"]["title"]["zh"] and contest["problem"]["label"]
        assert result_table(subject(contest, None, say)) in page


def test_diverged_runs_are_shown(results: DemoResults) -> None:
    """An optimizer that failed on a report seed is called diverged, in the table and the text."""
    changed = copy.deepcopy(results)
    mlp = changed["contests"]["mlp"]
    nothing = {"mean": None, "low": None, "high": None}
    ends = ["blown_up", "not_finite", "trained"]
    mlp["optimizers"]["momentum"] |= {"diverged": 2, "interval": nothing, "ends": ends}
    for one in mlp["comparisons"]:
        if one["optimizer"] == "momentum":
            one |= {"word": "diverged", "difference": nothing, "percent": nothing}
    found = render(changed, Say("en"))
    assert "1 no longer finite, 1 blown up" in found
    assert found.count("diverged: Momentum") == 3
    assert '<span class="verdict diverged">diverged</span>' in found


def test_adam_may_win_or_fail_the_race(results: DemoResults) -> None:
    """The sentence about the race follows the numbers: not fastest, fastest, or not arrived."""
    changed = copy.deepcopy(results)
    none = "race_not_arrived"
    for order, key in ((["adam", "gd"], "race_fastest"), (["gd"], none), ([], none)):
        changed["race"]["order"] = order
        said = Say("en")(key, adam=changed["race"]["entrants"]["adam"])
        assert markup(said) in render(changed, Say("en"))


def test_chinese_page_is_chinese(results: DemoResults) -> None:
    """Headings, captions and axis labels of the Chinese page are Chinese, and it says so."""
    page = render(results, Say("zh"))
    assert '<html lang="zh-Hans">' in page
    visible = re.findall(r"<h[12]>(.*?)</h[12]>|<caption>(.*?)</caption>", page)
    assert all(re.search("[\u4e00-\u9fff]", "".join(text)) for text in visible)
    for key, sentence in LANGUAGES["zh"].items():
        if key.startswith("chart_"):
            assert f">{html.escape(sentence)}<" in page, key
    assert english(page) == []


def test_colours_are_defined_for_light_and_dark() -> None:
    """Every colour of the pictures is a variable of both themes, light as drawn."""
    style = files("adamas.pages").joinpath("page.css").read_text(encoding="utf-8")
    light, dark = style.split("prefers-color-scheme: dark)")[:2]
    for name, colour in COLOURS.items():
        assert f"--{name}: {colour}" in light
        assert f"--{name}: #" in dark
    assert set(LOOKS) < set(COLOURS)


def test_labels_restore_what_the_font_cannot_draw() -> None:
    """Text beyond ASCII travels through matplotlib as a token and comes back escaped."""
    labels = Labels()
    assert labels("plain") == "plain"
    tokens = [labels("损失 <1"), labels("学习率")]
    assert all(token.isascii() for token in tokens) and tokens[0] != tokens[1]
    svg = labels.restore("".join(f"<text>{token}</text>" for token in tokens))
    assert svg == "<text>损失 &lt;1</text><text>学习率</text>"


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_names_beside_lines_never_collide(heights: list[float]) -> None:
    """Names keep their order and a gap, and stay inside the picture."""
    placed = spread(sorted(heights))
    assert len(placed) == len(heights)
    assert all(b - a >= NAME_GAP - 1e-9 for a, b in pairwise(placed))
    assert placed[0] >= -1e-9 and placed[-1] <= 1 + 1e-9


POWER = re.compile("(?:([0-9.]+) × )?10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)")
PLAIN = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


@given(st.floats(1e-12, 1e12))
def test_numbers_are_written_in_one_style(value: float) -> None:
    """A learning rate and a tick are plain or have a power of ten, and mean the value."""
    for text in (learning_rate(value), power_of_ten(value)):
        found = POWER.fullmatch(text)
        if found:
            read = float(found[1] or 1) * 10.0 ** int(found[2].translate(PLAIN))
        else:
            assert re.fullmatch(r"[0-9,]+(\.[0-9]+)?", text)
            read = float(text.replace(",", ""))
        assert read == pytest.approx(value, rel=0.006)


def test_a_learning_rate_is_one_point_of_a_line() -> None:
    """A refined rate, which was rounded, replaces the coarse one: no line goes upright."""
    coarse = [Point(10.0 ** (-k / 2), float(k), 3, 0, "coarse") for k in range(6)]
    refined = [Point(float(f"{point.lr:.6g}"), point.score + 9, 3, 0, "refine") for point in coarse]
    assert one_each([*refined[2:4], *coarse]) == [
        *reversed(coarse[4:]), *reversed(refined[2:4]), *reversed(coarse[:2]),
    ]  # fmt: skip


def test_no_line_of_the_race_goes_upright(results: DemoResults) -> None:
    """Each optimizer's price is drawn once for each learning rate, in rising order."""
    with styled():
        axes = compose(sensitivity(results["race"], Say("en")), Labels()).axes[0]
    drawn = [np.asarray(line.get_xdata(), float) for line in axes.lines]
    assert sum(len(rates) > 2 for rates in drawn) >= 3
    assert all(np.all(np.diff(rates) > 1e-3 * rates[:-1]) for rates in drawn if len(rates) > 2)


def test_a_thin_line_leads_to_each_name() -> None:
    """Where names were moved apart, a line of its colour goes from each curve to its name."""
    axes = Figure().subplots()
    axes.set_ylim(0, 1)
    name_lines(axes, [("a", 0.5, "red"), ("b", 0.5, "blue"), ("c", 2.0, "green")])
    starts = {line.get_color(): line.get_ydata()[0] for line in axes.lines}
    assert starts == pytest.approx({"red": 0.5, "blue": 0.5, "green": 1.0})
    ends = {line.get_color(): line.get_ydata()[1] for line in axes.lines}
    assert ends == {text.get_color(): text.get_position()[1] for text in axes.texts}
    assert ends["blue"] - ends["red"] == pytest.approx(NAME_GAP)


def test_unknown_language_and_sentence_are_refused() -> None:
    """A typing error in a key is an error, not an empty place on the page."""
    with pytest.raises(KeyError):
        Say("fr")
    with pytest.raises(KeyError):
        Say("en")("no_such_sentence")
