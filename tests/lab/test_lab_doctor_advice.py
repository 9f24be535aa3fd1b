"""Advice beside what the search measured, and what is said where no learning rate helps."""

import re
from dataclasses import replace
from math import inf

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from adamas.lab.doctor import LEAST, agreeing, diagnose, helped, hopeless
from adamas.lab.doctor.chart import charted
from adamas.lab.report import again, insight
from adamas.lab.report.subject import subject
from adamas.lab.text import LANGUAGES, Say
from adamas.lab.trial import run
from adamas.lab.tuning import Point, Tuned
from adamas.lab.zoo import built_in
from adamas.lab.zoo.line import FULL
from report_sample import Tree, sample

REDDI = built_in("reddi")
TUTORIAL = replace(FULL, steps=1000, every=100)


def tuned(lr: float, scores: dict[float, float]) -> Tuned:
    """Return a search with these scores, infinite where a run failed."""
    points = [Point(rate, score, 1, int(score == inf)) for rate, score in sorted(scores.items())]
    return Tuned(lr, tuple(points), at_edge=False)


def test_a_short_run_is_sent_to_the_tuned_rate() -> None:
    """At lr 0.001 the tutorial is short; the rate that is advised is the tuned one."""
    best = run(TUTORIAL, "adam", 0.1, 0)
    found = diagnose(TUTORIAL, "adam", 0.001, 0, best, 0.1)
    assert found is not None and found["numbers"]["lr"] != 0.1
    after = agreeing(found, tuned(0.1, {0.01: 3.0, 0.1: best.final, 1.0: 9.0}))
    assert after["advice"] == ["higher_lr", "more_steps"] and after["numbers"]["lr"] == 0.1


@given(
    st.sampled_from(["diverged", "stalled", "short", "slow"]),
    st.lists(st.sampled_from(["lower_lr", "higher_lr", "warm_up", "more_steps"]), unique=True),
    st.dictionaries(st.integers(-9, 3), st.one_of(st.just(inf), st.floats(0.1, 9)), min_size=1),
    st.integers(-9, 3),
)  # fmt: skip
def test_no_advice_contradicts_the_search(
    kind: str, advice: list[str], scores: dict[int, float], at: int
) -> None:
    """A rate that is advised is the chosen one or one without failure, in the named direction."""
    rates = {10.0**power: score for power, score in scores.items()}
    best = min(rates, key=lambda lr: (rates[lr], lr))
    found = {"lr": 10.0**at, "kind": kind, "advice": advice, "numbers": {"lr": 0.1 * 10.0**at}}
    after = agreeing(found, tuned(best, rates))
    others = [word for word in advice if word not in ("lower_lr", "higher_lr")]
    assert [word for word in after["advice"] if word in others] == others
    directions = set(after["advice"]) - set(others)
    assert len(directions) <= 1 and (directions <= {"lower_lr", "higher_lr"})
    if directions:
        named = after["numbers"]["lr"]
        assert named in rates and directions == {"lower_lr" if named < found["lr"] else "higher_lr"}
        assert named == best or rates[named] < inf
        assert kind != "diverged" or named < found["lr"]


def test_where_nothing_helps_reddi_is_known() -> None:
    """Adam and RMSProp go uphill on the counter-example at every rate, and AMSGrad is named.

    Theorem 3 of Reddi, Kale and Kumar 2018 says that Adam converges to the worst point and Theorem
    4 that AMSGrad converges; the remedy is run.
    """
    start = run(REDDI, "adam", 1e-3, 1).losses[0]
    points = [Point(lr, inf, 1, 1) for lr in (1e-9, 1e-3)]
    assert not helped(points, start)
    for name in ("adam", "rmsprop"):
        found = hopeless(REDDI, name, 1e-3, 1, points, ["sgd", "momentum"])
        assert found["kind"] == "no_rate" and found["advice"] == ["amsgrad", "another_rule"]
        assert "lower_lr" not in found["advice"] and found["better"] == ["sgd", "momentum"]
    cured = run(REDDI, "amsgrad", 0.1, 1)
    assert cured.losses[-1] < 0.5 * start


def test_no_cause_is_claimed_that_was_not_seen() -> None:
    """Where a run went downhill, or divides by no second moment, AMSGrad is not advised."""
    points = [Point(1.0, inf, 1, 1)]
    assert not charted(TUTORIAL, "adam", 0.01, 0).uphill
    assert hopeless(TUTORIAL, "adam", 0.01, 0, points, ["sgd"])["advice"] == ["another_rule"]
    assert hopeless(TUTORIAL, "sgd", 0.01, 0, points, [])["advice"] == ["check_all"]
    assert "amsgrad" not in hopeless(REDDI, "amsgrad", 1e-3, 1, points, [])["advice"]


@given(st.floats(1e-3, 1e3), st.sampled_from([-1.0, 1.0]), st.floats(0, 10))
def test_what_is_said_not_to_help_lowered_the_loss_by_no_more(
    size: float, sign: float, fall: float
) -> None:
    """A rate helps if the loss fell by more of its start than the sentences name, either sign."""
    start = sign * size
    assume(abs(fall - LEAST) > 1e-6)
    point = Point(0.1, start - size * fall / 100, 1, 0)
    assert helped([point], start) == (fall > LEAST)


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("key", ["compare_in_vain", "doctor_no_rate", "code_no_help"])
def test_where_nothing_helped_the_limit_is_named(key: str, language: str) -> None:
    """Who lowered the loss by 1.3 % is not told that nothing lowered it."""
    assert re.search(r"(more than|超过) 2 ?%", Say(language)(key, names="Adam", least=LEAST))


def in_vain() -> Tree:
    """Return results in which no rate helped Adam."""
    results = sample(("sgd", "adam"))
    numbers = {"rates": 19.0, "lowest_lr": 1.77827e-09, "highest_lr": 0.1, "uphill": 1.0}
    one = {"optimizer": "adam", "lr": 0.001, "seed": 1, "better": ["sgd"], "kind": "no_rate",
           "step": None, "parameter": None, "update_to_weight": None,
           "advice": ["amsgrad", "another_rule"], "numbers": numbers}  # fmt: skip
    return results | {"doctor": [one]}


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_the_page_offers_no_settings_that_failed(language: str) -> None:
    """Adam's rate is not to be copied; what was tried, why it failed and what trained is said."""
    say = Say(language)
    about = subject(in_vain(), None, say)
    assert again.code(about, "adam") == [again.paragraph(say("code_no_help", least=2))]
    assert any("SGD" in block for block in again.code(about, "sgd"))
    assert again.chapter(about).index("SGD") < again.chapter(about).index(
        say("code_no_help", least=2)
    )
    text = insight.doctor(about)
    for part in ("1.78 × 10⁻⁹", "19", "AMSGrad", "SGD", "Reddi", "2018"):
        assert part in text
    assert "{" not in text


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_a_rate_at_the_end_of_the_grid_says_so(language: str) -> None:
    """Settings at an end of what was tried are offered with a warning."""
    results = sample(("sgd", "adam"))
    results["optimizers"]["adam"]["at_edge"] = True
    results["optimizers"]["sgd"]["at_edge"] = False
    about = subject(results, None, Say(language))
    warning = about.say("code_at_edge")
    assert any(warning in block for block in again.code(about, "adam"))
    assert not any(warning in block for block in again.code(about, "sgd"))
