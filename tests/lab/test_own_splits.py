"""Which rows judge: none whose copy, group or later time has trained."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import GroupShuffleSplit, TimeSeriesSplit

from adamas.lab.own import splits
from adamas.lab.own.features import Features
from adamas.lab.own.sides import Sides, alike, without_common
from adamas.lab.own.target import Target
from adamas.lab.problems import Array


def rng(seed: int) -> np.random.Generator:
    """Return the random numbers of a seed."""
    return np.random.default_rng([seed, 0])


@given(st.lists(st.integers(2, 30), min_size=1, max_size=6), st.integers(0, 99))
def test_each_class_is_on_both_sides(sizes: list[int], seed: int) -> None:
    """The split is a partition that holds back about a fifth of each class, at least one row."""
    classes = np.repeat(np.arange(len(sizes)), sizes)
    train, held = splits.split_classes(classes, np.random.default_rng(seed))
    assert sorted([*train, *held]) == list(range(len(classes)))
    for kind, size in enumerate(sizes):
        assert (classes[held] == kind).sum() == max(1, round(size / 5)) < size


@given(
    st.lists(st.integers(0, 9), min_size=10, max_size=80),
    st.integers(1, 4),
    st.booleans(),
    st.integers(0, 99),
)
def test_no_unit_is_on_both_sides(
    drawn: list[int], classes: int, stratified: bool, seed: int
) -> None:
    """Rows of one unit are on one side, both sides have rows, and no class judges untrained."""
    units = np.unique(drawn, return_inverse=True)[1]
    kinds = rng(seed).integers(0, classes, len(units))
    if not splits.may_judge(units, kinds).any():
        with pytest.raises(ValueError, match="none can judge"):
            splits.split_units(units, None, kinds, rng(seed))
        return
    strata = kinds[np.unique(units, return_index=True)[1]] if stratified else None
    train, held = splits.split_units(units, strata, kinds, rng(seed))
    assert sorted([*train, *held]) == list(range(len(units)))
    assert len(held) and len(train) >= len(units) / 2
    assert not {*units[train]} & {*units[held]}
    assert {*kinds[held]} <= {*kinds[train]}


@given(st.integers(1, 12), st.integers(1, 5), st.integers(0, 99))
def test_as_many_groups_judge_as_in_scikit_learn(fifths: int, size: int, seed: int) -> None:
    """Of groups of one size as many judge as GroupShuffleSplit holds back: a fifth."""
    units = np.repeat(np.arange(5 * fifths), size)
    theirs = GroupShuffleSplit(1, test_size=0.2, random_state=seed)
    expected = next(theirs.split(units, groups=units))[1]
    held = splits.split_units(units, None, None, rng(seed))[1]
    assert len(held) == len(expected) and len({*units[held]}) == fifths


def test_every_group_may_judge() -> None:
    """Over the seeds each of ten groups judges about as often as the others."""
    units = np.repeat(np.arange(10), 7)
    judged = [units[splits.split_units(units, None, None, rng(seed))[1]] for seed in range(300)]
    counts = np.bincount(np.concatenate(judged)) / 7
    # 300 seeds hold back two of ten: binomial with mean 60 and deviation 7.
    assert np.all(np.abs(counts - 60) < 4 * 7)


@given(st.integers(10, 60), st.integers(0, 99))
def test_the_last_fifth_judges_as_in_scikit_learn(count: int, seed: int) -> None:
    """With every time once, the rows that judge are those of TimeSeriesSplit's last fold."""
    times = rng(seed).permutation(count).astype(float)
    held = splits.split_times(times, rng(seed))[1]
    last = [*TimeSeriesSplit(2, test_size=round(count / 5)).split(times)][-1][1]
    assert abs(len(held) - count / 5) <= 0.5
    if count % 5 != 0 or len(held) == len(last):
        assert sorted(times[held]) == sorted(np.sort(times)[-len(held) :])
    assert len(held) == len(last)


@given(st.lists(st.integers(0, 6), min_size=2, max_size=50), st.integers(0, 9))
def test_one_time_is_on_one_side(drawn: list[int], seed: int) -> None:
    """All rows that judge are later than all that train, however many share a time."""
    times = np.array(drawn, float)
    if times.min() == times.max():
        return
    train, held = splits.split_times(times, rng(seed))
    assert len(train) + len(held) == len(times)
    assert times[train].max() < times[held].min()


CELLS = st.sampled_from([0.0, -0.0, 1.0, 2.0, 0.5, np.nan, 1e300, 5e-324])


@given(st.lists(st.tuples(CELLS, CELLS, st.booleans()), min_size=1, max_size=40))
def test_equal_inputs_have_one_number(rows: list[tuple[float, float, bool]]) -> None:
    """Rows are alike exactly where numpy.unique finds the same rows; NaN is alike to NaN."""
    numbers = np.array([row[:2] for row in rows])
    flags = np.array([row[2:] for row in rows], np.float32)
    known = np.nan_to_num(np.concatenate([numbers, flags], axis=1), nan=-7.0) + 0.0
    expected = np.unique(known, axis=0, return_inverse=True)[1].ravel()
    found = alike(Features(numbers, flags))
    pairs = {*zip(found.tolist(), expected.tolist(), strict=True)}
    assert len(pairs) == len({*found.tolist()}) == len({*expected.tolist()})


def table(copies: Array, classes: int = 0) -> Target:
    """Return a target for so many rows."""
    values = np.arange(len(copies)) % classes if classes else copies.astype(float)
    return Target(np.arange(len(copies)), values, tuple("abcd"[:classes]))


@given(st.integers(40, 200), st.integers(2, 10), st.integers(0, 2), st.integers(0, 99))
def test_copies_are_on_one_side(distinct: int, times: int, classes: int, seed: int) -> None:
    """Whatever the target, a row that was copied ten times or fewer never judges its copies."""
    copies = np.repeat(np.arange(distinct), times)
    target = table(copies, 2 * (classes > 0))
    units = without_common(copies, target)
    train, held = Sides("rows", units, 1, 0).split(target, rng(seed))
    assert not {*copies[train]} & {*copies[held]}
    assert abs(len(held) - len(copies) / 5) <= times


def test_a_common_case_is_no_copy() -> None:
    """Two dozen combinations with a hundred rows each are split row by row, as counts are."""
    cells = np.repeat(np.arange(24), 100)
    target = table(cells, 2)
    assert len(np.unique(without_common(cells, target))) == len(cells)
    train, held = Sides("rows", without_common(cells, target), 1, 1).split(target, rng(1))
    assert {*cells[train]} == {*cells[held]} == {*range(24)}
    assert len(held) == len(cells) / 5
