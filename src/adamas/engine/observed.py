"""What the last step did to each parameter: records, and a table of them."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, overload

from adamas.engine.tables import shown_shape, table
from adamas.engine.tensors import Key

Record = dict[str, Any]
ADVICE = (
    "observed: this optimizer does not note what its steps do; make it with observe=True, which "
    "reads the arrays of a step once more."
)
# The columns of the table: the key of each, and what stands above it.
COLUMNS = {
    "step": "step",
    "lr": "lr",
    "update_rms": "update",
    "weight_rms": "weight",
    "gradient_rms": "gradient",
    "update_to_weight": "update/weight",
    "update_to_lr": "update/lr",
}


def record(
    name: Key,
    shape: Sequence[int],
    rule: str,
    step: int,
    lr: float,
    noted: Mapping[str, float],
    at_floor: Mapping[str, float],
) -> Record:
    """What is known of one parameter's last step, of the norms that were `noted`.

    `at_floor` says for each state in few bits which share of its elements holds the smallest size
    that its format can hold there.
    """
    root = math.sqrt(max(1, math.prod(shape)))
    update, weight, gradient = (noted.get(w, math.nan) for w in ("update", "weight", "gradient"))
    return {
        "name": name,
        "shape": tuple(shape),
        "rule": rule,
        "step": step,
        "lr": lr,
        "update_norm": update,
        "weight_norm": weight,
        "gradient_norm": gradient,
        "update_rms": update / root,
        "weight_rms": weight / root,
        "gradient_rms": gradient / root,
        "update_to_weight": ratio(update, weight),
        "update_to_lr": ratio(update / root, lr),
        "at_floor": dict(at_floor),
    }


def ratio(x: float, y: float) -> float:
    """The quotient, infinite or NaN over zero."""
    if y:
        return x / y
    return math.inf if x > 0 else math.nan


class Observed(Sequence[Record]):
    """A dict for each parameter, in the order of the parameters; the text of all is a table."""

    def __init__(self, records: Sequence[Record]) -> None:
        self._records = list(records)

    def __len__(self) -> int:
        return len(self._records)

    @overload
    def __getitem__(self, k: int) -> Record: ...
    @overload
    def __getitem__(self, k: slice) -> Sequence[Record]: ...
    def __getitem__(self, k: int | slice) -> Record | Sequence[Record]:
        """The record of one parameter, or those of several."""
        return self._records[k]

    def __repr__(self) -> str:
        """The table, a line for each parameter; update, weight and gradient by their RMS."""
        states = dict.fromkeys(name for one in self for name in one["at_floor"])
        head = ["parameter", "shape", "rule", *COLUMNS.values(), *(f"{s} at floor" for s in states)]
        lines = [head]
        for one in self:
            numbers = [f"{one[key]:.3g}" if key != "step" else str(one[key]) for key in COLUMNS]
            shares = [f"{one['at_floor'][s]:.1%}" if s in one["at_floor"] else "" for s in states]
            lines.append(
                [str(one["name"]), shown_shape(one["shape"]), one["rule"], *numbers, *shares]
            )
        return table(lines)
