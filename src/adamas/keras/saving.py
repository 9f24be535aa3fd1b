"""The state of an optimizer on its way to a file and back, by name, or not at all.

Keras numbers the variables of an optimizer, and leaves out a saved state of another count with a
warning. Here a record of the names lies beside the numbers, and what does not fit is an error.
"""

import json
import warnings
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from adamas.homes.keras_paths import matched
from adamas.keras.steps import native

RECORD = "adamas"


class Saved(keras.optimizers.Optimizer):
    """Writes names beside the variables, and reads them back with everything checked first."""

    def save_own_variables(self, store: Any) -> None:
        """Write every variable by its number, and the names and the rule as one more."""
        waiting = self._slots.waiting
        if waiting is not None and not self.built:
            for key, value in waiting.items():
                store[key] = value
            return
        super().save_own_variables(store)
        record = {"rule": self._rule_name(), "names": [v.name for v in self.variables]}
        store[RECORD] = np.frombuffer(json.dumps(record).encode(), np.uint8)

    def load_own_variables(self, store: Any) -> None:
        """Take over a saved state; one that comes before there are variables waits for them.

        Raises ValueError for another rule, other names, another count or shape, with nothing
        changed; with `strict=False` such a state is left out with a warning.
        """
        names = store.keys()
        self._slots.waiting = {name: np.asarray(store[name]) for name in names}
        if self.built:
            self.take_over()

    def take_over(self) -> None:
        """Assign the state that waits, if there is one."""
        found, self._slots.waiting = self._slots.waiting, None
        if found is None:
            return
        try:
            values = self._fitting(found)
        except ValueError as error:
            if self.strict:
                raise
            warnings.warn(f"{error} It is left out.", stacklevel=2)
            return
        with native.outside():
            for variable, value in zip(self.variables, values, strict=True):
                if value is not None:
                    variable.assign(value)

    def _rule_name(self) -> str:
        """The name of the rule without what `weight_decay` adds to it, which keeps nothing."""
        options = {name: getattr(self, name) for name in self._slots.names}
        if "weight_decay" in options:
            options["weight_decay"] = 0.0
        return str(self._slots.formula(self.signature.choose(options)).name)

    def _fitting(self, found: Mapping[str, Any]) -> list[Any]:
        """The saved value of each variable, None to leave it; raises ValueError if one is not."""
        where = f"{self.name}: the saved state does not fit"
        if RECORD not in found:
            raise ValueError(
                f"{where}: another optimizer has written it, without names. Load the model with "
                "compile=False, or make this optimizer with strict=False."
            )
        record = json.loads(bytes(found[RECORD]).decode())
        if record["rule"] != self._rule_name():
            raise ValueError(
                f"{where}: it is of the rule {record['rule']}, and this is {self._rule_name()}."
            )
        places = matched([v.name for v in self.variables], record["names"], where)
        values = [None if k is None else found[str(k)] for k in places]
        for variable, value in zip(self.variables, values, strict=True):
            if value is not None:
                _compare(variable, value, where)
        return values


def _compare(variable: Any, value: Any, where: str) -> None:
    if tuple(variable.shape) != tuple(value.shape):
        raise ValueError(
            f"{where}: {variable.name} has shape {tuple(value.shape)} there, and "
            f"{tuple(variable.shape)} here."
        )
    dtype = keras.backend.standardize_dtype(variable.dtype)
    if dtype == "bfloat16" and str(value.dtype) != dtype:
        raise ValueError(
            f"{where}: {variable.name} is {value.dtype} there, and bfloat16 here. Make this "
            f'optimizer with state="{value.dtype}".'
        )
