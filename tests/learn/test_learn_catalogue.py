"""The rule catalogue is complete, says what the code does, and is made in both languages."""

import inspect
import re
from collections.abc import Mapping
from html import unescape
from math import sqrt

import numpy as np
import pytest

from adamas import Optimizer, dialects, rules
from adamas.classes import hypers
from adamas.homes.known import KNOWN
from adamas.kernel.formula import parse
from adamas.learn.book import GUIDE
from adamas.learn.entries import (
    RULES,
    STATE_FORMATS,
    best,
    formula,
    kept,
    moved,
    papers,
    path,
    seen,
    summary,
)  # fmt: skip
from adamas.learn.javascript import runs
from adamas.learn.relations import base, computed
from adamas.learn.text import SENTENCES
from adamas.learn.trace import follow
from adamas.learn.typeset import mathml
from browser_static import static_findings
from chinese_pages import english
from html_pages import Page
from learn_pages import shipped

LIMIT = 8_000 * len(RULES)  # bytes of a page
COUNT = 1 << 14


@pytest.fixture(scope="module")
def pages() -> Mapping[str, str]:
    """The catalogue as it ships, by language."""
    return {language: shipped(f"rules/{language}.html") for language in GUIDE}


def entry(page: str, rule: str) -> str:
    """What a page says of a rule alone."""
    begin = re.search(rf'<(section|article) id="{rule}">', page)
    assert begin is not None, rule
    end = re.compile(r"<article id=|</section>|</article>").search(page, begin.end())
    assert end is not None
    return page[begin.end() : end.start()]


@pytest.mark.parametrize("language", GUIDE)
def test_every_rule_is_there_whole(pages: Mapping[str, str], language: str) -> None:
    """Formula, source, calls, arguments and picture of every rule and every dialect."""
    page = pages[language]
    assert sorted(RULES) == sorted(KNOWN) == sorted([*rules.__all__, *dialects.__all__])
    for rule, function in RULES.items():
        text = entry(page, rule)
        said = {one: both[language] for one, both in SENTENCES.items()}
        assert mathml(parse(function), lambda key: said[key]) in text  # noqa: B023
        source = unescape(re.sub("</?span[^>]*>", "", text))
        assert inspect.getsource(function).strip() in source
        assert text.count("<math display") == 1
        # A rule of matrices is not run on a page, and the page says so.
        assert text.count("<svg ") == text.count("<figcaption>") == runs(formula(rule))
        assert (SENTENCES["catalogue.no_path"][language] in text) != runs(formula(rule))
        for name, value in hypers(function).items():
            assert f"<code>{name}</code>" in text
            assert f"<code>{value!r}</code>" in text
        # Where each tensor is stepped by itself, nothing is summed over all; Keras has no rows.
        alone = 'over="all"' not in inspect.getsource(function)
        assert text.count("adamas.jax.") == alone
        assert text.count("adamas.keras.") == (
            alone and "orthogonalize(" not in inspect.getsource(function)
        )


@pytest.mark.parametrize("language", GUIDE)
def test_a_page_is_whole_and_small(pages: Mapping[str, str], language: str) -> None:
    """It loads nothing, its tags nest, ids are there once, links lead somewhere, slots are full."""
    page = pages[language]
    assert static_findings(page) == []
    parsed = Page(page)
    assert max(parsed.ids.values()) == 1
    assert parsed.targets <= parsed.ids.keys()
    assert len(page.encode()) < LIMIT
    said = Page(re.sub("<pre.*?</pre>", "", page, flags=re.DOTALL)).words
    assert not re.findall(r"\{\w+\}|NaN|undefined|None", said)
    for rule in RULES:
        assert page.count(f'href="#{rule}"') >= 2


def test_the_chinese_page_is_chinese(pages: Mapping[str, str]) -> None:
    """Nothing on it is English but code and the papers' authors."""
    cited = sorted({one for rule in RULES for one in papers(rule)}, key=len, reverse=True)
    page = re.sub(r"<math.*?</math>", "", pages["zh"], flags=re.DOTALL)
    for one in cited:
        page = page.replace(one.replace("&", "&amp;"), "")
    assert english(page) == []


