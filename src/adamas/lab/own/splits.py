"""Which rows train and which judge: a fifth judges, drawn by the seed."""

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
