"""What the short form of a long test takes."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import long_form
from long_form import few_of, sampled

AXES = st.lists(st.lists(st.integers(0, 9), min_size=1, unique=True), min_size=1, max_size=3)


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_form, "LONG", False)


@given(axes=AXES, at_least=st.integers(0, 50), seed=st.integers(0, 999))
def test_every_value_is_taken(axes: list[list[int]], at_least: int, seed: int) -> None:
    """However the number of a run falls, no value of any axis is left out, and none is doubled."""
    cases = list(itertools.product(*axes))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ADAMAS_SAMPLE", str(seed))
        found = sampled(cases, at_least)
        assert sampled(cases, at_least) == found
    assert [case for case in cases if case in found] == found
    assert [set(values) for values in zip(*found, strict=True)] == list(map(set, axes))
    # A case holds one value of each axis, and a new one takes at least one that was wanted.
    most = 1 + sum(len(axis) - 1 for axis in axes)
    assert min(at_least, len(cases)) <= len(found) <= max(at_least, most)


def test_runs_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over a hundred runs every one of 8 * 5 pairs is taken."""
    pairs, seen = list(itertools.product(range(8), "abcde")), set[Any]()
    for seed in range(100):
        monkeypatch.setenv("ADAMAS_SAMPLE", str(seed))
        seen.update(sampled(pairs))
    assert seen == set(pairs)


def test_single_values_are_all_kept() -> None:
    """Cases of one value have nothing to be left out for."""
    assert sampled(["adam", "lion", str]) == ["adam", "lion", str]


@pytest.mark.parametrize("count", [1, 3, 8, 9])
def test_few_take_turns(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """A few of many are as many as were asked for, in their order, and each has its turn."""
    seen = set[int]()
    for seed in range(100):
        monkeypatch.setenv("ADAMAS_SAMPLE", str(seed))
        found = few_of(range(8), count)
        assert len(found) == min(count, 8) and found == sorted(set(found))
        seen.update(found)
    assert seen == set(range(8))


def test_the_long_form_takes_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """With ADAMAS_LONG=1 nothing is left out."""
    monkeypatch.setattr(long_form, "LONG", True)
    assert len(sampled(itertools.product(range(8), "abcde"))) == 40
    assert few_of(range(8), 3) == list(range(8))
