"""Parameters that are trained at one point and evaluated at another, in the caller's arrays.

Schedule-free rules take gradients at y and are evaluated, and saved, at the average x. `train()`
and `eval()` move the arrays to and fro, as those of `adamas.torch` do. Nobody sees an array
being read, so a forgotten `eval()` cannot be told; a step in eval mode is.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np

from adamas.engine.copying import Copied
from adamas.engine.options import formula_of
from adamas.engine.stepper import Stepper
from adamas.engine.tensors import Array, Key, Tensor, widened
from adamas.engine.turn import alone
from adamas.kernel.formula import Formula
from adamas.kernel.layout import REST
from adamas.kernel.variants import without_average
from adamas.rules import AVERAGES

Average = Callable[..., Any]


@cache
def _known() -> dict[str, Average]:
    return {formula_of(rule).key: average for rule, average in AVERAGES.items()}


def average_of(formula: Formula) -> Average | None:
    """The point to evaluate at of a rule that trains at another; None for every other rule."""
    if not any(formula.name.startswith(rule.__name__) for rule in AVERAGES):
        return None
    return _known().get(without_average(formula).key)


class Modes(Copied):
    """An optimizer whose arrays are those that gradients are taken at, until `eval()`.

    Rules that are evaluated where they are trained have one mode, and nothing moves.
    """

    _training: bool
    _trained: dict[Key, Array]

    @alone
    def eval(self) -> None:
        """Put the averages into the parameters, to evaluate or to save them; see `train`.

        For rules that are evaluated at another point than they are trained at, the schedule-free
        ones; for others, and a second time, it does nothing. Where training was is kept until
        `train()`, which brings back its bits, and until then `step` raises RuntimeError. Raises
        ValueError for beta1=0, from which there is no way to the average. Call it before
        parameters are read: that they are read in train mode cannot be noticed here.
        """
        if not self._training:
            return
        self._stepper.catch_up()
        found = [(tensor, average(tensor.given)) for _, _, tensor, average in self._averaging()]
        for tensor, x in found:
            self._trained[tensor.key] = tensor.given.copy()
            tensor.given[...] = x
        self._training = not any(average_of(part.rule) for part in self._stepper.parts)

    @alone
    def train(self) -> None:
        """Put the parameters where gradients are taken; a second time does nothing.

        Where they are no longer what `eval` made of them (they were loaded), that point is computed
        from what they are: Defazio et al. 2024, Algorithm 1, the line for y.
        """
        if self._training:
            return
        for part, index, tensor, average in self._averaging():
            before = self._trained.get(tensor.key)
            if before is None or not np.array_equal(tensor.given, average(before)):
                before = self._loaded(part, index, tensor)
            tensor.given[...] = before
        self._trained.clear()
        self._training = True

    def _averaging(self) -> Iterator[tuple[Stepper, int, Tensor, Callable[[Array], Array]]]:
        """Every tensor that has another point, with the function that finds it."""
        for part in self._stepper.parts:
            formula = average_of(part.rule)
            if formula is None:
                continue
            part.settings.refresh(max(1, part.steps))
            for index, tensor in enumerate(part.tensors):
                if part.numbers.steps[index]:
                    yield part, index, tensor, _finder(formula, part, index, tensor)

    def _loaded(self, part: Stepper, index: int, tensor: Tensor) -> Array:
        """Where gradients are taken, of an average that came from somewhere else."""
        entry = part.store.arrays[index]
        if f"p{REST}" in entry:
            entry[f"p{REST}"][...] = 0
        z, x = part.store.values(index, "z"), _numbers(tensor, tensor.given)
        return _kept(tensor, z + _beta1(part, tensor) * (x - z))

    def _check_mode(self) -> None:
        """Raise RuntimeError where parameters are not the points that gradients are taken at."""
        if not self._training:
            raise RuntimeError(
                f"{self._stepper.formula.name} is in eval mode, where parameters are the averages "
                "to evaluate; call optimizer.train() before training, and optimizer.eval() before "
                "evaluating or saving the parameters."
            )


def _finder(
    formula: Average, part: Stepper, index: int, tensor: Tensor
) -> Callable[[Array], Array]:
    beta1 = _beta1(part, tensor)
    if beta1 == 0:
        raise ValueError(
            f"beta1=0: {part.formula.name} trains at z itself, so that the average cannot be had "
            "of what is trained; choose a beta1 above 0."
        )
    z = part.store.values(index, "z")

    def average(given: Array) -> Array:
        y = _numbers(tensor, given)
        # Rows that no step has named are where they began.
        return _kept(tensor, np.where(y == z, y, formula(y, z, beta1=beta1)))

    return average


def _beta1(part: Stepper, tensor: Tensor) -> float:
    return part.settings.now(tensor.group)["beta1"]


def _numbers(tensor: Tensor, given: Array) -> Array:
    return widened(given) if tensor.form == "bfloat16" else given


def _kept(tensor: Tensor, values: Array) -> Array:
    """Numbers as the parameter has them, to the nearest."""
    if tensor.form != "bfloat16":
        return values.astype(tensor.given.dtype)
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16
    # A NaN is one whatever its digits are.
    return np.where(values == values, rounded, bits >> 16 | 0x40).astype(np.uint16)
