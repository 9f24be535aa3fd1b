"""A sweep in windows: which slices are stepped at a time, and which bytes of files they change."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adamas.disk.maps import home
from adamas.engine.batch import Batch
from adamas.engine.sparse import RowTable
from adamas.engine.stepper import Stepper
from adamas.engine.tensors import address
from adamas.kernel.runtime import job as j

# Bytes of files that a window changes, about.
WINDOW = 1 << 25
# Bytes that a record takes beside what it holds.
RECORD = 128
LINE = 64

# File by its address, first byte there, and byte behind the last.
Span = tuple[int, int, int]


@dataclass
class Rows:
    """Pieces of `unit` bytes of a file, at `places` in it, that one column of slices lies in.

    They are stepped in `here`, a copy: to map a page for every row would take longer. Where there
    is no `column`, each becomes `then`.
    """

    file: int
    places: NDArray[np.int64]
    unit: int
    column: int = 0
    then: bytes = b""
    here: NDArray[np.uint8] | None = None

    def runs(self) -> Iterator[tuple[int, slice]]:
        """Where in the file pieces that follow each other begin, and which bytes here they are."""
        ends = np.flatnonzero(np.diff(self.places) != self.unit) + 1
        for first, end in pairwise([0, *ends.tolist(), len(self.places)]):
            yield int(self.places[first]), slice(first * self.unit, end * self.unit)


@dataclass
class Window:
    """The slices from `first` to `end` of a batch, and what of files they change.

    What lies in `spans` is stepped in copies of them, at `here`; `fixed` is stepped in the files.
    """

    batch: Batch
    first: int
    end: int
    spans: list[Span] = field(default_factory=list)
    fixed: list[Span] = field(default_factory=list)
    rows: list[Rows] = field(default_factory=list)
    here: list[NDArray[np.uint8]] = field(default_factory=list)
    memory: NDArray[np.uint8] = field(default_factory=lambda: np.empty(0, np.uint8))

    @property
    def size(self) -> int:
        """How many bytes it takes to write down what is changed."""
        heads = RECORD * (len(self.spans) + len(self.fixed) + len(self.rows))
        rows = sum(len(one.places) * (one.unit + 8) for one in self.rows)
        return heads + bytes_of(self.spans) + bytes_of(self.fixed) + rows

    def copied(self, memory: NDArray[np.uint8]) -> None:
        """Let the copies of `spans` lie in `memory`, as far from a cache line as in the file."""
        self.memory, self.here = memory, []
        place = -address(memory) % LINE
        for at, begin, end in self.spans:
            place += (at + begin) % LINE
            self.here.append(memory[place : place + end - begin])
            place += end - begin + (-(at + end) % LINE)

    @property
    def room(self) -> int:
        """How many bytes of memory `copied` takes at most."""
        return bytes_of(self.spans) + LINE * (2 * len(self.spans) + 1)

    @contextmanager
    def pointed(self) -> Iterator[None]:
        """Let the slices lie in the copies meanwhile."""
        words = self.batch.table.words[self.first : self.end, j.PARAMETER :]
        lying = words.copy()
        for (at, begin, end), here in zip(self.spans, self.here, strict=True):
            inside = (lying >= at + begin) & (lying < at + end)
            words[inside] += address(here) - at - begin
        try:
            yield
        finally:
            words[:] = lying


def bytes_of(spans: Sequence[Span]) -> int:
    """How many bytes they are."""
    return sum(end - begin for _, begin, end in spans)


def span(at: int, size: int) -> list[Span]:
    """The piece of a file that lies at an address; none where that is no file's."""
    file = home(at) if size else None
    return [(file.at, at - file.at, at - file.at + size)] if file else []


def merged(spans: Sequence[Span]) -> list[Span]:
    """The same bytes in as few pieces as can be; what is between them may be somebody else's.

    >>> merged([(1, 0, 5), (1, 5, 9), (2, 0, 4), (1, 90000, 90001)])
    [(1, 0, 9), (1, 90000, 90001), (2, 0, 4)]
    """
    found: list[Span] = []
    for file, begin, end in sorted(spans):
        if found and found[-1][0] == file and begin <= found[-1][2]:
            _, before, last = found.pop()
            begin, end = before, max(last, end)
        found.append((file, begin, end))
    return found


