"""The report of a comparison: complete, self-contained, and made of the results alone."""

import copy
import html
import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files
from itertools import combinations
from typing import Any, get_args, get_type_hints, is_typeddict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from adamas.lab.commands.suite import suite_tree
from adamas.lab.page import svg
from adamas.lab.page.looks import looks_of
from adamas.lab.page.svg import COLOURS
from adamas.lab.protocol.results_types import Results
from adamas.lab.report.compare_page import CHAPTERS, render
from adamas.lab.report.numbers import measured, percent, with_spread
from adamas.lab.report.suite_page import render_suite
from adamas.lab.text import LANGUAGES, Say
from html_pages import LOADING, Page
from long_form import LONG
from report_sample import CLASSICAL, SHAPES, sample, sample_timing

TWO = ("adam", "momentum")
LIMIT = 600_000
NOTHING = {"mean": None, "low": None, "high": None}
Tree = dict[str, Any]


@pytest.fixture(scope="module", params=sorted(LANGUAGES))
def say(request: pytest.FixtureRequest) -> Say:
    """Return the sentences of one language."""
    return Say(request.param)


@pytest.fixture(scope="module")
def page(say: Say) -> Page:
    """Return the largest page, with twelve optimizers, parsed."""
    return Page(render(sample(), sample_timing(), say))


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pictures be empty: drawing them takes most of the time of a test that reads text."""
    monkeypatch.setattr(svg, "compose", lambda *given: Figure(figsize=(1, 1)))


def test_page_loads_nothing_and_runs_nothing(page: Page) -> None:
    """The file opens without a network and JavaScript, below 600 kB with twelve optimizers."""
    assert all(link.startswith("#") for link in page.links)
    assert LOADING.isdisjoint(page.tags)
    assert not re.search(r"@import|url\((?!#)|javascript:|\bon\w+=", page.text)
    assert len(page.text.encode()) < LIMIT


def test_every_reference_has_its_one_target(page: Page) -> None:
    """Ids are unique, and every link, caption and clip path points at one of them."""
    assert [name for name, count in page.ids.items() if count > 1] == []
    assert page.targets <= set(page.ids)


def test_every_chapter_is_there(page: Page) -> None:
    """The contents lead to every chapter, in the order of the page; most are folded."""
    chapter = r'<section id="([^"]+)">|</summary>\n<div id="([^"]+)">'
    found = ["".join(pair) for pair in re.findall(chapter, page.text)]
    # The chapter on a search over more than the rate is there after one only.
    expected = [key for key in CHAPTERS if key != "worth"]
    assert found == expected
    assert all(f'<li><a href="#{key}">' in page.text for key in expected)


def test_pictures_and_tables_are_described(page: Page) -> None:
    """Every picture has a name for a screen reader, every table a caption and scoped headers."""
    for head in re.findall(r"<svg [^>]*>", page.text):
        assert 'role="img"' in head and ("aria-labelledby=" in head or "aria-label=" in head)
    tables = re.findall(r"<table.*?</table>", page.text, re.DOTALL)
    assert len(tables) == page.tags["table"] > 8
    for table in tables:
        columns = table.count('scope="col"')
        rows = re.findall(r"<tr>(.*?)</tr>", table.split("<tbody>")[1], re.DOTALL)
        assert "<caption>" in table and rows
        assert all(row.startswith('<th scope="row">') for row in rows)
        assert all(row.count("<td>") == columns - 1 for row in rows)


def test_nothing_unfilled_reaches_the_reader(page: Page) -> None:
    """No field, None, NaN, infinity or placeholder of a label is left in the text."""
    assert not re.search(r"[{}]|\bNone\b|\bnan\b|\binf\b|@\d", page.words)


def test_text_of_users_is_escaped(page: Page) -> None:
    """Titles, hypotheses and names of parameters cannot write tags."""
    assert "Adam 会比 SGD &lt;好&gt; 5 %" in page.text
    assert "<好>" not in page.text and "<composite>" not in page.text


def test_same_results_give_the_same_bytes() -> None:
    """A page is a function of the results; JSON and back changes nothing, nor does sorting keys."""
    tree, timing = sample(TWO), sample_timing(TWO)
    again = json.loads(json.dumps(tree, sort_keys=True))
    assert render(tree, timing, Say("en")) == render(again, timing, Say("en"))


def test_chinese_page_is_chinese() -> None:
    """Headings, captions and axis labels of the Chinese page are Chinese."""
    page = render(sample(CLASSICAL), sample_timing(CLASSICAL), Say("zh"))
    assert '<html lang="zh-Hans">' in page
    parts = re.findall(r"<(?:h1|h2|caption|summary|dt)>(.*?)</", page)
    latin = {name.name for name in looks_of(CLASSICAL).values()}
    latin |= {"python", "numpy", "numba", "adamas", "system", "cpu", "cores"}
    assert [p for p in parts if not re.search("[\u4e00-\u9fff]", p) and p not in latin] == []
    for key in ("axis_steps", "axis_reach", "axis_tries", "axis_ratio", "axis_gradient"):
        assert f">{html.escape(LANGUAGES['zh'][key], quote=False)}<" in page, key


@pytest.mark.usefixtures("undrawn")
def test_text_is_escaped() -> None:
    """No cell of the page holds a bare < that is no tag, such as that of a tiny p-value."""
    tree = sample(CLASSICAL)
    for one in tree["comparisons"]:
        one["p"] = one["p_holm"] = 1e-9
    page = render(tree, sample_timing(CLASSICAL), Say("en"))
    assert "&lt; 0.001" in page
    assert not re.search(r"<(?![a-zA-Z/!])", page)


def spoken(tree: Tree, say: Say | None = None) -> str:
    """Return the sentence that answers the question, as text."""
    found = re.search(r'<p class="answer">(.*?)</p>', render(tree, None, say or Say("en")))
    assert found
    return html.unescape(re.sub("<.*?>", "", found[1])).replace("\u00a0", " ")


def worded(word: str, percent_of: float = -4.0) -> Tree:
    """Return results of two optimizers whose comparison ended in `word`."""
    tree = sample(TWO)
    (one,) = [c for c in tree["comparisons"] if c["reference"] == "adam"]
    ends = {"low": percent_of - 1, "mean": percent_of, "high": percent_of + 1}
    tree["comparisons"] = [one | {"word": word, "percent": ends}]
    return tree


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("better", "Momentum ended better than Adam."),
        ("worse", "Adam ended better than every other optimizer."),
        ("tie", "No optimizer is shown to be better than Adam; it ties with Momentum."),
        ("few", "There are not enough seeds for a verdict"),
        ("diverged", "Adam ended better than every other optimizer."),
    ],
)
def test_answer_follows_the_words(word: str, said: str) -> None:
    """The first sentence says what the comparison with the first reference ended in."""
    assert spoken(worded(word)).startswith(said)


@pytest.mark.usefixtures("undrawn")
def test_answer_rests_on_its_interval() -> None:
    """The difference in the first sentence is the tree's, with both ends of its interval."""
    said = spoken(worded("better", -4.0))
    assert "by −4.0 % (95 % interval −5.0 % to −3.0 %, 10 paired seeds)" in said
    assert "−7.5 %" in spoken(worded("better", -7.5))


