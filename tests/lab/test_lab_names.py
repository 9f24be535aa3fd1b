"""One optimizer and one learning rate are one, however they are written or reached."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adamas.classes import CLASSES
from adamas.lab.entrants import entrant
from adamas.lab.names import own_name
from adamas.lab.notebook.entering import entered_optimizers
from adamas.lab.tuning import tidy


def test_rules_may_be_written_as_their_classes() -> None:
    """The name of a class of adamas, and a rule's name in capitals, are the rule."""
    for made, rule in CLASSES.items():
        assert own_name(made) == rule.__name__ == own_name(rule.__name__.upper())
    assert entrant(own_name("Adam:beta1=0.8")).text == "adam:beta1=0.8"


def test_a_notebook_takes_them_too() -> None:
    """`adamas.lab.compare(..., ["Adam"], reference="Adam")` means the rule adam."""
    assert entered_optimizers(["Adam", "sgd"], "Adam")[::2] == (["adam", "sgd"], ["adam"])


@pytest.mark.parametrize("text", ["mine.py:Adam", "torch.optim.Adam", "/home/Adam.py:f"])
def test_what_is_no_rule_keeps_its_name(text: str) -> None:
    """Names in files and in modules are not changed."""
    assert own_name(text) == text


@given(st.integers(1, 99), st.integers(-9, 3), st.lists(st.integers(-6, 6), max_size=8))
def test_a_rate_is_one_on_every_way(digits: int, power: int, moves: list[int]) -> None:
    """From one centre, steps of quarter decades meet in the same number, rounded at each."""
    centre = tidy(digits * 10.0**power)
    lr, there = centre, sum(moves)
    for move in moves:
        lr = tidy(lr * 10 ** (move / 4))
    assert lr == tidy(centre * 10 ** (there / 4))
    assert tidy(lr) == lr


def test_neighbours_stay_apart() -> None:
    """Rates that differ by more than rounding are not made one."""
    rates = [0.001 * 1.0001**step for step in range(2000)]
    assert all(one < other for one, other in pairwise(map(tidy, rates)))
