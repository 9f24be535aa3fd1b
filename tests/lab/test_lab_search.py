"""The search as a conversation: what it asks for, when it goes on, and that all get alike."""

from collections.abc import Callable, Sequence
from math import inf, log10

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adamas.lab.protocol.plan import around
from adamas.lab.protocol.search import EXTENSIONS, WALK, Ask, search
from adamas.lab.tuning import Tuned

TUNING, REFINE = (1001, 1002, 1003), (2001, 2002, 2003, 2004, 2005)
GRID = around(1e-2, 2.0)


# How steep a valley is whose points a quarter decade apart are told apart.
STEEP = 100.0
# A rate this much further from the bottom than the nearest scores within 5 % of it there.
ALIKE = 0.003


def talk(score: Callable[[Ask], float], draws: Sequence[int] = ()) -> tuple[Tuned, list[list[Ask]]]:
    """Answer a search with `score` until it ends; return what it found and what it asked."""
    rounds = []
    going = search(GRID, TUNING, REFINE, draws)
    asks = next(going)
    while True:
        rounds.append(asks)
        try:
            asks = going.send([score(ask) for ask in asks])
        except StopIteration as end:
            return end.value, rounds


@given(st.floats(-3.4, -0.6))
def test_the_best_rate_is_found_to_an_eighth_of_a_decade(best: float) -> None:
    """On a steep valley in log lr, the answer is the quarter-decade point next to the bottom."""
    found, rounds = talk(lambda ask: 1 + STEEP * (log10(ask.lr) - best) ** 2)
    assert abs(log10(found.lr) - best) <= 0.125 + ALIKE
    assert not found.at_edge and found.extended == 0
    assert rounds[0] == [Ask(lr, seed, False) for lr in GRID for seed in TUNING]
    assert {ask.seed for asks in rounds[1:] for ask in asks} == set(REFINE)
    assert all(ask.full for asks in rounds[1:] for ask in asks)


@pytest.mark.parametrize(("best", "decades"), [(-4.6, 1), (-6.4, 3), (0.4, 1), (2.4, 3)])
def test_a_best_rate_outside_the_grid_extends_it(best: float, decades: int) -> None:
    """The grid grows by a decade at a time towards the optimum, and the result says how often."""
    found, _ = talk(lambda ask: 1 + STEEP * (log10(ask.lr) - best) ** 2)
    assert abs(log10(found.lr) - best) <= 0.125 + ALIKE
    assert found.extended == decades
    assert not found.at_edge


def test_extensions_end() -> None:
    """When smaller is always better the search stops after three decades and says so."""
    found, _ = talk(lambda ask: ask.lr)
    assert found.extended == EXTENSIONS
    assert found.at_edge


def test_everything_diverged() -> None:
    """If no rate trains, smaller ones are tried and the answer is still a number."""
    found, rounds = talk(lambda ask: inf)
    assert found.lr == min(ask.lr for asks in rounds for ask in asks if ask.full)
    assert found.best == inf


def test_full_length_moves_the_choice_downhill() -> None:
    """A grid at a share of the steps prefers larger rates; refining walks on to the lower one."""

    def score(ask: Ask) -> float:
        return 1 + STEEP * (log10(ask.lr) + (2.5 if ask.full else 1.75)) ** 2

    found, rounds = talk(score)
    assert found.lr == pytest.approx(10**-2.5, rel=1e-5)
    assert len(rounds) <= 2 + WALK


@given(st.lists(st.one_of(st.floats(0.1, 10), st.just(inf)), min_size=9, max_size=9))
def test_every_landscape_costs_about_the_same(scores: list[float]) -> None:
    """Whatever the scores, nothing is asked twice and the runs stay within the declared most."""
    rank = dict(zip(GRID, scores, strict=True))
    found, rounds = talk(lambda ask: rank.get(ask.lr, 5.0))
    asks = [ask for asks in rounds for ask in asks]
    assert len(asks) == len(set(asks))
    most = 9 * 3 + EXTENSIONS * 2 * 3 + (3 + WALK) * 5
    assert len(asks) <= most
    assert sum(point.runs for point in found.points) == len(asks)


@given(st.floats(-5.5, 3.5))
def test_a_rate_reached_on_two_ways_is_one_rate(best: float) -> None:
    """All rates that are tried are quarter decades with six digits, however they were reached."""
    _, rounds = talk(lambda ask: 1 + STEEP * (log10(ask.lr) - best) ** 2)
    for lr in {ask.lr for asks in rounds for ask in asks}:
        assert lr == float(f"{10 ** (round(4 * log10(lr)) / 4):.6g}")
