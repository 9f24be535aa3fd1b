"""`adamas.save` and `adamas.open_file`."""

import os
from collections.abc import Mapping
from typing import Any

from adamas.files.background import Saving
from adamas.files.checkpoint import Checkpoint


def save(
    path: str | os.PathLike[str],
    optimizer: Any,
    params: Mapping[Any, Any] | None = None,
    extra: Any = None,
    keep: int = 1,
    background: bool = False,
) -> Saving:
    """Write `optimizer`, of adamas, adamas.torch or adamas.keras, into a safetensors file.

    The state is written as it is kept: codes, scales, dtypes, step counts and the seeds of rounding
    at random, with the hyper-parameters of the groups and the text of the rule. `optimizer.save`
    is the same; `adamas.jax.save` takes a state in its place.

    - `params`: a dict of arrays, such as `model.state_dict()`, that are written beside the state
      under their own names; NumPy's uint16 is taken for bits of bfloat16, as in optimizers.
    - `extra`: numbers, texts, None, lists, dicts and arrays of yours.
    - `keep`: how many files to keep: with 3, `run.safetensors` is the newest, `run.1.safetensors`
      the one before it and `run.2.safetensors` the one before that.
    - `background`: copy, which takes as much memory as the file has bytes, and write beside
      training. `wait()` of what is returned raises what writing raised, or else the next save does,
      which waits for the one before; a program that ends waits for its file, and says if it failed.

    The file is written beside its place, brought to the disk and then put there, so that whatever
    happens the last good file is at `path`. Raises OSError that names the file and the bytes it
    takes, TypeError or ValueError for what no file can hold; the file that is there then stays.
    """
    if not hasattr(optimizer, "save"):
        kind = f"{type(optimizer).__module__}.{type(optimizer).__name__}"
        raise TypeError(
            f"{kind} is no optimizer that adamas saves: adamas, adamas.torch and adamas.keras have "
            "such, and adamas.jax.save takes a state."
        )
    saving: Saving = optimizer.save(path, params, extra, keep, background)
    return saving


def open_file(path: str | os.PathLike[str]) -> Checkpoint:
    """A file that `save` wrote, opened: reads what it says of itself, and arrays when asked for.

    Runs nothing that is in it. Raises OSError, and ValueError in one line for a file that is
    malformed or not of adamas.
    """
    return Checkpoint(path)
