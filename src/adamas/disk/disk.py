"""The state of one optimizer in a directory: stepped in windows, whole or put back."""

import errno
import os
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from adamas.disk import opening, rooms
from adamas.disk.file import NAME
from adamas.disk.maps import home
from adamas.disk.opening import said
from adamas.disk.recovery import Whole
from adamas.disk.runner import Runner
from adamas.disk.shield import shielded
from adamas.disk.undo import PIECE, ROOM
from adamas.disk.windows import WINDOW, Window, merged, span, windows
from adamas.engine import phases
from adamas.engine.first import STEPPED, WAITING
from adamas.engine.phases import Crew
from adamas.engine.tensors import address
from adamas.engine.threads import Action, straight
from adamas.files import atomic
from adamas.files.room import told

CHANGED = (
    "this file was moved, removed, replaced or cut while an optimizer had it open; no step is done "
    "any more, make the optimizer again"
)


class Disk:
    """The state of `whole`, the steppers of an optimizer of class `kind`, in the directory `path`.

    Gives them their arrays, and does the sweeps of their steps. Raises OSError and ValueError that
    name the directory or the file.
    """

    def __init__(self, path: Any, whole: Whole, kind: str) -> None:
        opening.check(path, whole)
        self.folder, self._kind = os.path.abspath(os.fsdecode(path)), kind
        # Not held, so that both end with the optimizer.
        self._whole = weakref.ref(whole)
        self._undo, self._file = opening.opened(self.folder, whole, kind)
        tensors = [t for part in whole.parts for t in part.tensors if t.work.size]
        homes = {tensor.key: home(address(tensor.work)) for tensor in tensors}
        # A parameter that lies in memory, if one does.
        self._loose = next((key for key, one in homes.items() if one is None), None)
        # The numbers that files have in the undo file, by their addresses.
        maps = dict.fromkeys([self._file.map, *(one for one in homes.values() if one)])
        self._runner = Runner(self._undo, {one.at: (k, one) for k, one in enumerate(maps)})
        self._maps = list(maps)
        self._listed = [(one.path if k else NAME, len(one)) for k, one in enumerate(maps)]
        self._broken = False
        for k, one in enumerate(whole.parts):
            one.sweeps, one.long = self.sweep, True
            one.missed.sweeps = partial(self.sweep, of=k)
            one.missed.forgotten = self.tell
            if rooms.lacking(one):
                one.maker.no_rows = rooms.NO_ROOM

    def close(self) -> None:
        """Let go of the directory; there are no steps any more."""
        self._undo.close()

    def check(self, saved: Mapping[Any, Any]) -> None:
        """Raise ValueError for a saved state that this directory does not hold."""
        for part in self._alive().parts:
            for key in part.keys if part.maker.no_rows else ():
                entry = saved.get(key)
                if isinstance(entry, Mapping) and entry.get(STEPPED) is not None:
                    raise ValueError(f"saved state of {key!r}: {rooms.NO_ROOM}")

    def sweep(
        self,
        crews: Sequence[Crew],
        scale: float,
        threads: int,
        after: Sequence[Action],
        prologue: bool = True,
        look: int = 0,
        of: int | None = None,
    ) -> None:
        """Update everything and then do `after`: all of it, whatever signals arrive, or nothing.

        The crews are those of all parts, or of part number `of`. Raises OSError where the disk
        fails.
        """
        whole = self._alive()
        parts = whole.parts if of is None else [whole.parts[of]]

        def step() -> None:
            found: list[Window] = []
            for part, crew in zip(parts, crews, strict=True):
                phases.ready(crew, scale, threads, prologue, look)
                for batch in crew[0]:
                    found += windows(part, batch, WINDOW)
            with self._undone(whole, sum(window.size for window in found)):
                self._runner.run(found, threads)
                straight(after)

        shielded(step)

    def tell(self) -> None:
        """Write what the optimizer is now into the file; raises as `sweep` does."""
        self.sweep([([], None)] * len(self._alive().parts), 1.0, 1, [], prologue=False)

    def change(self, actions: Sequence[Action]) -> None:
        """Do actions that change any of the arrays, all of them or none; raises as `sweep` does."""
        whole = self._alive()
        arrays = [
            own[name] for _, own, name in opening.arrays(whole) if not name.startswith(WAITING)
        ]
        spans = merged([s for one in arrays for s in span(address(one), one.nbytes)])

        def change() -> None:
            with self._undone(whole, sum(end - begin for _, begin, end in spans)):
                self._runner.note(spans)
                straight(actions)

        shielded(change)
        self._runner.give_back()

    @contextmanager
    def _undone(self, whole: Whole, size: int) -> Iterator[None]:
        """Count what is inside as one step of the files if nothing is raised, else put them back.

        `size` is how many bytes of them are written down.
        """
        undo, file = self._undo, self._file
        self._runner.begun = False
        numbers = [part.numbers for part in whole.parts]
        before = [(one.steps.copy(), one.scalars.copy()) for one in numbers]
        rows = [action for part in whole.parts for action in part.sparse.kept()]
        size += file.size + (size // PIECE + 64) * 2 * ROOM
        try:
            undo.begin(self._listed, size)
            undo.note(0, file.map.file, 0, file.size)
            file.begin()
            yield
            file.write(said(whole, self._kind))
            undo.finish()
        except BaseException as error:
            self._put_back()
            for one, (steps, scalars) in zip(numbers, before, strict=True):
                one.steps[:], one.scalars[:], one.shared[:] = steps, scalars, 0
            straight(rows)
            if isinstance(error, OSError):
                raise told(error, undo.path, size, self._after(whole)) from error
            raise

    def _put_back(self) -> None:
        self._broken = True
        with suppress(OSError, ValueError):
            # What this process has written down itself.
            whole = [(one.file, [(0, len(one))]) for one in self._maps]
            self._undo.put_back(lambda number, path, size: whole[number])
            self._broken = False
        if self._broken:
            self.close()

    def _after(self, whole: Whole) -> str:
        """What an error says of a step that was not done."""
        if self._broken:
            return "what the step has changed is put back when the optimizer is made again"
        if self._loose is not None and self._runner.begun:
            return f"the step was undone, but {self._loose!r}, in memory, may have moved"
        if whole.behind:
            return "nothing was changed but for rows that had caught up before"
        return "nothing was changed"

    def _alive(self) -> Whole:
        whole = self._whole()
        assert whole
        if self._broken:
            raise OSError(f"{self.folder!r} could not be put back; make the optimizer again.")
        if self._undo.file < 0:
            raise RuntimeError(
                f"the state in {self.folder!r} belongs to the process that this one was forked "
                "from; step it there, or make an optimizer of another directory here."
            )
        held = [(one.path, one.file, len(one)) for one in self._maps]
        for path, file, size in [*held, (self._undo.path, self._undo.file, 0)]:
            # What is stepped would be lost with the last who has it open.
            if not atomic.same(path, file) or os.fstat(file).st_size != size:
                raise OSError(errno.ESTALE, CHANGED, path)
        return whole
