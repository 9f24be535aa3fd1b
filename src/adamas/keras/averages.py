"""Keras' average of the parameters: finer than they are, and never the same memory.

It overrides two private methods of Keras, which are named in `optimizer`.
"""

from typing import Any

import keras
from keras import ops


class Averaged(keras.optimizers.Optimizer):
    """Averages parameters of few bits in float32, with the share that was asked for."""

    def _update_model_variables_moving_average(self, trainable_variables: Any) -> None:
        if not self.use_ema:
            return
        pairs = zip(trainable_variables, self._model_variables_moving_average, strict=True)
        for variable, average in pairs:
            if average is None:
                continue
            begun = ops.cast(ops.not_equal(self.iterations, 0), average.dtype)
            share = ops.multiply(begun, self.ema_momentum)
            new = ops.multiply(ops.subtract(1, share), ops.cast(variable, average.dtype))
            average.assign(ops.add(ops.multiply(share, average), new))

    def _overwrite_model_variables_with_average_value(self, trainable_variables: Any) -> None:
        averages = self._model_variables_moving_average
        pairs = list(zip(trainable_variables, averages, strict=True))
        alike = all(average is None or v.dtype == average.dtype for v, average in pairs)
        if alike and keras.backend.backend() == "tensorflow":
            # Keras does it on every device.
            super()._overwrite_model_variables_with_average_value(trainable_variables)
            return
        for variable, average in pairs:
            if average is not None:
                # JAX refuses to donate one buffer as two, as the next step would (Keras 3.15).
                self.assign(variable, ops.copy(ops.cast(average, variable.dtype)))
