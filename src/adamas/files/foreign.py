"""Files that an optimizer of another home wrote."""

from collections.abc import Callable
from typing import Any

from adamas.files.checkpoint import Checkpoint

# `adamas.convert`, which stands above the optimizers and puts itself here.
converters: list[Callable[[Any, Any, Any], Any]] = []


def translated(saved: Any, file: Checkpoint, target: Any) -> Any:
    """The state in `file` as one that `target` loads; ValueError says why it cannot be one."""
    if not file.kind and file.home != "adamas":
        raise ValueError(f"it does not say which class of {file.home} it is of; save it with tx=")
    source = file.home if file.home == "adamas" else f"{file.home}.{file.kind}"
    return converters[0](saved, source, target)
