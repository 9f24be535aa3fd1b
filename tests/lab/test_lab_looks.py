"""Seeds that are added until all is decided: the error rate is kept, and the bytes as well.

The long form of the error rates, on real training runs, is `benchmarks/alike`.
"""

import io
import json
from collections import Counter
from dataclasses import replace
from functools import partial
from itertools import pairwise
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from adamas import lab
from adamas.lab.commands.progress import Progress
from adamas.lab.commands.session import Request, perform, promised, wanted
from adamas.lab.entrants import entrant
from adamas.lab.needs import LabError
from adamas.lab.own.spec import Spec
from adamas.lab.protocol import runner as running
from adamas.lab.protocol.budget import fit
from adamas.lab.protocol.plan import SIZES, Plan, declare, growing
from adamas.lab.protocol.results_types import Results
from adamas.lab.protocol.sequential import in_looks, pooled
from adamas.lab.statistics.repeated import compare_at, doubling, spending
from adamas.lab.text import Say
from adamas.lab.trial import Record
from adamas.lab.tuning import Point, Tuned
from adamas.lab.zoo.digits import SOFTMAX
from adamas.lab.zoo.line import FULL
from valley import PAIR, Valley

STUDIES = 250


@given(st.integers(3, 20), st.integers(1, 500))
def test_looks_spend_five_per_cent_in_all(first: int, more: int) -> None:
    """Whatever the looks, they grow to the last, and what they spend adds up to 5 %."""
    looks = doubling(first, first + more)
    assert looks[0] == first and looks[-1] == first + more
    assert all(before < after <= 2 * before for before, after in pairwise(looks))
    spent = spending(looks)
    assert sum(spent) == pytest.approx(0.05) and min(spent) > 0
    assert spent[0] == pytest.approx(0.05 * first / (first + more))


@given(st.lists(st.tuples(*[st.floats(0.1, 10)] * 2), min_size=6, max_size=12), st.floats(0.001, 1))
def test_a_look_has_the_interval_of_what_it_spends(
    pairs: list[tuple[float, float]], part: float
) -> None:
    """The interval is SciPy's t-interval at 1 - spent, and the p-value is on the 5 % scale."""
    ours, theirs = (list(side) for side in zip(*pairs, strict=True))
    spent = 0.05 * part
    (one,) = compare_at({"a": ours, "b": theirs}, ["b"], spent)
    error = stats.sem(np.subtract(ours, theirs))
    if error > 1e-6:
        expected = stats.t.interval(1 - spent, len(ours) - 1, one.difference.mean, error)
        assert (one.difference.low, one.difference.high) == pytest.approx(expected)
        expected_p = stats.ttest_rel(ours, theirs).pvalue
        assert one.p_holm == pytest.approx(min(1.0, expected_p / part))


def claims(spent: tuple[float, ...], looks: tuple[int, ...]) -> float:
    """Return how often any of three equal optimizers is better or worse at any look."""
    rng, wrong = np.random.default_rng(3), 0
    for _ in range(STUDIES):
        shared = rng.normal(size=looks[-1])
        losses = {k: 1 + 0.05 * (shared + rng.normal(size=looks[-1])) for k in "abcd"}
        wrong += any(
            one.word in ("better", "worse")
            for count, level in zip(looks, spent, strict=True)
            for one in compare_at({k: v[:count].tolist() for k, v in losses.items()},
                                  ["d"], level, margin=0.0)
        )  # fmt: skip
    return wrong / STUDIES


def test_looking_costs_no_errors() -> None:
    """Four looks at three comparisons: a claim anywhere in 5 % at most; 5 % each are 12 %."""
    looks = doubling(6, 48)
    assert claims(spending(looks), looks) <= 0.05 + 3 * sqrt(0.05 * 0.95 / STUDIES)
    assert claims((0.05,) * 4, looks) > 0.09


def plan(times: int = 8, margin: float = 0.02) -> Plan:
    """Return the plan of comparing the pair in quick mode, with looks."""
    who = [entrant(name) for name in PAIR]
    size = growing(SIZES["quick"], times)
    return declare(SOFTMAX, {}, who, size, references=PAIR[1:], margin=margin)


