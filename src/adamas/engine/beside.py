"""The array beside the gradient, of rules that ask for one: an estimate of the Hessian's diagonal.

It has the gradient's form and is taken as it is: no loss scale, no clipping, no sign.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from adamas.engine.bind import Bound
from adamas.engine.finite import Seen, find_nonfinite
from adamas.engine.peers import Bad
from adamas.engine.tensors import Array, Tensor, as_array, form_of, widened
from adamas.kernel.formula import Formula
from adamas.kernel.scopes import SECOND


def read(
    formula: Formula,
    tensors: Sequence[Tensor],
    bound: Bound,
    given: Sequence[Any] | None,
    computes: Sequence[str],
) -> tuple[list[Array], Bad | None]:
    """The arrays in the order of `tensors` as kernels read them, and the first that is not finite.

    Those of tensors without a gradient are not looked at. Raises TypeError or ValueError that names
    the array that is missing, does not fit, or is not asked for.
    """
    if SECOND not in formula.given:
        raise TypeError(f"{formula.name} reads no second array; leave h= out, or ask for `*, h`.")
    if given is None:
        raise TypeError(
            f"{formula.name} reads a second array beside the gradient; write step(grads, h=...)."
        )
    stepped, found = set(bound.members), list[Array]()
    for k, (tensor, value) in enumerate(zip(tensors, given, strict=True)):
        found.append(_array(tensor, value, computes[k]) if k in stepped else np.zeros(0))
    seen = [Seen(k, found[k]) for k in sorted(stepped)]
    return found, find_nonfinite(seen, 1.0, computes)


def _array(tensor: Tensor, value: Any, compute: str) -> Array:
    what = f"the second array of {tensor.key!r}"
    if value is None:
        raise ValueError(f"{what} is missing: its gradient is there, and the rule reads both.")
    array = as_array(value, what)
    if array.shape != tensor.given.shape:
        raise ValueError(f"{what} has shape {array.shape}, not {tensor.given.shape}.")
    if array.dtype.kind not in "fu" or form_of(array) not in (
        "float32",
        "float64",
        "float16",
        "bfloat16",
    ):
        raise TypeError(f"{what} has dtype {array.dtype}; give it as float32 or float64.")
    if form_of(array) in ("float16", "bfloat16"):
        array = widened(array)
    dense = np.require(tensor.lay.dense(array), compute, "A")
    # The step writes the parameter while it reads this.
    return dense.copy() if np.may_share_memory(dense, tensor.work) else dense
