"""Files that a user names: what cannot be read is refused with the reason and the cure."""

import bz2
import gzip
import hashlib
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import IO, Any

from adamas.lab.needs import LabError
from adamas.lab.text import words
from adamas.pages.sentences import Both
from adamas.pages.told import system

# Text of this size is some twenty million cells; a gigabyte is enough for it and its columns.
LARGEST = 256 * 2**20
BLOCK = 1 << 20


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


def content(path: Path) -> bytes:
    """Return the text of a file; compressed ones, told by their first bytes, are unpacked.

    Raises `LabError` for text that is too large to be held, and for what cannot be unpacked.
    """
    with path.open("rb") as file:
        first = file.read(8)
        file.seek(0)
        opened = next((way for mark, way in PACKED.items() if first.startswith(mark)), None)
        try:
            with opened(file) if opened else file as text:
                blocks = list(_blocks(text, path.name))
        except BROKEN as error:
            raise LabError("error.packed", file=path.name, reason=error) from error
    if not blocks:
        raise LabError("error.no_text", file=path.name)
    return b"".join(blocks) if len(blocks) > 1 else blocks[0]


def _blocks(text: IO[bytes], name: str) -> Iterator[bytes]:
    size = 0
    while block := text.read(BLOCK):
        size += len(block)
        if size > LARGEST:
            raise LabError("error.large", file=name, most=LARGEST // 2**20)
        yield block


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
