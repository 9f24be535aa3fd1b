"""A schedule of adamas as one of Keras."""

from typing import Any

import keras
import numpy as np

from adamas.keras.steps import native
from adamas.schedule import Schedule, parse


@keras.saving.register_keras_serializable("adamas")
class Rate(keras.optimizers.schedules.LearningRateSchedule):
    """The learning rate at Keras' step, which counts from 0, of a `Schedule`, which does from 1."""

    def __init__(self, schedule: Schedule | str) -> None:
        super().__init__()
        self.schedule = parse(schedule) if isinstance(schedule, str) else schedule
        self._over = self.schedule.over(native.ONCE, np.float64)

    def __call__(self, step: Any) -> Any:
        """The rate as a tensor of float32, computed in float64."""
        with native.scope():
            return keras.ops.cast(self._over(native.wide(step) + 1.0), "float32")

    def get_config(self) -> dict[str, Any]:
        """Its text."""
        return {"schedule": repr(self.schedule)}


def rate_of(value: Any) -> Any:
    """A learning rate as Keras takes it."""
    return Rate(value) if isinstance(value, Schedule) else value
