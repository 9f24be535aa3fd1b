"""What is known of single rows, in arrays of the file that have one number for each."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adamas.disk.maps import Mapped, home
from adamas.disk.runner import fetched, soon
from adamas.disk.undo import PIECE
from adamas.disk.windows import pieces
from adamas.engine import sparse
from adamas.engine.first import CONSTANTS, REACHED, STEPPED, WAITING, Marks, check
from adamas.engine.loading import count
from adamas.engine.stepper import Stepper
from adamas.engine.tensors import address, nothing
from adamas.engine.threads import Action
from adamas.files.bytes_of_files import write

NO_ROOM = (
    "this rule sets something up at a row's first step, and an earlier adamas made this directory "
    "without room to keep which rows have made theirs; load its file into a new directory, or give "
    "dense gradients."
)


class FileMarks(Marks):
    """Arrays of a file, read without mapping a page for every row."""

    def take(self, array: NDArray[Any], rows: NDArray[np.int64]) -> NDArray[Any]:
        """What an array says of these rows, which ascend."""
        file = home(address(array)) if len(rows) else None
        if file is None:
            return super().take(array, rows)
        wanted = pieces(array, rows)
        with _told(file):
            soon(wanted, file.file)
            return fetched(wanted, file.file).reshape(-1).view(array.dtype)

    def history(
        self, index: int, rows: int, steps: int, constants: tuple[int, int]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The same in the file, written only where all rows have reached another step there."""
        reached, kept = self.room(index, REACHED), self.room(index, CONSTANTS)
        if reached is None:
            return super().history(index, rows, steps, constants)
        file = home(address(reached)) if rows else None
        if file and self.settled.pop(index, None) != steps:
            piece = np.full(min(rows, PIECE // reached.itemsize), steps, np.int64)
            for first in range(0, rows, len(piece)):
                with _told(file):
                    place = address(reached) - file.at + first * reached.itemsize
                    write(file.file, piece[: rows - first], place)
        return reached, kept


@contextmanager
def _told(file: Mapped) -> Iterator[None]:
    """Name the file in what the disk says outside a step."""
    try:
        yield
    except OSError as error:
        told = f"{error.strerror or error}; nothing was changed"
        raise OSError(error.errno, told, file.path) from error


def prepare(part: Stepper) -> None:
    """Let a stepper know which arrays it needs for its rows; somebody gives them their memory."""
    marks, first = FileMarks(), part.store.first
    room = sparse.HISTORY, part.numbers.constants.shape[1]
    for index, tensor in enumerate(part.tensors):
        rows = tensor.given.shape[:1]
        own: dict[str, Any] = {}
        if first.asked:
            own[STEPPED] = nothing(rows, "bool")
        if first.exact:
            own |= {REACHED: nothing(rows, "int64"), CONSTANTS: nothing(room, "float64")}
        if own and _takes_rows(part, index):
            marks.rooms[index] = own
    first.marks = marks


def waiting(part: Stepper) -> dict[Any, dict[str, Any]]:
    """What a file says of rows that may wait for steps that they missed, by tensor."""
    return {
        part.keys[index]: {
            "reached": one.reached,
            "constants": one.constants,
            "base": one.base,
            "steps": one.steps,
        }
        for index, one in part.sparse.histories.items()
    }


def _takes_rows(part: Stepper, index: int) -> bool:
    if not part.tensors[index].given.ndim:
        return False
    try:
        part.maker.refuse_rows(index)
        part.sparse.check(index, "")
    except ValueError:
        return False
    return True


def spare(label: str) -> bool:
    """Whether a file may lack an array of this name, and files of an earlier adamas do."""
    return label.endswith(f"/{STEPPED}")


def of_exact(label: str) -> bool:
    """Whether files of exact rows have an array of this name, and others have none."""
    return label.endswith((REACHED, CONSTANTS))


def lacking(part: Stepper) -> bool:
    """Whether a file has no room for what would have to be known of rows."""
    first = part.store.first
    return first.asked and any(STEPPED not in own for own in first.marks.rooms.values())


def resuming(part: Stepper, saved: Mapping[Any, Any]) -> Iterator[Action]:
    """What to do to go on with what a file says of rows, once the arrays are there.

    Raises TypeError or ValueError for what does not fit.
    """
    first, marks = part.store.first, part.store.first.marks
    for index, tensor in enumerate(part.tensors):
        entry, what = saved[tensor.key], f"saved state of {tensor.key!r}"
        if first.asked and (stepped := entry.get(STEPPED)) is not None:
            check(stepped, tensor)
            if marks.room(index, STEPPED) is None:
                raise ValueError(f"{what}: {NO_ROOM}")
            left = int(np.size(stepped) - np.count_nonzero(stepped))
            yield partial(first.resume, index, left)
        if first.exact and (found := entry.get(WAITING)) is not None:
            known = isinstance(found, Mapping) and {"base", "steps"} <= found.keys()
            base, steps = [count(what, found[k]) for k in ("base", "steps")] if known else [1, 0]
            if marks.room(index, REACHED) is None or not base <= steps <= base + sparse.HISTORY:
                raise ValueError(f"{what}: what it says of rows that wait is not whole")
            yield partial(part.sparse.resume, index, base, steps)
