"""The undo record: what a step is about to change is written down before it changes.

A file of records, each behind a head of 64 bytes that is written when the record's bytes are there,
so that a process that dies leaves whole records and one that nobody reads. A step is whole when the
file is empty again. Pages that were written outlive the process; a loss of power is another matter.
"""

import errno
import json
import os
import struct
import weakref
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from adamas.files.bytes_of_files import leave, read, write
from adamas.files.header import strict_json
from adamas.files.naming import FLAGS
from adamas.files.room import allocate

try:
    import fcntl
except ImportError:  # pragma: no cover  (not a POSIX system)
    fcntl = None  # type: ignore[assignment]

# Mark, number of the file or `LIST`, bytes of a piece, pieces, checksum of the rest; its own.
HEAD = struct.Struct("<8sqQQI")
OWN = struct.Struct("<I")
MARK = b"adamas-u"
ROOM = 64
LIST = -1
# Bytes that are copied at once.
PIECE = 1 << 22

# So much of it stays in memory: a tenth of that, because Linux begins to write when as much has not
# been. What nobody reads again would take the place of parameters and state: 4,096 Mi parameters
# took 20 s a step, and take 15.
KEPT = (
    os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 10 if hasattr(os, "sysconf") else 0
)
LEFT = 1 << 25
# Words in a row of `checked`: a page.
ROW = 512

# A file that is open, with the pieces of it that may be written: begins and ends, in order.
Open = tuple[int, Sequence[tuple[int, int]]]
# Finds one by its number, path and size in the list.
Find = Callable[[int, str, int], Open]

_open: "weakref.WeakSet[Undo]" = weakref.WeakSet()


class Record(NamedTuple):
    """Pieces of `unit` bytes of a file, at the places that begin at byte `at` of the undo file."""

    file: int
    unit: int
    pieces: int
    at: int
    checksum: int