def test_every_part_has_seeds_and_a_search_of_its_own() -> None:
    """The parts of a plan share no seed, cost together what it says, and end at its last look."""
    made = plan()
    parts = made.parts()
    assert made.looks == (6, 12, 24, 48) and len(parts) == 8
    for kind in ("tuning", "refine", "report"):
        joined = [seed for part in parts for seed in getattr(part, kind)]
        assert joined == list(getattr(made, kind)) and len(set(joined)) == len(joined)
    assert {len(part.refine) for part in parts} == {SIZES["quick"].refine}
    runs, weight = zip(*(part.costs() for part in parts), strict=True)
    assert (sum(runs), sum(weight)) == pytest.approx(made.costs())
    cut = declare(SOFTMAX, {}, [entrant("sgd")], growing(SIZES["quick"], 3))
    assert [len(part.report) for part in cut.parts()] == [6, 6, 6]


def test_what_follows_a_plain_comparison_is_fresh() -> None:
    """No seed of a plan with looks is one of a plan without, so that too few seeds do not count."""
    alone = declare(SOFTMAX, {}, [entrant(name) for name in PAIR], SIZES["rigorous"])
    made = plan(16)
    seen = {*alone.tuning, *alone.refine, *alone.report}
    assert not seen & {*made.tuning, *made.refine, *made.report}
    assert declare(FULL, {}, [entrant("sgd")], growing(SIZES["quick"])).looks is None


@given(*[st.tuples(st.sampled_from(["quick", "default", "rigorous"]), st.integers(21, 1000))] * 2)
def test_another_largest_number_has_other_seeds(one: tuple[Any, int], two: tuple[Any, int]) -> None:
    """What follows looks that stayed undecided shares no seed of any kind with them."""
    seen, fresh = (
        declare(SOFTMAX, {}, [entrant("sgd")], replace(SIZES[mode], most=most))
        for mode, most in (one, two)
    )
    if one[1] != two[1]:
        kinds = ({*made.tuning, *made.refine, *made.report} for made in (seen, fresh))
        assert set.isdisjoint(*kinds)


def ended(number: int, spread: float, planted: float = 0.0) -> tuple[str, int]:
    """Return the word of a whole comparison with looks, and the seeds at which it ended."""
    found = in_looks(plan(), Valley(number, spread, planted), lambda _: None, lambda *_: None)
    finals = {name: [record.final for record in runs] for name, runs in found.report.items()}
    (one,) = compare_at(finals, PAIR[1:], found.looks[-1].spent)
    assert (one.word == "few") == bool(found.looks[-1].undecided)
    return one.word, len(finals["sgd"])


def test_equals_that_are_tuned_end_undisputed() -> None:
    """A/A with searches and looks inside: "better" or "worse" in at most 7 %, most of them ties."""
    count = 60
    words = Counter(ended(30_000 + k, 0.06)[0] for k in range(count))
    assert (words["better"] + words["worse"]) / count <= 0.07 + 3 * sqrt(0.07 * 0.93 / count)
    assert words["tie"] >= 0.8 * count


def test_a_difference_is_found_at_the_look_that_it_needs() -> None:
    """Half as large again is found at the first look, 12 % under noise of 8 % by the last."""
    assert {ended(k, 0.04, 0.5) for k in range(5)} == {("worse", 6)}
    found = [ended(100 + k, 0.08, 0.12) for k in range(10)]
    assert sum(word == "worse" for word, _ in found) >= 8
    assert len({seeds for _, seeds in found}) > 1


def test_searches_are_shown_as_one() -> None:
    """Scores are means over all seeds, failures add up, and the rate is the mean of logarithms."""
    one = Tuned(0.01, (Point(0.01, 1.0, 2, 0), Point(0.1, 3.0, 2, 1)), False, 0, (0.01, 0.02))
    two = Tuned(1.0, (Point(0.1, 6.0, 4, 1), Point(1.0, 0.5, 2, 0)), True, 1, (0.5,))
    found = pooled([one, two])
    assert [(p.lr, p.score, p.runs, p.diverged) for p in found.points] == [
        (0.01, 1.0, 2, 0), (0.1, 5.0, 6, 2), (1.0, 0.5, 2, 0)
    ]  # fmt: skip
    assert (found.lr, found.at_edge, found.extended) == (0.1, True, 1)
    assert found.drawn == (0.01, 0.02, 0.5)


