"""Gradient transformations: functions of hyper-parameters with an `init` and an `update`."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from adamas.check.hypers import NAMES
from adamas.check.plan import Array, Plan
from adamas.check.running import Library, Run


class Optax(Run):
    """Parameters are a list of JAX arrays; nothing is compiled."""

    home, jax, optax = "optax", Library(), Library()

    def scope(self) -> AbstractContextManager[Any]:
        """float64 is on, for arrays that ask for it."""
        found: AbstractContextManager[Any] = self.jax.enable_x64(True)
        return found

    def start(self, params: Sequence[Array], dtype: str, lay: Any = None) -> None:
        """See `Run.start`."""
        self.held = [self.jax.numpy.asarray(p, dtype) for p in params]
        self.optimizer = self.make(**self.arguments)
        self.kept = self.optimizer.init(self.held)

    def step(self, grads: Sequence[Array]) -> None:
        """See `Run.step`."""
        given = [self.jax.numpy.asarray(g, p.dtype) for g, p in zip(grads, self.held, strict=True)]
        updates, self.kept = self.optimizer.update(given, self.kept, self.held)
        self.last = {str(u.dtype) for u in updates}
        self.held = self.optax.apply_updates(self.held, updates)

    def params(self) -> list[Array]:
        """See `Run.params`."""
        return [np.asarray(p).astype(np.float64) for p in self.held]

    def param_dtypes(self) -> set[str]:
        """The dtypes of the updates, which optax casts to those of the parameters."""
        return self.last

    def _leaves(self) -> dict[str, Any]:

        pairs = self.jax.tree_util.tree_leaves_with_path(self.kept)
        named = {self.jax.tree_util.keystr(path): leaf for path, leaf in pairs}
        # Keys of random numbers are no arrays of numbers.
        return {k: v for k, v in named.items() if not str(v.dtype).startswith("key")}

    def state(self) -> dict[str, Array]:
        """See `Run.state`."""
        return {k: np.asarray(v) for k, v in self._leaves().items()}

    def state_dtypes(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """See `Run.state_dtypes`."""
        return {k: (str(v.dtype), tuple(v.shape)) for k, v in self._leaves().items()}

    def save(self) -> Any:
        """See `Run.save`: every leaf as an array of NumPy."""
        return [np.asarray(leaf) for leaf in self.jax.tree.leaves(self.kept)]

    def load(self, saved: Any) -> None:
        """See `Run.load`: the leaves in the tree of a fresh state."""
        leaves = [self.jax.numpy.asarray(leaf) for leaf in saved]
        self.kept = self.jax.tree.unflatten(self.jax.tree.structure(self.kept), leaves)


def scheduled(run: Optax, plan: Plan) -> None:
    """Let the learning rate be a schedule with two values, which is how optax changes one."""
    before, after = plan.rates[0], plan.rates[-1]
    change = plan.rates.index(after)
    for name in NAMES["lr"]:
        if run.arguments.get(name) == before:
            run.arguments[name] = lambda count: run.jax.numpy.where(count < change, before, after)
