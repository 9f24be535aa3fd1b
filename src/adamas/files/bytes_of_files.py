"""Bytes of open files: read and written whole, or wanted soon."""

import os
from typing import Any


def ahead(file: int, begin: int, size: int) -> None:
    """Have the system read bytes of a file that will be wanted."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(file, begin, size, os.POSIX_FADV_WILLNEED)


def leave(file: int, begin: int, size: int) -> None:
    """Have the system write bytes of a file, and keep them in memory no longer."""
    if size > 0 and hasattr(os, "posix_fadvise"):
        os.posix_fadvise(file, begin, size, os.POSIX_FADV_DONTNEED)


def read(file: int, into: memoryview, at: int) -> None:
    """Read bytes of a file; ValueError where it ends before."""
    while into:
        count = os.preadv(file, [into], at)
        if not count:
            raise ValueError("a file ends before what was to be read of it")
        into, at = into[count:], at + count


def write(file: int, given: Any, at: int | None = None) -> None:
    """Write bytes into a file: all of them, at a byte of it or where it stands."""
    left = memoryview(given).cast("B")
    while left:
        count = os.write(file, left) if at is None else os.pwrite(file, left, at)
        left, at = left[count:], None if at is None else at + count
