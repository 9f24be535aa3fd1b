"""Where to evaluate what is trained at another point."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from adamas import rules
from adamas.jax.coded import Coded
from adamas.jax.keeping import wide
from adamas.jax.transform import promoting

# What the state of a schedule-free rule has, and no other.
FIELDS = ("z", "b1", "max_lr", "weight_sum")


def schedule_free_eval_params(state: Any, params: Any) -> Any:
    """The parameters to evaluate at, of those that a schedule-free rule trains.

    `state` is that of the transformation or of whatever it stands in: chain, partition, MultiSteps.
    Leaves keep their dtypes, and those that it does not train are returned as they are, as all are
    before the first step. Raises ValueError where there is no such state, or b1 is 0, from which
    there is no way back. The formula is `adamas.rules.schedule_free_average`.
    """
    records = [one for one in jax.tree.leaves(state, is_leaf=_averages) if _averages(one)]
    if not records:
        raise ValueError("there is no state of a schedule-free rule of adamas.jax in this one.")
    with promoting():
        for one in records:
            if not isinstance(one.b1, jax.core.Tracer) and np.any(np.asarray(one.b1) == 0):
                raise ValueError(
                    "b1=0.0 trains at z itself, so that the average cannot be had of what is "
                    "trained; give the rule a b1 above 0."
                )
            params = jax.tree.map(partial(_average, one), one.z, params, is_leaf=_whole)
    return params


def _averages(node: Any) -> bool:
    return isinstance(node, tuple) and all(hasattr(node, one) for one in FIELDS)


def _whole(node: Any) -> bool:
    return node is None or isinstance(node, Coded | optax.MaskedNode)


def _average(record: Any, z: Any, p: Any) -> Any:
    if p is None or z is None or isinstance(z, optax.MaskedNode):
        return p
    p = jnp.asarray(p)
    z = z.numbers() if isinstance(z, Coded) else z
    average: Any = rules.schedule_free_average
    found = average(p.astype(wide(p)), z, beta1=record.b1)
    # z is set in the first step.
    return jnp.where(record.count == 0, p, found.astype(p.dtype))
