"""Optimizers of Keras 3, on whichever backend Keras runs in this process."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from adamas.check.plan import Array
from adamas.check.running import Library, Run, tidy


class Keras(Run):
    """Parameters are variables; a step is `apply`."""

    home, keras, jax = "keras", Library(), Library()

    def scope(self) -> AbstractContextManager[Any]:
        """float64 is on where the backend is JAX."""
        wide = self.keras.backend.backend() == "jax"
        return self.jax.enable_x64(True) if wide else nullcontext()

    def start(self, params: Sequence[Array], dtype: str, lay: Any = None) -> None:
        """See `Run.start`."""
        self.held = [self.keras.Variable(p, dtype=dtype) for p in params]
        self.optimizer = self.make(**self.arguments)
        self.optimizer.build(self.held)

    def step(self, grads: Sequence[Array]) -> None:
        """See `Run.step`."""
        made = [
            self.keras.ops.convert_to_tensor(g, dtype=tidy(p.dtype))
            for g, p in zip(grads, self.held, strict=True)
        ]
        self.optimizer.apply(made, self.held)

    def params(self) -> list[Array]:
        """See `Run.params`."""
        return [_array(p) for p in self.held]

    def param_dtypes(self) -> set[str]:
        """See `Run.param_dtypes`."""
        return {tidy(p.value.dtype) for p in self.held}

    def _kept(self) -> list[Any]:
        return [v for v in self.optimizer.variables if "learning_rate" not in v.path]

    def state(self) -> dict[str, Array]:
        """See `Run.state`."""
        return {f"{i}.{v.path}": _array(v) for i, v in enumerate(self._kept())}

    def state_dtypes(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """See `Run.state_dtypes`."""
        return {v.path: (tidy(v.dtype), tuple(v.shape)) for v in self._kept()}

    def save(self) -> Any:
        """See `Run.save`."""
        store: dict[str, Any] = {}
        self.optimizer.save_own_variables(store)
        return {k: np.array(v) for k, v in store.items()}

    def load(self, saved: Any) -> None:
        """See `Run.load`."""
        self.optimizer.load_own_variables(saved)

    def rate(self, lr: float) -> None:
        """See `Run.rate`."""
        self.optimizer.learning_rate = lr

    def numbers(self) -> dict[str, Any]:
        """See `Run.numbers`."""
        return dict(self.optimizer.get_config())


def _array(variable: Any) -> Array:
    import keras

    value = variable.value
    wide = value if "int" in str(value.dtype) else keras.ops.cast(value, "float64")
    return np.array(keras.ops.convert_to_numpy(wide))
