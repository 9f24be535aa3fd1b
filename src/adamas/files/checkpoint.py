"""A file of adamas that has been opened: what it says of itself, and its arrays when asked for.

Opening reads the header; arrays are memory maps, so that one of them costs what it takes, not what
the file does.
"""

import math
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from adamas.engine.first import WAITING
from adamas.engine.loading import count
from adamas.engine.settings import seeded
from adamas.files import header, tree
from adamas.files.header import is_shape
from adamas.files.reading import Named, Tensors

FILE_FORMAT = 1
# What stands in its place while a step changes the file, see `disk`.
UNFINISHED = 0
# The key of the metadata under which adamas writes.
OURS = "adamas"
# What stands there, and of which type it is.
DOCUMENT: dict[str, type | tuple[type, ...]] = {
    "format": int, "version": str, "home": str, "class": str, "rules": dict, "steps": int,
    "seed": int, "parameters": list, "params": dict, "state": dict, "extra": (dict, list, str, int,
    float, bool, type(None)),
}  # fmt: skip

Key: TypeAlias = str | int
Made: TypeAlias = Callable[[NDArray[Any], str], Any]


class Checkpoint(Tensors):
    """A safetensors file that an optimizer was saved to; see `adamas.open_file`.

    - `path`, `steps`, `seed`: of the file and of the run.
    - `rules`: by the names of its rules their `formula`, the text, a `sha256` of what it computes,
      and the `dialect`, which is what adamas calls it.
    - `parameters`: the shapes of the optimizer's parameters by name.
    - `extra`: what was given as `extra=`.
    - `params`: the arrays that were given as `params=`, by name, each read when it is asked for.
    - `tensors`: every array of the file by its name there, as `(format, shape, bytes)`.
    - `missing`, `unknown`, `misshapen`: what `load(..., strict=False)` did not take over: the names
      of parameters that the file has not, that the optimizer has not, and that both have in
      different shapes.
    """

    def __init__(
        self, path: "str | os.PathLike[str]", made: Made | None = None, through: bool = False
    ) -> None:
        super().__init__(path, through, of=document_of)
        self._made = made or (lambda array, form: array)
        self._document = document = self.said
        self.home, self.kind = document["home"], document["class"]
        self.steps, self.seed, self.rules = document["steps"], document["seed"], document["rules"]
        with Named(self.path):
            self.parameters = _parameters(document["parameters"])
            self._references = references(tree.unpacked(document["params"], Reference.of))
        self.missing: list[Key] = []
        self.unknown: list[Key] = []
        self.misshapen: list[Key] = []

    @property
    def tensors(self) -> dict[str, tuple[str, tuple[int, ...], int]]:
        """Every array by its name in the file: format, shape, bytes."""
        every = self.placed.items()
        return {name: (one.form, one.shape, one.size) for name, one in every}

    @property
    def params(self) -> "Arrays":
        """The arrays that were given as `params=`, by name, each read when it is asked for."""
        # Made anew, so that nothing holds the file in a circle when it is dropped.
        return Arrays(self, self._references)

    @property
    def extra(self) -> Any:
        """What was given as `extra=`, its arrays read anew."""
        with Named(self.path):
            return tree.unpacked(self._document["extra"], self._read)

    def state(self, plain: bool = False, waiting: bool = False) -> dict[str, Any]:
        """The state dict that is in the file; its arrays are memory maps, NumPy's if `plain`.

        Raises ValueError where rows wait for steps that they missed, but for who does those.
        """
        with Named(self.path):
            read = self._plain if plain else self._read
            found = tree.unpacked(self._document["state"], read)
            if not isinstance(found, dict):
                raise ValueError("its state is no dict")
            entries = found.get("state") if not waiting else None
            for key, entry in entries.items() if isinstance(entries, dict) else ():
                if isinstance(entry, dict) and WAITING in entry:
                    raise ValueError(
                        f"some rows of {str(key)[:60]!r} wait for steps that they missed; open "
                        "the directory with state_dir= and call sync()"
                    )
            return found

    def read(self, name: str) -> Any:
        """One array of the file by its name in `tensors`; ValueError for one that it has not.

        The array is a memory map: writing into it changes neither the file nor what others read.
        """
        with Named(self.path):
            return self._read(name, tree.TENSOR)

    def _read(self, name: str, mark: str) -> Any:
        array = self._plain(name, mark)
        return self._made(array, self.placed[name].form)

    def _plain(self, name: str, mark: str) -> NDArray[Any]:
        placed = self.placed.get(name)
        if placed is None:
            raise ValueError(f"it has no tensor {name[:60]!r}")
        array = self.array(placed)
        if mark == tree.COMPLEX:
            if placed.form != "F64" or placed.shape[-1:] != (2,):
                raise ValueError(f"tensor {name[:60]!r} holds no pairs of float64")
            array = array.view(np.complex128)[..., 0]
        return array

    def __repr__(self) -> str:
        """The file, the rules and the step."""
        rules = ", ".join(self.rules)
        what = f"{rules}, {len(self.parameters)} parameters, step {self.steps}"
        return f"<Checkpoint {self.path!r}: {what}>"


