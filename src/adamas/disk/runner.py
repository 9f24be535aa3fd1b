"""The windows of a step, one after another: written down, stepped, written back, given back."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import numpy as np
from numpy.typing import NDArray

from adamas.disk.maps import Mapped, known
from adamas.disk.undo import Undo
from adamas.disk.windows import Rows, Span, Window, bytes_of
from adamas.engine import phases
from adamas.engine.finite import quiet
from adamas.engine.tensors import address
from adamas.engine.threads import straight, unbroken
from adamas.files.bytes_of_files import ahead, read, write
from adamas.kernel.runtime import job as j

# Bytes of files that may be in memory before they are given back.
MOST = 1 << 27


class Runner:
    """Runs windows over files, of which `files` has the number in `undo` and the map by address."""

    def __init__(self, undo: Undo, files: Mapping[int, tuple[int, Mapped]]) -> None:
        self._undo, self._files, self._resident = undo, files, 0
        self._free: list[NDArray[np.uint8]] = []
        # Whether anything has been stepped; whoever runs windows sets it to False before.
        self.begun = False

    def run(self, found: Sequence[Window], threads: int) -> None:
        """Each window in turn; what the next one changes is read and written down meanwhile."""
        noted: list[Future[None]] = []
        with ThreadPoolExecutor(1, "adamas-undo") as pool:
            for k, window in enumerate(found):
                if noted:
                    # Kept by nobody: an error of it keeps this frame, and would keep itself.
                    noted.pop().result()
                else:
                    self._note(*found[:2])
                if k + 1 < len(found):
                    noted.append(pool.submit(self._note, *found[k + 1 : k + 3]))
                self.begun = True
                with window.pointed():
                    stepped(window, threads)
                self._write(window)
                self._resident += bytes_of(window.fixed)
                if self._resident > MOST:
                    self.give_back()

    def _note(self, window: Window, following: Window | None = None) -> None:
        """Write down what a window changes, while the system reads what the one behind it does."""
        for at, begin, end in (*following.spans, *following.fixed) if following else ():
            ahead(self._files[at][1].file, begin, end - begin)
        for rows in window.rows:
            soon(rows, self._files[rows.file][1].file)
        self.note(window.fixed)
        window.copied(self._memory(window.room))
        for (at, begin, end), here in zip(window.spans, window.here, strict=True):
            number, file = self._files[at]
            self._undo.note(number, file.file, begin, end - begin, here)
        for rows in window.rows:
            number, file = self._files[rows.file]
            rows.here = here = fetched(rows, file.file)
            self._undo.note_rows(number, rows.places, here)
            if rows.then:
                here[...] = np.frombuffer(rows.then, np.uint8)
                continue
            places = address(here) + np.arange(len(here)) * rows.unit
            window.batch.table.words[window.first : window.end, rows.column] = places

    def _memory(self, size: int) -> NDArray[np.uint8]:
        """Memory of so many bytes for copies: what a window before needs no more, or new."""
        one = self._free.pop() if self._free else np.empty(0, np.uint8)
        return one if one.size >= size else np.empty(size, np.uint8)

    def _write(self, window: Window) -> None:
        """Write what was stepped elsewhere into its file."""
        for (at, begin, _), here in zip(window.spans, window.here, strict=True):
            write(self._files[at][1].file, here, begin)
        self._free.append(window.memory)
        window.here = []
        for rows in window.rows:
            assert rows.here is not None
            flat = rows.here.reshape(-1).data
            for place, part in rows.runs():
                write(self._files[rows.file][1].file, flat[part], place)
            rows.here = None

    def note(self, spans: Sequence[Span]) -> None:
        """Write these pieces of files down."""
        for at, begin, end in spans:
            number, file = self._files[at]
            self._undo.note(number, file.file, begin, end - begin)

    def give_back(self) -> None:
        """Give the pages of all files back."""
        self._resident = 0
        for one in known():
            one.let_go()


def soon(rows: Rows, file: int) -> None:
    """Have the system read rows that will be fetched."""
    for place, part in rows.runs():
        ahead(file, place, part.stop - part.start)


def fetched(rows: Rows, file: int) -> NDArray[np.uint8]:
    """Rows of a file, copied."""
    here = np.empty((len(rows.places), rows.unit), np.uint8)
    flat = here.reshape(-1).data
    for place, part in rows.runs():
        read(file, flat[part], place)
    return here


def stepped(window: Window, threads: int) -> None:
    """Step the slices of a window, in memory."""
    batch = window.batch
    if batch.makes >= 0:
        quiet(straight)(phases.one_alone(batch, threads, None))
        return
    batch.window(window.first, window.end)
    try:
        unbroken([partial(batch.run, batch.at, j.SWEEP)], threads)
    finally:
        batch.resize()
