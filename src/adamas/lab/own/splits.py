"""Which rows train and which judge: a fifth judges, drawn by the seed, or the last in time."""

import numpy as np

from adamas.lab.problems import Array

HELD = 5  # one row in five judges
# A validation loss of 4,000 rows differs little from that of all, and 30 of them cost 0.1 s.
MOST_JUDGES = 4000


def split_rows(count: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return the rows that train, and those that judge: a fifth, of which at most 4,000 are used.

    >>> train, held = split_rows(10, np.random.default_rng(0))
    >>> len(train), len(held), len({*train, *held})
    (8, 2, 10)
    """
    order = rng.permutation(count)
    held = count // HELD
    return order[held:], order[: min(held, MOST_JUDGES)]


def split_classes(classes: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return the same with a fifth of each class, at least one row, and at least one to train on.

    Every class must have two rows.
    """
    train, held = [], []
    for kind in range(int(classes.max()) + 1):
        rows = rng.permutation(np.flatnonzero(classes == kind))
        count = max(1, round(len(rows) / HELD))
        held.append(rows[:count])
        train.append(rows[count:])
    judges = rng.permutation(np.concatenate(held))
    return rng.permutation(np.concatenate(train)), judges[:MOST_JUDGES]


def split_units(
    units: Array, kinds: Array | None, classes: Array | None, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Return the same with all rows of one unit on one side, units numbered from 0.

    Units are drawn until their rows are as near as possible to a fifth, of each of `kinds` (one for
    each unit) if given; at least one judges, and at least half of the rows train. What judges never
    has a class that does not train. Raises `ValueError` if no unit can judge; see `may_judge`.
    """
    free = may_judge(units, classes)
    if not free.any():
        raise ValueError("every unit has a class of its own or most rows, so that none can judge")
    sizes = np.bincount(units)
    kinds = np.zeros(len(sizes), np.int64) if kinds is None else kinds
    # A kind with one unit cannot be on both sides by itself.
    kinds = np.where(np.bincount(kinds)[kinds] > 1, kinds, kinds.max() + 1)
    drawn = [_drawn(np.flatnonzero((kinds == kind) & free), sizes, int(sizes[kinds == kind].sum()),
                    bool(((kinds == kind) & ~free).any()), rng)
             for kind in np.unique(kinds)]  # fmt: skip
    held = np.concatenate(drawn)
    if not len(held):
        held = rng.permutation(np.flatnonzero(free))[:1]
    judges = np.zeros(len(sizes), bool)
    judges[held] = True
    _half_back(judges, held, sizes)
    if classes is not None:
        _given_back(judges, held, units, classes)
    rows = rng.permutation(len(units))
    mine = judges[units[rows]]
    return rows[~mine], rows[mine][:MOST_JUDGES]


def may_judge(units: Array, classes: Array | None) -> Array:
    """Return for each unit whether others have every class that it has, and half of the rows.

    >>> may_judge(np.array([0, 0, 1, 1, 2]), np.array([0, 1, 0, 0, 0])).tolist()
    [False, True, True]
    """
    found = 2 * np.bincount(units) <= len(units)
    if classes is not None:
        pairs = np.unique(np.stack([units, classes]), axis=1)
        alone = np.bincount(pairs[1])[pairs[1]] == 1
        found[pairs[0][alone]] = False
    return found


def _drawn(free: Array, sizes: Array, rows: int, others: bool, rng: np.random.Generator) -> Array:
    """Return units in random order, as many as come nearest to a fifth of `rows`."""
    order = rng.permutation(free)
    most = len(order) if others else len(order) - 1
    if most < 1:
        return order[:0]
    ends = np.cumsum(sizes[order[:most]])
    return order[: int(np.argmin(np.abs(ends - rows / HELD))) + 1]


def _half_back(judges: Array, held: Array, sizes: Array) -> None:
    """Let the last drawn units train until half of the rows do."""
    for unit in held[:0:-1]:
        if 2 * sizes[judges].sum() <= sizes.sum():
            return
        judges[unit] = False


def _given_back(judges: Array, held: Array, units: Array, classes: Array) -> None:
    """Let the last drawn unit with a class that does not train, train."""
    while len(lost := np.setdiff1d(classes[judges[units]], classes[~judges[units]])):
        having = np.unique(units[classes == lost[0]])
        judges[next(unit for unit in held[::-1] if unit in having)] = False


def split_times(times: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return the earlier rows, and the later ones: the cut between two times nearest to a fifth.

    Rows of one time are on one side; the seed only draws which 4,000 of more rows are used. There
    must be two times.

    >>> train, held = split_times(np.array([3.0, 1, 2, 1, 3]), np.random.default_rng(0))
    >>> sorted(train.tolist()), sorted(held.tolist())
    ([1, 2, 3], [0, 4])
    """
    late = times >= cut(times)
    rows = rng.permutation(len(times))
    return rows[~late[rows]], rows[late[rows]][:MOST_JUDGES]


def cut(times: Array) -> float:
    """Return the first time that judges."""
    found, counts = np.unique(times, return_counts=True)
    later = counts[::-1].cumsum()[::-1]  # rows at this time or after it
    return float(found[1:][np.argmin(np.abs(later[1:] - len(times) / HELD))])