@pytest.mark.usefixtures("undrawn")
def test_diverged_reference_gives_no_winner() -> None:
    """When the reference itself failed on fresh seeds, nobody is said to be beaten."""
    tree = worded("few")
    tree["optimizers"]["adam"] |= {"diverged": 3, "interval": NOTHING}
    assert "diverged in 3 of 10 runs" in spoken(tree)


@pytest.mark.usefixtures("undrawn")
def test_one_optimizer_alone_is_reported() -> None:
    """Without a comparison the page says so."""
    assert "ran alone" in spoken(sample(("adam",)))


@pytest.mark.usefixtures("undrawn")
def test_other_reference_sees_the_mirrored_comparison() -> None:
    """Two references are compared once; beside the second, the first one stands mirrored."""
    page = render(worded("worse", 4.0), None, Say("en"))
    label = r'<span class="label" aria-hidden="true">beside {}</span><span class="verdict {}">'
    cells = r"[^<]*</span></td><td>".join(
        label.format(*one) for one in (("Adam", "reference"), ("Momentum", "better"))
    )
    assert re.search(rf"Adam</span></th><td>{cells}", page)


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("label", ["composite", "synthetic", "real"])
def test_kind_of_data_is_shown(label: str, say: Say) -> None:
    """The label of the data stands above the answer."""
    tree = sample(TWO)
    tree["problem"]["label"] = label
    head = render(tree, None, say).split('<p class="answer">')[0]
    assert say(f"label_{label}") in head


