"""A class that steps NumPy's arrays, or a transformation of optax, on the arrays of one run."""

from collections.abc import Callable
from typing import Any

import numpy as np

from adamas.lab.foreign.torch_steps import held
from adamas.lab.needs import LabError
from adamas.lab.problems import Params
from adamas.lab.stepping import Again, JudgedAsTheyAre, StepError, theirs


class ArrayStepping(JudgedAsTheyAre):
    """An object with `step(grads)`, made of a dict of arrays that it updates in place."""

    own = None

    def __init__(self, made: Any, params: Params) -> None:
        self._made, self._params = made, params

    def at(self, lr: float) -> None:
        """Step with this learning rate from now on."""
        if not hasattr(self._made, "lr"):
            raise StepError(str(LabError("error.foreign_no_attribute")))
        with theirs():
            self._made.lr = lr

    def step(self, grads: Params, loss: float, again: Again) -> None:
        """Make one update; what the optimizer raises becomes a `StepError`."""
        with theirs():
            self._made.step(grads)

    def state_bytes(self) -> int:
        """Return the bytes of the arrays among its attributes that are not the parameters."""
        kept = {name: value for name, value in vars(self._made).items() if name not in ("lr", "t")}
        return held(kept, {array.ctypes.data for array in self._params.values()})


# `update(grads, state, params, lr)` returns parameters and a state.
Update = Callable[[Any, Any, Any, float], tuple[Any, Any]]


class OptaxStepping(JudgedAsTheyAre):
    """A transformation of optax, in double precision where the arrays have it."""

    own = None

    def __init__(self, first: Callable[[Any, float], Any], update: Update, params: Params,
                 lr: float) -> None:  # fmt: skip
        import jax

        self._wide, self._update = jax.enable_x64, update
        self._params, self._lr = params, lr
        with self._wide(True):
            self._state = first(self._copied(params), lr)

    def at(self, lr: float) -> None:
        """Step with this learning rate from now on."""
        self._lr = lr

    def step(self, grads: Params, loss: float, again: Again) -> None:
        """Make one update; what the transformation raises becomes a `StepError`."""
        with theirs(), self._wide(True):
            new, self._state = self._update(
                self._copied(grads), self._state, self._copied(self._params), self._lr
            )
        for name, array in self._params.items():
            np.copyto(array, np.asarray(new[name]))

    def _copied(self, arrays: Params) -> Any:
        import jax.numpy as jnp

        # A copy, because JAX may take the memory of an array that changes afterwards.
        return {name: jnp.array(array) for name, array in arrays.items()}

    def state_bytes(self) -> int:
        """Return the bytes of its state, counters of steps left out."""
        import jax

        leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(self._state)]
        return sum(leaf.nbytes for leaf in leaves if leaf.dtype.kind == "f" and leaf.ndim)
