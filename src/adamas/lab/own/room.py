"""A table that is too large for memory lies in a file without a name, which ends with its process.

Texts are written there as they are read, and columns as they are typed; a column comes back as a
memory map, so that one of them at a time is in memory.
"""

import mmap
import os
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from adamas.lab.needs import LabError
from adamas.lab.own.notes import Notes
from adamas.lab.problems import Array

# Tables of more bytes are read in pieces.
LARGEST = 256 * 2**20
# And smaller ones, where what they take is more than this share of the memory that is free.
SHARE = 1 / 8
TAKES = 3  # bytes of memory for one of a table, while it is read as a whole
CELL = 8  # bytes that a cell takes when it is typed
# Of the disk that is free, which others write to as well.
MOST = 0.9
GROWTH = 64 * 2**20
# What is assumed to be free where the system does not tell.
ASSUMED = 4 * 2**30


def in_pieces(size: int) -> bool:
    """Return whether a table of so many bytes is read in pieces."""
    return size > most_at_once()


def most_at_once() -> int:
    """Return the bytes of the largest table that is read as a whole now."""
    return min(LARGEST, int(SHARE * free_memory() / TAKES))


def free_memory() -> int:
    """Return the bytes of memory that the system has free, or lets go of when asked."""
    told = Path("/proc/meminfo")
    for line in told.read_text().splitlines() if told.exists() else ():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return ASSUMED


def folder() -> str:
    """Return where room is made: TMPDIR, or /var/tmp, which is on a disk where /tmp is in memory.

    >>> os.path.isdir(folder())
    True
    """
    given = os.environ.get("TMPDIR")
    return given or ("/var/tmp" if os.path.isdir("/var/tmp") else tempfile.gettempdir())


class Place(NamedTuple):
    """Where something lies in a room."""

    start: int
    size: int


class Room:
    """A file for the table `name`, with `size` bytes of disk from the start and more as it grows.

    Raises `LabError`, also later, where the disk does not have so many.
    """

    def __init__(self, name: str, size: int = 0) -> None:
        self._name, self._folder = name, folder()
        try:
            # It is gone when it is closed.
            self.file: IO[bytes] = tempfile.TemporaryFile(  # noqa: SIM115
                dir=self._folder, buffering=0
            )
        except OSError as error:
            raise self._refusal(size) from error
        self._close = weakref.finalize(self, self.file.close)
        self._views: list[mmap.mmap] = []
        self._end = self._there = 0
        self._have(size)

    def taken(self) -> IO[bytes]:
        """Return the file, which is not closed with this any more."""
        self._close.detach()
        return self.file

    def note(self, notes: Notes, size: int, rows: int) -> None:
        """Note that the table was read in pieces, unless only because memory was short just now."""
        if size > LARGEST:
            notes.say("pieces", file=self._name, size=f"{size:,}", rows=f"{rows:,}")

    def add(self, data: bytes | memoryview) -> Place:
        """Write something behind the rest, and return where it is."""
        self._have(self._end + len(data))
        self.file.seek(self._end)
        rest = memoryview(data)
        while rest:
            rest = rest[self.file.write(rest) :]
        place = Place(self._end, len(data))
        self._end += len(data)
        return place

    def more(self, size: int) -> None:
        """Take the disk for so many further bytes now, before the work that writes them."""
        self._have(self._end + size)

    def read(self, place: Place) -> bytes:
        """Return what lies at a place."""
        self.file.seek(place.start)
        found = b""
        while len(found) < place.size and (more := self.file.read(place.size - len(found))):
            found += more
        return found

    def array(self, values: Array) -> Array:
        """Return the same numbers as they lie here."""
        self._align()
        place = self.add(np.ascontiguousarray(values).view(np.uint8).data)
        return self._mapped(place, values.dtype, mmap.ACCESS_READ)

    def empty(self, count: int, dtype: "np.dtype[np.generic]") -> Array:
        """Return zeros that lie here, to be written into."""
        self._align()
        place = Place(self._end, count * dtype.itemsize)
        self._have(self._end + place.size)
        self._end += place.size
        if not hasattr(os, "posix_fallocate"):
            self.file.truncate(self._end)
        return self._mapped(place, dtype, mmap.ACCESS_WRITE)

    def _align(self) -> None:
        self._end += -self._end % mmap.ALLOCATIONGRANULARITY

    def _mapped(self, place: Place, dtype: "np.dtype[np.generic]", access: int) -> Array:
        number = self.file.fileno()
        view = mmap.mmap(number, place.size, access=access, offset=place.start)
        self._views.append(view)
        return np.frombuffer(view, dtype)

    def let_go(self) -> None:
        """Let go of what is in memory of the arrays; it is read again where it is needed."""
        for view in self._views if hasattr(mmap.mmap, "madvise") else ():
            view.madvise(mmap.MADV_DONTNEED)

    def _have(self, size: int) -> None:
        """Take the disk for so many bytes, if there are not as many yet."""
        if size <= self._there:
            return
        size = max(size, self._there + GROWTH) if self._there else size
        if size - self._there > MOST * shutil.disk_usage(self._folder).free:
            raise self._refusal(size)
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(self.file.fileno(), self._there, size - self._there)
        except OSError as error:
            raise self._refusal(size) from error
        self._there = size

    def _refusal(self, size: int) -> LabError:
        free = shutil.disk_usage(self._folder).free if os.path.isdir(self._folder) else 0
        told = {"file": self._name, "folder": self._folder}
        return LabError("error.room", size=size, free=free, **told)