def windows(part: Stepper, batch: Batch, most: int) -> list[Window]:
    """The windows of a batch, in the order of its slices, of at most about so many bytes."""
    table = batch.table
    if isinstance(table, RowTable):
        return list(_of_rows(part, batch, table, most))
    found = _merged(_of_slices(part, batch), most if batch.makes < 0 else 1 << 62)
    active = [k for k in batch.members if batch.active[k]]
    if active:
        # What rows and columns have one of changes with the last slice.
        found[0].fixed = [s for k in active for at, size in _fewer(part, k) for s in span(at, size)]
    for one in found:
        if batch.makes >= 0:
            # Passes before the sweep read all of it.
            one.spans, one.fixed = [], one.spans + one.fixed
        one.spans, one.fixed = merged(one.spans), merged(one.fixed)
    return found


def _lying(part: Stepper, index: int) -> list[tuple[int, int]]:
    """Where the columns of a tensor lie, in the order of slices: address and bytes."""
    arrays = {"p": part.tensors[index].work, **part.store.arrays[index]}
    return [(at, arrays[column.name].nbytes) for at, column in part.maker.columns(index)]


def _fewer(part: Stepper, index: int) -> list[tuple[int, int]]:
    """The same of the states that a tensor has one of for each row, or column."""
    formula, arrays = part.store.formulas[index], part.store.arrays[index]
    found = [arrays[name] for name in (*formula.rows, *formula.columns)]
    return [(address(array), array.nbytes) for array in found]


def _of_slices(part: Stepper, batch: Batch) -> Iterator[Window]:
    """A window for each slice that is stepped, and one for all slices of a tensor that is not.

    There may be many of these: a table of which some rows are stepped has them, too.
    """
    words = batch.table.words
    ends = np.flatnonzero(np.diff(words[:, j.TENSOR])) + 1
    for first, end in pairwise([0, *ends.tolist(), len(words)]):
        index = int(words[first, j.TENSOR])
        if not batch.active[index]:
            yield Window(batch, first, end)
            continue
        lying = list(enumerate(_lying(part, index)))
        for k in range(first, end):
            window = Window(batch, k, k + 1)
            for column, (at, size) in lying:
                begin = int(words[k, j.PARAMETER + column])
                last = at + size if k + 1 == end else int(words[k + 1, j.PARAMETER + column])
                window.spans += span(begin, last - begin)
            yield window


def _merged(found: Iterator[Window], most: int) -> list[Window]:
    whole = [next(found)]
    size = whole[0].size
    for one in found:
        size += one.size
        if size > most:
            whole.append(one)
            size = one.size
        else:
            whole[-1].end = one.end
            whole[-1].spans += one.spans
    return whole


def _of_rows(part: Stepper, batch: Batch, table: RowTable, most: int) -> Iterator[Window]:
    words, (index,) = table.words, batch.members
    columns = list(enumerate(zip(_lying(part, index), table.strides, strict=True)))
    count = max(1, most // max(1, sum(table.strides)))
    for first in range(0, len(words), count):
        window = Window(batch, first, min(first + count, len(words)))
        some = words[first : window.end]
        if some[0, j.COUNT]:
            for k, ((at, size), stride) in columns:
                file = home(at) if size else None
                if file:
                    places = some[:, j.PARAMETER + k] - file.at
                    window.rows.append(Rows(file.at, places, stride, j.PARAMETER + k))
        window.rows += _marks(table, first, window.end)
        yield window


def _marks(table: RowTable, first: int, end: int) -> Iterator[Rows]:
    """What is noted of the rows of some slices."""
    some = table.rows[first:end]
    for array, number in table.marks if len(some) else ():
        marks = pieces(array, some)
        marks.then = array.dtype.type(number).tobytes()
        yield marks


def pieces(array: NDArray[Any], rows: NDArray[np.int64]) -> Rows:
    """Where the numbers of some rows lie, of an array in a file that has one for each."""
    file = home(address(array))
    assert file
    unit = array.itemsize
    return Rows(file.at, address(array) - file.at + rows * unit, unit)