class Undo:
    """The undo file at `path`, which this process alone has; BlockingIOError if another does."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.file = os.open(path, os.O_RDWR | os.O_CREAT | FLAGS, 0o666)
        self._end, self._left, self._buffer = 0, 0, bytearray()
        _open.add(self)
        if fcntl is None:  # pragma: no cover  (not a POSIX system)
            return
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            folder = os.path.dirname(path)
            told = (
                "an optimizer of this process or another one has its state in this directory; "
                "`del` ends one of this process"
            )
            raise BlockingIOError(errno.EWOULDBLOCK, told, folder) from None

    def __del__(self) -> None:
        """Let another process have it."""
        self.close()

    def close(self) -> None:
        """Let another process have it; a second time does nothing."""
        if getattr(self, "file", -1) >= 0:
            os.close(self.file)
        self.file = -1

    @property
    def unfinished(self) -> bool:
        """Whether a step has begun, and has not ended."""
        return os.fstat(self.file).st_size > 0

    def begin(self, files: Sequence[tuple[str, int]], size: int) -> None:
        """Begin to write down about `size` bytes of files, which have these paths and sizes.

        Raises OSError, with nothing begun, where there is no room for them.
        """
        self._end = self._left = 0
        try:
            allocate(self.file, size)
        except OSError:
            self.finish()
            raise
        said = json.dumps(list(files)).encode()
        self._put(LIST, len(said), b"", said, 0)

    def note(self, number: int, source: int, begin: int, size: int, into: Any = None) -> None:
        """Write bytes of the file `source`, which has this number, down, and read them into memory.

        That is a buffer of as many bytes, if one is given.
        """
        self._buffer = self._buffer or bytearray(PIECE)
        for done in range(0, size, PIECE):
            count = min(PIECE, size - done)
            view = memoryview(self._buffer if into is None else into[done:])[:count]
            read(source, view, begin + done)
            self._put(number, count, (begin + done).to_bytes(8, "little"), view, 1)

    def note_rows(self, number: int, places: NDArray[np.int64], rows: NDArray[np.uint8]) -> None:
        """Write down what stands at `places` of a file: `rows`, of equal length."""
        at = np.ascontiguousarray(places, "<i8").tobytes()
        self._put(number, rows.shape[1], at, rows.data.cast("B"), len(rows))

    def _put(self, number: int, unit: int, places: bytes, rest: Any, count: int) -> None:
        """Write a record: first what it says, then the head that says that it is there."""
        checksum = checked(places, rest)
        head = HEAD.pack(MARK, number, unit, count, checksum)
        at = self._end + ROOM
        write(self.file, places, at)
        write(self.file, rest, at + len(places))
        write(self.file, head + OWN.pack(zlib.crc32(head)), self._end)
        self._end = at + -(-(len(places) + len(rest)) // ROOM) * ROOM
        if self._end - self._left > KEPT + LEFT:
            leave(self.file, self._left, LEFT)
            self._left += LEFT

    def finish(self) -> None:
        """The step is whole: nothing is to be put back any more."""
        os.ftruncate(self.file, 0)

    def put_back(self, find: Find) -> None:
        """Put all that was written down back into its files, and end; ValueError says what is bad.

        Whoever made the directory may have written any path and any place: `find` opens none of
        the paths, and says which bytes are no business of anybody else.
        """
        records = list(self._records())
        files = self._files(records[0], find) if records else []
        # All of it is looked at before any of it is put back.
        for put in (False, True):
            for record in reversed(records[1:]):
                self._restore(record, files, put)
        self.finish()

    def _records(self) -> Iterator[Record]:
        size, at = os.fstat(self.file).st_size, 0
        while head := os.pread(self.file, HEAD.size + OWN.size, at).strip(b"\0"):
            head = os.pread(self.file, HEAD.size + OWN.size, at)
            if len(head) < HEAD.size + OWN.size or OWN.pack(zlib.crc32(head[:-4])) != head[-4:]:
                raise ValueError(f"byte {at} does not begin a record")
            mark, file, unit, count, checksum = HEAD.unpack(head[:-4])
            length = 8 * count + unit * max(1, count)
            if mark != MARK or at + ROOM + length > size or (file == LIST) != (at == 0):
                raise ValueError(f"the record at byte {at} is none of an undo file")
            yield Record(file, unit, count, at + ROOM, checksum)
            at += ROOM + -(-length // ROOM) * ROOM

    def _content(self, record: Record) -> bytearray:
        found = bytearray(8 * record.pieces + record.unit * max(1, record.pieces))
        read(self.file, memoryview(found), record.at)
        places = memoryview(found)[: 8 * record.pieces]
        if checked(places, memoryview(found)[len(places) :]) != record.checksum:
            raise ValueError(f"the record at byte {record.at - ROOM} is not what was written")
        return found

    def _files(self, record: Record, find: Find) -> list[Open]:
        listed = strict_json(b'{"files":' + bytes(self._content(record)) + b"}", "its list")
        return [find(k, path, size) for k, (path, size) in enumerate(listed["files"])]

    def _restore(self, record: Record, files: Sequence[Open], put: bool) -> None:
        content = self._content(record)
        places = np.frombuffer(content, "<i8", record.pieces)
        if not 0 <= record.file < len(files):
            raise ValueError(f"it has no file {record.file}")
        (file, pieces), rest = files[record.file], memoryview(content)[8 * record.pieces :]
        begins, ends = np.array(pieces, np.int64).reshape(-1, 2).T
        within = np.searchsorted(begins, places, "right") - 1
        fits = (within >= 0) & (places <= ends[within] - record.unit)
        if not fits.all():
            raise ValueError(
                f"it would write at byte {places[~fits][0]:,} of file {record.file}, where neither "
                "the state lies nor one of these parameters; give it those that it had"
            )
        for k, place in enumerate(places.tolist() if put else ()):
            write(file, rest[k * record.unit : (k + 1) * record.unit], place)


def checked(places: Any, rest: Any) -> int:
    """The checksum of a record: of its places, of the sums of its pages' words, and of the rest.

    A page that is missing or was changed shows. A step would wait for a CRC of all bytes, which
    goes at 4 GB/s; sums go at 40.
    """
    whole = len(rest) // (8 * ROW) * ROW
    words = np.frombuffer(rest, np.uint64, whole).reshape(-1, ROW)
    begun = zlib.crc32(places)
    if whole:
        begun = zlib.crc32(words.sum(0, dtype=np.uint64).data, begun)
    return zlib.crc32(memoryview(rest)[8 * whole :], begun)


def _forget() -> None:
    # The child of a fork neither writes nor keeps the lock of its parent.
    for one in list(_open):
        one.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