class Arrays(Mapping[Key, Any]):
    """The arrays of a file under names, each read when it is asked for."""

    def __init__(self, file: Checkpoint, references: "Mapping[Key, Reference]") -> None:
        self._file, self._references = file, references

    def __getitem__(self, key: Key) -> Any:
        reference = self._references[key]
        with Named(self._file.path):
            return self._file._read(*reference)

    def __iter__(self) -> Iterator[Key]:
        return iter(self._references)

    def __len__(self) -> int:
        return len(self._references)


class Reference(tuple[str, str]):
    """The name of an array in a file, and what it is read as."""

    @classmethod
    def of(cls, name: str, mark: str) -> "Reference":
        """One of these."""
        return cls((name, mark))


def references(given: Any) -> dict[Key, Reference]:
    """The names of arrays under names of parameters; ValueError for what is none of them."""
    if not isinstance(given, dict):
        raise ValueError("what it has as parameters has no names")
    if wrong := [key for key, one in given.items() if type(one) is not Reference]:
        raise ValueError(f"what it has as parameter {str(wrong[0])[:60]!r} is no array")
    return dict(given)


def document_of(metadata: Mapping[str, str]) -> dict[str, Any]:
    """What adamas wrote into the metadata; ValueError where it is not of adamas, or not whole."""
    if OURS not in metadata:
        raise ValueError("it holds tensors, and no state of an optimizer of adamas")
    document = header.strict_json(metadata[OURS], "what adamas wrote into it")
    if document.get("format") == UNFINISHED:
        raise ValueError(
            "it stands in the middle of a step; make the optimizer of its directory again, which "
            "puts back what the step has changed"
        )
    if document.get("format") != FILE_FORMAT:
        told = str(document.get("format"))[:30]
        raise ValueError(f"it is of format {told!r}, and this adamas reads {FILE_FORMAT}")
    for name, kind in DOCUMENT.items():
        if not isinstance(document.get(name), kind) or name not in document:
            raise ValueError(f"what adamas wrote into it has no proper {name!r}")
    for name, rule in document["rules"].items():
        known = isinstance(rule, dict) and {"formula", "sha256", "dialect"} <= rule.keys()
        if not (known and all(isinstance(one, str) for one in rule.values())):
            raise ValueError(f"what it says of rule {name[:60]!r} is not whole")
    # As whoever loads it does, in the same words.
    count("steps", document["steps"])
    seeded(document["seed"])
    return document


def _parameters(given: list[Any]) -> dict[Key, tuple[int, ...]]:
    """The shapes of parameters by name; ValueError for what is none, and for a name twice."""
    found = dict(map(_parameter, given))
    if len(found) < len(given):
        raise ValueError("a parameter stands twice in its list")
    return found


def _parameter(given: Any) -> tuple[Key, tuple[int, ...]]:
    if not (isinstance(given, list) and len(given) == 2 and type(given[0]) in (str, int)):
        raise ValueError("its list of parameters is none")
    key, shape = given
    if not (is_shape(shape) and math.prod(n for n in shape if n) < 1 << 63):
        raise ValueError(f"the shape of parameter {str(key)[:60]!r} is none")
    return key, tuple(shape)
