"""The NumPy optimizer in a file: what is written of it, and what it takes over."""

import os
from collections.abc import Mapping
from typing import Any

from adamas.engine.several import Several
from adamas.engine.state import Store
from adamas.engine.stepper import Stepper
from adamas.engine.whole import entries
from adamas.files.background import Saving
from adamas.files.checkpoint import Checkpoint
from adamas.files.contents import Contents, compare, write
from adamas.files.foreign import translated
from adamas.files.reading import Named
from adamas.files.tree import Leaf, Path, array_leaf

HOME = "adamas"


def save(
    path: str | os.PathLike[str],
    kind: str,
    stepper: Stepper | Several,
    saved: Mapping[str, Any],
    params: Mapping[Any, Any] | None,
    extra: Any,
    keep: int,
    background: bool,
) -> Saving:
    """Write the state dict `saved` of an optimizer of class `kind`; see `adamas.save`."""
    return write(path, contents(kind, stepper, saved), params, extra, keep, background)


def contents(kind: str, stepper: Stepper | Several, saved: Mapping[str, Any]) -> Contents:
    """What of an optimizer goes into a file, where `saved` is its state dict."""
    formats = entries(stepper, Store.named_formats)

    def leaf(path: Path, value: Any) -> Leaf | None:
        kept = path[:2] == ("state", "state")
        bits = formats[path[2]].get(str(path[3])) == "bfloat16" if kept else path[0] == "params"
        return array_leaf(value, bits)

    return Contents(
        HOME, kind, [part.rule for part in stepper.parts], saved["steps"], saved["seed"],
        shapes(stepper), saved, leaf,
    )  # fmt: skip


def read(
    path: str | os.PathLike[str], optimizer: Any, stepper: Stepper | Several, strict: bool
) -> tuple[Checkpoint, Mapping[str, Any]]:
    """The file at `path`, and the state dict that `optimizer` shall take over from it.

    Raises OSError, and ValueError with the path for a file that does not fit.
    """
    file = Checkpoint(path, through=True)
    with Named(file.path):
        compare(file, shapes(stepper), [part.rule for part in stepper.parts], strict)
    with Named(file.path, brief=True):
        saved = file.state()
        saved = saved if file.home == HOME else translated(saved, file, optimizer)
    if file.misshapen and isinstance(saved.get("state"), dict):
        left = {key: one for key, one in saved["state"].items() if key not in file.misshapen}
        saved = {**saved, "state": left}
    return file, saved


def shapes(stepper: Stepper | Several) -> dict[Any, tuple[int, ...]]:
    """The shapes of all parameters by name."""
    groups = stepper.settings.groups
    pairs = [zip(group["names"], group["params"], strict=True) for group in groups]
    return {key: array.shape for group in pairs for key, array in group}
