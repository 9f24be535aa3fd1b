"""An embedding of which a step touches few rows: Adam on sparse gradients of PyTorch."""

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

from adamas.bench.timing import Side
from benchmarks.race import race
from benchmarks.record import MIB, Plan, Section, compared
from benchmarks.shared import beside

if TYPE_CHECKING:
    import torch

OURS, THEIRS = "adamas", "SparseAdam"
NAMED, WIDTH = 4096, 32
# More gradients than the second-level cache holds, so that none is still there from last time.
DIFFERENT = 32


def sparse_rows(plan: Plan) -> Section:
    """Adam on a sparse gradient for 4,096 rows of a large embedding."""
    # As many numbers as half the large array: a million rows where that has 64 Mi.
    rows = max(NAMED, plan.size // (2 * WIDTH))
    cases = [
        race(title, _sides(rows, coalesced), [(OURS, THEIRS)], plan.rounds)
        for title, coalesced in (("as backward leaves it", False), ("coalesced", True))
    ]
    figures = [compared(case, OURS, THEIRS) for case in cases]
    return Section(
        "Rows of an embedding",
        f"Adam in float32 on {rows / MIB:.3g} Mi rows of {WIDTH}, {NAMED:,} of them drawn at "
        "random for every step, with the default finite check in adamas; "
        "`torch.optim.SparseAdam` has none. Every step gets a new gradient tensor, as after a "
        "backward pass; parameter and moments are the same tensors for both. "
        "Before `coalesce` its rows are in no order and may come twice; "
        "SparseAdam sorts and sums them in its step, and so does adamas.",
        cases,
        figures,
    )


def _sides(rows: int, coalesced: bool) -> dict[str, Side]:
    import torch

    from adamas.torch import Adam

    parameter = torch.nn.Parameter(torch.ones(rows, WIDTH))
    parameter.grad = next(_gradients(rows, coalesced))
    ours: torch.optim.Optimizer = Adam([parameter], lr=1e-3)
    theirs = torch.optim.SparseAdam([parameter], lr=1e-3)
    beside(ours, theirs)
    return {
        OURS: _side(ours, _gradients(rows, coalesced)),
        THEIRS: _side(theirs, _gradients(rows, coalesced)),
    }


def _side(optimizer: "torch.optim.Optimizer", given: "Iterator[torch.Tensor]") -> Side:
    parameter = optimizer.param_groups[0]["params"][0]

    def step() -> None:
        parameter.grad = next(given)
        optimizer.step()

    return Side(step, lambda: parameter.detach().numpy())


def _gradients(rows: int, coalesced: bool) -> "Iterator[torch.Tensor]":
    """New sparse tensors for ever, over a few draws, the same for every side."""
    import torch

    generator = torch.Generator().manual_seed(0)
    draws = []
    for _ in range(DIFFERENT):
        indices = torch.randint(rows, (1, NAMED), generator=generator)
        values = torch.randn(NAMED, WIDTH, generator=generator)
        draw = torch.sparse_coo_tensor(indices, values, (rows, WIDTH), check_invariants=False)
        draws.append(draw.coalesce() if coalesced else draw)
    for draw in itertools.cycle(draws):
        yield torch.sparse_coo_tensor(
            draw._indices(),
            draw._values(),
            draw.shape,
            is_coalesced=coalesced,
            check_invariants=False,
        )