@pytest.mark.parametrize("rule", RULES)
def test_summaries_are_the_docstrings(rule: str) -> None:
    """The English sentence is the rule's own, and a Chinese one stands beside it."""
    assert SENTENCES[f"summary.{rule}"]["en"] == summary(rule)
    assert re.search("[\u4e00-\u9fff]", SENTENCES[f"summary.{rule}"]["zh"])


def test_eps_before_the_correction_counts_more_at_first() -> None:
    """What the sentence of epsilon-hat says: the same eps takes more of the first step, not later.

    Before the correction eps is divided by sqrt(1 - beta2**t) with the rest: Kingma & Ba 2015.
    """
    g, eps = [1e-7] * 5000, 1e-8
    usual, hat = (np.array(steps_of(rule, g, eps=eps)) for rule in ("adam", "adam_eps_hat"))
    expected = 1e-7 / (1e-7 + eps / np.sqrt(1 - 0.999 ** np.arange(1, 5001)))
    np.testing.assert_allclose(hat, expected, rtol=1e-6)
    assert hat[0] < 0.3 * usual[0] and hat[-1] == pytest.approx(usual[-1], rel=1e-3)
    said = SENTENCES["summary.adam_eps_hat"]
    assert "counts more at first" in said["en"] and "作用更大" in said["zh"]


def test_every_sentence_is_of_a_rule() -> None:
    """No rule lacks advice, no argument its meaning, and nothing is said of what is not there."""
    for key, names in {
        "summary": {*RULES},
        "use": {*rules.__all__},
        "avoid": {*rules.__all__},
        "hyper": {name for function in RULES.values() for name in hypers(function)},
    }.items():
        assert {k.partition(".")[2] for k in SENTENCES if k.startswith(f"{key}.")} == names


# What a rule reads before its last pass: norms of both, those of its update, and so on.
FACTORS = "g p g"
FIRST = {
    "mars": "g g_prev",
    "cautious_adamw": "g m",
    "lars": "p g",
    "lars_joint_norm": "p g",
    "lamb": "p g m v",
    "adamh": "p g m v p g m v",
    "stable_adamw": "g v",
    "adafactor": FACTORS,
    "adafactor_eps_inside": FACTORS,
    "adafactor_eps_inside_constant_lr": FACTORS,
    "came": "g g g m",
    "prodigy": "p g s p0",
    "prodigy_corrected": "p g s p0",
    # The norm that a matrix is divided by, and the matrix.
    **dict.fromkeys(("muon", "muon_match_rms_adamw", "muon_moonlight", "normuon"), "g m g m"),
    "muon_corrected": "g m g m",
    # Behind the matrix, the norm of the update.
    "adamuon": "g m g m v",
}


@pytest.mark.parametrize("rule", RULES)
def test_bytes_are_those_of_the_engine(rule: str) -> None:
    """What a rule keeps is what an optimizer allocates; a step moves that twice, and g and p.

    Numbers of rows and columns are not counted. What is summed first is read once more each time.
    """
    for state in STATE_FORMATS:
        p = np.zeros((1 << 7, COUNT >> 7), np.float32)
        optimizer = Optimizer(RULES[rule], p, state=lambda key, array, s=state: s)
        (state_dict,) = optimizer.state_dict()["state"].values()
        each = dict.fromkeys(("p", "g", *optimizer.formula.states), 0.0) | {"p": 4.0, "g": 4.0}
        for key, one in state_dict.items():
            if key.partition(".")[0] in optimizer.formula.states:
                each[key.partition(".")[0]] += np.asarray(one).nbytes / COUNT
        assert kept(rule, state) == sum(each.values()) - 8
        again = sum(each[name] for name in FIRST.get(rule, "").split())
        # The parameter is read and written, the gradient read.
        assert moved(rule, state) == pytest.approx(12 + 2 * kept(rule, state) + again, abs=0)


