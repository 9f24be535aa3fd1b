"""A search over more than the rate: the same points for all, equal budgets, and a known valley."""

from collections.abc import Callable
from math import inf, log10
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adamas.lab.course import Further
from adamas.lab.entrants import entrant
from adamas.lab.needs import LabError
from adamas.lab.problems import Problem
from adamas.lab.protocol.cube import Dimension, points
from adamas.lab.protocol.plan import SIZES, Plan, Size, declare
from adamas.lab.protocol.runner import Runner, Trial
from adamas.lab.protocol.search import Ask, search
from adamas.lab.protocol.space import asked_for
from adamas.lab.protocol.store import Store
from adamas.lab.protocol.study import Study, study
from adamas.lab.protocol.wider import Wide, pick, widen
from adamas.lab.tuning import Tuned, log_grid
from noisy_bowl import BOWL

SMALL = Size(tuning=2, refine=3, report=3, reach=0.5, points=4, finalists=1)
NAMES = "lr,weight_decay,betas,warmup,schedule"


def bowl() -> Problem:
    """Return the bowl."""
    return BOWL


def plan(names: str | None = NAMES, size: Size = SMALL, **declared: Any) -> Plan:
    """Return a plan on the bowl."""
    who = [entrant("adam"), entrant("sgd")]
    return declare(BOWL, {}, who, size, asked_for([names]) if names else None, **declared)


def carried_out(made: Plan, **how: Any) -> tuple[Study, Runner]:
    """Carry out a plan, and return what it brought and who ran it."""
    runner = Runner(bowl, "bowl", **how)
    return study(made, runner, lambda stage: None), runner


def test_equal_budgets_for_all() -> None:
    """Whatever an optimizer has to be searched, it is asked for as many runs of each kind."""
    made = plan()
    assert len(made.search.dimensions["adam"]) > len(made.search.dimensions["sgd"])  # type: ignore[union-attr]
    found, _ = carried_out(made)
    counts = [
        [sum(one.point.runs for one in wide.candidates if one.point.stage == stage)
         for stage in ("points", "alone", "finalists")]
        for wide in found.worth.found.values()  # type: ignore[union-attr]
    ]  # fmt: skip
    assert counts == [[4 * 2, 3, 1 * 3]] * 2
    alone = plan(None).costs()[0]
    # Twice the search, the rate alone on three seeds, and five and three hyper-parameters put back.
    assert made.costs()[0] == alone + 2 * (8 + 3 + 3) + 2 * 3 + (5 + 3) * 3


def test_the_same_points_for_all() -> None:
    """Equal hyper-parameters of two optimizers are given equal values, point by point."""
    made = declare(BOWL, {}, [entrant("adam"), entrant("momentum"), entrant("amsgrad")],
                   SMALL, asked_for([NAMES]))  # fmt: skip
    one, other, third = (made.search.settings(name) for name in made.optimizers)  # type: ignore[union-attr]
    assert one == third
    for (rate, ours), (same, theirs) in zip(one, other, strict=True):
        assert rate == same and dict(theirs)["beta"] == dict(ours)["beta1"]
        shared = set(dict(ours)) & set(dict(theirs))
        assert shared == {"weight_decay", "warmup", "schedule"}
        assert all(dict(ours)[name] == dict(theirs)[name] for name in shared)


@given(st.integers(1, 40), st.integers(1, 7))
def test_fewer_points_are_the_first_of_more(count: int, width: int) -> None:
    """A smaller budget tries a part of the points; none is at the edge of the cube."""
    many = points(64, width)
    assert points(count, width) == many[:count]
    assert all(0 < value < 1 for row in many for value in row)
    # Sobol's sequence: every half of every axis holds half of the points, give or take the shift.
    assert all(28 <= sum(row[axis] < 0.5 for row in many) <= 36 for axis in range(width))


def drawn(valley: Callable[[Ask], float], settings: list[tuple[float, Further]]) -> Wide:
    """Search the rate and then `settings` in a valley without noise."""

    def answered(talk: Any) -> Any:
        asks = next(talk)
        while True:
            try:
                asks = talk.send([valley(ask) for ask in asks])
            except StopIteration as end:
                return end.value

    tuned: Tuned = answered(search(log_grid(-3, 0), (1, 2), (3, 4, 5), (6, 7)))
    wide: Wide = answered(widen(tuned, settings, (1, 2), (3, 4, 5), (6, 7), 2))
    return wide


def test_a_known_valley_is_found() -> None:
    """Of a valley whose lowest point is known the nearest setting is chosen, on every seed."""
    decays = Dimension("weight_decay", "log", 1e-5, 0.1, True)
    betas = Dimension("beta", "complement", 0, 0.99)
    settings: list[tuple[float, Further]] = [
        (10 ** (rate - 0.5), (("beta", betas.at(first)), ("weight_decay", decays.at(second))))
        for rate, first, second in points(32, 3)
    ]

    def height(lr: float, further: Further) -> float:
        values = {"weight_decay": 0.0, "beta": 0.0, **dict(further)}
        decay = log10(max(float(values["weight_decay"]), 1e-6)) + 3
        beta = log10(1 - float(values["beta"])) + 1
        return 1 + (log10(lr) + 2) ** 2 + 0.2 * decay**2 + beta**2

    found = drawn(lambda ask: height(ask.lr, ask.further), settings)
    tried = {one.multiple: height(one.point.lr, one.further) for one in found.candidates}
    assert height(*found.setting) == min(tried.values()) < height(0.01, ()) - 1
    assert {further for _, further in found.drawn} == {found.setting[1]}