def test_more_judges_have_a_better_search() -> None:
    """--seeds 40 refines on as many times more seeds, or the luck of the search would be judged."""
    sizes = [wanted(Request(Spec("digits"), Path("x"), seeds=n))[0] for n in (5, 10, 40)]
    assert [(size.refine, size.report) for size in sizes] == [(5, 5), (5, 10), (20, 40)]


PROBLEM = """
import numpy as np
from adamas.lab import numpy_problem

def loss_and_grad(params, x, y):
    off = x @ params["w"] - y
    return np.mean(off**2) + 0.01, {"w": 2 * x.T @ off / len(y)}

x = np.random.default_rng(0).normal(size=(30, 2))
y = x[:, 0] + np.random.default_rng(1).normal(size=30)
problem = numpy_problem(loss_and_grad, {"w": np.ones(2)}, (x, y), steps=10, batch=4)
"""


class StoppedError(Exception):
    """What ends a process in the middle."""


def asked(folder: Path, out: str, workers: int, seeds: int | None = 12, **more: Any) -> Request:
    """Return a comparison of the problem above, with looks, in a folder."""
    (folder / "mine.py").write_text(PROBLEM)
    spec = Spec(f"{folder / 'mine.py'}:problem")
    return Request(spec, folder / out, ("sgd", "adam"), seeds=seeds, until_decided=True,
                   margin=1e-4, workers=workers, **more)  # fmt: skip


def carried_out(request: Request) -> Results:
    """Return the results of a comparison."""
    return perform(request, Progress(io.StringIO(), 1), Say("en")).results


def test_a_stopped_comparison_ends_with_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped between two looks and gone on with two workers, the files are those of one run."""
    results = carried_out(asked(tmp_path, "one", 1, mode="quick"))
    assert [look["seeds"] for look in results["looks"]] == [6, 12]
    train, left = running.train, [100]

    def stopping(*asked: Any) -> Record:
        left[0] -= 1
        if left[0] < 0:
            raise StoppedError
        return train(*asked)

    monkeypatch.setattr(running, "train", stopping)
    with pytest.raises(StoppedError):
        carried_out(asked(tmp_path, "two", 1, mode="quick"))
    monkeypatch.undo()
    carried_out(asked(tmp_path, "two", 2, mode="quick"))
    for name in ("results.json", "runs.jsonl"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


@pytest.mark.parametrize("each", [0.004, 0.02, 0.03])
def test_a_budget_chooses_the_last_look_only(each: float, tmp_path: Path) -> None:
    """A time is a largest number of seeds in the plan, which is kept however slow it is later."""
    request = asked(tmp_path, "out", 1, seeds=None, budget="6s")
    who = [entrant(name) for name in request.optimizers]
    make = partial(declare, request.spec.problem(), request.spec.identity(), who)
    made = fit(make, wanted(request), each, 1, request.seconds).plan
    assert made.looks is not None and 0.4 * 6 < 1.25 * made.costs()[1] * each <= 6
    request.out.mkdir()
    kept = {"plan": made.as_json(), "budget": 6.0, "expected": 5.0}
    (request.out / "plan.json").write_text(json.dumps(kept))
    again = promised(request, make)
    assert again is not None and again.plan == made
    with pytest.raises(LabError, match=r"two looks, take about \d+ s here; give --budget"):
        fit(make, wanted(request), 100 * each, 1, request.seconds)


def test_one_look_is_none() -> None:
    """A largest number of seeds that the first look has already is refused, with both numbers."""
    with pytest.raises(LabError, match=r"looks first after 10 seeds, so --seeds 10"):
        Request(Spec("digits"), Path("x"), seeds=10, until_decided=True)


def test_a_notebook_takes_the_keyword() -> None:
    """`until_decided=True` looks before the end; a refusal names it as it is written in Python."""
    arrays = np.arange(80.0).reshape(40, 2) / 80, np.random.default_rng(0).normal(size=40)
    with pytest.raises(LabError, match=r"until_decided looks first after 6 seeds, so seeds=6,"):
        lab.compare(arrays, ["sgd"], quick=True, seeds=6, until_decided=True, progress=False)
