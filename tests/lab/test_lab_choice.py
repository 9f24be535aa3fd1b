"""Choosing a learning rate is chance too: what is claimed of equal optimizers, tuning included.

The long form, on real training runs, is `benchmarks/alike`; here a run's loss is drawn from a
valley with noise, so that hundreds of whole comparisons take seconds.
"""

from collections import Counter
from dataclasses import asdict, replace
from math import inf, log10, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adamas.lab.entrants import entrant
from adamas.lab.protocol.plan import SIZES, Mode, Plan, declare, digest
from adamas.lab.protocol.runner import Runner, Trial
from adamas.lab.protocol.search import redrawn, search
from adamas.lab.protocol.study import Study, study
from adamas.lab.report.compare_page import render
from adamas.lab.statistics.paired import compare
from adamas.lab.text import Say
from adamas.lab.tuning import Point, chosen, gained, log_grid
from adamas.lab.zoo.digits import SOFTMAX
from report_sample import sample, sample_timing
from valley import PAIR, Valley


def plan(mode: Mode) -> Plan:
    """Return the plan of comparing the pair."""
    return declare(SOFTMAX, {}, [entrant(n) for n in PAIR], SIZES[mode], references=PAIR[1:])


def word(found: Study) -> str:
    """Return the word of a comparison."""
    finals = {name: [record.final for record in runs] for name, runs in found.report.items()}
    return compare(finals, PAIR[1:])[0].word


def words(mode: Mode, count: int, first: int, planted: float = 0.0) -> Counter[str]:
    """Carry out comparisons with seeds of their own and count their words."""
    made = plan(mode)
    runners = (Valley(first + k, planted=planted) for k in range(count))
    return Counter(word(study(made, runner, lambda stage: None)) for runner in runners)


@pytest.mark.parametrize(("mode", "count"), [("quick", 600), ("default", 400)])
def test_equal_optimizers_that_are_tuned_are_rarely_told_apart(mode: Mode, count: int) -> None:
    """A/A with the search inside: "better" or "worse" in at most 7 % of comparisons.

    Choosing the lowest score, and judging at it alone, claimed 18 % of the quick ones here.
    """
    found = words(mode, count, 1000)
    wrong = (found["better"] + found["worse"]) / count
    assert wrong <= 0.07 + 3 * sqrt(0.07 * 0.93 / count)


def test_a_worse_optimizer_is_found_in_a_quick_comparison() -> None:
    """Silence is no cure: 10 % worse under a noise of 4 % is found in two of three, never praised.

    The paired t-test alone, at equal rates and 6 seeds, finds it in nine of ten.
    """
    count = 60
    found = words("quick", count, 5000, planted=0.1)
    assert found["better"] == 0
    assert found["worse"] / count >= 2 / 3


def test_every_judging_seed_has_a_rate_that_the_search_could_have_chosen() -> None:
    """Judged runs are made at the drawn rates, which differ and lie among those that were tried."""
    found = study(plan("quick"), Valley(7), lambda stage: None)
    for name in PAIR:
        tuned = found.tuned[name]
        assert tuple(record.lr for record in found.report[name]) == tuned.drawn
        assert len(set(tuned.drawn)) > 1
        refined = [point.lr for point in tuned.points if point.stage == "refine"]
        assert all(min(refined) <= lr <= max(refined) for lr in (tuned.lr, *tuned.drawn))


def test_equal_scores_draw_equal_rates() -> None:
    """A seed draws the same seeds of the search for everybody, so what all share cancels."""
    rng = np.random.default_rng(3)
    scores = {lr: rng.lognormal(0, 0.1, 4).tolist() for lr in (0.01, 0.02, 0.04)}
    others = {10 * lr: found for lr, found in scores.items()}
    ours = [redrawn(scores, seed) for seed in range(30)]
    theirs = [redrawn(others, seed) for seed in range(30)]
    assert np.allclose(np.array(theirs) / np.array(ours), 10, rtol=1e-4)
    assert len(set(ours)) > 5


