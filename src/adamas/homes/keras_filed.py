"""An optimizer of adamas.keras as its file has it: variables by name, read without Keras."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

# What a record says, and of which types it is.
RECORD: dict[str, Any] = {"rule": str, "names": list, "paths": list, "gradients": int | None}


class Filed:
    """What stands in a file for a built optimizer; raises ValueError where it is not whole."""

    built = True

    def __init__(self, saved: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
        record, self._values = parts(saved)
        config, shapes = saved.get("config"), saved.get("shapes")
        if not (isinstance(config, Mapping) and isinstance(shapes, list)):
            raise ValueError("what it says of its optimizer is not whole")
        if len(shapes) != len(record["paths"]) or not all(map(_is_shape, shapes)):
            raise ValueError("the shapes of its parameters are none")
        self._config = {**defaults, **config}
        self.use_ema = self._config.get("use_ema") is True
        self.ema_momentum = self._config.get("ema_momentum", 0.99)
        self.gradient_accumulation_steps = record["gradients"]
        self.variables = [SimpleNamespace(name=name) for name in record["names"]]
        pairs = zip(record["paths"], shapes, strict=True)
        self._trainable_variables = [SimpleNamespace(path=p, shape=tuple(s)) for p, s in pairs]

    @property
    def values(self) -> list[Any]:
        """The variables in their order."""
        return [self._values[k] for k in range(len(self.variables))]

    def get_config(self) -> dict[str, Any]:
        """The arguments that were numbers."""
        return self._config


def parts(saved: Mapping[str, Any]) -> tuple[dict[str, Any], dict[int, Any]]:
    """The record and the variables by number of a state in a file; ValueError for what is none."""
    record, state = saved.get("record"), saved.get("state")
    if not (isinstance(record, dict) and isinstance(state, dict)):
        raise ValueError("its state is none of adamas.keras")
    for key, kind in RECORD.items():
        if key not in record or not isinstance(record[key], kind):
            raise ValueError(f"what it says of its optimizer has no proper {key!r}")
    texts = [*record["names"], *record["paths"]]
    if not all(isinstance(one, str) for one in texts) or (record["gradients"] or 1) < 1:
        raise ValueError("what it says of its optimizer is not whole")
    whole = all(hasattr(one, "shape") for one in state.values())
    if not whole or state.keys() != set(range(len(record["names"]))):
        raise ValueError("its variables are not those that it names")
    return record, state


def _is_shape(given: Any) -> bool:
    return isinstance(given, list) and all(type(n) is int and n >= 0 for n in given)
