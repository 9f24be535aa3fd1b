"""JAX's trees of parameters as the named arrays that optimizers of adamas step."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from adamas.lab.needs import LabError
from adamas.lab.own.function_task import Loss, LossAndGrad, Metrics
from adamas.lab.problems import Array, Params


class Tree:
    """A loss over trees and what it is over named arrays; compiled once, for all seeds."""

    def __init__(
        self,
        problem: str,
        loss: Callable[[Any, Any, Any], Any],
        metrics: Callable[[Any, Any, Any], Mapping[str, Any]] | None,
    ) -> None:
        try:
            import jax
        except ImportError as error:
            raise LabError("error.jax", problem=problem) from error
        self.structure: Any = None
        self._metrics = metrics
        self._loss = jax.jit(loss)
        self._loss_and_grad = jax.jit(jax.value_and_grad(loss))

    def first(self, start: Any, seed: int) -> Params:
        """Return the first parameters of a seed by name, such as `['layer']['w']`."""
        import jax

        made = start(jax.random.key(seed)) if callable(start) else start
        leaves, self.structure = jax.tree_util.tree_flatten_with_path(made)
        return {jax.tree_util.keystr(path) or "params": np.array(leaf) for path, leaf in leaves}

    def functions(self) -> tuple[Loss, LossAndGrad, Metrics | None]:
        """Return the loss, the loss with its gradient, and the metrics, over named arrays."""
        return self.loss, self.loss_and_grad, self.metrics if self._metrics else None

    def loss(self, params: Params, x: Array, y: Array) -> float:
        """Return the loss as a number."""
        return float(self._loss(self._tree(params), x, y))

    def loss_and_grad(self, params: Params, x: Array, y: Array) -> tuple[float, Params]:
        """Return the loss and its gradient; both are complete when this returns."""
        import jax

        loss, grads = self._loss_and_grad(self._tree(params), x, y)
        arrays = (np.asarray(leaf) for leaf in jax.tree_util.tree_leaves(grads))
        return float(loss), dict(zip(params, arrays, strict=True))

    def metrics(self, params: Params, x: Array, y: Array) -> Mapping[str, float]:
        """Return the user's metrics."""
        assert self._metrics is not None
        return self._metrics(self._tree(params), x, y)

    def _tree(self, params: Params) -> Any:
        import jax

        return jax.tree_util.tree_unflatten(self.structure, list(params.values()))
