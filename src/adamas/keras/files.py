"""Optimizers of adamas.keras in a file: every variable by its name, on whichever backend."""

import json
import os
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from adamas.files.background import Saving
from adamas.files.checkpoint import Checkpoint, Key
from adamas.files.contents import Contents, write
from adamas.files.foreign import translated
from adamas.files.reading import Named
from adamas.files.tree import Leaf, Path, array_leaf
from adamas.homes.keras_filed import parts
from adamas.homes.keras_paths import path_of
from adamas.keras.saving import RECORD, Saved
from adamas.keras.steps import native

HOME = "adamas.keras"
Shapes = dict[Key, tuple[int, ...]]


class Filed(Saved):
    """Writes its variables into a file of adamas, and goes on from one."""

    def save(
        self,
        path: str | os.PathLike[str],
        params: Mapping[Any, Any] | None = None,
        extra: Any = None,
        keep: int = 1,
        background: bool = False,
    ) -> Saving:
        """Write every variable of the optimizer into a safetensors file; see `adamas.save`.

        `params` is a dict of variables or arrays by name, such as `{v.path: v for v in
        model.variables}`. Raises ValueError for an optimizer that has no variables yet.
        """
        if not self.built:
            raise ValueError(
                f"{self.name} has no variables yet: optimizer.build(model.trainable_variables)."
            )
        store: dict[str, Any] = {}
        self.save_own_variables(store)
        record = json.loads(bytes(store.pop(RECORD)))
        shapes: Shapes = {path_of(v): tuple(v.shape) for v in self._trainable_variables}
        config = {k: v for k, v in self.get_config().items() if _plain(v)}
        saved = {
            "state": {k: _valued(v, store[str(k)]) for k, v in enumerate(self.variables)},
            "record": record, "config": config, "shapes": [list(one) for one in shapes.values()],
        }  # fmt: skip
        names = record["names"]
        labels: dict[Key, Key] = {k: name for k, name in enumerate(names) if names.count(name) == 1}
        ours = (kind for kind in type(self).__mro__ if kind.__module__.startswith("adamas."))
        steps = int(self._iterations_done()) // (self.gradient_accumulation_steps or 1)
        found = Contents(
            HOME, next(ours).__name__, [self._formula()], steps, self.seed, shapes, saved,
            _leaf, labels,
        )  # fmt: skip
        given = {key: _value(one) for key, one in (params or {}).items()}
        return write(path, found, given, extra, keep, background)

    def load(self, path: str | os.PathLike[str]) -> Checkpoint:
        """Go on from a file of adamas.keras, or of another optimizer of adamas: all or nothing.

        Variables are matched by name, as in `load_own_variables`; an optimizer without variables
        takes them over when it is built. A file of another home is converted, by the paths of the
        variables, into an optimizer that is built. `file.params` are arrays of NumPy. Raises
        OSError, and ValueError with the path for what is malformed or does not fit.
        """
        file = Checkpoint(path, _array, through=True)
        with Named(file.path, brief=True):
            if file.home == HOME:
                record, state = parts(file.state())
                store: Any = {str(key): value for key, value in state.items()}
                store[RECORD] = np.frombuffer(json.dumps(record).encode(), np.uint8)
            elif self.built:
                store = translated(file.state(plain=True), file, self)
                super().save_own_variables(own := dict[str, Any]())
                store = {**own, **store}
            else:
                raise ValueError("it is of another home: build the optimizer before it is loaded")
            self.load_own_variables(store)
        file.let_go()
        return file

    def _iterations_done(self) -> Any:
        return keras.ops.convert_to_numpy(self.iterations)


def _plain(value: Any) -> bool:
    texts = isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)
    return texts or isinstance(value, bool | int | float | str | None)


def _value(one: Any) -> Any:
    """A variable as an array of NumPy's; what a file has is that already."""
    if isinstance(one, np.ndarray | Leaf):
        return one
    with native.outside():
        return _valued(one, keras.ops.convert_to_numpy(one))


def _valued(variable: Any, value: Any) -> NDArray[Any]:
    """The array of a variable; Keras hands bfloat16 out as float32 on some backends."""
    array = np.asarray(value)
    if keras.backend.standardize_dtype(variable.dtype) == "bfloat16":
        return array.astype("bfloat16")
    return array


def _leaf(path: Path, value: Any) -> Leaf | None:
    return array_leaf(value)


def _array(array: NDArray[Any], form: str) -> NDArray[Any]:
    """An array of its own of one of a file."""
    return array.view("bfloat16") if form == "BF16" else array