def test_relations_are_those_of_docs() -> None:
    """Each dialect is what a library computes, and is said to be, by its docstring and the page."""
    for rule in dialects.__all__:
        doc = " ".join((KNOWN[rule].__doc__ or "").split())
        said = {name for name in ("torch", "optax", "Keras") if f"{name}: " in doc}
        calls = [one.call for one in computed() if one.rule == rule]
        found = {call.partition(".")[0] for call in calls}
        assert {name.lower() for name in said} == found
        assert base(rule) in rules.__all__
    by = {(one.rule, one.decoupled, one.call.partition(".")[0]) for one in computed()}
    # torch 2, optax and Keras of the documentation: AdamW is decoupled, Keras has epsilon-hat.
    assert {("adamw", False, "torch"), ("adamw", False, "optax")} <= by
    assert ("adam_eps_hat", True, "keras") in by
    assert not {one for one in computed() if one.rule in ("adan", "masked_adamw")}


def test_every_picture_shows_its_best_rate() -> None:
    """A run stays in the picture, and SGD's is that of the closed form."""
    assert all(seen(best(rule)) for rule in rules.__all__)
    run = best("sgd")
    # Slopes along and across the valley, which lies diagonally: 1 and 50 times a coordinate / 2.
    a, b = run.points[0][0] + run.points[0][1], run.points[0][0] - run.points[0][1]
    last = [(1 - run.lr) ** 40 * a, (1 - 50 * run.lr) ** 40 * b]
    np.testing.assert_allclose(
        run.points[-1], [(last[0] + last[1]) / 2, (last[0] - last[1]) / 2], rtol=1e-12
    )
    better = [path("sgd", lr) for lr in (run.lr / 2, run.lr * 2.5)]
    assert all(other.losses[-1] > run.losses[-1] or not seen(other) for other in better)


def steps_of(rule: str, gradients: list[float], **hypers: float) -> list[float]:
    """How far a rule goes at each step, in its lr."""
    run = follow(RULES[rule], [(g,) for g in gradients], (0.0,), lr=1.0, **hypers)
    return [a[0] - b[0] for a, b in zip(run.points, run.points[1:], strict=False)]


def test_advice_is_true() -> None:
    """What advice claims of numbers holds for the formulas."""
    one = [1.0] * 1000
    assert max(RULES, key=lambda rule: kept(rule, "float32")) == "adan"
    assert formula("lion").states == ("m",)
    assert formula("sgd").initial == {}
    assert steps_of("momentum", one)[-1] == pytest.approx(1 / (1 - 0.9))
    assert steps_of("nesterov", one, beta=0.0) == steps_of("momentum", one, beta=0.0)
    adagrad = steps_of("adagrad", one)
    assert adagrad == sorted(adagrad, reverse=True)
    assert steps_of("rmsprop", one)[0] == pytest.approx(1 / sqrt(1 - 0.99))
    centered = steps_of("rmsprop_centered", one)
    assert centered[-1] > 100 * steps_of("rmsprop", one)[-1]
    assert 1 < steps_of("adadelta", one)[0] / sqrt(1e-6) < 4
    assert steps_of("adam", [1e-4] * 50) == pytest.approx(steps_of("adam", [1e4] * 50), rel=1e-3)
    outlier = [1000.0, *one[:300]]
    forgetting, keeping = (steps_of(r, outlier, beta2=0.9)[-1] for r in ("adam", "amsgrad"))
    assert forgetting > 0.9 > 0.1 > keeping
    # After a spike the steps have grown e times when beta2 to the power of their number is 1 / e.
    after = steps_of("adamax", [*one[:50], 1000.0, *one[:300]], beta1=0.0, beta2=0.99)[51:]
    short = next(k for k, step in enumerate(after) if step > after[0] * np.exp(1))
    assert short * (1 - 0.99) == pytest.approx(1, abs=0.1)
    assert steps_of("radam", [3.0] * 4) == pytest.approx([3.0] * 4)
    assert steps_of("adabelief", one[:200])[-1] > 5 * steps_of("adam", one[:200])[-1]
    assert {abs(step) for step in steps_of("lion", [3.0, -1e-3, 7.0])} == {1.0}
    slow = follow(rules.ademamix, [(1.0,)] * 10_000, (0.0,)).states[-1]["m2"][0]
    assert slow == pytest.approx(1 - np.exp(-1), rel=1e-3)