@pytest.mark.usefixtures("undrawn")
def test_quality_target_is_answered() -> None:
    """Who reached the quality target and who missed it follows from the metric's direction."""
    tree = sample(TWO)
    tree["problem"]["quality"]["value"] = 0.953
    assert "Reached on average by: Adam. Not by: Momentum." in render(tree, None, Say("en"))
    tree["problem"]["higher"] = []
    assert "Reached on average by: Momentum. Not by: Adam." in render(tree, None, Say("en"))


@pytest.mark.usefixtures("undrawn")
def test_numbers_come_from_the_results() -> None:
    """Changing a number in the results changes what the page says."""
    tree = sample(TWO)
    before = render(tree, sample_timing(TWO), Say("en"))
    changed = copy.deepcopy(tree)
    changed["optimizers"]["adam"]["interval"] = {"mean": 0.98765, "low": 0.9, "high": 1.1}
    changed["hash"] = "feedfacefeedface"
    changed["optimizers"]["momentum"]["target"]["median"] = 4321
    after = render(changed, sample_timing(TWO), Say("en"))
    for shown in ("0.99 <span", "feedfacefeedface", "4,321"):
        assert shown in after and shown not in before


@pytest.mark.usefixtures("undrawn")
def test_failures_are_shown() -> None:
    """Diverged runs are named above the contents, and their losses are words in the table."""
    page = render(sample(), sample_timing(), Say("en"))
    assert "Failed runs</strong>: mine.py:signum_with_a_long_name (1 blown up, of 10 runs)" in page
    assert '<span class="verdict diverged">diverged</span>' in page


@pytest.mark.usefixtures("undrawn")
def test_doctor_speaks_in_sentences(say: Say) -> None:
    """A finding names run, step, parameter, ratio and advice; an unknown advice is passed on."""
    page = render(sample(), None, say)
    for part in ("137", "输出.weight", say("advice_clip"), say("doctor_short"), "someday", "2,100"):
        assert part in page


