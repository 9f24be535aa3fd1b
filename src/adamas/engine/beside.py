"""The array beside the gradient, of rules that ask for one: an estimate of the Hessian's diagonal.

It has the gradient's form and is taken as it is: no loss scale, no clipping, no sign.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from adamas.codecs import CODECS
from adamas.engine.bind import Bound
from adamas.engine.finite import Seen, find_nonfinite
from adamas.engine.parts import Parts
from adamas.engine.peers import Bad
from adamas.engine.tensors import Array, Tensor, as_array, form_of, widened
from adamas.kernel.scopes import SECOND


def read(own: Parts, bound: Bound, given: Sequence[Any] | None) -> tuple[list[Array], Bad | None]:
    """The arrays beside the gradients as kernels read them, and the first that is not finite.

    Those of tensors without a gradient are not looked at. Raises TypeError or ValueError that names
    the array that is missing, does not fit, or is not asked for.
    """
    formula, tensors, computes = own.formula, own.tensors, own.computes()
    if SECOND not in formula.given:
        raise TypeError(f"{formula.name} reads no second array; leave h= out, or ask for `*, h`.")
    if given is None:
        raise TypeError(
            f"{formula.name} reads a second array beside the gradient; write step(grads, h=...)."
        )
    stepped, found, seen = set(bound.members), list[Array](), list[Seen]()
    for k, (tensor, value) in enumerate(zip(tensors, given, strict=True)):
        array = _fitting(tensor, value) if k in stepped else np.zeros(0)
        if k in stepped:
            seen.append(Seen(k, array))
            array = np.require(tensor.lay.dense(array), computes[k], "A")
            # The step writes parameters while it reads this.
            if any(np.may_share_memory(array, other.work) for other in own.every):
                array = array.copy()
        found.append(array)
    return found, find_nonfinite(seen, 1.0, computes)


def _fitting(tensor: Tensor, value: Any) -> Array:
    """The array of a tensor as numbers of 32 or 64 bits."""
    what = f"the second array of {tensor.key!r}"
    if value is None:
        raise ValueError(f"{what} is missing: its gradient is there, and the rule reads both.")
    array = as_array(value, what)
    if array.shape != tensor.given.shape:
        raise ValueError(f"{what} has shape {array.shape}, not {tensor.given.shape}.")
    if form_of(array) not in CODECS or not array.dtype.isnative:
        raise TypeError(f"{what} has dtype {array.dtype}; give it as {' or '.join(CODECS)}.")
    return widened(array) if array.dtype.itemsize == 2 else array