def test_one_seed_of_the_search_leaves_nothing_to_draw() -> None:
    """Without randomness every draw is the choice itself."""
    scores = {0.01: [2.0], 0.02: [1.0], 0.04: [3.0]}
    assert {redrawn(scores, seed) for seed in range(9)} == {0.02}


def points(*scores: float) -> list[Point]:
    """Return points a decade apart, the first at 0.001."""
    return [Point(1e-3 * 10.0**k, score, 1, score == inf) for k, score in enumerate(scores)]


@given(st.lists(st.one_of(st.floats(0.1, 10), st.just(inf)), min_size=3, max_size=9))
def test_the_choice_lies_among_what_trained(scores: list[float]) -> None:
    """Whatever the scores, the choice is between the lowest and the highest rate that trained."""
    tried = points(*scores)
    good = [point.lr for point in tried if point.score < inf] or [tried[0].lr]
    assert min(good) * (1 - 1e-5) <= chosen(tried) <= max(good) * (1 + 1e-5)


def test_the_choice_keeps_away_from_a_rate_that_fails() -> None:
    """Beside a failing rate, one as good on the other side draws the choice away from the edge."""
    assert chosen(points(1.02, 1.0, inf)) < 0.6 * 1e-2
    assert chosen(points(1.0, 1.0, 1.0)) == pytest.approx(1e-2)
    assert chosen(points(1.5, 1.0, inf)) == pytest.approx(1e-2, rel=1e-3)
    assert chosen(points(inf, inf, inf)) == 1e-3


def test_a_small_change_of_a_score_moves_the_choice_little() -> None:
    """Where the lowest score would jump a decade, the middle moves by a twentieth."""
    left, right = chosen(points(1.0, 1.002, 1.5)), chosen(points(1.002, 1.0, 1.5))
    assert 0 < log10(right / left) < 0.05


def test_other_rules_are_another_plan_and_other_runs() -> None:
    """Plans and runs of other rules of the lab are told apart, so that no directory mixes them."""
    made = plan("quick")
    assert replace(made, protocol=made.protocol - 1).hash != made.hash
    trial = Trial("sgd", 0.1, 1, 10)
    bare = digest([0, entrant("sgd").fingerprint, *asdict(trial).values()])
    assert Runner(lambda: SOFTMAX, 0).key(trial) != bare


def test_the_page_shows_the_rates_that_were_judged() -> None:
    """Beside the chosen rate stand the lowest and the highest at which judging seeds ran."""
    tree = sample(("sgd", "adam"))
    tree["optimizers"]["adam"]["lrs"] = [2.5e-3, 4.5e-3, 3e-3]
    page = render(tree, sample_timing(), Say("en"))
    assert '<span class="interval">[0.0025, 0.0045]</span>' in page


def fallen(lr: float, base: float) -> float:
    """A loss that training lowers by 0.04, most of it at 0.3, and that blows up beyond 0.6."""
    return inf if lr > 0.6 else base - 0.04 * float(np.exp(-4 * log10(lr / 0.3) ** 2))


@pytest.mark.parametrize("base", [0.7, 10.0, 1000.0])
def test_rates_that_do_not_train_weigh_nothing(base: float) -> None:
    """Where a loss falls by little of itself, the choice is still one that has trained."""
    talk = search(log_grid(-4, 0), (1, 2, 3), (4, 5, 6, 7, 8), tuple(range(10)))
    asks = next(talk)
    while True:
        try:
            asks = talk.send([fallen(ask.lr, base) for ask in asks])
        except StopIteration as end:
            tuned = end.value
            break
    assert all(fallen(lr, base) < base - 0.036 for lr in (tuned.lr, *tuned.drawn))


def test_a_best_loss_of_zero_is_near_no_other() -> None:
    """A loss of exactly 0 is told from others by what training gained, not by their size."""
    scores = {1e-3: 0.9, 1e-2: 0.5, 1e-1: 0.0}
    points = [Point(lr, score, 1, 0) for lr, score in scores.items()]
    assert chosen(points, gained(points)) == pytest.approx(0.1, rel=1e-3)
