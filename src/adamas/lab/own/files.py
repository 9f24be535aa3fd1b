"""Files that a user names: what cannot be read is refused with the reason and the cure."""

import bz2
import gzip
import hashlib
import io
import lzma
import weakref
import zipfile
import zlib
from collections import deque
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import IO, Any

from adamas.lab.needs import LabError
from adamas.lab.own.room import Room, most_at_once
from adamas.lab.text import words
from adamas.pages.sentences import Both
from adamas.pages.told import system

BLOCK = 1 << 20


class Body:
    """A text that is too large to be held: the first `size` bytes of a file, read when needed.

    The file is closed with it.
    """

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file, self._size = file, size
        weakref.finalize(self, file.close)

    def __len__(self) -> int:
        """Return how many bytes there are."""
        return self._size

    def __getitem__(self, places: slice) -> bytes:
        """Return some of the bytes."""
        start, stop, step = places.indices(self._size)
        self._file.seek(start)
        blocks, left = [], stop - start
        while left > 0 and (block := self._file.read(left)):
            blocks.append(block)
            left -= len(block)
        return b"".join(blocks)[::step]


Text = bytes | Body


class _Reader(io.RawIOBase):
    def __init__(self, text: Body) -> None:
        self._text, self._place = text, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        found = self._text[self._place : self._place + len(buffer)]
        buffer[: len(found)] = found
        self._place += len(found)
        return len(found)


def opened(text: Text) -> IO[bytes]:
    """Return a text as a file."""
    return io.BytesIO(text) if isinstance(text, bytes) else io.BufferedReader(_Reader(text), BLOCK)


def check_file(path: Path) -> None:
    """Raise `LabError` unless `path` is a file that may be read and is not empty."""
    try:
        with path.open("rb") as file:
            if not file.read(1):
                raise LabError("error.empty", path=path)
    except FileNotFoundError:
        raise LabError("error.no_file", path=path, hint=_closest(path)) from None
    except IsADirectoryError:
        raise LabError("error.directory", path=path) from None
    except (OSError, ValueError) as error:
        raise LabError("error.unreadable", path=path, reason=system(error)) from None


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def content(path: Path) -> Text:
    """Return the text of a file; compressed ones, told by their first bytes, are unpacked.

    Raises `LabError` for what cannot be unpacked.
    """
    with path.open("rb") as file:
        first, most = file.read(8), most_at_once()
        file.seek(0)
        way = next((way for mark, way in PACKED.items() if first.startswith(mark)), None)
        if way is None and (size := path.stat().st_size) > most:
            return Body(path.open("rb"), size)
        try:
            with way(file) if way else file as text:
                found = _held(text, most, path.name)
        except BROKEN as error:
            raise LabError("error.packed", file=path.name, reason=error) from error
    if not found:
        raise LabError("error.no_text", file=path.name)
    return found


def _held(text: IO[bytes], most: int, name: str) -> Text:
    """Return a text; one of more than `most` bytes unpacked into a file."""
    blocks, size = deque[bytes](), 0
    while block := text.read(BLOCK):
        blocks.append(block)
        size += len(block)
        if size > most:
            break
    else:
        return b"".join(blocks) if len(blocks) != 1 else blocks[0]
    room, size = Room(name), 0
    while block := blocks.popleft() if blocks else text.read(BLOCK):
        size += room.add(block).size
    return Body(room.taken(), size)


def _only_member(file: Any) -> IO[bytes]:
    """Return the one file that a zip archive holds."""
    archive = zipfile.ZipFile(file)
    names = [one for one in archive.namelist() if not one.endswith("/") and "__MACOSX" not in one]
    if len(names) != 1:
        told = {"file": Path(file.name).name, "count": len(names), "shown": ", ".join(names[:5])}
        raise LabError("error.members", **told)
    return archive.open(names[0])


PACKED: dict[bytes, Callable[[Any], Any]] = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\0": lzma.LZMAFile,
    b"PK\3\4": _only_member,
}
BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError)


def _closest(path: Path) -> Both:
    try:
        names = [found.name for found in path.parent.iterdir()]
    except OSError:
        return words("hint.no_directory", path=path.parent)
    close = get_close_matches(path.name, names, 1)
    if not close:
        return words("hint.check_name")
    return words("hint.mean", name=path.with_name(close[0]))
