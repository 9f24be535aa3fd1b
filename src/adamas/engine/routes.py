"""Which parameter is stepped by which rule, and how far at first: a table to be looked at."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import overload

from adamas.engine.expected import first_update
from adamas.engine.tables import shown_shape, table
from adamas.kernel.formula import Formula

HEAD = ("parameter", "shape", "rule", "lr", "first update")


@dataclass(frozen=True)
class Route:
    """One parameter: its name, its shape, its rule and why, the learning rate.

    `rms` is the expected RMS of the first update, for a gradient whose elements are normal numbers
    of RMS 1 (most rules do not ask for its size); `scale` what a rule for matrices multiplies an
    orthogonal matrix by, None of other rules; `why` says how the rule was found.
    """

    name: str | int
    shape: tuple[int, ...]
    rule: str
    lr: float
    rms: float
    scale: float | None = None
    why: str = ""


def route(
    formula: Formula,
    name: str | int,
    shape: Sequence[int],
    hypers: Mapping[str, float],
    size: float,
    why: str = "",
) -> Route:
    """The route of a parameter whose elements have RMS `size`, with these hyper-parameters."""
    lr, scale = hypers.get("lr", math.nan), None
    rms = first_update(formula, shape, hypers, size)
    if formula.orthogonalizes and len(shape) > 1 and 0 not in shape:
        alone = {**hypers, "lr": 1.0, "weight_decay": 0.0}
        longest = max(shape[0], math.prod(shape[1:]))
        scale = first_update(formula, shape, alone, size) * math.sqrt(longest)
    return Route(name, tuple(shape), formula.name, lr, rms, scale, why)


class Routes(Sequence[Route]):
    """The routes of an optimizer, as a sequence of records whose text is a table."""

    def __init__(self, every: Sequence[Callable[[], Route]]) -> None:
        self._every, self._made = every, dict[int, Route]()

    def __len__(self) -> int:
        return len(self._every)

    @overload
    def __getitem__(self, k: int) -> Route: ...
    @overload
    def __getitem__(self, k: slice) -> Sequence[Route]: ...
    def __getitem__(self, k: int | slice) -> Route | Sequence[Route]:
        """A record; it is computed when it is first asked for."""
        if isinstance(k, slice):
            return [self[i] for i in range(*k.indices(len(self)))]
        place = range(len(self))[k]
        if place not in self._made:
            self._made[place] = self._every[place]()
        return self._made[place]

    def __iter__(self) -> Iterator[Route]:
        return (self[k] for k in range(len(self)))

    def __repr__(self) -> str:
        """The table, a line for each parameter."""
        scaled = any(one.scale is not None for one in self)
        reasons = any(one.why for one in self)
        head = [*HEAD, *(["scale"] if scaled else []), *(["why"] if reasons else [])]
        lines = [head]
        for one in self:
            line = [
                str(one.name),
                shown_shape(one.shape),
                one.rule,
                f"{one.lr:g}",
                f"{one.rms:.1e}",
            ]
            if scaled:
                line.append("" if one.scale is None else f"{one.scale:.3g}")
            lines.append([*line, *([one.why] if reasons else [])])
        return table(lines)