def test_noise_does_not_take_the_place_of_the_rate_alone() -> None:
    """A setting that is lower by less than one standard error is not chosen; failures never are."""
    assert pick([[1.0, 1.0, 1.0], [0.7, 1.2, 1.0]]) == 0
    assert pick([[1.0, 1.0, 1.0], [0.9, 0.8, 0.9], [inf, 0.1, 0.1]]) == 1
    assert pick([[inf, 1.0], [1.0, 1.0]]) == 1


def test_without_it_nothing_changes() -> None:
    """A plan that names the rate alone is the plan without a search, to its hash and its runs."""
    assert plan("lr") == plan(None) and plan("lr").hash == plan(None).hash
    assert "search" not in plan(None).as_json()
    alone, runs = carried_out(plan(None))
    wide, more = carried_out(plan())
    assert wide.tuned == alone.tuned and wide.default == alone.default
    assert wide.worth is not None and wide.worth.alone == alone.report
    assert set(runs.asked) < set(more.asked)


def test_neither_workers_nor_a_kill_change_a_byte(tmp_path: Path) -> None:
    """Two processes, and a store that was cut in the middle, end with the bytes of one run."""
    kept = []
    for name, workers in (("one", 1), ("two", 2)):
        (tmp_path / name).mkdir()
        with Store(tmp_path / name) as store:
            _, runner = carried_out(plan(), store=store, workers=workers)
            store.settle(list(runner.asked))
        kept.append((tmp_path / name / "runs.jsonl").read_bytes())
    assert kept[0] == kept[1]
    half = kept[0][: len(kept[0]) // 2]
    (tmp_path / "one" / "runs.jsonl").write_bytes(half)
    with Store(tmp_path / "one") as store:
        _, runner = carried_out(plan(), store=store)
        store.settle(list(runner.asked))
    assert (tmp_path / "one" / "runs.jsonl").read_bytes() == kept[0]


def test_one_put_back_is_what_was_chosen_without_it() -> None:
    """The runs that tell a hyper-parameter's worth differ from the judged ones in it alone."""
    found, _ = carried_out(plan())
    assert found.worth is not None
    for name, parts in found.worth.without.items():
        for part, records in parts.items():
            for record, judged in zip(records, found.report[name], strict=True):
                left = tuple(pair for pair in judged.further if pair[0] != part)
                assert (record.lr, record.seed, record.further) == (judged.lr, judged.seed, left)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["lr=0.1..1"], "lr takes no range"),
        (["betas,betas"], "names 'betas' twice"),
        ([",,,"], "',,,' has an empty name"),
        (["eps,"], "'eps,' has an empty name"),
        (["gamma"], "no optimizer here has 'gamma'"),
        (["beta1=0.9..1.5"], "no range to search"),
        (["beta1=0.9"], "no range to search"),
        (["schedule=1..2"], "no range to search"),
        (["weight_decay=-1..1"], "weight_decay"),
        (["warmup=0..0.9"], "warmup=0.9 is no share"),
    ],
)
def test_what_cannot_be_searched_is_refused(texts: list[str], message: str) -> None:
    """A name that nobody has and a range that is none are refused before anything runs."""
    with pytest.raises(LabError, match=message):
        declare(BOWL, {}, [entrant("adam")], SMALL, asked_for(texts))


def test_what_a_text_fixes_is_not_searched() -> None:
    """A hyper-parameter that an optimizer's text fixes stays; the others are searched."""
    who = [entrant("adam:beta1=0.8,schedule=cosine"), entrant("adamw")]
    made = declare(BOWL, {}, who, SIZES["quick"], asked_for(["betas,schedule"]))
    dims = made.search.dimensions  # type: ignore[union-attr]
    assert [[one.name for one in dims[name.text]] for name in who] == [
        ["beta2"],
        ["beta1", "beta2", "schedule"],
    ]


@given(st.floats(0, 1), st.sampled_from([
    Dimension("weight_decay", "log", 1e-5, 0.1, True),
    Dimension("beta2", "complement", 0.9, 0.9999), Dimension("warmup", "linear", 0.0, 0.25),
    Dimension("eps", "log", 1e-10, 1e-4),
]))  # fmt: skip
def test_values_stay_in_their_range(share: float, one: Dimension) -> None:
    """A point of the cube is a value of the range, and its ends are called so."""
    value = one.at(share)
    assert isinstance(value, float)
    assert value == 0 or one.low * 0.999 <= value <= one.high * 1.001
    assert one.at_edge(one.at(1.0))
    assert not one.at_edge(one.at(0.6))


def test_trials_of_equal_settings_are_one_run() -> None:
    """A run is named by what it computes, further hyper-parameters included."""
    runner = Runner(bowl, "bowl")
    trials = [Trial("adam", 0.1, 1, 16), Trial("adam", 0.1, 1, 16, (("beta1", 0.8),))]
    first, second = runner.run(trials)
    assert len({runner.key(trial) for trial in trials}) == 2 and first.final != second.final