def leaves(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every number in the tree."""
    items: Any = ()
    if isinstance(tree, dict):
        items = tree.items()
    elif isinstance(tree, list):
        items = enumerate(tree)
    elif isinstance(tree, float | int):
        yield path
    for key, value in items:
        yield from leaves(value, (*path, key))


def kind(path: tuple[Any, ...]) -> tuple[str, ...]:
    """Return a path without places in lists and names of optimizers: which field it is."""
    return tuple("*" if isinstance(key, int) or key in SHAPES else key for key in path)


def without(tree: Tree, chosen: Callable[[tuple[Any, ...]], bool]) -> Tree:
    """Return the tree with every chosen number null."""
    tree = copy.deepcopy(tree)
    for path in list(leaves(tree)):
        if chosen(path):
            inner = tree
            for key in path[:-1]:
                inner = inner[key]
            inner[path[-1]] = None
    return tree


def nullable(path: tuple[Any, ...]) -> bool:
    """Tell whether the types of the results let what a path leads to be null."""
    return nullable_kind(kind(path))


@cache
def nullable_kind(path: tuple[str, ...]) -> bool:
    """Tell the same of a field; its types are written as texts, which take long to read."""
    tree: Any = Results
    for key in path:
        inside = [one for one in get_args(tree) if one is not type(None)]
        tree = inside[0] if type(None) in get_args(tree) else tree
        tree = get_type_hints(tree)[key] if is_typeddict(tree) else get_args(tree)[-1]
    return type(None) in get_args(tree)


def test_every_number_may_be_null() -> None:
    """Each field that may be null is so in about half of these pages, beside every other."""
    tree = sample(TWO, seeds=3)
    fields = sorted({kind(path) for path in leaves(tree) if nullable(path)})
    assert len(fields) > 40
    for bit in range(len(fields).bit_length()):
        for value in (0, 1):
            gone = {f for i, f in enumerate(fields) if i >> bit & 1 == value}
            Page(render(without(tree, lambda path: kind(path) in gone), None, Say("en")))  # noqa: B023
    Page(render(without(tree, nullable), None, Say("en")))


def test_a_run_that_left_for_infinity_has_its_pictures() -> None:
    """Gradients near the largest number are off the picture; the page is drawn all the same."""
    tree = sample(TWO, seeds=3)
    seen = tree["inside"]["adam"]
    share = 306 / (len(seen["at"]) - 1)
    seen["grad_norm"] = [10.0 ** (share * i) for i in range(len(seen["at"]))]
    Page(render(tree, None, Say("en")))


@settings(max_examples=100 if LONG else 5, deadline=None)
@given(st.integers(2, 9), st.randoms(use_true_random=False))
def test_any_numbers_may_be_null(share: int, chance: Any) -> None:
    """Nulls at random places, as failed runs leave them, never stop the report."""
    tree = sample(TWO, seeds=3)
    gone = without(tree, lambda path: nullable(path) and chance.randrange(10) < share)
    Page(render(gone, None, Say("zh")))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_readable(value: float) -> None:
    """Any number has a short form that is near it, with a typographic minus."""
    text = measured(value)
    assert "-" not in text and "e" not in text and len(text) < 16
    percent(value, Say("en"))
    with_spread({"mean": value, "low": value, "high": value})


def channel(value: str) -> float:
    """Return one colour channel's share of luminance, WCAG 2.2."""
    share = int(value, 16) / 255
    return float(share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, WCAG 2.2."""
    lights = sorted(
        0.2126 * channel(c[1:3]) + 0.7152 * channel(c[3:5]) + 0.0722 * channel(c[5:7])
        for c in (one, other)
    )
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def test_colours_can_be_read_on_both_themes() -> None:
    """Names drawn in an optimizer's colour have a contrast of 4.5 on light and dark paper."""
    style = files("adamas.pages").joinpath("page.css").read_text(encoding="utf-8")
    themes = style.split("prefers-color-scheme: dark)")[:2]
    for theme in themes:
        values = dict(re.findall(r"--([\w-]+): (#\w{6})", theme))
        for name in COLOURS.keys() - {"line"}:
            assert contrast(values[name], values["paper"]) >= 4.5, name


def test_no_two_optimizers_look_alike() -> None:
    """Colour and dashes together tell 40 optimizers apart, and known ones keep their colour."""
    names = [*SHAPES, *(f"mine.py:rule{i}" for i in range(40))]
    looks = looks_of(names)
    assert looks["adam"].key == "adam"
    assert all((a.key, a.dashes) != (b.key, b.dashes) for a, b in combinations(looks.values(), 2))
    assert looks_of(names) == looks


def test_suite_page_is_self_contained(say: Say) -> None:
    """The page of a suite nests, loads nothing, and links only to the reports beside it."""
    found = {"cells": sample(CLASSICAL), "other": sample(CLASSICAL)}
    page = Page(
        render_suite(
            suite_tree(found, {"text": {"en": "missing <torch>", "zh": "缺少 <torch>"}}), say
        )
    )
    assert {link for link in page.links if link[0] != "#"} == {
        "cells/report.html", "other/report.html",
    }  # fmt: skip
    assert LOADING.isdisjoint(page.tags) and "&lt;torch&gt;" in page.text
    assert not re.search(r"[{}]|\bNone\b|\bnan\b", page.words)
