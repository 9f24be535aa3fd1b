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

from adamas.homes.keras_paths import matched, path_of, unnumbered
from adamas.homes.known import identity, plain
from adamas.keras.steps import native

RECORD = "adamas"


class Saved(keras.optimizers.Optimizer):
    """Writes names beside the variables, and reads them back with everything checked first."""

    def save_own_variables(self, store: Any) -> None:
        """Write every variable by its number, and the names and the rule as one more."""
        waiting = self._slots.waiting
        if waiting is not None:
            for key, value in waiting.items():
                store[key] = value
            return
        super().save_own_variables(store)
        store[RECORD] = np.frombuffer(json.dumps(self._record()).encode(), np.uint8)

    def load_own_variables(self, store: Any) -> None:
        """Take over a saved state; one that comes before there are variables waits for them.

        Raises ValueError for another rule, other names, another count or shape, with nothing
        changed; with `strict=False` such a state is left out with a warning.
        """
        names = store.keys()
        found = {name: np.asarray(store[name]) for name in names}
        if self.built:
            self._take(found)
        elif self.strict:
            self._told(found)
        self._slots.waiting = None if self.built else found

    def rehearse(self, variables: Any) -> None:
        """Raise if the state that waits does not fit, while nothing is made and it goes on waiting.

        Keras takes an optimizer whose `build` has raised for built, and would train on without it.
        """
        if self._slots.waiting is None or not self.strict:
            return
        with native.outside():
            config = self.get_config()
            if isinstance(config["learning_rate"], dict):
                config["learning_rate"] = float
            like: Any = type(self)(**config)
            like.build(variables)
            like.load_own_variables(self._slots.waiting)

    def take_over(self) -> None:
        """Assign the state that waits, if there is one."""
        if self._slots.waiting is not None:
            self._take(self._slots.waiting)
            self._slots.waiting = None

    def _take(self, found: Mapping[str, Any]) -> None:
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

    def _record(self) -> dict[str, Any]:
        """What is saved beside the variables: the rule, what they are called, what makes a step.

        The rule is that without what `weight_decay` adds to it, which keeps nothing.
        """
        options = {name: getattr(self, name) for name in self._slots.names}
        if "weight_decay" in options:
            options["weight_decay"] = 0.0
        return {
            "rule": identity(self._slots.formula(self.signature.choose(options))),
            "names": [v.name for v in self.variables],
            "paths": [path_of(v) for v in self._trainable_variables],
            "gradients": self.gradient_accumulation_steps,
        }

    def _told(self, found: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any], str]:
        """The own record and the saved one; raises ValueError if the rule or its steps differ."""
        where = f"{self.name}: the saved state does not fit"
        if RECORD not in found:
            raise ValueError(
                f"{where}: another optimizer has written it, without names. Load the model with "
                "compile=False, or make this optimizer with strict=False."
            )
        own, record = self._record(), json.loads(bytes(found[RECORD]).decode())
        there, here = plain(record["rule"]), plain(own["rule"])
        if there != here:
            raise ValueError(f"{where}: it is of the rule {there}, and this is {here}.")
        if record["rule"] != own["rule"]:
            raise ValueError(
                f"{where}: it is of another rule that is called {here} too, and computes something "
                "else. Make the optimizer with the rule that was saved."
            )
        if record["gradients"] != own["gradients"]:
            raise ValueError(
                f"{where}: gradient_accumulation_steps is {record['gradients']} there, and "
                f"{own['gradients']} here, and iterations count gradients. Make this optimizer "
                f"with {record['gradients']}, or let adamas.convert count anew."
            )
        return own, record, where

    def _fitting(self, found: Mapping[str, Any]) -> list[Any]:
        """The saved value of each variable, None to leave it; raises ValueError if one is not."""
        own, record, where = self._told(found)
        classes = _classes()
        bare = [unnumbered(one["names"], one["paths"], classes) for one in (own, record)]
        places = matched(own["names"], record["names"], (bare[0], bare[1]), where)
        if lost := [k for k in places if k is not None and str(k) not in found]:
            raise ValueError(f"{where}: {record['names'][lost[0]]!r} is named, and not there.")
        values = [None if k is None else found[str(k)] for k in places]
        for variable, value in zip(self.variables, values, strict=True):
            if value is not None:
                _compare(variable, value, where)
        return values


def _classes() -> set[str]:
    """What there is in this process that Keras calls by its class, see `unnumbered`."""
    todo, found = [keras.layers.Layer, keras.Variable], set()
    while todo:
        one = todo.pop()
        found.add(one.__name__.lower().replace("_", ""))
        todo += one.__subclasses__()
    return found


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
