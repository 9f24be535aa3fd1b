"""A file is written whole or not at all: beside its place, to the disk, and only then into it.

A process that dies on the way leaves the file as it was, and beside it one temporary file, which
the next one to save there writes over.
"""

import contextlib
import errno
import os
import weakref
from collections.abc import Iterable
from typing import Any

from adamas.files.bytes_of_files import write as write_whole

try:
    import fcntl
except ImportError:  # pragma: no cover  (not a POSIX system)
    fcntl = None  # type: ignore[assignment]


# A link that somebody left in a folder leads to a file that is no business of ours.
FLAGS = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)


def write(path: "str | os.PathLike[str]", parts: Iterable[Any], size: int, keep: int = 1) -> None:
    """Put `parts`, buffers of `size` bytes together, into the file at `path`.

    Of the files that were there before the last `keep - 1` stay, see `generation`. Raises OSError
    that names the file and the bytes it takes, and whatever `parts` raise; the file that is there,
    and those before it, then stay.
    """
    place = os.path.realpath(os.fsdecode(path))
    folder, name = os.path.split(place)
    spare = os.path.join(folder, f".{name}.part")
    try:
        if os.path.exists(place) and not os.path.isfile(place) and not os.path.isdir(place):
            raise OSError(errno.EINVAL, "it is a device or a pipe, which a file would replace")
        if any(same(place, one.file) for one in in_place):
            told_so = "it is open, and stepped where it lies; save to another path"
            raise OSError(errno.EBUSY, told_so)
        file = _claimed(spare)
        _open.add(file)
        try:
            _fill(file, parts, size)
            _turn(place, spare, keep)
            os.replace(spare, place)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(spare)
            raise
        finally:
            _open.discard(file)
            os.close(file)
    except OSError as error:
        raise told(error, place, size) from error
    _settle(folder)


# Files that are changed where they lie, open as `file`: what took their places would be lost.
in_place: "weakref.WeakSet[Any]" = weakref.WeakSet()


def same(path: str, file: int) -> bool:
    """Whether the file at a path is this open one."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(file))
    except OSError:
        return False


# What is being written; a child that is forked off meanwhile would hold its lock.
_open: set[int] = set()


def _forked() -> None:
    while _open:
        os.close(_open.pop())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


def generation(path: str, age: int) -> str:
    """What the file at `path` is called that was there `age` saves before.

    >>> generation("runs/a.safetensors", 0), generation("runs/a.safetensors", 2)
    ('runs/a.safetensors', 'runs/a.2.safetensors')
    """
    stem, suffix = os.path.splitext(path)
    return f"{stem}.{age}{suffix}" if age else path


def _claimed(spare: str) -> int:
    """The temporary file, open and empty; BlockingIOError while another process writes it."""
    while True:
        file = os.open(spare, os.O_RDWR | os.O_CREAT | FLAGS, 0o666)
        try:
            _lock(file)
            # Whoever held the lock may have put this very file into its place meanwhile.
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(file), os.stat(spare)):
                    os.ftruncate(file, 0)
                    return file
        except BaseException:
            os.close(file)
            raise
        os.close(file)


def _lock(file: int) -> None:
    """Hold a file until it is closed or its process dies; where files have no locks, nothing."""
    if fcntl is None:  # pragma: no cover  (not a POSIX system)
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BlockingIOError(
            errno.EWOULDBLOCK, "somebody else is saving to the same file just now"
        ) from None
    except OSError:
        return


def _fill(file: int, parts: Iterable[Any], size: int) -> None:
    # A full disk is found here, before the first byte is written.
    allocate(file, size)
    done = 0
    for part in parts:
        write_whole(file, part)
        done += memoryview(part).nbytes
    if done != size:
        raise RuntimeError(f"{done} bytes were written where {size} had been announced.")
    os.fsync(file)


def allocate(file: int, size: int) -> bool:
    """Take room on the disk for a file of so many bytes; False where that cannot be done.

    Raises OSError where there is too little.
    """
    if not size or not hasattr(os, "posix_fallocate"):
        return not size
    try:
        os.posix_fallocate(file, 0, size)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS):
            raise
        return False
    return True


def _turn(place: str, spare: str, keep: int) -> None:
    """Let every file that was there before be one generation older; that at `place` stays, too."""
    if keep < 2 or not os.path.exists(place):
        return
    last = generation(place, 1)
    if os.path.exists(last) and os.path.samefile(place, last):
        # A process died between the two names of one file; it is a generation already.
        return
    for age in range(keep - 1, 1, -1):
        if os.path.exists(generation(place, age - 1)):
            os.replace(generation(place, age - 1), generation(place, age))
    link = f"{spare}.old"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(link)
    try:
        os.link(place, link)
    except OSError:
        # Without second names for files there is none at `place` for a moment.
        link = place
    os.replace(link, last)


def _settle(folder: str) -> None:
    """Bring the names in a folder to the disk, where a folder can be opened for that."""
    try:
        file = os.open(folder, os.O_RDONLY)
    except OSError:  # pragma: no cover  (not a POSIX system)
        return
    try:
        os.fsync(file)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EBADF):
            raise
    finally:
        os.close(file)


def told(error: OSError, place: str, size: int, then: str = "nothing was changed") -> OSError:
    """The error with what a reader needs to make room: the file, its bytes, those that are free."""
    free = ""
    with contextlib.suppress(OSError, AttributeError):
        found = os.statvfs(os.path.dirname(place))
        free = f", and {found.f_bavail * found.f_frsize:,} are free there"
    what = f"{error.strerror or error}; this file takes {size:,} bytes{free}; {then}"
    return OSError(error.errno, what, place)
