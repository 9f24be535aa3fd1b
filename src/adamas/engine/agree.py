"""After a sweep that left blocks out: what moved, agreed by all processes that share the tensors.

A tensor makes a step if anything of it moved, on any of them; so its count is the same everywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from adamas.engine.batch import Batch, TensorNumbers
from adamas.engine.finite import Seen, left, moved
from adamas.engine.peers import Peers
from adamas.engine.tensors import Array
from adamas.engine.threads import assigning, straight


@dataclass(frozen=True)
class Before:
    """Counts and scalar states as they were before a sweep."""

    steps: Array
    scalars: Array

    @classmethod
    def of(cls, numbers: TensorNumbers) -> "Before":
        """Those of now."""
        return cls(numbers.steps.copy(), numbers.scalars.copy())


def omitted(batches: Sequence[Batch], refused: Sequence[Seen]) -> Array:
    """How many elements of each tensor the last sweep left out, or Rows before it began."""
    found = left(batches)
    for one in refused:
        found[one.index] += one.array.size
    return found


def agreed(
    numbers: TensorNumbers,
    batches: Sequence[Batch],
    refused: Sequence[Seen],
    peers: Peers,
    before: Before,
) -> tuple[int, int]:
    """Make counts those of all processes together.

    How many elements were left out on all, of how many tensors.
    """
    active = np.any([batch.active[:-1] != 0 for batch in batches], axis=0)
    out = omitted(batches, refused)
    total, tensors, steps = together(active, moved(batches), out, peers)
    if total:
        scalars = np.where(steps[:, None], numbers.following, before.scalars)
        counts = before.steps + np.append(steps, steps.any())
        straight([assigning(numbers.scalars, scalars), assigning(numbers.steps, counts)])
    return total, tensors


def together(active: Array, moved: Array, left: Array, peers: Peers) -> tuple[int, int, Array]:
    """How many elements were left out on all processes, of how many tensors; which made a step.

    The arrays hold a number for each tensor: whether it has a gradient, and how many of its
    elements moved here, or were left.
    """
    flags = peers.most(np.concatenate([moved > 0, left > 0]).astype(np.float64)) > 0
    somewhere, stuck = flags[: len(left)], flags[len(left) :]
    if not stuck.any():
        return 0, 0, active
    # Of tensors that every process holds whole, only some may have seen it: all must tell.
    total = int(peers.most(np.array([peers.total(left)], np.float64))[0])
    return total, int(np.count_nonzero(stuck)), active & somewhere
