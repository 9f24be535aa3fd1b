"""What of an optimizer goes into its file, and whether what is in a file fits an optimizer."""

import hashlib
import json
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from typing import Any

from adamas.engine.settings import choice
from adamas.files import atomic
from adamas.files.background import Saving, after_the_last, copied, started
from adamas.files.checkpoint import FILE_FORMAT, OURS, Checkpoint, Key
from adamas.files.header import FORMS, packed
from adamas.files.tree import Leaf, Leaves, Packing, Path
from adamas.kernel.build import adamas_version
from adamas.kernel.formula import Formula

# It takes 1 ms to find, and a state on disk is described after every step.
version = cache(adamas_version)


@dataclass(frozen=True)
class Contents:
    """An optimizer as a file has it.

    `state` is its state dict, whose arrays need not be copies; `shapes` are those of all its
    parameters by name; `labels` the names of entries of the state that have numbers there.
    """

    home: str
    kind: str
    formulas: Iterable[Formula]
    steps: int
    seed: int
    shapes: Mapping[Key, tuple[int, ...]]
    state: Mapping[str, Any]
    leaf: Leaves
    labels: Mapping[Key, Key] = field(default_factory=dict)

    def named(self, path: Path) -> str:
        """What the array at a path is called in the file; parameters keep their names."""
        if path[0] == "params":
            return str(path[1])
        if path[:2] == ("state", "state"):
            path = ("state", self.labels.get(path[2], path[2]), *path[3:])
        return "/".join(map(str, path))


def write(
    path: "str | os.PathLike[str]",
    found: Contents,
    params: Mapping[Any, Any] | None,
    extra: Any,
    keep: int,
    background: bool = False,
) -> Saving:
    """Save what an optimizer is; see `adamas.save`."""
    choice("background", background, (True, False))
    if isinstance(keep, bool) or not isinstance(keep, int) or keep < 1:
        raise ValueError(f"keep={keep!r} must be a whole number of files, at least 1.")
    if not isinstance(params, Mapping | None):
        raise TypeError(f"params= is a dict of arrays by name, not {type(params).__name__}.")
    text, tensors = document(found, params, extra)
    every = in_order(tensors)
    begin = packed({name: (one.form, one.shape) for name, one in every.items()}, {OURS: text})
    size = sum(map(bytes_of, every.values()))
    # Whatever the working directory is when it is written.
    place, whole = os.path.abspath(os.fsdecode(path)), len(begin) + size
    with after_the_last():
        if background:
            held = [begin, *(copied(one.parts(), bytes_of(one)) for one in every.values())]
            return started(place, lambda: atomic.write(place, held, whole, keep))
    parts = chain([begin], *(one.parts() for one in every.values()))
    atomic.write(place, parts, whole, keep)
    return Saving(place)


def in_order(tensors: Mapping[str, Leaf]) -> dict[str, Leaf]:
    """The tensors as they lie in a file, wide elements first: all begin at multiples of theirs."""
    return dict(sorted(tensors.items(), key=lambda pair: -FORMS[pair[1].form].itemsize))


def bytes_of(one: Leaf) -> int:
    """How many bytes a tensor takes in a file."""
    return math.prod(one.shape) * FORMS[one.form].itemsize


def document(
    found: Contents, params: Mapping[Any, Any] | None = None, extra: Any = None
) -> tuple[str, dict[str, Leaf]]:
    """What a file says of an optimizer, as text, and the tensors that it holds, by name."""
    packing = Packing(found.leaf, found.named)
    said = {
        "format": FILE_FORMAT,
        "version": version(),
        "home": found.home,
        "class": found.kind,
        "rules": {formula.name: described(formula) for formula in found.formulas},
        "steps": found.steps,
        "seed": found.seed,
        "parameters": [[key, list(shape)] for key, shape in found.shapes.items()],
        "params": packing.arrays(params or {}, ("params",)),
        "state": packing.tree(found.state, ("state",)),
        "extra": packing.tree(extra, ("extra",)),
    }
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text, packing.tensors


def described(formula: Formula) -> dict[str, str]:
    """A rule as a file has it: its text, a digest of what it computes, and what adamas calls it."""
    from adamas.homes.known import identity

    digest = hashlib.sha256(formula.key.encode()).hexdigest()
    return {"formula": formula.source, "sha256": digest, "dialect": identity(formula)}


def compare(
    file: Checkpoint,
    shapes: Mapping[Key, tuple[int, ...]],
    formulas: Iterable[Formula],
    strict: bool,
    cure: str = "load(..., strict=False) takes over what fits",
) -> None:
    """Note in `file` which parameters do not fit; if `strict`, or none do, raise ValueError.

    So does a rule of the same name and another formula, if `strict`. `cure` is what to do about
    parameters of which some fit.
    """
    for formula in formulas if strict else ():
        told = file.rules.get(formula.name)
        if told and told["sha256"] != described(formula)["sha256"]:
            raise ValueError(
                f"the file is of another rule that is called {formula.name!r}; its text there is "
                f"in open_file(path).rules[{formula.name!r}]; load(..., strict=False) takes its "
                "numbers all the same"
            )
    there = file.parameters
    file.missing = [key for key in shapes if key not in there]
    file.unknown = [key for key in there if key not in shapes]
    file.misshapen = [key for key, one in shapes.items() if there.get(key, one) != one]
    fitting = len(shapes) - len(file.missing) - len(file.misshapen)
    wrong = [f"it lacks {_listed(file.missing)}"] if file.missing else []
    wrong += [f"it has {_listed(file.unknown)} besides"] if file.unknown else []
    if file.misshapen:
        sizes = [
            f"{key!r} is {list(there[key])}, here {list(shapes[key])}" for key in file.misshapen
        ]
        wrong.append("; ".join(sizes))
    if wrong and strict and fitting:
        raise ValueError(f"{'; '.join(wrong)}; {cure}")
    if wrong and (strict or shapes and not fitting):
        raise ValueError(f"none of its parameters fits: {'; '.join(wrong)}")


def _listed(names: Iterable[Key]) -> str:
    return ", ".join(map(repr, names))
