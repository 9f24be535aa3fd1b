"""What a file holds beside the state: what goes along into the new file, and what cannot."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from adamas.files.checkpoint import Checkpoint, Key, Reference, references
from adamas.files.pieces import pieces
from adamas.files.tree import COMPLEX, Leaf, unpacked
from adamas.others.torch_file import joined

KERAS = ".h5"


def of_file(file: Checkpoint) -> list[str]:
    """What a file of adamas holds beside the state, in words."""
    count, said = len(file.params), []
    if count:
        said.append(f"params ({count:,} arrays)" if count > 1 else "params (1 array)")
    return said + (["extra"] if file.said["extra"] is not None else [])


def of_tree(tree: Any, entry: str, path: str = "") -> list[str]:
    """The paths in what torch loaded that are not on the way to the state at `entry`."""
    pairs = list(tree.items() if isinstance(tree, Mapping) else enumerate(tree))
    if path == entry:
        return [joined(path, key) for key, _ in pairs if key not in ("state", "param_groups")]
    said: list[str] = []
    for key, value in pairs:
        where = joined(path, key)
        on_the_way = f"{entry}/".startswith(f"{where}/") and isinstance(
            value, Mapping | list | tuple
        )
        said += of_tree(value, entry, where) if on_the_way else [where]
    return said


def left(here: str, there: str, beside: list[str], *, along: bool, like: str | None) -> list[str]:
    """What of `beside` the file `there` has no place for; `like` is the file whose layers it gets.

    Raises ValueError where that would be lost, since the new file takes the place of this one.
    """
    ours = along and there.endswith(".safetensors")
    layers = there.endswith(KERAS) and like is not None and same(here, like)
    lost = [] if ours or layers else beside
    if lost and same(here, there):
        raise ValueError(
            f"{there!r} would lose what the new file has no place for: {listed(lost)}; write to "
            "another path."
        )
    return lost


def same(one: str, other: str) -> bool:
    """Whether two paths are those of one file."""
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def listed(said: list[str]) -> str:
    """The first of them as a text."""
    return ", ".join([*said[:5], *(["..."] if len(said) > 5 else [])])


def along(file: Checkpoint, names: Mapping[Any, Any] | None) -> tuple[dict[Key, Leaf] | None, Any]:
    """The `params` and `extra` of a file for another one: read when they are written, as they lie.

    Parameters have the names and the layouts that `names` gives them; what it leaves out, whose
    state is not wanted, keeps its own.
    """

    def leaf(name: str, mark: str, turn: Any = None) -> Leaf:
        if name not in file.placed:
            raise ValueError(f"it has no tensor {name[:60]!r}")
        array, form = file.array(file.placed[name]), file.placed[name].form
        if turn is not None and mark == COMPLEX:
            array = turn(array.view(np.complex128)[..., 0])
            array = np.stack([array.real, array.imag], axis=-1)
        elif turn is not None:
            array = turn(array)
        return Leaf(form, array.shape, lambda: pieces(array), mark)

    found: dict[Key, Leaf] = {}
    for key, reference in references(unpacked(file.said["params"], Reference.of)).items():
        given = (names or {}).get(key)
        new, turn = given if isinstance(given, tuple) else (key if given is None else given, None)
        if new in found:
            raise ValueError(f"two of its params would be called {new!r}")
        found[new] = leaf(*reference, turn)
    return found or None, unpacked(file.said["extra"], leaf)
