"""Whether it matters how parameters lie in memory, and odd parameters and gradients."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from adamas.check.dialect import LAST, ROUNDING
from adamas.check.in_torch import Torch
from adamas.check.plan import varied
from adamas.check.quiet import attempt, seeded
from adamas.check.running import same_path
from adamas.check.subject import Subject

SHAPE = (6, 4)
ODD: dict[str, tuple[int, ...]] = {"scalar": (), "empty": (0, 4)}


@dataclass(frozen=True)
class Layouts:
    """Every kind of parameter, or of gradient, and what becomes of it.

    `strides` maps "transposed" and "strided" to "same" bits, "rounding", "differs" or "refused";
    `odd` maps "scalar" and "empty" to "taken", "still" or "refused"; `sparse` is "taken",
    "differs" or "refused". What the home does not have is "-".
    """

    strides: dict[str, str]
    odd: dict[str, str]
    sparse: str


def layouts(subject: Subject, dtype: str) -> Layouts:
    """Run with parameters that are transposed, strided, of no dimension, of no element."""
    asked = {name: partial(_odd, subject, dtype, shape) for name, shape in ODD.items()}
    if subject.kind is Torch:
        asked |= {name: partial(_placed, subject, dtype, lay) for name, lay in PLACES.items()}
        asked["sparse"] = partial(_sparse, subject, dtype)
    found = {name: attempt(ask) for name, ask in asked.items()}
    told = {name: value or "refused" for name, (value, _) in found.items()}
    return Layouts(
        {name: told.get(name, "-") for name in PLACES},
        {name: told[name] for name in ODD},
        told.get("sparse", "-"),
    )


def _transposed(tensor: Any) -> Any:
    """The same numbers, column by column in memory."""
    return tensor.new_empty(tensor.shape[::-1]).t().copy_(tensor)


def _strided(tensor: Any) -> Any:
    """The same numbers, every second place of the memory, and rows that are farther apart."""
    return tensor.new_zeros((len(tensor), 2 * tensor.shape[1] + 1))[:, :-1:2].copy_(tensor)


PLACES: dict[str, Callable[[Any], Any]] = {"transposed": _transposed, "strided": _strided}


def _placed(subject: Subject, dtype: str, lay: Callable[[Any], Any]) -> str:
    one, other = (subject.path(varied((SHAPE,)), dtype, place) for place in (None, lay))
    if same_path(one, other):
        return "same"
    # Sums of a tensor may be taken in another order.
    near = ROUNDING[dtype] * LAST[dtype] * float(np.abs(one).max())
    return "rounding" if float(np.abs(np.subtract(one, other)).max()) <= near else "differs"


def _odd(subject: Subject, dtype: str, shape: tuple[int, ...]) -> str:
    # A matrix beside it, as a model has; the odd one is the second.
    plan = varied((SHAPE, shape)).steps(0, 3)
    end = subject.path(plan, dtype)[-1][1]
    return "still" if end.size and np.array_equal(end, plan.starts[1]) else "taken"


def _sparse(subject: Subject, dtype: str) -> str:
    rows, plan = np.array([1.0, 0, 1, 0, 0, 1])[:, None], varied((SHAPE,)).steps(0, 4)
    plan = replace(plan, gradients=[[rows * g for g in step] for step in plan.gradients])
    run = subject.run()
    assert isinstance(run, Torch)
    seeded()
    run.start(plan.starts, dtype)
    for grads in plan.gradients:
        run.sparse_step(grads)
    dense = attempt(lambda: subject.path(plan, dtype)[-1][0])[0]
    near = dense is None or np.allclose(run.params()[0], dense, ROUNDING[dtype] * LAST[dtype], 0)
    return "taken" if near else "differs"
