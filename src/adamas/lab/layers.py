"""Which parameters of a problem are matrices of hidden layers, for rules that are for those.

A layer is known by its names: `W0` with `b0` has its outputs in columns, `2.weight` with `2.bias`,
as PyTorch calls it, in rows. An embedding has no bias beside it. The last layer is none of them.
"""

import re

import numpy as np

from adamas.lab.problems import Array, Params

NAMES = ((re.compile(r"W(\d+)$"), "b{}", True), (re.compile(r"(.+)\.weight$"), "{}.bias", False))


def hidden(params: Params) -> dict[str, bool]:
    """Return the names of hidden layers' matrices, and whether their outputs are columns.

    >>> import numpy as np
    >>> shapes = {"W0": (9, 4), "b0": (4,), "W1": (4, 4), "b1": (4,), "W2": (4, 1), "b2": (1,)}
    >>> hidden({name: np.zeros(shape) for name, shape in shapes.items()})
    {'W0': True, 'W1': True}
    """
    found = {}
    for name, array in params.items():
        for pattern, bias, columns in NAMES:
            match = pattern.match(name)
            if match and array.ndim > 1 and bias.format(match[1]) in params:
                found[name] = columns
    return dict(list(found.items())[:-1])


def turned(array: Array, columns: bool) -> Array:
    """Return a view with outputs as rows."""
    return np.moveaxis(array, -1, 0) if columns else array
