"""After a sweep that left blocks out: what moved, agreed by all processes that share the tensors.

A tensor makes a step if anything of it moved, on any of them; so its count is the same everywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from adamas.engine.batch import Batch, Numbers
from adamas.engine.finite import left, moved
from adamas.engine.peers import Peers
from adamas.engine.tensors import Array
from adamas.engine.threads import assigning, straight


@dataclass(frozen=True)
class Before:
    """Counts and scalar states as they were before a sweep."""

    steps: Array
    scalars: Array

    @classmethod
    def of(cls, numbers: Numbers) -> "Before":
        """Those of now."""
        return cls(numbers.steps.copy(), numbers.scalars.copy())


def agreed(numbers: Numbers, batches: Sequence[Batch], peers: Peers, before: Before) -> int:
    """Make counts those of all processes together; how many elements were left out on all."""
    out = left(batches)
    total = int(peers.total(out))
    if total:
        flags = peers.most(np.concatenate([moved(batches) > 0, out > 0]).astype(np.float64)) > 0
        somewhere, stuck = flags[: len(out)], flags[len(out) :]
        active = np.any([batch.active[:-1] != 0 for batch in batches], axis=0)
        steps = active & (somewhere | ~stuck)
        scalars = np.where(steps[:, None], numbers.following, before.scalars)
        counts = before.steps + np.append(steps, steps.any())
        straight([assigning(numbers.scalars, scalars), assigning(numbers.steps, counts)])
    return total
